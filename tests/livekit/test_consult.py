from __future__ import annotations

import asyncio
import string
from typing import Any

import pytest
from livekit import api, rtc

from tests.livekit.bench import HUMAN, ROOM, Bench, effect
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.livekit.briefing import Briefing, ConsultOptions
from warm_transfer.livekit.consult import Consult, unguessable
from warm_transfer.livekit.dial import Dial, DialOptions
from warm_transfer.livekit.signals import Signals
from warm_transfer.livekit.sip import SipDialer
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.play import CALLER, DESTINATION, play
from warm_transfer.testing.livekit.script import Scenario

OPTIONS = DialOptions(destination=DESTINATION, trunk_id="ST_x")


class Desk:
    """A consult with all that belongs to it."""

    def __init__(self, bench: Bench) -> None:
        legs = bench.legs
        self.bench = bench
        self.dial = Dial(legs, SipDialer(legs.api, OPTIONS), OPTIONS)
        self.briefing = Briefing(legs, ConsultOptions())
        self.signals = Signals(legs, self.dial)
        self.consult = Consult(legs, self.briefing, self.signals)

    @classmethod
    async def set_up(cls, policy: TransferPolicy | None = None, *, held: bool = True) -> Desk:
        desk = cls(await Bench.set_up(policy=policy))
        if held:
            desk.bench.legs.hold_settled.set()
        return desk

    async def finish(self) -> None:
        await self.consult.close()
        await self.signals.aclose()
        await self.bench.finish()
        await asyncio.sleep(10.0)

    def assert_nothing_left(self) -> None:
        left = self.bench.stage.world.left()
        assert not left, str(left)


# The name.


def test_names_are_of_128_random_bits_and_never_meet() -> None:
    names = {unguessable() for _ in range(10_000)}
    assert len(names) == 10_000
    assert all(len(each) == 32 and set(each) <= set(string.hexdigits) for each in names)
    # Every position varies, so none of the bits is fixed.
    for position in range(32):
        assert len({each[position] for each in names}) == 16


@pytest.mark.asyncio
async def test_the_room_of_a_transfer_says_nothing_of_caller_or_human() -> None:
    rooms = set[str]()
    for _ in range(20):
        result = await play(Scenario(phone=Phone(refuses_with=486, refuses_after_s=0.1)))
        (call,) = result.sdk.switchboard.calls
        rooms.add(call.request.room_name)
        # The human's identity is shown to the caller later, so it must not give the room away.
        assert call.request.room_name not in call.request.participant_identity
    assert len(rooms) == 20
    for room in rooms:
        assert CALLER not in room
        assert DESTINATION[1:] not in room
        assert len(room.removeprefix("wt_")) * 4 >= 96


# Opening.


@pytest.mark.asyncio
async def test_the_room_is_made_with_limits_of_its_own() -> None:
    desk = await Desk.set_up(TransferPolicy(ring_timeout_s=42.0))
    made: list[api.CreateRoomRequest] = []
    create = desk.bench.api.room.create_room

    async def record(request: api.CreateRoomRequest) -> Any:
        made.append(request)
        return await create(request)

    desk.bench.api.room.create_room = record
    await desk.consult.open(effect(Do.OPEN_CONSULT))
    (request,) = made
    assert request.name == ROOM
    # Longer than the ringing, so that it is there when the human answers.
    assert request.empty_timeout == 72
    assert 0 < request.departure_timeout <= 10
    assert request.max_participants == 3
    # Dispatched to nobody, so that no worker without a name is sent in.
    assert [each.agent_name for each in request.agents] == ["wt-nobody"]
    await desk.finish()
    desk.assert_nothing_left()


@pytest.mark.asyncio
async def test_it_is_joined_with_a_short_token_for_this_room_alone() -> None:
    desk = await Desk.set_up(TransferPolicy(token_ttl_s=33.0))
    asked: list[tuple[str, str, float]] = []
    token = desk.bench.stage.sdk.token

    def record(room: str, identity: str, ttl_s: float) -> str:
        asked.append((room, identity, ttl_s))
        return token(room, identity, ttl_s)

    desk.bench.stage.sdk.token = record  # type: ignore[method-assign]  # to see what is asked
    await desk.consult.open(effect(Do.OPEN_CONSULT))
    agent = desk.bench.legs.caller_room.local_participant.identity
    assert asked == [(ROOM, agent, 33.0)]
    await desk.finish()


