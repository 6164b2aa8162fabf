from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit import rtc

from tests.lines import turns
from tests.livekit.bench import HUMAN, ROOM, Bench
from warm_transfer.livekit.lane import QUEUE_FRAMES, Lane
from warm_transfer.livekit.relay import Relay
from warm_transfer.policy import Carrier, TransferPolicy
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.play import CALLER
from warm_transfer.testing.livekit.server import Member
from warm_transfer.testing.livekit.sound import SimAudioStream, SimFrame

MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE
SCREEN = rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO


class Bridge:
    """A relay between the caller and a human who is in the consult room."""

    def __init__(self, bench: Bench, human: Member) -> None:
        self.bench = bench
        self.world = bench.stage.world
        self.human = human
        self.relay = Relay()
        self.broke: list[BaseException | None] = []

    @classmethod
    async def set_up(cls, policy: TransferPolicy | None = None) -> Bridge:
        bench = await Bench.set_up(policy=policy)
        await bench.join_consult()
        bridge = cls(bench, bench.human_joins())
        await asyncio.sleep(0.2)
        return bridge

    async def merge(self) -> str | None:
        return await self.relay.merge(self.bench.legs, self.broke.append)

    async def unmerge(self) -> None:
        await self.relay.unmerge(self.bench.legs)

    async def healthy(self) -> bool:
        return await self.relay.health(self.bench.legs)

    def hears(self, who: str) -> set[str]:
        return set(self.world.ears.hears(who))

    def pumps(self) -> list[asyncio.Task[Any]]:
        return [each for each in asyncio.all_tasks() if " relay " in each.get_name()]

    def assert_nothing_left(self) -> None:
        left = self.world.left()
        # The consult room, its agent and its human are the bench's own, and so is the client.
        assert {each for each in left.tracks if HUMAN not in each} == set()
        assert not [each for each in left.listeners if "track_subscribed" in each]
        assert not [each for each in left.open if "stream" in each or "source" in each], left.open
        assert not [each for each in left.listeners if "sip_dtmf" in each]
        assert self.pumps() == []
        assert not [each for each in asyncio.all_tasks() if " tones " in each.get_name()]


async def talk(seconds: float = 2.0) -> None:
    await asyncio.sleep(seconds)


@pytest.mark.asyncio
async def test_each_hears_the_other_when_the_merge_returns_and_nobody_before() -> None:
    bridge = await Bridge.set_up()
    assert bridge.hears("human") == set()
    assert bridge.hears("caller") == set()
    began_s = bridge.bench.now_s
    await bridge.merge()
    assert bridge.bench.now_s - began_s < 0.5
    assert bridge.hears("human") == {"caller"}
    assert bridge.hears("caller") == {"human"}
    assert await bridge.healthy()
    await bridge.unmerge()
    await talk(0.1)
    assert bridge.hears("human") == set()
    assert bridge.hears("caller") == set()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_only_the_two_microphones_cross() -> None:
    bridge = await Bridge.set_up()
    world = bridge.world
    assert bridge.bench.stage.caller is not None
    # What else there is: a screen's sound of the caller, hold music of ours, somebody listening in.
    world.set_tag(world.publish(bridge.bench.stage.caller, "screen", source=SCREEN), "film")
    third = world.join("call", "third")
    world.set_tag(world.publish(third, "microphone"), "third")
    other = world.join(ROOM, "other")
    world.set_tag(world.publish(other, "microphone"), "other")
    await talk(0.2)
    await bridge.merge()
    await talk()
    # And what comes during the call.
    world.set_tag(world.publish(bridge.bench.stage.caller, "more", source=SCREEN), "film")
    world.set_tag(world.publish(bridge.human, "more", source=SCREEN), "film")
    world.set_tag(world.publish(third, "more"), "third")
    await talk()
    # In one room everybody hears everybody; through the relay only the two voices come.
    assert bridge.hears("human") - {"other"} == {"caller"}
    assert bridge.hears("caller") - {"third"} == {"human"}
    await bridge.unmerge()


@pytest.mark.asyncio
async def test_a_microphone_that_was_published_after_another_track_is_the_one_that_crosses() -> (
    None
):
    bench = await Bench.set_up()
    await bench.join_consult()
    leg = bench.stage.world.join(ROOM, HUMAN, kind=3, ear="human")
    bench.stage.world.set_tag(bench.stage.world.publish(leg, "a", source=SCREEN), "film")
    bench.stage.world.set_tag(bench.stage.world.publish(leg, "b"), "human")
    await asyncio.sleep(0.2)
    bridge = Bridge(bench, leg)
    await bridge.merge()
    assert bridge.hears("caller") == {"human"}
    await bridge.unmerge()


