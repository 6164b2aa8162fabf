"""The simulated merge without the agent: the human is moved, and what they do is told."""

from __future__ import annotations

import asyncio

import pytest
from livekit import api

from tests.livekit.bench import HUMAN, ROOM, Bench
from warm_transfer.livekit.strategies import strategies_of
from warm_transfer.policy import Carrier
from warm_transfer.testing.livekit.direct import SimDirect
from warm_transfer.testing.livekit.play import CALLER_ROOM
from warm_transfer.testing.livekit.server import Member

pytestmark = pytest.mark.asyncio


async def briefed(*, cloud: bool = True) -> tuple[Bench, Member]:
    bench = await Bench.set_up()
    bench.stage.world.cloud = cloud
    await bench.join_consult()
    human = bench.human_joins()
    await asyncio.sleep(1.0)
    return bench, human


def broke(_: BaseException | None) -> None:
    raise AssertionError("nothing breaks")


async def test_it_is_a_merge_strategy_without_a_relay() -> None:
    (strategy,) = strategies_of(SimDirect())
    assert (strategy.name, strategy.carrier) == ("direct", Carrier.SERVER)


async def test_the_two_hear_each_other_without_the_agent() -> None:
    bench, human = await briefed()
    direct = SimDirect()
    await direct.prepare(bench.legs)
    await direct.merge(bench.legs, broke)
    assert human.room.name == CALLER_ROOM
    assert await direct.health(bench.legs)
    await bench.stage.room.disconnect()
    await asyncio.sleep(1.0)
    assert "human" in bench.stage.world.ears.hears("caller")
    assert "caller" in bench.stage.world.ears.hears("human")
    await bench.finish()


async def test_an_undone_merge_listens_no_more_and_leaves_nobody_with_the_caller() -> None:
    bench, human = await briefed()
    direct = SimDirect()
    await direct.merge(bench.legs, broke)
    for _ in range(2):
        await direct.unmerge(bench.legs)
    await asyncio.sleep(1.0)
    assert not human.joined
    assert bench.names == []
    assert not await direct.health(bench.legs)
    await bench.finish()


async def test_a_server_that_cannot_move_fails_the_merge() -> None:
    bench, human = await briefed(cloud=False)
    direct = SimDirect()
    with pytest.raises(api.ServerError, match="not implemented"):
        await direct.merge(bench.legs, broke)
    await direct.unmerge(bench.legs)
    assert human.room.name == ROOM
    assert not await direct.health(bench.legs)
    await bench.finish()


async def test_a_human_who_never_arrives_is_not_merged() -> None:
    bench, human = await briefed()
    bench.stage.world.unpublish(next(iter(human.tracks.values())))
    direct = SimDirect()
    with pytest.raises(TimeoutError):
        await direct.merge(bench.legs, broke)
    assert HUMAN in bench.stage.room.remote_participants
    await direct.unmerge(bench.legs)
    await bench.finish()