@pytest.mark.asyncio
async def test_open_reports_for_its_effect_when_the_session_can_hear() -> None:
    desk = await Desk.set_up()
    asked = effect(Do.OPEN_CONSULT, attempt=2)
    await desk.consult.open(asked)
    (event,) = desk.bench.posted
    assert (event.name, event.effect, event.attempt) == (On.CONSULT_OPENED, asked.id, 2)
    assert desk.bench.stage.sdk.consult_sessions[0].started
    assert desk.bench.legs.consult_connected
    await desk.finish()
    desk.assert_nothing_left()
    assert not desk.bench.legs.consult_connected


@pytest.mark.asyncio
async def test_a_leg_that_was_there_before_the_agent_is_noticed() -> None:
    desk = await Desk.set_up()
    desk.bench.stage.world.create_room(ROOM)
    desk.dial._effect = effect(Do.DIAL_CONSULT)
    desk.bench.human_joins(status="ringing")
    await desk.consult.open(effect(Do.OPEN_CONSULT))
    assert On.CONSULT_RANG in desk.bench.names
    await desk.finish()


@pytest.mark.asyncio
async def test_a_server_that_does_not_answer_is_given_up_after_the_api_timeout() -> None:
    desk = await Desk.set_up(TransferPolicy(api_timeout_s=2.0))
    desk.bench.stage.world.faults.plan[("room.create_room", 1)] = Fault(How.HANGS)
    began_s = desk.bench.now_s
    with pytest.raises(TimeoutError):
        await desk.consult.open(effect(Do.OPEN_CONSULT))
    assert desk.bench.now_s - began_s == pytest.approx(2.0)
    assert desk.bench.posted == []
    await desk.finish()


@pytest.mark.asyncio
async def test_the_room_is_made_at_once_and_joined_when_the_caller_has_the_hold_audio() -> None:
    desk = await Desk.set_up(TransferPolicy(hold_lead_s=2.0), held=False)
    opening = asyncio.ensure_future(desk.consult.open(effect(Do.OPEN_CONSULT)))
    await asyncio.sleep(1.0)
    assert ROOM in desk.bench.stage.world.rooms
    assert desk.bench.stage.sdk.rooms == []
    desk.bench.legs.hold_settled.set()
    await asyncio.sleep(0.01)
    assert len(desk.bench.stage.sdk.rooms) == 1
    await opening
    await desk.finish()


@pytest.mark.asyncio
async def test_hold_audio_that_never_comes_is_not_waited_for_longer_than_the_lead() -> None:
    took = dict[float, float]()
    for lead_s in (0.1, 1.1):
        desk = await Desk.set_up(TransferPolicy(hold_lead_s=lead_s), held=False)
        began_s = desk.bench.now_s
        await desk.consult.open(effect(Do.OPEN_CONSULT))
        took[lead_s] = desk.bench.now_s - began_s
        await desk.finish()
    assert took[1.1] - took[0.1] == pytest.approx(1.0)


# Closing.


@pytest.mark.asyncio
async def test_a_room_that_is_made_behind_a_cancelled_opening_is_given_back() -> None:
    for ms in range(12):
        desk = await Desk.set_up()
        opening = asyncio.ensure_future(desk.consult.open(effect(Do.OPEN_CONSULT)))
        await asyncio.sleep(ms / 1000)
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await desk.finish()
        desk.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_close_in_any_millisecond_of_the_opening_leaves_nothing() -> None:
    opened = 0
    for ms in range(0, 260, 2):
        desk = await Desk.set_up()
        # As the engine does: bounded, because publishing in a deleted room does not return.
        work = asyncio.wait_for(desk.consult.open(effect(Do.OPEN_CONSULT)), 15.0)
        opening = asyncio.ensure_future(work)
        await asyncio.sleep(ms / 1000)
        await desk.consult.close()
        await asyncio.gather(opening, return_exceptions=True)
        opened += On.CONSULT_OPENED in desk.bench.names
        # And once more when the start that was overtaken has returned.
        await desk.finish()
        desk.assert_nothing_left()
    assert 0 < opened < 130


