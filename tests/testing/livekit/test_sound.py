import asyncio

import pytest
from livekit import rtc

from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.server import Track
from warm_transfer.testing.livekit.sound import (
    SimAudioSource,
    SimAudioStream,
    SimFrame,
    SimLocalTrack,
)
from warm_transfer.testing.livekit.world import World

from .meeting import in_room

pytestmark = pytest.mark.asyncio


async def stream_of_caller() -> tuple[World, SimRoom, Track, SimAudioStream]:
    world = World()
    room = await in_room(world)
    track = world.publish(world.join("call", "caller", ear="caller"), "microphone", tag="caller")
    await asyncio.sleep(1)
    publication = room.remote_participants["caller"].track_publications[track.sid]
    assert publication.track is not None
    return world, room, track, SimAudioStream(world, publication.track, 10)


async def next_tag(stream: SimAudioStream, within_s: float = 2.1) -> str:
    async with asyncio.timeout(within_s):
        return (await anext(stream)).frame.tag


async def no_frame(stream: SimAudioStream) -> None:
    with pytest.raises(TimeoutError):
        await next_tag(stream, 60)


async def test_a_frame_comes_at_once_then_on_change_then_ever_more_rarely() -> None:
    world, _, track, stream = await stream_of_caller()
    assert await next_tag(stream) == "caller"
    world.set_tag(track, "something else")
    assert await next_tag(stream) == "something else"
    gaps: list[float] = []
    for _ in range(5):
        before_s = world.now_s
        assert await next_tag(stream, 9) == "something else"
        gaps.append(world.now_s - before_s)
    assert gaps == pytest.approx([1.0, 2.0, 4.0, 8.0, 8.0])


async def test_a_muted_source_goes_on_at_level_zero() -> None:
    # integration 6: frames go on, level 0
    world, _, track, stream = await stream_of_caller()
    await next_tag(stream)
    world.mute(track, muted=True)
    assert [await next_tag(stream) for _ in range(2)] == ["", ""]


async def test_an_unpublished_source_gives_no_frames_and_no_end() -> None:
    # integration 6
    world, _, track, stream = await stream_of_caller()
    await next_tag(stream)
    world.unpublish(track)
    await no_frame(stream)


async def test_a_departure_does_not_end_the_stream() -> None:
    # integration 6
    world, _, track, stream = await stream_of_caller()
    await next_tag(stream)
    world.leave(track.member, rtc.DisconnectReason.CLIENT_INITIATED)
    await no_frame(stream)


async def test_deleting_the_room_does_not_end_the_stream() -> None:
    # integration 6
    world, _, _, stream = await stream_of_caller()
    await next_tag(stream)
    world.delete_room("call")
    await no_frame(stream)


async def test_the_own_disconnect_ends_the_stream() -> None:
    # integration 6: ends in 1.5 ms
    _, room, _, stream = await stream_of_caller()
    await next_tag(stream)
    await room.disconnect()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_after_a_full_reconnect_the_old_stream_is_dead_for_good() -> None:
    # integration 6
    _, room, _, stream = await stream_of_caller()
    await next_tag(stream)
    await room.lose_signal(3.0)
    await no_frame(stream)


async def test_closing_ends_who_waits_for_a_frame() -> None:
    world, _, _, stream = await stream_of_caller()
    await next_tag(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0.1)
    assert world.left().open == ("connection to call", "audio stream of microphone")
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await waiting
    assert world.left().open == ("connection to call",)


async def test_a_full_queue_drops_the_oldest_frame() -> None:
    world, _, track, stream = await stream_of_caller()
    for number in range(30):
        world.set_tag(track, str(number))
    assert await next_tag(stream) == "20"


async def test_what_is_captured_is_heard() -> None:
    world = World()
    world.join("call", "caller", ear="caller")
    room = await in_room(world)
    source = SimAudioSource(world)
    await room.local_participant.publish_track(SimLocalTrack(world, "relay", source))
    await asyncio.sleep(1)
    await source.capture_frame(SimFrame("human"))
    assert world.ears.hears("caller") == {"human"}
    source.clear_queue()
    assert world.ears.hears("caller") == frozenset()


async def test_a_source_that_is_fed_no_more_falls_silent() -> None:
    # integration 5.3: stop feeding, 295 ms of concealment
    world = World()
    world.join("call", "caller", ear="caller")
    room = await in_room(world)
    source = SimAudioSource(world)
    await room.local_participant.publish_track(SimLocalTrack(world, "relay", source))
    await asyncio.sleep(1)
    for _ in range(5):
        await source.capture_frame(SimFrame("human"))
        await asyncio.sleep(1)
        assert world.ears.hears("caller") == {"human"}
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == frozenset()


async def test_what_a_stream_feeds_falls_silent_soon_after_the_stream_stops() -> None:
    # integration 5.3 and 6: dead for good, 295 ms of concealment
    world, room, track, stream = await stream_of_caller()
    source = SimAudioSource(world)
    for _ in range(4):
        frame = (await anext(stream)).frame
    await source.capture_frame(frame)
    await asyncio.sleep(1)
    assert source.tag == "caller"
    world.unpublish(track)
    await asyncio.sleep(0.29)
    assert source.tag == "caller"
    await asyncio.sleep(0.02)
    assert source.tag == ""
    assert room.isconnected()


async def test_a_closed_source_takes_frames_and_stays_silent() -> None:
    world = World()
    source = SimAudioSource(world)
    await source.aclose()
    await source.capture_frame(SimFrame("human"))
    assert source.tag == ""
    assert not world.left()


async def test_real_frames_are_sound_or_silence() -> None:
    source = SimAudioSource(World())
    await source.capture_frame(rtc.AudioFrame(b"\x01\x10" * 480, 48_000, 1, 480))
    assert source.tag == "sound"
    await source.capture_frame(rtc.AudioFrame.create(48_000, 1, 480))
    assert source.tag == ""


async def test_a_muted_track_is_muted_when_published() -> None:
    world = World()
    world.join("call", "caller", ear="caller")
    room = await in_room(world)
    source = SimAudioSource(world)
    track = SimLocalTrack(world, "voice", source)
    track.mute()
    source.set_tag("agent")
    await room.local_participant.publish_track(track)
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == frozenset()
    track.unmute()
    assert world.ears.hears("caller") == {"agent"}


async def test_a_frame_has_what_a_real_one_has() -> None:
    loud, silent = SimFrame("human"), SimFrame("")
    assert (loud.sample_rate, loud.num_channels, loud.samples_per_channel) == (48_000, 1, 480)
    assert loud.duration == pytest.approx(0.01)
    assert len(loud.data) == 480
    assert any(loud.data)
    assert not any(silent.data)
