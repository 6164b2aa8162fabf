"""Relays without a transfer around them: ours, and the naive one that it is measured against."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from livekit import rtc

from warm_transfer.livekit.legs import Legs, microphone_of
from warm_transfer.livekit.relay import Relay
from warm_transfer.livekit.sdk import LiveKitSdk, Room
from warm_transfer.logs import transfer_log
from warm_transfer.policy import TransferPolicy

__all__ = ["CALLER", "HUMAN", "Carriers", "NaiveRelay"]

CALLER, HUMAN = "caller", "human"
RATE_HZ = 48_000
NAIVE_QUEUE_MS = 200
THERE_S = 10.0

RoomPair = Sequence[str]
"""The names of a caller's room and of a consult room."""


class NaiveRelay:
    """What one writes at first: every frame of a stream into a source with a queue of 200 ms."""

    def __init__(self) -> None:
        self._pumps: list[asyncio.Task[None]] = []
        self._streams: list[rtc.AudioStream] = []
        self._sources: list[rtc.AudioSource] = []

    async def merge(self, caller: rtc.Room, consult: rtc.Room) -> None:
        """Carry both ways."""
        await self._carry(consult, HUMAN, caller)
        await self._carry(caller, CALLER, consult)

    async def _carry(self, source: rtc.Room, identity: str, target: rtc.Room) -> None:
        voice = microphone_of(cast("Room", source), identity)
        assert voice is not None
        assert voice.track is not None
        sound = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=NAIVE_QUEUE_MS)
        track = rtc.LocalAudioTrack.create_audio_track(f"naive-{identity}", sound)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await target.local_participant.publish_track(track, options)
        stream = rtc.AudioStream(voice.track, sample_rate=RATE_HZ, num_channels=1, frame_size_ms=10)
        self._sources.append(sound)
        self._streams.append(stream)
        self._pumps.append(asyncio.create_task(_pump(stream, sound), name=f"naive {identity}"))

    async def unmerge(self) -> None:
        """Stop."""
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)
        for stream in self._streams:
            await stream.aclose()
        for source in self._sources:
            await source.aclose()


async def _pump(stream: rtc.AudioStream, sound: rtc.AudioSource) -> None:
    async for event in stream:
        await sound.capture_frame(event.frame)


class Carriers:
    """Relays of one kind, as many as are asked for, in this process."""

    def __init__(self, sdk: LiveKitSdk) -> None:
        self._sdk = sdk
        self._rooms: list[rtc.Room] = []
        self._naive: list[NaiveRelay] = []
        self._ours: list[tuple[Relay, Legs]] = []

    async def open(self, kind: str, pairs: Sequence[RoomPair]) -> None:
        """Carry in each pair of rooms; ``"none"`` only joins them, for the share of that."""
        for number, (caller, consult) in enumerate(pairs):
            first, second = await self._join(caller, CALLER), await self._join(consult, HUMAN)
            if kind == "relay":
                legs = self._legs(number, first, second)
                relay = Relay()
                await relay.merge(legs, lambda _: None)
                self._ours.append((relay, legs))
            elif kind == "naive":
                naive = NaiveRelay()
                await naive.merge(first, second)
                self._naive.append(naive)

    async def _join(self, name: str, party: str) -> rtc.Room:
        room = rtc.Room()
        await room.connect(self._sdk.url, self._sdk.token(name, "agent", 600.0))
        self._rooms.append(room)
        async with asyncio.timeout(THERE_S):
            while not _is_heard(room, party):  # noqa: ASYNC110 - a harness may poll
                await asyncio.sleep(0.02)
        return room

    def _legs(self, number: int, caller: rtc.Room, consult: rtc.Room) -> Legs:
        nothing: Any = None  # a relay asks neither the API nor the host
        return Legs(
            transfer_id=f"carried-{number}",
            sdk=self._sdk,
            api=nothing,
            policy=TransferPolicy(),
            host=nothing,
            caller_room=cast("Room", caller),
            caller_identity=CALLER,
            consult_name=consult.name,
            human_identity=HUMAN,
            post=lambda _: None,
            log=transfer_log("merges"),
            consult_room=cast("Room", consult),
        )

    async def close(self) -> None:
        """Take everything down."""
        for relay, legs in self._ours:
            await relay.unmerge(legs)
        for naive in self._naive:
            await naive.unmerge()
        for room in self._rooms:
            await room.disconnect()
        self._rooms, self._naive, self._ours = [], [], []


def _is_heard(room: rtc.Room, party: str) -> bool:
    voice = microphone_of(cast("Room", room), party)
    return voice is not None and voice.track is not None
