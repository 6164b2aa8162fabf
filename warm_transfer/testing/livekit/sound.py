"""Sound in the simulated world: a track carries a tag that says what is heard, not samples.

A stream gives a frame at once, one on every change, and one now and then in between, so that a
relay works as it does on real frames while a call of an hour stays cheap. A frame says how long
the sound goes on, and from which stream it comes: when that stream stops, so does the sound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.server import Track
from warm_transfer.testing.livekit.world import World

__all__ = ["SimAudioSource", "SimAudioStream", "SimFrame", "SimFrameEvent", "SimLocalTrack"]

SAMPLE_RATE_HZ = 48_000
SAMPLES = SAMPLE_RATE_HZ // 100


@dataclass(frozen=True, slots=True)
class SimFrame:
    """Ten milliseconds of sound (``rtc.AudioFrame``), known by a tag."""

    tag: str
    sample_rate: int = SAMPLE_RATE_HZ
    num_channels: int = 1
    samples_per_channel: int = SAMPLES
    lasts_s: float = latency.FRAME_EVERY_S
    """How long until the next frame of the same sound."""
    stream: SimAudioStream | None = field(default=None, compare=False, repr=False)
    """Where it comes from."""

    @property
    def duration(self) -> float:
        """Seconds of sound in it."""
        return self.samples_per_channel / self.sample_rate

    @property
    def data(self) -> memoryview:
        """Samples; zeros for silence, a constant for any sound."""
        value = b"\x00\x10" if self.tag else b"\x00\x00"
        return memoryview(value * self.samples_per_channel * self.num_channels).cast("h")


@dataclass(frozen=True, slots=True)
class SimFrameEvent:
    """What a stream yields (``rtc.AudioFrameEvent``)."""

    frame: SimFrame


class SimAudioSource:
    """``rtc.AudioSource`` with queue 0: what is captured sounds at once."""

    sample_rate = SAMPLE_RATE_HZ
    num_channels = 1

    def __init__(self, world: World) -> None:
        self._world = world
        self._tag = ""
        self._fed_until_s = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self._closed = False
        self.tracks: list[SimLocalTrack] = []
        world.ledger.opened(self, "audio source")

    @property
    def tag(self) -> str:
        """What it carries now."""
        return self._tag

    async def capture_frame(self, frame: Any) -> None:
        """Let the source's tracks sound like a frame, simulated or real."""
        await self._world.faults.call("source.capture_frame", lambda: self._capture(frame))

    async def _capture(self, frame: Any) -> None:
        if self._closed or frame.samples_per_channel == 0:
            return
        self.set_tag(_tag_of(frame))
        self._fed_until_s = self._world.now_s + getattr(frame, "lasts_s", 0.0)
        if isinstance(frame, SimFrame) and frame.stream is not None:
            frame.stream.feeds[self] = None
        if self._watch is None:
            self._watch_until(self._fed_until_s)
        await asyncio.sleep(0)

    def starve(self) -> None:
        """The stream that fed it has stopped; only new frames go on."""
        self._stop_watch()
        self._fed_until_s = self._world.now_s
        self._watch_until(self._fed_until_s)

    def _watch_until(self, at_s: float) -> None:
        concealed_s = at_s + latency.CONCEALED_S
        self._watch = self._world.loop.call_at(concealed_s, self._starved)

    def _starved(self) -> None:
        """A source that is not fed any more falls silent (integration 5.3)."""
        self._watch = None
        if self._fed_until_s + latency.CONCEALED_S > self._world.now_s + 1e-6:
            self._watch_until(self._fed_until_s)
        else:
            self.set_tag("")

    def set_tag(self, tag: str) -> None:
        """Let the source carry another sound, without a time limit."""
        if self._tag != tag:
            self._tag = tag
            for track in self.tracks:
                track.sounds(tag)

    def clear_queue(self) -> None:
        """Drop what has not been played: silence until the next frame."""
        self._stop_watch()
        self.set_tag("")

    async def aclose(self) -> None:
        """Close the source; frames captured afterwards go nowhere."""
        self._closed = True
        self._world.ledger.closed(self)
        self.clear_queue()

    def _stop_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


def _tag_of(frame: Any) -> str:
    if isinstance(frame, SimFrame):
        return frame.tag
    # A real frame, such as the zeros of a silent hold.
    return "sound" if any(bytes(frame.data)) else ""


