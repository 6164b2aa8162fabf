"""A participant of the doctor's own: joins a test room, makes a tone there, and listens for one."""

from __future__ import annotations

import array
import asyncio
import math
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from livekit import rtc

__all__ = ["RtcVisitor", "Visitor", "loudness", "tone_frame"]

SAMPLE_RATE_HZ = 48_000
FRAME_MS = 10
TONE_HZ = 400
"""Whole periods in a frame, so that the same frame can be sent again and again."""
TONE_AMPLITUDE = 8_000

LOUD = 500.0
"""Root mean square, of 32,767, above which a frame is no silence; the tone has 5,657."""
LOUD_FRAMES = 10
"""In a row: 100 ms of sound are no click."""

_LOOK_S = 0.02
_QUEUE_MS = 100


class Visitor(Protocol):
    """A participant that can be sent into a room."""

    async def join(self, url: str, token: str) -> None:
        """Join, audio path included."""
        ...

    async def sound(self) -> None:
        """Publish a tone until leaving."""
        ...

    async def hear(self, identity: str | None) -> None:
        """Return when a participant is heard; None stands for any SIP leg."""
        ...

    async def leave(self) -> None:
        """Leave; safe to repeat, and without having joined."""
        ...


def tone_frame() -> rtc.AudioFrame:
    """One frame of the tone."""
    count = SAMPLE_RATE_HZ * FRAME_MS // 1000
    step = 2 * math.pi * TONE_HZ / SAMPLE_RATE_HZ
    samples = array.array("h", (round(TONE_AMPLITUDE * math.sin(step * i)) for i in range(count)))
    return rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE_HZ, 1, count)


def loudness(samples: Iterable[int]) -> float:
    """The root mean square of 16-bit samples."""
    squares = [each * each for each in samples]
    return math.sqrt(sum(squares) / len(squares)) if squares else 0.0


class RtcVisitor:
    """A participant through livekit's native library.

    Args:
        room: a room that is not connected yet; tests give another.
        stream: makes the frames of a track, each event with a ``frame``.
    """

    def __init__(
        self,
        room: Any = None,
        stream: Callable[[Any], Any] = lambda track: rtc.AudioStream(track, frame_size_ms=FRAME_MS),
    ) -> None:
        self._room = room or rtc.Room()
        self._stream = stream
        self._source: rtc.AudioSource | None = None
        self._tone: asyncio.Task[None] | None = None

    async def join(self, url: str, token: str) -> None:
        """Join, audio path included."""
        await self._room.connect(url, token)

    async def sound(self) -> None:
        """Publish a tone until leaving."""
        source = rtc.AudioSource(SAMPLE_RATE_HZ, 1, queue_size_ms=_QUEUE_MS)
        self._source = source
        track = rtc.LocalAudioTrack.create_audio_track("tone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(track, options)
        self._tone = asyncio.create_task(self._play(source), name="doctor's tone")

    async def _play(self, source: rtc.AudioSource) -> None:
        frame = tone_frame()
        while True:
            # It waits while the queue is full, and so keeps the time.
            await source.capture_frame(frame)

    async def hear(self, identity: str | None) -> None:
        """Return when a participant is heard; None stands for any SIP leg."""
        stream = self._stream(await self._track(identity))
        loud = 0
        try:
            async for event in stream:
                loud = loud + 1 if loudness(event.frame.data) > LOUD else 0
                if loud >= LOUD_FRAMES:
                    return
        finally:
            await stream.aclose()
        raise ConnectionError("the track ended before anything was heard")

    async def _track(self, identity: str | None) -> Any:
        while True:
            for each in self._room.remote_participants.values():
                kind = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
                if each.identity == identity or (identity is None and each.kind == kind):
                    for publication in each.track_publications.values():
                        if publication.track is not None:
                            return publication.track
            await asyncio.sleep(_LOOK_S)

    async def leave(self) -> None:
        """Leave; safe to repeat, and without having joined."""
        tone, self._tone = self._tone, None
        if tone is not None:
            tone.cancel()
            await asyncio.gather(tone, return_exceptions=True)
        source, self._source = self._source, None
        if source is not None:
            await source.aclose()
        await self._room.disconnect()
