from __future__ import annotations

import asyncio

import pytest
from livekit import api, rtc

from tests.livekit.bench import HUMAN, ROOM, Bench
from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.places import CallersRoom, OwnRoom, place_of
from warm_transfer.livekit.relay import Relay
from warm_transfer.livekit.sharedroom import SharedRoom
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.play import AGENT, CALLER, CALLER_ROOM


def test_a_strategy_may_bring_its_place() -> None:
    shared = SharedRoom()
    assert place_of([shared]) is shared.place
    assert isinstance(place_of([Relay()]), OwnRoom)
    assert isinstance(place_of([]), OwnRoom)


def test_a_room_of_its_own_has_the_wanted_name_or_an_unguessable_one() -> None:
    assert OwnRoom().room_name("call", None, "wt_1") == "wt_1"
    assert OwnRoom().room_name("call", "mine", "wt_1") == "mine"


def test_the_callers_room_has_its_name_already() -> None:
    assert CallersRoom().room_name("call", None, "wt_1") == "call"
    with pytest.raises(InvalidArgument, match="room_name"):
        CallersRoom().room_name("call", "mine", "wt_1")


@pytest.mark.asyncio
async def test_only_a_phone_may_be_the_caller() -> None:
    bench = await Bench.set_up()
    with pytest.raises(InvalidArgument, match="no phone"):
        CallersRoom().check(bench.legs.caller_room, CALLER)
    OwnRoom().check(bench.legs.caller_room, CALLER)
    bench.legs.caller_room.remote_participants[
        CALLER
    ].kind = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
    CallersRoom().check(bench.legs.caller_room, CALLER)
    await bench.finish()


@pytest.mark.asyncio
async def test_the_agents_tracks_are_for_one_alone_until_the_place_is_given_back() -> None:
    bench = await Bench.set_up()
    world, place = bench.stage.world, CallersRoom()
    bench.legs.consult_name = CALLER_ROOM
    place.guard(bench.legs)
    consult = bench.stage.sdk.room()
    identity = place.identity(bench.legs)
    await consult.connect("", bench.legs.sdk.token(CALLER_ROOM, identity, 60.0))
    place.enter(bench.legs, consult)
    await bench.legs.api.room.list_rooms(_all())
    first, second = world.member(CALLER_ROOM, AGENT), world.member(CALLER_ROOM, identity)
    assert first is not None
    assert second is not None
    assert identity != AGENT
    assert (first.permits(CALLER, "any"), first.permits(HUMAN, "any")) == (True, False)
    assert (second.permits(CALLER, "any"), second.permits(HUMAN, "any")) == (False, True)
    # A reconnect forgets them at the server.
    world.permit(first, None)
    bench.stage.room.emit("reconnected")
    await bench.legs.api.room.list_rooms(_all())
    assert not first.permits(HUMAN, "any")
    await place.give_back(bench.legs)
    await place.give_back(bench.legs)
    await bench.legs.api.room.list_rooms(_all())
    assert first.permissions is None
    # Also one that nobody holds any more.
    assert world.member(CALLER_ROOM, identity) is None
    assert CALLER_ROOM in world.rooms
    await place.aclose()
    await consult.disconnect()
    await bench.finish()
    left = world.left()
    assert not left, str(left)


@pytest.mark.asyncio
async def test_the_gates_stay_shut_until_the_place_is_closed() -> None:
    bench = await Bench.set_up()
    bench.legs.consult_name = CALLER_ROOM
    place = CallersRoom()
    place.guard(bench.legs)
    bench.stage.world.join(CALLER_ROOM, HUMAN, kind=3)
    bench.stage.world.faults.plan[("room.remove_participant", 1)] = Fault(How.FAILS)
    with pytest.raises(ConnectionError):
        await place.give_back(bench.legs)
    assert await _shuts(bench)
    await place.give_back(bench.legs)
    assert bench.stage.world.member(CALLER_ROOM, HUMAN) is None
    # Whoever has been dialled may still come.
    bench.stage.world.join(CALLER_ROOM, HUMAN, kind=3)
    assert await _shuts(bench)
    await place.aclose()
    assert not await _shuts(bench)
    await bench.finish()


@pytest.mark.asyncio
async def test_a_place_that_was_never_guarded_gives_nothing_back_and_admits_nobody() -> None:
    bench = await Bench.set_up()
    place = CallersRoom()
    await place.give_back(bench.legs)
    await place.clear(bench.legs)
    await place.aclose()
    assert bench.stage.world.faults.calls["room.remove_participant"] == 0
    with pytest.raises(RuntimeError, match="guards"):
        await place.admit(bench.legs)
    await bench.finish()


@pytest.mark.asyncio
async def test_who_still_waits_is_put_out_with_the_own_room_and_not_with_the_callers() -> None:
    bench = await Bench.set_up()
    bench.stage.world.create_room(ROOM)
    await CallersRoom().clear(bench.legs)
    assert {ROOM, CALLER_ROOM} <= set(bench.stage.world.rooms)
    await OwnRoom().clear(bench.legs)
    assert ROOM not in bench.stage.world.rooms
    await bench.finish()


async def _shuts(bench: Bench) -> bool:
    calls = bench.stage.world.faults.calls
    before = calls["room.update_subscriptions"]
    await asyncio.sleep(2.0)
    return calls["room.update_subscriptions"] > before


def _all() -> api.ListRoomsRequest:
    return api.ListRoomsRequest()
