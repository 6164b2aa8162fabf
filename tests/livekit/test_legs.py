from __future__ import annotations

import asyncio
import gc

import pytest
from livekit import rtc

from tests.livekit.bench import HUMAN, Bench
from warm_transfer.livekit.legs import Doubt, look_away, microphone_of, mute, unpublish
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.sound import SimAudioSource, SimLocalTrack

SCREEN = rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO


async def publish(bench: Bench, *names: str) -> SimRoom:
    for name in names:
        track = SimLocalTrack(bench.stage.world, name, SimAudioSource(bench.stage.world))
        await bench.stage.room.local_participant.publish_track(track)
    return bench.stage.room


def published(room: SimRoom) -> list[str]:
    return [each.name for each in room.local_participant.track_publications.values()]


# Whose voice.


@pytest.mark.asyncio
async def test_the_voice_is_the_microphone_and_not_the_first_track() -> None:
    bench = await Bench.set_up()
    await bench.join_consult()
    world = bench.stage.world
    leg = world.join("call", HUMAN)
    assert microphone_of(bench.legs.caller_room, HUMAN) is None
    world.publish(leg, "film", source=SCREEN)
    await asyncio.sleep(0.1)
    assert microphone_of(bench.legs.caller_room, HUMAN) is None
    world.publish(leg, "voice")
    await asyncio.sleep(0.1)
    voice = microphone_of(bench.legs.caller_room, HUMAN)
    assert voice is not None
    assert voice.name == "voice"


@pytest.mark.asyncio
async def test_nobody_has_no_voice() -> None:
    bench = await Bench.set_up()
    assert microphone_of(bench.legs.caller_room, "nobody") is None


@pytest.mark.asyncio
async def test_the_consult_is_connected_while_the_agent_is_in_it() -> None:
    bench = await Bench.set_up()
    assert not bench.legs.consult_connected
    room = await bench.join_consult()
    assert bench.legs.consult_connected
    await room.disconnect()
    assert not bench.legs.consult_connected


# Taking our tracks away.


@pytest.mark.asyncio
async def test_every_track_of_the_name_goes_and_the_others_stay() -> None:
    bench = await Bench.set_up()
    room = await publish(bench, "ours", "theirs", "ours")
    await unpublish(bench.legs.caller_room, "ours", 5.0)
    await unpublish(bench.legs.caller_room, "ours", 5.0)
    assert published(room) == ["roomio_audio", "theirs"]


@pytest.mark.asyncio
async def test_a_track_is_found_by_its_name_after_a_reconnect_has_changed_its_sid() -> None:
    bench = await Bench.set_up()
    room = await publish(bench, "ours")
    before = set(room.local_participant.track_publications)
    await room.lose_signal(3.0)
    assert not before & set(room.local_participant.track_publications)
    await unpublish(bench.legs.caller_room, "ours", 5.0)
    assert "ours" not in published(room)


@pytest.mark.asyncio
async def test_in_a_lost_room_it_returns_at_once() -> None:
    bench = await Bench.set_up()
    await publish(bench, "ours")
    bench.stage.world.delete_room("call")
    await asyncio.sleep(0.1)
    began_s = bench.now_s
    await unpublish(bench.legs.caller_room, "ours", 5.0)
    assert bench.now_s == began_s


@pytest.mark.asyncio
async def test_it_gives_up_when_the_room_is_lost_meanwhile() -> None:
    bench = await Bench.set_up()
    await publish(bench, "ours", "ours")
    bench.stage.world.faults.plan[("room.unpublish_track", 0)] = Fault(How.HANGS)
    doing = asyncio.ensure_future(unpublish(bench.legs.caller_room, "ours", 5.0))
    await asyncio.sleep(1.0)
    bench.stage.world.delete_room("call")
    await asyncio.sleep(0.1)
    assert doing.done()
    await doing


@pytest.mark.asyncio
async def test_what_hangs_is_told_after_the_limit() -> None:
    bench = await Bench.set_up()
    room = await publish(bench, "ours")
    bench.stage.world.faults.plan[("room.unpublish_track", 1)] = Fault(How.HANGS)
    began_s = bench.now_s
    with pytest.raises(TimeoutError):
        await unpublish(bench.legs.caller_room, "ours", 2.0)
    assert bench.now_s - began_s == pytest.approx(2.0)
    assert not [each for each in room.listeners() if "disconnected" in each]


@pytest.mark.asyncio
async def test_what_fails_is_told() -> None:
    bench = await Bench.set_up()
    await publish(bench, "ours")
    error = rtc.participant.UnpublishTrackError("track not found")
    bench.stage.world.faults.plan[("room.unpublish_track", 1)] = Fault(How.FAILS, error)
    with pytest.raises(rtc.participant.UnpublishTrackError):
        await unpublish(bench.legs.caller_room, "ours", 2.0)


@pytest.mark.asyncio
async def test_cancelling_it_leaves_no_task_and_no_listener() -> None:
    bench = await Bench.set_up()
    room = await publish(bench, "ours")
    bench.stage.world.faults.plan[("room.unpublish_track", 1)] = Fault(How.HANGS)
    before = asyncio.all_tasks()
    doing = asyncio.ensure_future(unpublish(bench.legs.caller_room, "ours", 5.0))
    await asyncio.sleep(1.0)
    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing
    assert asyncio.all_tasks() == before
    assert not [each for each in room.listeners() if "disconnected" in each]


# Silencing a track of ours.


