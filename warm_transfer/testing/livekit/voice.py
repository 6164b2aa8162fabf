"""An agent's voice: what is said, and one thing after the other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from typing import Any

from warm_transfer.testing.livekit.sound import SimAudioSource
from warm_transfer.testing.livekit.world import World

__all__ = ["SimSpeech", "Voice"]


class SimSpeech:
    """``SpeechHandle``."""

    def __init__(self, text: str, *, allow_interruptions: bool = True) -> None:
        self.text = text
        self.allow_interruptions = allow_interruptions
        self.interrupted = False
        self._done = asyncio.Event()
        self._then: list[Callable[[SimSpeech], object]] = []

    def done(self) -> bool:
        """Whether it has been said, or cut off."""
        return self._done.is_set()

    def finish(self) -> None:
        """It has been said."""
        self._end()

    def interrupt(self, *, force: bool = False) -> SimSpeech:
        """Cut it off."""
        if not self.allow_interruptions and not force:
            raise RuntimeError("This generation handle does not allow interruptions")
        if not self.done():
            self.interrupted = True
            self._end()
        return self

    def add_done_callback(self, callback: Callable[[SimSpeech], object]) -> None:
        """Call this when it has been said, or cut off; once, however often it is asked for."""
        if callback not in self._then:
            self._then.append(callback)

    def _end(self) -> None:
        if not self.done():
            self._done.set()
            for callback in self._then:
                callback(self)

    async def wait_for_playout(self) -> None:
        """Return when it has been said, or cut off."""
        await self._done.wait()

    def __await__(self) -> Generator[Any, None, SimSpeech]:
        async def wait() -> SimSpeech:
            await self._done.wait()
            return self

        return wait().__await__()


class Voice:
    """An agent's voice: one utterance after the other on one track.

    Args:
        world: the server.
        tag: what it is heard as.
        may_sound: whether the output is on.
        speaks: told when it begins and when it ends.
    """

    def __init__(
        self,
        world: World,
        tag: str,
        may_sound: Callable[[], bool],
        speaks: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._world = world
        self.tag = tag
        self.source = SimAudioSource(world)
        self._may_sound = may_sound
        self._speaks = speaks
        self._queue: list[tuple[SimSpeech, float, str]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def current(self) -> SimSpeech | None:
        """What is being said."""
        return self._queue[0][0] if self._queue else None

    def say(self, speech: SimSpeech, seconds: float, tag: str | None = None) -> None:
        """Say something when what was asked before has been said."""
        self._queue.append((speech, seconds, tag or self.tag))
        if self._task is None or self._task.done():
            self._task = self._world.loop.create_task(self._speak(), name="sim: voice")

    async def _speak(self) -> None:
        try:
            while self._queue:
                speech, seconds, tag = self._queue[0]
                # With the output off a speech "plays" in no time (integration 2); one that has
                # begun is not cut off by switching it off.
                seconds = seconds if self._may_sound() else 0.01
                if self._may_sound() and not speech.done():
                    self.source.set_tag(tag)
                    self._speaks(True)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await speech.wait_for_playout()
                self.source.set_tag("")
                speech.finish()
                self._queue.pop(0)
                self._speaks(False)
        finally:
            self.source.set_tag("")

    def interrupt(self, *, force: bool) -> None:
        """Cut off what is being said and what is waiting."""
        for speech, _, _ in self._queue:
            if force or speech.allow_interruptions:
                speech.interrupt(force=force)
                if speech is self.current:
                    self.source.set_tag("")

    async def aclose(self) -> None:
        """Fall silent for good."""
        self.interrupt(force=True)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.source.aclose()
