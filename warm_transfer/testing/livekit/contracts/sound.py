"""Listening to hold audio itself: does it begin, does it go on, is it sound at all."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from livekit import rtc
from livekit.agents import AudioConfig, BuiltinAudioClip
from livekit.agents.utils.audio import audio_frames_from_file

from warm_transfer.testing import clock
from warm_transfer.testing.clauses import Findings

__all__ = ["listen"]

LISTEN_S = 30.0
"""How much of an iterator is listened to, in seconds of sound; as long as a phone rings."""
_FILE_S = 2.0
"""How much of what needs real time, such as a file, is listened to."""
_SOON_S = 1.0
_SLACK_S = 1.0
"""How far a source may be behind, in seconds."""
_PATIENCE_S = 5.0
_AUDIBLE = 50
"""The sample value above which sound is no silence, of 32,767."""


def listen(make: Callable[[], Any], findings: Findings) -> None:
    """Take down what is wrong with something that is given as ``hold_audio=``.

    Args:
        make: makes it, anew each time.
        findings: takes it down.
    """
    for place, source in enumerate(_sources(make(), findings)):
        if not isinstance(source, AsyncIterator):
            _listen_to_file(source, findings)
        elif not _is_heard(source, findings):
            # It waits for a file or a thread, for which a virtual clock does not.
            fresh = _sources(make(), findings)[place]
            asyncio.run(_Ear(findings, _FILE_S).hear(fresh))


def _sources(audio: Any, findings: Findings) -> list[Any]:
    """The sources in it: iterators, and paths of files."""
    if audio is None:
        return []
    configs = audio if isinstance(audio, list) else [audio]
    if isinstance(audio, list):
        share = sum(getattr(each, "probability", 0.0) for each in audio)
        heard = share > 1 - 1e-9
        problem = f"nothing is played in {1 - share:.0%} of the transfers"
        findings.check(heard, "sound_begins_soon", problem)
    for each in configs:
        if isinstance(each, AudioConfig):
            findings.check(each.volume > 0, "sound_begins_soon", f"its volume is {each.volume:g}")
    plain = [each.source if isinstance(each, AudioConfig) else each for each in configs]
    return [each.path() if isinstance(each, BuiltinAudioClip) else each for each in plain]


def _is_heard(source: AsyncIterator[Any], findings: Findings) -> bool:
    """Listen to an iterator on a virtual clock; False when it needs real time."""
    ear = _Ear(findings, LISTEN_S, virtual=True)
    try:
        clock.run(ear.hear(source))
    except clock.Deadlock:
        return False
    return not ear.waited


def _listen_to_file(path: Any, findings: Findings) -> None:
    before = set(threading.enumerate())
    try:
        asyncio.run(_Ear(findings, _FILE_S, ends=True).hear(audio_frames_from_file(path)))
    except Exception as error:  # noqa: BLE001 - whatever a decoder or the system raises
        findings.check(False, "a_file_can_be_read", f"{path!r}: {error!r}")
    finally:
        # The decoder's thread ends a moment after it was closed.
        for each in set(threading.enumerate()) - before:
            each.join(timeout=_PATIENCE_S)


class _Ear:
    """Hears one source.

    Args:
        findings: takes down what is wrong.
        seconds: of sound to hear.
        ends: whether it may end, because the library begins it again.
        virtual: whether time is virtual, so that a wait may be for something real.
    """

    def __init__(
        self, findings: Findings, seconds: float, *, ends: bool = False, virtual: bool = False
    ) -> None:
        self._check = findings.check
        self._seconds = seconds
        self._ends = ends
        self._virtual = virtual
        self.waited = False
        """Whether no frame came in virtual time."""
        self._kind: tuple[int, int] | None = None
        self._heard_s = 0.0
        self._audible = False

    async def hear(self, source: AsyncIterator[Any]) -> None:
        """Take frames until there is enough of them, or something is wrong."""
        began_s = asyncio.get_running_loop().time()
        try:
            while self._heard_s < self._seconds and await self._one(source):
                behind_s = asyncio.get_running_loop().time() - began_s - self._heard_s
                slow = f"{behind_s:.1f} s behind after {self._heard_s:.1f} s of sound"
                self._check(behind_s < _SLACK_S, "sound_keeps_up", slow)
        finally:
            await _close(source)
        if self._heard_s:
            silent = f"silence for the first {min(self._heard_s, _SOON_S):g} s"
            self._check(self._audible, "sound_begins_soon", silent)

    async def _one(self, source: AsyncIterator[Any]) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                frame = await anext(source)
        except StopAsyncIteration:
            ends = f"it ends after {self._heard_s:.2f} s"
            clause = "a_file_can_be_read" if self._ends else "sound_goes_on"
            self._check(self._ends and self._heard_s, clause, ends)
            return False
        except TimeoutError:
            self.waited = self._virtual
            self._check(self._virtual, "sound_keeps_up", f"no frame for {_PATIENCE_S:g} s")
            return False
        except Exception as error:
            if self._ends:
                raise
            self._check(False, "sound_goes_on", f"it raises {error!r} after {self._heard_s:.2f} s")
            return False
        return self._take(frame)

    def _take(self, frame: Any) -> bool:
        if not isinstance(frame, rtc.AudioFrame):
            self._check(False, "frames_are_alike", f"{type(frame).__name__} is no rtc.AudioFrame")
            return False
        kind = (frame.sample_rate, frame.num_channels)
        self._kind = self._kind or kind
        other = f"{kind} after {self._kind} (samples a second, channels)"
        self._check(kind == self._kind, "frames_are_alike", other)
        self._check(frame.samples_per_channel, "frames_are_alike", "a frame is empty")
        if self._heard_s < _SOON_S:
            self._audible = self._audible or any(abs(each) > _AUDIBLE for each in frame.data)
        self._heard_s += frame.duration
        return frame.samples_per_channel > 0


async def _close(source: AsyncIterator[Any]) -> None:
    close = getattr(source, "aclose", None)
    if close is not None:
        with contextlib.suppress(RuntimeError):
            await close()
