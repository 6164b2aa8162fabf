from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit import api, rtc

from tests.livekit.bench import HUMAN, Bench
from warm_transfer.livekit.gates import Gates
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.latency import LEG_HEARS_S
from warm_transfer.testing.livekit.play import CALLER_ROOM
from warm_transfer.testing.livekit.server import Member

BESIDE = "wt-consult-bench"
VOICES = frozenset({"caller", "human"})


class Room:
    """The caller's room with the gates shut, and a human who has not answered yet."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.world = bench.stage.world
        self.gates = Gates(bench.legs, beside=BESIDE)
        self.gates.shut()

    @classmethod
    async def set_up(cls) -> Room:
        bench = await Bench.set_up()
        assert bench.stage.caller is not None
        bench.stage.caller.kind = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
        bench.legs.consult_name = CALLER_ROOM
        return cls(bench)

    def rings(self) -> Member:
        """The human's leg is there, and its microphone, but nobody has answered."""
        leg = self.world.join(CALLER_ROOM, HUMAN, kind=3, ear="human", hears=False)
        self.world.set_tag(self.world.publish(leg, HUMAN), "human")
        return leg

    async def answers(self) -> Member:
        """The human talks, and their leg has asked for everything."""
        leg = self.rings()
        await asyncio.sleep(1.0)
        self.world.start_hearing(leg)
        return leg

    def heard(self, who: str) -> set[str]:
        """Whose voices somebody has heard."""
        return {each.tag for each in self.world.heard(who)} & (VOICES - {who})

    @property
    def requests(self) -> int:
        """How often the server was asked to shut or open a gate."""
        return self.world.faults.calls["room.update_subscriptions"]

    def fails(self, name: str, number: int, how: How = How.FAILS) -> None:
        self.world.faults.plan[(f"room.{name}", number)] = Fault(how)

    async def finish(self) -> None:
        await self.gates.aclose()
        human = self.world.member(CALLER_ROOM, HUMAN)
        if human is not None:
            self.world.leave(human, 1)
        await self.bench.finish()
        await asyncio.sleep(1.0)
        left = self.world.left()
        assert not left, str(left)


# Shut.


@pytest.mark.asyncio
async def test_a_keeper_that_is_cancelled_is_replaced() -> None:
    room = await Room.set_up()
    for _ in range(2):
        (keeper,) = [each for each in asyncio.all_tasks() if each.get_name().endswith(" gates")]
        keeper.cancel()
        await asyncio.sleep(0.1)
    await room.answers()
    await asyncio.sleep(1.0)
    assert room.heard("human") == set()
    assert room.heard("caller") == set()
    await room.finish()
    assert not [each for each in asyncio.all_tasks() if each.get_name().endswith(" gates")]


@pytest.mark.asyncio
async def test_the_leg_may_not_subscribe_before_it_is_answered() -> None:
    room = await Room.set_up()
    leg = room.rings()
    await asyncio.sleep(0.1)
    assert not leg.can_subscribe
    room.world.start_hearing(leg)
    await asyncio.sleep(1.0)
    assert room.heard("human") == set()
    # What it needs otherwise it keeps: its voice, and telling how far the call is.
    assert leg.tracks
    assert leg.can_update_metadata
    await room.finish()


@pytest.mark.asyncio
async def test_the_caller_does_not_hear_the_human_though_their_leg_asks_for_every_track() -> None:
    room = await Room.set_up()
    await room.answers()
    await asyncio.sleep(2.0)
    assert room.heard("caller") == set()
    await room.finish()


@pytest.mark.asyncio
async def test_a_third_person_is_kept_from_the_human_like_the_caller() -> None:
    room = await Room.set_up()
    third = room.world.join(CALLER_ROOM, "third", kind=3, ear="third")
    room.world.set_tag(room.world.publish(third, "third"), "third")
    await asyncio.sleep(0.5)
    await room.answers()
    await room.gates.admit()
    await asyncio.sleep(1.0)
    assert "human" not in room.heard("third")
    assert {each.tag for each in room.world.heard("human")} == set()
    room.world.leave(third, 1)
    await room.finish()


@pytest.mark.asyncio
async def test_who_asks_again_is_heard_no_longer_than_half_a_second() -> None:
    room = await Room.set_up()
    await room.answers()
    await asyncio.sleep(2.0)
    caller = room.bench.stage.caller
    assert caller is not None
    # Nobody is told: livekit-sip may ask again for reasons of its own.
    room.world.start_hearing(caller)
    await asyncio.sleep(2.0)
    (leak,) = [each for each in room.world.heard("caller") if each.tag == "human"]
    assert leak.to_s - leak.from_s < 0.5 + 0.125
    await room.finish()


