"""One direction of the relay: the voice of one participant, published in the other room.

A frame is passed on as it comes, without a clock of ours, so what the two clocks of the rooms
differ by is left to the listener's jitter buffer. Frames wait only while the event loop is busy:
at most 100 ms of them, then the oldest is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from livekit import rtc

from warm_transfer.livekit.legs import Legs, Lost, microphone_of, unless, unpublish
from warm_transfer.livekit.sdk import AudioSource, AudioStream, Participant, Room

__all__ = ["QUEUE_FRAMES", "Broke", "Lane", "Passed"]

QUEUE_FRAMES = 10
"""100 ms: what a listener hardly notices, and what a short stall may pile up."""

Broke = Callable[[BaseException | None], None]


@dataclass(slots=True)
class Passed:
    """What a lane has passed on."""

    frames: int = 0
    dropped: int = 0
    """Frames that the event loop came too late for."""
    late: int = 0
    """Frames that waited for the event loop longer than `TransferPolicy.relay_stall_s`, or were the
    first behind some that did and had to go."""
    longest_lag_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Pump:
    """What passes on the frames of one stream."""

    stream: AudioStream
    task: asyncio.Task[None]


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
        self._taken_up = False
        self._source: AudioSource | None = None
        self._pumps: list[_Pump] = []
        """The last one passes on; those before it are being ended."""
        self._closed = asyncio.Event()
        self.passed = Passed()

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
        if not self._pumps and voice is not None and voice.track is not None:
            self._restart(voice.track)
        await unless(self._closed, published.wait_for_subscription())
        self._taken_up = True
        await unless(self._closed, self._wait_flowing())

    async def _wait_flowing(self) -> None:
        await self._flowing.wait()

    async def close(self) -> None:
        """Stop pumping and take our track away; safe to repeat."""
        first = not self._closed.is_set()
        self._closed.set()
        self._room.off("track_subscribed", self._on_subscribed)
        await self._end(self._pumps)
        if first and self.passed.frames:
            self._report()
        await unpublish(self._target, self._name, self._legs.policy.api_timeout_s)
        source, self._source = self._source, None
        if source is not None:
            await source.aclose()

    def _report(self) -> None:
        self._legs.log.info(
            "relay lane closed",
            lane=self._name,
            frames=self.passed.frames,
            dropped=self.passed.dropped,
            late=self.passed.late,
            longest_lag_s=round(self.passed.longest_lag_s, 3),
        )

    @property
    def muted(self) -> bool:
        """Whether the frames that flow are silent, because the microphone is muted."""
        voice = microphone_of(self._room, self._identity)
        return voice is not None and voice.muted

    @property
    def healthy(self) -> bool:
        """Whether frames have flowed, the pump runs, and the listener has subscribed."""
        task = self._passing_on
        running = task is not None and not task.done()
        return running and self._flowing.is_set() and self._taken_up

    @property
    def _passing_on(self) -> asyncio.Task[None] | None:
        return self._pumps[-1].task if self._pumps else None

    def _on_subscribed(self, track: Any, publication: Any, participant: Participant) -> None:
        if participant.identity != self._identity:
            return
        if publication.source == rtc.TrackSource.SOURCE_MICROPHONE:
            try:
                self._restart(track)
            except Exception as error:  # noqa: BLE001 - the SDK would log it, and nobody be told
                self._broke(error)

    def _restart(self, track: Any) -> None:
        stream = self._legs.sdk.audio_stream(track, capacity=QUEUE_FRAMES)
        name = f"warm-transfer {self._legs.transfer_id} relay {self._name}"
        carrying = self._carry(stream, before=tuple(self._pumps))
        task = asyncio.get_running_loop().create_task(carrying, name=name)
        self._pumps.append(_Pump(stream, task))
        task.add_done_callback(self._on_pump_done)

    async def _carry(self, stream: AudioStream, before: tuple[_Pump, ...]) -> None:
        await self._end(before)
        async for event in stream:
            source = self._source
            if source is None:
                return
            if stream.lag_s > self._legs.policy.relay_stall_s:
                self._note_late(stream.lag_s)
            await source.capture_frame(event.frame)
            self.passed.frames += 1
            self._flowing.set()

    def _note_late(self, lag_s: float) -> None:
        """Count a frame that had to wait for the loop; the first one is worth a warning."""
        passed, limit_s = self.passed, self._legs.policy.relay_stall_s
        if not passed.late:
            self._legs.log.warning(
                "event loop stalled", lane=self._name, lag_s=round(lag_s, 3), limit_s=limit_s
            )
        passed.late += 1
        passed.longest_lag_s = max(passed.longest_lag_s, lag_s)

    def _on_pump_done(self, task: asyncio.Task[None]) -> None:
        """A pump that dies is silence on a call; say so."""
        error = None if task.cancelled() else task.exception()
        if task is self._passing_on and not self._closed.is_set():
            self._broke(error)

    async def _end(self, pumps: Sequence[_Pump]) -> None:
        """End pumps and close their streams; not left to a pump, which may be cancelled unbegun."""
        for pump in tuple(pumps):
            pump.task.cancel()
            await asyncio.wait([pump.task])
            if pump in self._pumps:
                self._pumps.remove(pump)
                self.passed.dropped += pump.stream.dropped
                await pump.stream.aclose()
