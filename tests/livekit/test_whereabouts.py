from __future__ import annotations

import asyncio

import pytest
from livekit import rtc

from tests.livekit.bench import HUMAN, ROOM, Bench
from warm_transfer.livekit.whereabouts import are_placed, members_of
from warm_transfer.policy import Carrier
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.play import AGENT, CALLER, CALLER_ROOM

TWO_ROOMS = [Carrier.AGENT, Carrier.BRIDGE]


@pytest.mark.asyncio
async def test_members_are_told_by_identity_as_the_server_knows_them() -> None:
    bench = await Bench.set_up()
    assert set(await members_of(bench.legs, CALLER_ROOM)) == {CALLER, AGENT}
    assert await members_of(bench.legs, "no such room") == {}


@pytest.mark.asyncio
@pytest.mark.parametrize("carrier", TWO_ROOMS)
async def test_two_rooms_hold_one_party_each(carrier: Carrier) -> None:
    bench = await Bench.set_up()
    assert not await are_placed(bench.legs, carrier)
    bench.human_joins()
    assert await are_placed(bench.legs, carrier)
    assert bench.stage.caller is not None
    bench.stage.world.leave(bench.stage.caller, rtc.DisconnectReason.CLIENT_INITIATED)
    assert not await are_placed(bench.legs, carrier)


@pytest.mark.asyncio
async def test_one_room_holds_both() -> None:
    bench = await Bench.set_up()
    human = bench.human_joins()
    assert not await are_placed(bench.legs, Carrier.SERVER)
    bench.stage.world.move(human, CALLER_ROOM)
    assert await are_placed(bench.legs, Carrier.SERVER)
    assert bench.stage.world.member(ROOM, HUMAN) is None


@pytest.mark.asyncio
@pytest.mark.parametrize("carrier", Carrier)
async def test_a_server_that_does_not_answer_is_waited_for_half_a_second(carrier: Carrier) -> None:
    bench = await Bench.set_up()
    bench.stage.world.faults.plan["room.list_participants", 0] = Fault(How.HANGS)
    began_s = bench.now_s
    with pytest.raises(TimeoutError):
        await are_placed(bench.legs, carrier)
    assert bench.now_s - began_s == pytest.approx(bench.legs.policy.look_timeout_s / 4)
    await asyncio.sleep(0)
