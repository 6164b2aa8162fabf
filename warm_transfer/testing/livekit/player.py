"""Hold audio in the simulated world (``BackgroundAudioPlayer``)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

from livekit.agents import AudioConfig

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.sound import SimAudioSource, SimLocalTrack
from warm_transfer.testing.livekit.world import World

__all__ = ["SimAudioFile", "SimHoldPlayer", "SimPlayHandle"]


class SimAudioFile:
    """A file that is played; what is in it is not looked at.

    Args:
        world: keeps account of it until it is closed.
        path: the file.
    """

    def __init__(self, world: World, path: str) -> None:
        self._world = world
        world.ledger.opened(self, f"audio file {Path(path).name}")

    def __aiter__(self) -> SimAudioFile:
        return self

    async def __anext__(self) -> Any:
        """There are no frames in a simulated file."""
        raise StopAsyncIteration

    def close(self) -> None:
        """Close it; safe to repeat."""
        self._world.ledger.closed(self)


class SimPlayHandle:
    """``PlayHandle``."""

    def __init__(self, player: SimHoldPlayer) -> None:
        self._player = player
        self._done = asyncio.Event()

    def done(self) -> bool:
        """Whether it plays no more."""
        return self._done.is_set()

    def stop(self) -> None:
        """Stop playing."""
        if not self._done.is_set():
            self._done.set()
            self._player.silence()

    async def wait_for_playout(self) -> None:
        """Return when it plays no more."""
        await self._done.wait()

    def __await__(self) -> Generator[Any, None, SimPlayHandle]:
        async def wait() -> SimPlayHandle:
            await self._done.wait()
            return self

        return wait().__await__()


class SimHoldPlayer:
    """A player on a track of its own; what it plays is heard as ``"music"``.

    Args:
        world: the server.
        track_name: the name of its track.
    """

    def __init__(self, world: World, track_name: str) -> None:
        self._world = world
        self._name = track_name
        self._source: SimAudioSource | None = None
        self._room: SimRoom | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.playing: list[SimPlayHandle] = []

    async def start(self, *, room: Any) -> None:
        """Publish the track. In a room that is gone it does not return (integration 5.4)."""
        await self._world.faults.call("player.start", lambda: self._start(room))

    async def _start(self, room: SimRoom) -> None:
        if self._source is not None:
            return
        self._room = room
        source = SimAudioSource(self._world)
        try:
            track = SimLocalTrack(self._world, self._name, source)
            await room.local_participant.publish_track(track)
        except BaseException:
            await source.aclose()
            raise
        self._source = source
        self._world.ledger.opened(self, f"player {self._name}")

    def play(self, audio: Any, *, loop: bool = False) -> SimPlayHandle:
        """Play a file, a clip or an iterator; what it really contains is not looked at.

        Raises:
            RuntimeError: not started.
            ValueError: an iterator cannot be looped.
        """
        return self._world.faults.call_now("player.play", lambda: self._play(audio, loop=loop))

    def _play(self, audio: Any, *, loop: bool) -> SimPlayHandle:
        if self._source is None:
            raise RuntimeError("BackgroundAudio is not started")
        source = audio.source if isinstance(audio, AudioConfig) else audio
        if loop and hasattr(source, "__anext__"):
            raise ValueError("Looping sound via AsyncIterator is not supported.")
        handle = SimPlayHandle(self)
        self.playing.append(handle)
        # A missing file, or an empty list, plays nothing and raises nothing (integration 5.4).
        missing = isinstance(source, str) and not Path(source).exists()
        if not missing and source != []:
            delay_s = self._world.lag(latency.PLAYER_S)
            # Sound is not looked at, but the library's own silence is known by its name.
            tag = "" if getattr(source, "__name__", "") == "_silence" else "music"
            self._timer = self._world.loop.call_later(delay_s, self._source.set_tag, tag)
        return handle

    def silence(self) -> None:
        """Play nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._source is not None:
            self._source.set_tag("")

    async def aclose(self) -> None:
        """Take the own track away. In a room that the server has taken away it does not return."""
        await self._world.faults.call("player.aclose", self._aclose)

    async def _aclose(self) -> None:
        source, room = self._source, self._room
        if source is None or room is None:
            return
        self.silence()
        for handle in self.playing:
            handle.stop()
        await source.aclose()
        if room.isconnected():
            await self._world.wait(latency.PLAYER_CLOSE_S)
        # Only now: the library's player takes a close up again that was cut off half-way.
        self._source = None
        self._world.ledger.closed(self)
        # By name, because a full reconnect gives the track another sid.
        for sid, publication in tuple(room.local_participant.track_publications.items()):
            if publication.name == self._name and (room.isconnected() or room.lost):
                with contextlib.suppress(Exception):
                    await room.local_participant.unpublish_track(sid)