@pytest.mark.asyncio
async def test_a_new_track_is_gated_at_once() -> None:
    room = await Room.set_up()
    leg = await room.answers()
    await asyncio.sleep(2.0)
    for _ in range(20):
        await asyncio.sleep(0.07)
        room.world.set_tag(room.world.publish(leg, "another"), "human")
    await asyncio.sleep(1.0)
    assert room.heard("caller") == set()
    await room.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [How.FAILS, How.HANGS, How.LATE])
async def test_one_request_that_goes_wrong_lets_nothing_through(how: How) -> None:
    for number in range(1, 6):
        room = await Room.set_up()
        room.fails("update_subscriptions", number, how)
        room.fails("update_participant", 1, how)
        await room.answers()
        await asyncio.sleep(3.0)
        assert room.heard("caller") == set()
        assert room.heard("human") == set()
        await room.finish()


@pytest.mark.asyncio
async def test_while_the_agent_is_away_the_server_is_asked_who_is_there() -> None:
    room = await Room.set_up()
    leg = await room.answers()
    away = asyncio.ensure_future(room.bench.stage.room.lose_signal(4.0))
    await asyncio.sleep(1.0)
    assert room.bench.legs.caller_room.remote_participants == {}
    room.world.set_tag(room.world.publish(leg, "another"), "human")
    await asyncio.sleep(2.0)
    leaks = [each for each in room.world.heard("caller") if each.tag == "human"]
    assert all(each.to_s - each.from_s < 0.5 + 0.125 for each in leaks)
    assert room.world.faults.calls["room.list_participants"] > 3
    await away
    await room.finish()


@pytest.mark.asyncio
async def test_without_a_human_no_gate_is_asked_of_the_server() -> None:
    room = await Room.set_up()
    await asyncio.sleep(5.0)
    assert room.requests == 0
    await room.finish()


@pytest.mark.asyncio
async def test_news_that_are_late_open_nothing() -> None:
    room = await Room.set_up()
    us = room.bench.stage.room.local_participant.member
    us.told_until_s = room.world.now_s + 5.0
    leg = room.rings()
    await asyncio.sleep(1.0)
    assert HUMAN not in room.bench.legs.caller_room.remote_participants
    room.world.start_hearing(leg)
    talks_s = room.world.now_s
    await asyncio.sleep(3.0)
    assert not [each for each in room.world.heard("caller") if each.to_s > talks_s]
    assert room.heard("human") == set()
    await room.finish()


# Admitted.


@pytest.mark.asyncio
async def test_admitted_the_human_hears_the_agent_and_nobody_else() -> None:
    room = await Room.set_up()
    agent = room.world.join(CALLER_ROOM, BESIDE, kind=4)
    room.world.set_tag(room.world.publish(agent, "voice"), "briefing")
    await room.answers()
    await room.gates.admit()
    await asyncio.sleep(1.0)
    assert {each.tag for each in room.world.heard("human")} == {"briefing"}
    room.world.leave(agent, 1)
    await room.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("rings_s", [2.0, 2.1, 2.2, 2.3, 2.4])
async def test_a_leg_that_answers_when_it_has_been_let_in_is_kept_apart_at_once(
    rings_s: float,
) -> None:
    # A replayed dial: it takes the place of the leg that had answered.
    room = await Room.set_up()
    await room.answers()
    await room.gates.admit()
    leg = room.rings()
    await asyncio.sleep(rings_s)
    room.world.set_attributes(leg, {"sip.callStatus": "active"})
    room.world.after(LEG_HEARS_S, room.world.start_hearing, leg)
    await asyncio.sleep(2.0)
    leaks = [each for each in room.world.heard("human") if each.tag == "caller"]
    assert sum(each.to_s - each.from_s for each in leaks) < 0.2
    await room.finish()


@pytest.mark.asyncio
async def test_nobody_is_admitted_while_the_gates_cannot_be_shut() -> None:
    room = await Room.set_up()
    room.fails("update_subscriptions", 0)
    leg = await room.answers()
    began_s = room.bench.now_s
    with pytest.raises(TimeoutError):
        await room.gates.admit()
    assert room.bench.now_s - began_s == pytest.approx(room.bench.legs.policy.open_timeout_s)
    assert not leg.can_subscribe
    assert room.heard("human") == set()
    room.world.faults.plan.clear()
    await room.finish()


@pytest.mark.asyncio
async def test_nobody_is_admitted_who_is_not_there() -> None:
    room = await Room.set_up()
    with pytest.raises(TimeoutError):
        await room.gates.admit()
    await room.finish()


