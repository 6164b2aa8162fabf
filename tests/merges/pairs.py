"""Many callers and humans at little cost, so that the agent's share of the CPU can be measured.

Each murmurs its pilot from a queue that is filled twice a second. They fall silent and deaf where
that costs the agent nothing: they murmur when all relays are open, and then hear nothing of them,
so that the machine has its two cores for the agent and the server.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import numpy as np
from livekit import rtc

from tests.live.people import token
from tests.live.pilots import Pilot
from tests.live.server import Server
from tests.live.voices import RATE_HZ, pilot_tone
from tests.merges.bench import Bench
from tests.merges.carriers import CALLER, HUMAN

__all__ = ["Murmur", "cpu_pct"]

PIECE = RATE_HZ // 2
QUEUE_MS = 1000
SETTLE_S = 3.0
MEASURED_S = 8.0


class Murmur:
    """One participant that makes a steady sound."""

    def __init__(self, pilot: Pilot) -> None:
        self._room = rtc.Room()
        self._source = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=QUEUE_MS)
        self._sound = pilot_tone(pilot, PIECE).astype(np.int16).tobytes()
        self._feeding: asyncio.Task[None] | None = None
        self._left = False

    async def join(self, server: Server, room: str, identity: str) -> None:
        """Enter the room and publish, silent still."""
        await self._room.connect(server.url, token(server, room, identity, "sip", {}))
        track = rtc.LocalAudioTrack.create_audio_track(identity, self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(track, options)

    @property
    def local(self) -> rtc.LocalParticipant:
        """Itself, in the room."""
        return self._room.local_participant

    def murmur(self, *, deaf: bool = True) -> None:
        """Make the sound from now on, and hear nothing more of what is there unless told to."""
        if self._left:
            return
        if deaf:
            self._unsubscribe()
        self._feeding = asyncio.create_task(self._feed(), name=f"murmur {self._room.name}")

    def _unsubscribe(self) -> None:
        for other in self._room.remote_participants.values():
            for publication in other.track_publications.values():
                publication.set_subscribed(False)

    async def _feed(self) -> None:
        # A closed source takes every frame at once, so that feeding it would never pause.
        while not self._left:
            await self._source.capture_frame(rtc.AudioFrame(self._sound, RATE_HZ, 1, PIECE))

    async def leave(self) -> None:
        """Fall silent and go."""
        self._left = True
        if self._feeding is not None:
            self._feeding.cancel()
            await asyncio.gather(self._feeding, return_exceptions=True)
        await self._source.aclose()
        await self._room.disconnect()


@contextlib.asynccontextmanager
async def _pairs(bench: Bench, count: int) -> AsyncIterator[tuple[list[list[str]], list[Murmur]]]:
    """Have so many callers and humans for the time of the block; gives their rooms, by pairs."""
    rooms = [[bench.room(), bench.room()] for _ in range(count)]
    people: list[Murmur] = []
    try:
        for pair in rooms:
            for name, identity, pilot in zip(
                pair, (CALLER, HUMAN), (Pilot.CALLER, Pilot.HUMAN), strict=True
            ):
                people.append(Murmur(pilot))
                await people[-1].join(bench.server, name, identity)
        yield rooms, people
    finally:
        for each in people:
            await each.leave()


async def cpu_pct(bench: Bench, kind: str, count: int) -> float:
    """The share of one core that each of so many relays in one process takes, in percent."""
    async with _pairs(bench, count) as (rooms, people):
        bench.agent.send("carry", kind=kind, rooms=rooms)
        await bench.agent.answer()
        for each in people:
            each.murmur()
        await asyncio.sleep(SETTLE_S)
        bench.agent.send("cpu", seconds=MEASURED_S)
        share = float((await bench.agent.answer())["cpu_pct"])
        bench.agent.send("drop")
        await bench.agent.answer()
    return round(share / count, 1)
