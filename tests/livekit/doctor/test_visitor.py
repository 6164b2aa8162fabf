from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc

from warm_transfer.livekit.doctor.visitor import (
    LOUD,
    LOUD_FRAMES,
    SAMPLE_RATE_HZ,
    RtcVisitor,
    loudness,
    tone_frame,
)

SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
STANDARD = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
QUIET = rtc.AudioFrame.create(SAMPLE_RATE_HZ, 1, 480)


class Room:
    """``rtc.Room``, of which somebody is in it from the start."""

    def __init__(self, identity: str = "sip_1", kind: int = SIP) -> None:
        publication = SimpleNamespace(track=None)
        person = SimpleNamespace(
            identity=identity, kind=kind, track_publications={"TR_1": publication}
        )
        self.publication = publication
        self.remote_participants = {identity: person}
        self.left = 0

    async def disconnect(self) -> None:
        self.left += 1


class Stream:
    """``rtc.AudioStream`` of some frames."""

    def __init__(self, frames: list[rtc.AudioFrame]) -> None:
        self._frames = frames
        self.closed = False

    async def __aiter__(self) -> Any:
        for frame in self._frames:
            yield SimpleNamespace(frame=frame)

    async def aclose(self) -> None:
        self.closed = True


def test_the_tone_is_loud_whole_and_repeats_without_a_jump() -> None:
    frame = tone_frame()
    samples = list(frame.data)
    assert (frame.sample_rate, frame.num_channels, len(samples)) == (SAMPLE_RATE_HZ, 1, 480)
    assert loudness(samples) > 10 * LOUD
    # As far apart as any two neighbours may be.
    step = max(abs(one - other) for one, other in itertools.pairwise(samples))
    assert abs(samples[0] - samples[-1]) <= step


def test_silence_and_nothing_are_not_loud() -> None:
    assert loudness(QUIET.data) == 0.0
    assert loudness([]) == 0.0


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("identity", "room"),
    [("wt-bridge-1", Room("wt-bridge-1", SIP)), (None, Room("sip_1", SIP))],
)
async def test_somebody_is_heard_once_the_sound_lasts(identity: str | None, room: Room) -> None:
    stream = Stream([QUIET, *[tone_frame()] * LOUD_FRAMES, *[QUIET] * 5])
    visitor = RtcVisitor(room, lambda _track: stream)
    hearing = asyncio.create_task(visitor.hear(identity))
    await asyncio.sleep(0.1)
    assert not hearing.done()  # it has not subscribed yet
    room.publication.track = "track"
    await hearing
    assert stream.closed


@pytest.mark.asyncio
async def test_a_click_is_no_sound_and_a_track_that_ends_is_said() -> None:
    room = Room()
    room.publication.track = "track"
    click = [*[tone_frame()] * (LOUD_FRAMES - 1), QUIET] * 3
    stream = Stream(click)
    with pytest.raises(ConnectionError, match="ended"):
        await RtcVisitor(room, lambda _track: stream).hear(None)
    assert stream.closed


@pytest.mark.asyncio
@pytest.mark.parametrize("identity", [None, "another"])
async def test_only_who_is_meant_is_heard(identity: str | None) -> None:
    room = Room("person", STANDARD)
    room.publication.track = "track"
    visitor = RtcVisitor(room, lambda _track: Stream([tone_frame()] * 99))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5.0):
            await visitor.hear(identity)


@pytest.mark.asyncio
async def test_leaving_is_safe_at_any_time() -> None:
    room = Room()
    visitor = RtcVisitor(room)
    await visitor.leave()
    await visitor.leave()
    assert room.left == 2