def muted(room: SimRoom) -> list[str]:
    own = room.local_participant.track_publications.values()
    return [each.name for each in own if each.track is not None and each.track.muted]


@pytest.mark.asyncio
async def test_only_the_named_track_is_silenced_and_that_at_once() -> None:
    room = await publish(await Bench.set_up(), "hold", "background_audio")
    mute(room, "hold")
    assert muted(room) == ["hold"]
    mute(room, "hold")
    assert muted(room) == ["hold"]


@pytest.mark.asyncio
async def test_in_a_lost_room_nothing_is_silenced() -> None:
    room = await publish(await Bench.set_up(), "hold")
    await room.disconnect()
    mute(room, "hold")
    assert muted(room) == []


@pytest.mark.asyncio
async def test_a_track_that_cannot_be_silenced_is_left_to_be_taken_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(_: SimLocalTrack) -> None:
        raise RuntimeError("no such handle")

    room = await publish(await Bench.set_up(), "hold")
    monkeypatch.setattr(SimLocalTrack, "mute", broken)
    mute(room, "hold")
    await unpublish(room, "hold", 5.0)
    assert "hold" not in published(room)


@pytest.mark.asyncio
async def test_whoever_has_lost_a_connection_is_out_of_touch_until_it_is_back() -> None:
    bench = await Bench.set_up()
    legs = bench.legs
    assert not legs.out_of_touch
    consult = await bench.join_consult()
    for room in (bench.stage.room, consult):
        away = asyncio.ensure_future(room.lose_signal(2.0))
        await asyncio.sleep(1.0)
        assert legs.out_of_touch
        await away
        assert not legs.out_of_touch


# Repeating what may have missed somebody.


class Removing:
    """A removal that keeps when it was made, and fails if told to."""

    def __init__(self) -> None:
        self.began_s = asyncio.get_running_loop().time()
        self.at_s: list[float] = []
        self.error: Exception | None = None

    async def __call__(self) -> None:
        self.at_s.append(round(asyncio.get_running_loop().time() - self.began_s, 3))
        if self.error is not None:
            raise self.error


@pytest.mark.asyncio
async def test_a_removal_that_was_in_touch_and_went_well_is_not_repeated() -> None:
    doubt, removing, legs = Doubt(), Removing(), (await Bench.set_up()).legs
    removing.began_s = asyncio.get_running_loop().time()
    doubt.begin(legs)
    await doubt.remove(removing())
    await doubt.repeat(removing)
    assert not doubt.stands
    assert removing.at_s == [0.0]


@pytest.mark.asyncio
async def test_a_removal_that_failed_tells_it_and_is_repeated_also_after_one_that_went_well() -> (
    None
):
    doubt, removing = Doubt(), Removing()
    removing.error = ConnectionError()
    with pytest.raises(ConnectionError):
        await doubt.remove(removing())
    removing.error = None
    await doubt.remove(removing())
    await doubt.repeat(removing)
    assert removing.at_s == [0.0, 0.0, 0.3, 1.2]


@pytest.mark.asyncio
async def test_a_removal_begun_out_of_touch_is_repeated_also_after_one_that_was_not() -> None:
    bench = await Bench.set_up()
    doubt = Doubt()
    away = asyncio.ensure_future(bench.stage.room.lose_signal(2.0))
    await asyncio.sleep(1.0)
    doubt.begin(bench.legs)
    await away
    doubt.begin(bench.legs)
    removing = Removing()
    await doubt.remove(removing())
    await doubt.repeat(removing)
    assert removing.at_s == [0.0, 0.3, 1.2]


@pytest.mark.asyncio
async def test_a_removal_is_repeated_for_a_reason_of_its_own_that_is_no_doubt() -> None:
    doubt, removing = Doubt(), Removing()
    await doubt.repeat(removing, also=True)
    assert removing.at_s == [0.3, 1.2]
    await doubt.repeat(removing)
    assert len(removing.at_s) == 2


@pytest.mark.asyncio
async def test_a_repetition_that_fails_is_the_last_one_and_is_told() -> None:
    doubt, removing = Doubt(stands=True), Removing()
    removing.error = ConnectionError()
    with pytest.raises(ConnectionError):
        await doubt.repeat(removing)
    assert removing.at_s == [0.3]


@pytest.mark.asyncio
async def test_a_repetition_that_is_cancelled_in_its_pause_is_not_made() -> None:
    doubt, removing = Doubt(stands=True), Removing()
    repeating = asyncio.ensure_future(doubt.repeat(removing))
    await asyncio.sleep(0.5)
    repeating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await repeating
    await asyncio.sleep(2.0)
    assert removing.at_s == [0.3]


@pytest.mark.asyncio
async def test_a_removal_that_is_cancelled_has_not_failed() -> None:
    doubt = Doubt()
    removing = asyncio.ensure_future(doubt.remove(asyncio.sleep(1.0)))
    await asyncio.sleep(0.5)
    removing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await removing
    assert not doubt.stands


@pytest.mark.asyncio
async def test_an_error_that_nobody_waits_for_is_not_reported_as_forgotten() -> None:
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["message"]))

    async def fails() -> None:
        raise ConnectionError

    forgotten = asyncio.ensure_future(fails())
    await asyncio.wait([forgotten])
    del forgotten
    gc.collect()
    assert told == ["Task exception was never retrieved"]

    for cancelled in (False, True):
        task = asyncio.ensure_future(fails())
        task.add_done_callback(look_away)
        if cancelled:
            task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        del task
        gc.collect()
    assert len(told) == 1
