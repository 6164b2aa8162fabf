"""The relay: the agent stays in both rooms and carries each party's voice to the other.

Works on any server without set-up. Only the two named microphone tracks are carried, so nothing
else of a room can cross; a queue of at most 100 ms drops its oldest frame rather than lag.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from livekit import rtc

from warm_transfer.livekit.legs import (
    Legs,
    Lost,
    each_has_its_turn,
    microphone_of,
    unless,
    unpublish,
)
from warm_transfer.livekit.sdk import AudioSource, AudioStream, Participant, Room
from warm_transfer.policy import Carrier

__all__ = ["Lane", "Relay"]

QUEUE_FRAMES = 10
"""100 ms: what a listener hardly notices, and what a short stall may pile up."""

Broke = Callable[[BaseException | None], None]


class Lane:
    """One direction: the voice of one participant, published in the other room.

    Args:
        legs: what the adapters share.
        source: the room to listen in, and the identity to listen to.
        target: the room to speak in.
        name: the name of the published track.
        broke: told once when the lane can carry no more.
    """

    def __init__(
        self,
        legs: Legs,
        source: tuple[Room, str],
        target: Room,
        name: str,
        broke: Broke,
    ) -> None:
        self._legs = legs
        self._room, self._identity = source
        self._target = target
        self._name = name
        self._broke = broke
        self._flowing = asyncio.Event()
        self._source: AudioSource | None = None
        self._pump: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def open(self) -> None:
        """Publish, pump, and return when frames flow and the listener has subscribed."""
        sdk = self._legs.sdk
        # A full reconnect makes a new track object under the same sid, and the old stream is dead.
        self._room.on("track_subscribed", self._on_subscribed)
        self._source = sdk.audio_source()
        track = sdk.audio_track(self._name, self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        with Lost(self._target) as lost:
            # Not cut off by our own close: the track would come behind it and stay.
            published = await unless(
                lost, self._target.local_participant.publish_track(track, options)
            )
            if self._closed.is_set():
                raise ConnectionAbortedError
        voice = microphone_of(self._room, self._identity)
        if self._pump is None and voice is not None and voice.track is not None:
            self._restart(voice.track)
        await unless(self._closed, published.wait_for_subscription())
        await unless(self._closed, self._wait_flowing())

    async def _wait_flowing(self) -> None:
        await self._flowing.wait()

    async def close(self) -> None:
        """Stop pumping and take our track away; safe to repeat."""
        self._closed.set()
        self._room.off("track_subscribed", self._on_subscribed)
        await self._stop_pump()
        await unpublish(self._target, self._name, self._legs.policy.api_timeout_s)
        source, self._source = self._source, None
        if source is not None:
            await source.aclose()

    @property
    def healthy(self) -> bool:
        """Whether frames have flowed and the pump runs."""
        running = self._pump is not None and not self._pump.done()
        return running and self._flowing.is_set()

    def _on_subscribed(self, track: Any, publication: Any, participant: Participant) -> None:
        if participant.identity != self._identity:
            return
        if publication.source == rtc.TrackSource.SOURCE_MICROPHONE:
            self._restart(track)

    def _restart(self, track: Any) -> None:
        old = self._pump
        stream = self._legs.sdk.audio_stream(track, capacity=QUEUE_FRAMES)
        name = f"warm-transfer {self._legs.transfer_id} relay {self._name}"
        self._pump = asyncio.get_running_loop().create_task(self._carry(stream, old), name=name)
        self._pump.add_done_callback(self._on_pump_done)

    async def _carry(self, stream: AudioStream, old: asyncio.Task[None] | None) -> None:
        try:
            if old is not None:
                old.cancel()
                await asyncio.wait([old])
            async for event in stream:
                source = self._source
                if source is None:
                    return
                await source.capture_frame(event.frame)
                self._flowing.set()
        finally:
            await stream.aclose()

    def _on_pump_done(self, task: asyncio.Task[None]) -> None:
        """A pump that dies is silence on a call; say so."""
        if task.cancelled():
            return
        error = task.exception()
        if task is self._pump and not self._closed.is_set():
            self._broke(error)

    async def _stop_pump(self) -> None:
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.cancel()
            await asyncio.wait([pump])


class Relay:
    """The merge strategy ``relay``."""

    name = "relay"
    carrier = Carrier.AGENT

    def __init__(self) -> None:
        self._lanes: tuple[Lane, ...] = ()

    async def prepare(self, legs: Legs) -> None:
        """Nothing to prepare: the lanes are opened when they may be heard."""

    async def merge(self, legs: Legs, broke: Broke) -> None:
        """Open both lanes; returns when both parties can hear each other."""
        await self.unmerge(legs)
        consult = legs.consult_room
        if consult is None:
            raise RuntimeError("there is no consult room to relay from")
        human = (consult, legs.human_identity)
        caller = (legs.caller_room, legs.caller_identity)
        short = legs.transfer_id
        self._lanes = (
            Lane(legs, human, legs.caller_room, f"relay-human-{short}", broke),
            Lane(legs, caller, consult, f"relay-caller-{short}", broke),
        )
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.open())

    async def unmerge(self, legs: Legs) -> None:
        """Close both lanes; safe to repeat."""
        del legs
        await each_has_its_turn(each.close() for each in self._lanes)
        # The lanes are kept: one that was still opening publishes its track behind its close, and
        # only a repetition finds that.

    async def health(self, legs: Legs) -> bool:
        """Whether both lanes carry sound and both parties are there."""
        consult = legs.consult_room
        present = (
            consult is not None
            and legs.human_identity in consult.remote_participants
            and legs.caller_identity in legs.caller_room.remote_participants
        )
        return present and bool(self._lanes) and all(lane.healthy for lane in self._lanes)