class SimLocalTrack:
    """``rtc.LocalAudioTrack``."""

    kind = rtc.TrackKind.KIND_AUDIO

    def __init__(self, world: World, name: str, source: SimAudioSource) -> None:
        self._world = world
        self.name = name
        self.sid = ""
        self.source = source
        self.muted = False
        self.published: list[Track] = []
        source.tracks.append(self)

    def sounds(self, tag: str) -> None:
        """The source carries another sound."""
        for track in self.published:
            self._world.set_tag(track, tag)

    def mute(self) -> None:
        """Send silence; the others are told."""
        self._mute(muted=True)

    def unmute(self) -> None:
        """Send sound again."""
        self._mute(muted=False)

    def _mute(self, *, muted: bool) -> None:
        self.muted = muted
        for track in self.published:
            self._world.mute(track, muted)


class SimRemoteTrack:
    """``rtc.RemoteAudioTrack``: one subscription of one client to a track."""

    kind = rtc.TrackKind.KIND_AUDIO

    def __init__(self, track: Track) -> None:
        self.server_track = track
        self.sid = track.sid
        self.name = track.name
        self.ended = False
        """The client has disconnected by itself: streams end."""
        self.dead = False
        """Subscribed through a connection that was replaced: no frame ever comes again."""
        self.streams: list[SimAudioStream] = []

    @property
    def muted(self) -> bool:
        """Whether the publisher has muted it."""
        return self.server_track.muted

    @property
    def flows(self) -> bool:
        """Whether frames come."""
        track = self.server_track
        return track.live and track.open and not track.cut and not self.dead and not self.ended

    def die(self) -> None:
        """The connection it came through is gone; streams on it get nothing and do not end."""
        self.dead = True
        for stream in tuple(self.streams):
            stream.stop()

    def end(self) -> None:
        """The client has left by itself; streams on it end."""
        self.ended = True
        for stream in tuple(self.streams):
            stream.end()


class SimAudioStream:
    """``rtc.AudioStream``: the frames of a subscribed track (integration 6).

    It does not end when the track is unpublished or muted, when its publisher leaves, or when the
    server deletes the room; only when it is closed or its own room disconnects.
    """

    def __init__(self, world: World, track: SimRemoteTrack, capacity: int = 0) -> None:
        self._world = world
        self._track = track
        self._frames: deque[SimFrameEvent] = deque(maxlen=capacity or None)
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = track.ended
        self._pause_s = latency.FRAME_EVERY_S
        self.dropped = 0
        self.lag_s = 0.0
        """How long the last frame has waited: no time, for nobody stalls a virtual clock."""
        self.feeds: dict[SimAudioSource, None] = {}
        """The sources that have captured its frames."""
        track.streams.append(self)
        track.server_track.taps[self._changed] = None
        world.ledger.opened(self, f"audio stream of {track.name}")
        self._changed()

    def __aiter__(self) -> SimAudioStream:
        return self

    async def __anext__(self) -> SimFrameEvent:
        while not self._frames:
            if self._ended:
                raise StopAsyncIteration
            self._tick_later()
            self._waiter = self._world.loop.create_future()
            await self._waiter
        return self._frames.popleft()

    async def aclose(self) -> None:
        """Stop; who is waiting for a frame gets the end."""
        self._world.ledger.closed(self)
        self._track.server_track.taps.pop(self._changed, None)
        self._frames.clear()
        self.end()

    def end(self) -> None:
        """No frame comes any more, and the stream says so."""
        self._ended = True
        self.stop()
        self._wake()

    def stop(self) -> None:
        """No frame comes any more for now; what it fed falls silent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        feeds, self.feeds = self.feeds, {}
        for source in feeds:
            source.starve()

    def _tick_later(self) -> None:
        if self._timer is None and self._track.flows:
            self._timer = self._world.loop.call_later(self._pause_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._pause_s = min(2 * self._pause_s, latency.FRAME_EVERY_MAX_S)
        self._give()

    def _changed(self) -> None:
        if self._track.flows and not self._ended:
            self._pause_s = latency.FRAME_EVERY_S
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._give()
        else:
            self.stop()

    def _give(self) -> None:
        tag = self._track.server_track.sound
        self.dropped += len(self._frames) == self._frames.maxlen
        self._frames.append(SimFrameEvent(SimFrame(tag, lasts_s=self._pause_s, stream=self)))
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
