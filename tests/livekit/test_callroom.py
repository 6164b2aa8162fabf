from __future__ import annotations

import pytest
from livekit import api

from tests.livekit.bench import Bench
from warm_transfer.livekit.callroom import end_call
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.faults import Fault, How


@pytest.mark.asyncio
async def test_ending_the_call_hangs_up_whoever_is_in_the_callers_room() -> None:
    bench = await Bench.set_up()
    caller = bench.stage.caller
    assert caller is not None
    await end_call(bench.legs)
    assert not caller.joined
    assert "call" not in bench.stage.world.rooms


@pytest.mark.asyncio
async def test_a_call_that_is_over_can_be_ended_again() -> None:
    bench = await Bench.set_up()
    await end_call(bench.legs)
    await end_call(bench.legs)
    assert bench.posted == []


@pytest.mark.asyncio
async def test_a_server_that_fails_is_told_so_that_it_is_tried_again() -> None:
    bench = await Bench.set_up()
    error = api.ServerError("unavailable", "down", status=503)
    bench.stage.world.faults.plan[("room.delete_room", 1)] = Fault(How.FAILS, error)
    with pytest.raises(api.ServerError):
        await end_call(bench.legs)
    await end_call(bench.legs)
    assert "call" not in bench.stage.world.rooms


@pytest.mark.asyncio
async def test_a_server_that_does_not_answer_is_given_up_after_the_limit() -> None:
    bench = await Bench.set_up(policy=TransferPolicy(api_timeout_s=1.5))
    bench.stage.world.faults.plan[("room.delete_room", 1)] = Fault(How.HANGS)
    began_s = bench.now_s
    with pytest.raises(TimeoutError):
        await end_call(bench.legs)
    assert bench.now_s - began_s == pytest.approx(1.5)