# Open.


@pytest.mark.asyncio
async def test_opened_they_hear_each_other_and_nobody_shuts_the_gates_behind_it() -> None:
    for ms in range(0, 600, 40):
        room = await Room.set_up()
        await room.answers()
        await asyncio.sleep(ms / 1000)
        room.fails("update_subscriptions", room.requests + 1, How.LATE)
        await room.gates.open()
        assert room.gates.are_open
        done = room.requests
        await asyncio.sleep(12.0)
        assert room.world.ears.hears("caller") & VOICES == {"human"}
        assert room.world.ears.hears("human") & VOICES == {"caller"}
        assert room.requests == done
        await room.finish()


@pytest.mark.asyncio
async def test_a_request_that_is_still_on_its_way_is_waited_for() -> None:
    room = await Room.set_up()
    await room.answers()
    await room.gates.admit()
    service = room.bench.legs.api.room
    send, held = service.update_subscriptions, asyncio.Event()

    async def hold_back(request: api.UpdateSubscriptionsRequest) -> object:
        if not request.subscribe:
            await held.wait()
        return await send(request)

    service.update_subscriptions = hold_back
    await asyncio.sleep(1.0)
    opening = asyncio.ensure_future(room.gates.open())
    await asyncio.sleep(1.0)
    assert not opening.done()
    held.set()
    await opening
    await asyncio.sleep(1.0)
    assert room.world.ears.hears("caller") & VOICES == {"human"}
    assert room.world.ears.hears("human") & VOICES == {"caller"}
    await room.finish()


@pytest.mark.asyncio
async def test_nothing_is_opened_for_somebody_who_is_not_there() -> None:
    room = await Room.set_up()
    opening = asyncio.ensure_future(room.gates.open())
    await asyncio.sleep(5.0)
    assert not opening.done()
    await room.answers()
    await asyncio.sleep(0.5)
    assert opening.done()
    assert room.gates.are_open
    await room.finish()


@pytest.mark.asyncio
async def test_a_human_alone_is_not_joined_with_anybody() -> None:
    room = await Room.set_up()
    await room.answers()
    assert room.bench.stage.caller is not None
    room.world.leave(room.bench.stage.caller, 1)
    await asyncio.sleep(0.5)
    opening = asyncio.ensure_future(room.gates.open())
    await asyncio.sleep(5.0)
    assert not opening.done()
    await room.finish()
    with pytest.raises(ConnectionAbortedError):
        await opening


@pytest.mark.asyncio
async def test_after_a_failure_the_gates_are_shut_sooner_than_every_half_second() -> None:
    room = await Room.set_up()
    await room.answers()
    await asyncio.sleep(2.0)
    room.fails("update_subscriptions", 0)
    before = room.requests
    await asyncio.sleep(2.0)
    passes = (room.requests - before) / 2
    assert passes == pytest.approx(2.0 / 0.2, abs=3)
    room.world.faults.plan.clear()
    await room.finish()


@pytest.mark.asyncio
async def test_a_server_that_restarts_is_waited_for() -> None:
    room = await Room.set_up()
    await room.answers()
    await room.gates.admit()
    room.world.down = True
    room.world.loop.call_later(4.8, _up, room.world)
    began_s = room.bench.now_s
    await room.gates.open()
    assert 4.8 < room.bench.now_s - began_s < 5.3
    await asyncio.sleep(0.2)
    assert room.heard("caller") == {"human"}
    await room.finish()


def _up(world: Any) -> None:
    world.down = False


@pytest.mark.asyncio
async def test_gates_that_are_shut_while_they_are_being_opened_stay_shut() -> None:
    for ms in range(0, 20, 2):
        room = await Room.set_up()
        await room.answers()
        await asyncio.sleep(2.0)
        opening = asyncio.ensure_future(room.gates.open())
        await asyncio.sleep(ms / 1000)
        room.gates.shut()
        await asyncio.wait([opening])
        assert not room.gates.are_open
        await asyncio.sleep(1.0)
        assert room.world.ears.hears("caller") & VOICES == set()
        assert room.world.ears.hears("human") & VOICES == set()
        await room.finish()


@pytest.mark.asyncio
async def test_closed_they_are_left_as_they_are() -> None:
    room = await Room.set_up()
    await room.answers()
    await room.gates.aclose()
    await room.gates.aclose()
    room.gates.shut()
    done = room.requests
    await asyncio.sleep(5.0)
    assert room.requests == done
    with pytest.raises(ConnectionAbortedError):
        await room.gates.open()
    await room.finish()