@pytest.mark.asyncio
async def test_the_merge_waits_for_a_microphone_that_is_not_there_yet() -> None:
    bench = await Bench.set_up()
    await bench.join_consult()
    leg = bench.stage.world.join(ROOM, HUMAN, kind=3, ear="human")
    bridge = Bridge(bench, leg)
    merging = asyncio.ensure_future(bridge.merge())
    await talk()
    assert not merging.done()
    assert not await bridge.healthy()
    bench.stage.world.set_tag(bench.stage.world.publish(leg, "b"), "human")
    await merging
    assert bridge.hears("caller") == {"human"}
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_the_queue_is_bounded_to_a_tenth_of_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    bridge = await Bridge.set_up()
    asked: list[int] = []
    streams: list[SimAudioStream] = []

    def record(track: Any, *, capacity: int) -> SimAudioStream:
        asked.append(capacity)
        streams.append(SimAudioStream(bridge.world, track, capacity))
        return streams[-1]

    monkeypatch.setattr(bridge.bench.stage.sdk, "audio_stream", record)
    await bridge.merge()
    assert asked == [QUEUE_FRAMES, QUEUE_FRAMES]
    # Frames of 10 ms.
    assert QUEUE_FRAMES * 10 <= 100
    await bridge.unmerge()


@pytest.mark.asyncio
async def test_a_new_stream_is_made_each_time_the_track_is_subscribed_again() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    rooms = [bridge.bench.stage.room, *bridge.bench.stage.sdk.rooms]
    await asyncio.gather(*(each.lose_signal(3.0) for each in rooms))
    await talk()
    assert bridge.hears("human") == {"caller"}
    assert bridge.hears("caller") == {"human"}
    assert await bridge.healthy()
    # One pump each way: the old ones have ended, and their ends broke nothing.
    assert len(bridge.pumps()) == 2
    assert bridge.broke == []
    await bridge.unmerge()
    await talk(0.1)
    bridge.assert_nothing_left()


@pytest.mark.asyncio
@pytest.mark.parametrize("which", ["caller's", "consult"])
async def test_one_room_may_reconnect_while_the_other_stands(which: str) -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    consult = bridge.bench.stage.sdk.rooms[0]
    await (bridge.bench.stage.room if which == "caller's" else consult).lose_signal(3.0)
    await talk()
    assert bridge.hears("human") == {"caller"}
    assert bridge.hears("caller") == {"human"}
    assert await bridge.healthy()
    assert bridge.broke == []
    # Keys as well, and once.
    assert bridge.bench.stage.caller is not None
    bridge.world.press(bridge.human, "1")
    bridge.world.press(bridge.bench.stage.caller, "2")
    await talk()
    assert (bridge.world.digits_at("caller"), bridge.world.digits_at("human")) == ("1", "2")
    await bridge.unmerge()
    await talk(0.1)
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_hundred_relays_in_one_process_keep_to_themselves() -> None:
    bridges = await asyncio.gather(*(Bridge.set_up() for _ in range(100)))
    await asyncio.gather(*(each.merge() for each in bridges))
    for number, bridge in enumerate(bridges):
        bridge.world.press(bridge.human, str(number % 10))
    await talk()
    for number, bridge in enumerate(bridges):
        assert bridge.hears("human") == {"caller"}
        assert bridge.hears("caller") == {"human"}
        assert bridge.world.digits_at("caller") == str(number % 10)
    assert len(bridges[0].pumps()) == 200
    # The end of every other one is nothing to those that go on.
    await asyncio.gather(*(each.unmerge() for each in bridges[::2]))
    await talk()
    assert all([await each.healthy() for each in bridges[1::2]])
    await asyncio.gather(*(each.unmerge() for each in bridges[1::2]))
    await talk(0.1)
    for bridge in bridges:
        bridge.assert_nothing_left()
        assert bridge.broke == []


