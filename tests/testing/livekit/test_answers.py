import asyncio

import aiohttp
import pytest
from livekit import api

from warm_transfer.testing.livekit.answers import (
    NobodyAnswers,
    answer,
    look_whether_up,
    no_response,
)
from warm_transfer.testing.livekit.faults import Fault, Faults, How
from warm_transfer.testing.livekit.server import Refused
from warm_transfer.testing.livekit.world import World

pytestmark = pytest.mark.asyncio


def refuse() -> None:
    raise Refused("not_found", 404, "there is none")


def find_nobody() -> None:
    raise NobodyAnswers


async def test_an_answer_takes_as_long_as_measured() -> None:
    # facts A.0: 3 to 6 ms
    world = World()
    assert await answer(world, "room.list_rooms", lambda: 1) == 1
    assert 0.003 <= world.now_s <= 0.006


async def test_a_refusal_has_the_code_of_the_api() -> None:
    with pytest.raises(api.ServerError) as caught:
        await answer(World(), "room.delete_room", refuse)
    assert (caught.value.code, caught.value.status) == ("not_found", 404)
    assert caught.value.message == "there is none"


async def test_nobody_answering_is_known_after_three_seconds() -> None:
    # issue 6: 503 after 3 s
    world = World()
    with pytest.raises(api.ServerError, match="no response from servers") as caught:
        await answer(world, "room.move_participant", find_nobody)
    assert (caught.value.code, caught.value.status) == (no_response().code, 503)
    assert world.now_s == pytest.approx(3.0, abs=0.01)


async def test_a_server_that_is_down_does_no_work() -> None:
    world = World()
    look_whether_up(world)
    world.restart()
    done: list[int] = []
    with pytest.raises(aiohttp.ClientConnectionError):
        await answer(world, "room.list_rooms", lambda: done.append(1))
    assert done == []
    await asyncio.sleep(4.9)
    await answer(world, "room.list_rooms", lambda: done.append(2))
    assert done == [2]


async def test_a_server_that_goes_down_answers_nothing_that_it_was_asked_before() -> None:
    world = World()
    done: list[int] = []
    asking = asyncio.ensure_future(answer(world, "room.list_rooms", lambda: done.append(1)))
    await asyncio.sleep(0.001)
    world.restart()
    with pytest.raises(aiohttp.ClientConnectionError):
        await asking
    assert done == []


async def test_a_request_goes_wrong_as_planned_by_its_name() -> None:
    world = World(faults=Faults({("room.list_rooms", 1): Fault(How.FAILS)}))
    await answer(world, "room.delete_room", lambda: None)
    with pytest.raises(ConnectionError):
        await answer(world, "room.list_rooms", lambda: None)