@pytest.mark.asyncio
@pytest.mark.parametrize(("after_s", "joined"), [(0.001, 0), (0.06, 1)])
async def test_an_opening_that_was_overtaken_goes_no_further(after_s: float, joined: int) -> None:
    # While the room is being made, and while it is being joined.
    desk = await Desk.set_up()
    opening = asyncio.ensure_future(desk.consult.open(effect(Do.OPEN_CONSULT)))
    await asyncio.sleep(after_s)
    await desk.consult.close()
    await opening
    assert len(desk.bench.stage.sdk.rooms) == joined
    assert desk.bench.stage.sdk.consult_sessions == []
    assert desk.bench.posted == []
    await desk.finish()
    desk.assert_nothing_left()


@pytest.mark.asyncio
async def test_closing_what_was_never_opened_or_is_already_gone_is_fine() -> None:
    desk = await Desk.set_up()
    await desk.consult.close()
    await desk.consult.close()
    assert desk.bench.posted == []

    desk = await Desk.set_up()
    await desk.consult.open(effect(Do.OPEN_CONSULT))
    desk.bench.stage.world.delete_room(ROOM)
    await asyncio.sleep(0.1)
    await desk.consult.close()
    await desk.finish()
    desk.assert_nothing_left()


@pytest.mark.asyncio
async def test_our_own_close_is_no_lost_room_and_no_departure() -> None:
    desk = await Desk.set_up()
    await desk.consult.open(effect(Do.OPEN_CONSULT))
    desk.bench.human_joins()
    await asyncio.sleep(0.1)
    before = list(desk.bench.names)
    await desk.finish()
    assert desk.bench.names == before
    desk.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_session_that_does_not_close_keeps_no_room() -> None:
    desk = await Desk.set_up(TransferPolicy(api_timeout_s=1.0))
    await desk.consult.open(effect(Do.OPEN_CONSULT))
    error = RuntimeError("the session is broken")
    desk.bench.stage.world.faults.plan[("session.aclose", 1)] = Fault(How.HANGS)
    desk.bench.stage.world.faults.plan[("session.interrupt", 1)] = Fault(How.FAILS, error)
    with pytest.raises(TimeoutError):
        await desk.consult.close()
    assert ROOM not in desk.bench.stage.world.rooms
    assert not desk.bench.legs.consult_connected
    await desk.finish()
    desk.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_room_that_cannot_be_deleted_is_left_all_the_same_and_the_error_is_told() -> None:
    desk = await Desk.set_up()
    await desk.consult.open(effect(Do.OPEN_CONSULT))
    error = api.ServerError("unavailable", "down", status=503)
    desk.bench.stage.world.faults.plan[("room.delete_room", 1)] = Fault(How.FAILS, error)
    with pytest.raises(api.ServerError):
        await desk.consult.close()
    room = desk.bench.stage.sdk.rooms[0]
    assert room.connection_state == rtc.ConnectionState.CONN_DISCONNECTED
    # A repetition finds what is left.
    await desk.finish()
    desk.assert_nothing_left()


@pytest.mark.asyncio
async def test_the_human_goes_with_the_room() -> None:
    desk = await Desk.set_up()
    await desk.consult.open(effect(Do.OPEN_CONSULT))
    leg = desk.bench.human_joins()
    await desk.consult.close()
    assert not leg.joined
    assert leg.disconnect_reason == rtc.DisconnectReason.ROOM_DELETED
    assert desk.bench.stage.world.member(ROOM, HUMAN) is None
    await desk.finish()


@pytest.mark.asyncio
async def test_a_join_that_is_cut_off_leaves_no_room_behind_which_it_makes_late() -> None:
    desk = await Desk.set_up()
    opening = asyncio.ensure_future(desk.consult.open(effect(Do.OPEN_CONSULT)))
    await asyncio.sleep(0.05)
    opening.cancel()
    await asyncio.wait([opening])
    # The SDK joins behind this, into a room that it makes anew.
    await desk.consult.close()
    assert desk.bench.stage.world.rooms.keys() == {"call"}
    await desk.finish()
    desk.assert_nothing_left()