@pytest.mark.asyncio
async def test_a_phone_that_publishes_anew_is_heard_again() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    (track,) = bridge.human.tracks.values()
    bridge.world.unpublish(track)
    await talk()
    assert bridge.hears("caller") == set()
    bridge.world.set_tag(bridge.world.publish(bridge.human, HUMAN), "human")
    await talk()
    assert bridge.hears("caller") == {"human"}
    assert bridge.broke == []
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_pump_that_dies_breaks_the_merge_and_says_why() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    error = RuntimeError("InvalidState - failed to capture frame")
    calls = bridge.world.faults.calls["source.capture_frame"]
    bridge.world.faults.plan[("source.capture_frame", calls + 1)] = Fault(How.FAILS, error)
    await talk()
    assert bridge.broke == [error]
    assert not await bridge.healthy()
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_pump_that_somebody_cancels_breaks_the_merge() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    bridge.pumps()[0].cancel()
    await talk(0.1)
    assert bridge.broke == [None]
    assert not await bridge.healthy()
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_pump_that_is_cancelled_before_it_has_begun_leaves_no_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bridge = await Bridge.set_up()
    sdk, loop = bridge.bench.stage.sdk, asyncio.get_running_loop()
    make = sdk.audio_stream

    def stream(track: Any, *, capacity: int) -> Any:
        # Comes before the first step of the pump that is made next.
        loop.call_soon(lambda: [each.cancel() for each in bridge.pumps()])
        return make(track, capacity=capacity)

    monkeypatch.setattr(sdk, "audio_stream", stream)
    merging = asyncio.create_task(bridge.merge())
    await talk()
    assert bridge.broke
    merging.cancel()
    await asyncio.wait([merging])
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_stream_that_ends_by_itself_breaks_the_merge() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    await bridge.bench.stage.sdk.rooms[0].disconnect()
    await talk(0.1)
    assert bridge.broke == [None]
    assert not await bridge.healthy()
    await bridge.unmerge()
    assert bridge.pumps() == []


@pytest.mark.asyncio
async def test_our_own_unmerge_breaks_nothing() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    await bridge.unmerge()
    await bridge.unmerge()
    await talk()
    assert bridge.broke == []
    assert not await bridge.healthy()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_muted_voice_is_healthy_and_a_missing_party_is_not() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    (track,) = bridge.human.tracks.values()
    bridge.world.mute(track, muted=True)
    await talk()
    assert await bridge.healthy()
    bridge.world.leave(bridge.human, 1)
    await talk()
    assert not await bridge.healthy()
    await bridge.unmerge()


@pytest.mark.asyncio
async def test_a_merge_with_a_muted_voice_says_that_it_could_not_be_verified() -> None:
    bridge = await Bridge.set_up()
    (voice,) = bridge.human.tracks.values()
    bridge.world.mute(voice, muted=True)
    await talk(0.5)
    assert await bridge.merge() == "not verified: that a muted microphone will be heard"
    assert await bridge.healthy()
    bridge.world.mute(voice, muted=False)
    await talk()
    assert bridge.hears("caller") == {"human"}
    await bridge.unmerge()
    await bridge.merge()
    assert bridge.hears("human") == {"caller"}
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_relay_that_nobody_takes_up_is_not_healthy() -> None:
    bridge = await Bridge.set_up()
    assert bridge.bench.stage.caller is not None
    bridge.world.allow_subscribing(bridge.bench.stage.caller, False)
    merging = asyncio.create_task(bridge.merge())
    await talk()
    assert not merging.done()
    # Its limit, in a transfer; then it is looked at.
    merging.cancel()
    await asyncio.wait([merging])
    assert not await bridge.healthy()
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_relay_that_flows_after_it_was_cut_off_is_healthy_and_carries_keys() -> None:
    bridge = await Bridge.set_up()
    (voice,) = bridge.human.tracks.values()
    bridge.world.unpublish(voice)
    merging = asyncio.create_task(bridge.merge())
    await talk()
    merging.cancel()
    await asyncio.wait([merging])
    assert not await bridge.healthy()
    bridge.world.set_tag(bridge.world.publish(bridge.human, HUMAN), "human")
    await talk()
    assert await bridge.healthy()
    assert await bridge.healthy()
    assert bridge.hears("human") == {"caller"}
    assert bridge.hears("caller") == {"human"}
    assert len([each for each in asyncio.all_tasks() if " tones " in each.get_name()]) == 2
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_health_of_a_caller_who_is_gone_is_bad() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    assert bridge.bench.stage.caller is not None
    bridge.world.leave(bridge.bench.stage.caller, 1)
    await talk()
    assert not await bridge.healthy()
    await bridge.unmerge()


@pytest.mark.asyncio
async def test_an_unmerge_in_any_millisecond_of_the_merge_leaves_nothing() -> None:
    merged = 0
    for ms in range(130):
        bridge = await Bridge.set_up()
        merging = asyncio.ensure_future(bridge.merge())
        await asyncio.sleep(ms / 1000)
        unmerging = asyncio.ensure_future(bridge.unmerge())
        # As the engine does: what the merge did last is undone once more.
        done, _ = await asyncio.wait([merging], timeout=5.0)
        merged += bool(done)
        merging.cancel()
        await asyncio.gather(merging, unmerging, return_exceptions=True)
        await bridge.unmerge()
        await talk(0.2)
        bridge.assert_nothing_left()
        assert bridge.hears("caller") == set(), ms
        assert bridge.broke == [], ms
    # An unmerge ends the merge that it overtakes, at once and not only at its limit.
    assert merged == 130


