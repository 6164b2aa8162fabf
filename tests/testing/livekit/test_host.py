import asyncio

import pytest

from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.states import State
from warm_transfer.testing.livekit.host import SimHost
from warm_transfer.testing.livekit.sessions import SimCallerSession
from warm_transfer.testing.livekit.world import World

from .meeting import in_room

pytestmark = pytest.mark.asyncio
OUTCOME = TransferOutcome(result=State.DECLINED, reason=Reason.DECLINED, transfer_id="t1")


async def host() -> tuple[World, SimHost]:
    world = World()
    session = SimCallerSession(await in_room(world), "caller")
    await session.start()
    return world, SimHost(session)


async def test_the_last_words_are_waited_for() -> None:
    world, waiting = await host()
    before_s = world.now_s
    await waiting.speech_ended()
    assert world.now_s == before_s
    waiting.session.say("One moment.", seconds=2.0)
    await waiting.speech_ended()
    assert world.now_s - before_s == pytest.approx(2.0)


async def test_the_agent_is_back_a_moment_after_the_outcome() -> None:
    # integration 2: completion to hand-back about 5 ms
    world, waiting = await host()
    before_s = world.now_s
    waiting.complete(OUTCOME)
    await waiting.handed_back()
    assert world.now_s - before_s == pytest.approx(0.005)
    assert waiting.outcomes == [OUTCOME]


async def test_a_session_that_has_closed_keeps_nobody_waiting() -> None:
    _, waiting = await host()
    back = asyncio.ensure_future(waiting.handed_back())
    waiting.leave()
    await back


async def test_it_notes_when_the_outcome_came_and_when_the_agent_left() -> None:
    world, waiting = await host()
    await asyncio.sleep(1.0)
    waiting.complete(OUTCOME)
    await asyncio.sleep(1.0)
    assert waiting.job_ended_s is None
    waiting.end_job()
    assert waiting.delivered_s is not None
    assert waiting.job_ended_s == world.now_s == waiting.delivered_s + 1.0
