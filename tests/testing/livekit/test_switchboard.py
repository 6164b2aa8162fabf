import asyncio

import pytest

from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.switchboard import Switchboard
from warm_transfer.testing.livekit.world import World

from .meeting import dial

pytestmark = pytest.mark.asyncio


async def test_phones_take_turns_and_the_last_goes_on() -> None:
    world = World()
    busy, free = Phone(refuses_with=486), Phone()
    board = Switchboard(world, {"+15105550123": [busy, free]})
    scripts = [board.call(dial(identity=f"human-{number}")).phone for number in range(3)]
    assert scripts == [busy, free, free]
    assert len(board.calls) == 3
    await asyncio.sleep(10)


async def test_an_unknown_number_is_the_common_phone_or_one_that_answers() -> None:
    never = Phone(answers_after_s=None)
    assert Switchboard(World(), {"": [never]}).call(dial()).phone is never
    assert Switchboard(World()).call(dial()).phone == Phone()


async def test_a_call_to_the_service_itself_rings_no_phone() -> None:
    # facts A.4
    world = World(bridge=True)
    board = Switchboard(world)
    request = dial()
    request.sip_trunk_id = next(each for each in world.trunks.outbound if each != "ST_x")
    assert board.call(request) is board.bridges[0]
    assert board.calls == []
    await asyncio.sleep(40)