@pytest.mark.asyncio
async def test_an_unmerge_ends_the_merge_and_starts_no_pump_behind_it() -> None:
    # While the tracks are being published: 20 ms in the simulation.
    for after_s in (0.005, 0.03):
        bridge = await Bridge.set_up()
        merging = asyncio.ensure_future(bridge.merge())
        await asyncio.sleep(after_s)
        await bridge.unmerge()
        await asyncio.wait([merging], timeout=0.1)
        assert merging.done()
        assert merging.exception() is not None
        assert bridge.pumps() == []
        assert bridge.hears("caller") == set()
        await bridge.unmerge()
        bridge.assert_nothing_left()


@pytest.mark.asyncio
@pytest.mark.parametrize("room_name", ["call", ROOM])
async def test_unmerging_in_a_lost_room_returns_at_once(room_name: str) -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    bridge.world.delete_room(room_name)
    await talk(0.1)
    began_s = bridge.bench.now_s
    await bridge.unmerge()
    assert bridge.bench.now_s - began_s < 0.2
    assert bridge.pumps() == []
    assert bridge.broke == []


@pytest.mark.asyncio
async def test_a_room_that_is_lost_during_the_unmerge_does_not_hold_it_up() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    bridge.world.faults.plan[("room.unpublish_track", 0)] = Fault(How.HANGS)
    unmerging = asyncio.ensure_future(bridge.unmerge())
    await asyncio.sleep(1.0)
    assert not unmerging.done()
    bridge.world.delete_room("call")
    bridge.world.delete_room(ROOM)
    await asyncio.sleep(0.1)
    assert unmerging.done()
    await unmerging
    assert bridge.pumps() == []


@pytest.mark.asyncio
async def test_a_track_that_cannot_be_taken_away_is_told_and_found_by_a_repetition() -> None:
    bridge = await Bridge.set_up(TransferPolicy(api_timeout_s=1.0))
    await bridge.merge()
    calls = bridge.world.faults.calls["room.unpublish_track"]
    bridge.world.faults.plan[("room.unpublish_track", calls + 1)] = Fault(How.HANGS)
    with pytest.raises(TimeoutError):
        await bridge.unmerge()
    # The other lane has had its turn, and nothing flows.
    assert bridge.pumps() == []
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_merge_without_a_consult_room_fails_and_leaves_nothing() -> None:
    bench = await Bench.set_up()
    relay = Relay()
    with pytest.raises(RuntimeError, match="no consult room"):
        await relay.merge(bench.legs, lambda _: None)
    assert not await relay.health(bench.legs)
    await relay.unmerge(bench.legs)
    await bench.finish()
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_a_lane_that_cannot_open_fails_the_merge_and_the_unmerge_clears_both() -> None:
    bridge = await Bridge.set_up()
    error = RuntimeError("cannot publish")
    bridge.world.faults.plan[
        ("room.publish_track", bridge.world.faults.calls["room.publish_track"] + 2)
    ] = Fault(How.FAILS, error)
    with pytest.raises(ExceptionGroup) as caught:
        await bridge.merge()
    assert caught.value.exceptions == (error,)
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_second_merge_takes_the_first_one_down() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    await bridge.merge()
    await talk()
    own = bridge.bench.stage.room.local_participant.track_publications.values()
    assert len([each for each in own if each.name.startswith("relay-human")]) == 1
    assert len(bridge.pumps()) == 2
    assert bridge.broke == []
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_preparing_opens_nothing_that_could_be_heard() -> None:
    bridge = await Bridge.set_up()
    before = bridge.world.left()
    await bridge.relay.prepare(bridge.bench.legs)
    await talk()
    assert bridge.world.left() == before
    assert (bridge.relay.name, bridge.relay.carrier) == ("relay", Carrier.AGENT)


@pytest.mark.asyncio
async def test_what_comes_after_the_close_goes_nowhere() -> None:
    bridge = await Bridge.set_up()
    legs = bridge.bench.legs
    assert legs.consult_room is not None
    lane = Lane(legs, (legs.consult_room, HUMAN), legs.caller_room, "lane", bridge.broke.append)
    await lane.open()
    source = lane._source
    assert source is not None
    await lane.close()
    await source.capture_frame(SimFrame("human"))
    await turns()
    assert not lane.healthy
    assert bridge.hears(CALLER) == set()
