"""Joining the legs, and the call after that."""

from __future__ import annotations

import asyncio

from tests.holes.call import CALLER_ROOM, Call, call_on
from tests.holes.hole import Observation, Side
from tests.holes.joining import JOIN_FAILS, JOIN_IS_UNCERTAIN, JOIN_NOT_AT_ONCE, NOTHING, Plan

__all__ = [
    "h05_join_fails_and_then_the_human_leaves",
    "h14_no_after_the_yes",
    "h15_yes_twice",
    "h20_nobody_knows_whether_the_legs_are_joined",
    "h21_success_before_the_human_has_arrived",
    "h24_an_observer_leaves",
    "h25_agent_leaves_after_the_merge",
    "h37_server_cannot_move_anybody",
]

SETTLED_S = 15.0


async def h05_join_fails_and_then_the_human_leaves(side: Side) -> Observation:
    async with call_on(side) as call:
        await _yes(call, JOIN_FAILS)
        await asyncio.sleep(1.0)
        call.human_hangs_up()
        back = await call.until(lambda: call.over and call.agent_back, SETTLED_S)
        music = ", the caller hears the music" if call.hears("caller", "music") else ""
        return Observation(back, f"within {SETTLED_S:g} s {call.said}{music}")


async def _yes(call: Call, plan: Plan = NOTHING, words: str = "yes") -> None:
    call.ask()
    await call.until_briefing()
    call.breaks(plan)
    call.human_says(words)


async def h14_no_after_the_yes(side: Side) -> Observation:
    async with call_on(side) as call:
        await _yes(call, JOIN_NOT_AT_ONCE)
        await asyncio.sleep(0.5)
        await call.tasks[-1].decline_transfer("I have changed my mind")
        await asyncio.sleep(SETTLED_S)
        return _agrees(call)


def _agrees(call: Call) -> Observation:
    """What was reported is what is the case."""
    joined = "they hear each other" if call.bridged else "they do not hear each other"
    music = ", the caller hears the music" if call.hears("caller", "music") else ""
    held = call.over and call.merged == call.bridged and not music
    return Observation(held, f"{call.said}; {joined}{music}")


async def h15_yes_twice(side: Side) -> Observation:
    async with call_on(side) as call:
        await _yes(call, JOIN_NOT_AT_ONCE, "yes, yes")
        await asyncio.sleep(SETTLED_S)
        times = call.joins
        return Observation(times == 1 and call.bridged, f"the legs were joined {times} times")


async def h20_nobody_knows_whether_the_legs_are_joined(side: Side) -> Observation:
    async with call_on(side) as call:
        await _yes(call, JOIN_IS_UNCERTAIN)
        await asyncio.sleep(SETTLED_S)
        return _agrees(call)


async def h21_success_before_the_human_has_arrived(side: Side) -> Observation:
    async with call_on(side) as call:
        call.arrives_late(2.0)
        await _yes(call)
        await call.until(lambda: call.over)
        await asyncio.sleep(0.1)
        at_once = call.bridged
        await asyncio.sleep(SETTLED_S)
        said = f"{call.said}; they hear each other {'at once' if at_once else 'not'}"
        return Observation(call.merged == at_once == call.bridged, said)


async def h24_an_observer_leaves(side: Side) -> Observation:
    async with call_on(side) as call:
        observer = call.world.join(CALLER_ROOM, "observer")
        await _yes(call)
        await call.until(lambda: call.over)
        await asyncio.sleep(5.0)
        call.world.leave(observer, 1)
        await asyncio.sleep(5.0)
        still = call.bridged
        return Observation(still, f"caller and human {'talk on' if still else 'are cut off'}")


async def h25_agent_leaves_after_the_merge(side: Side) -> Observation:
    async with call_on(side) as call:
        await _yes(call)
        await call.until(lambda: call.over)
        limit = call.sdk.switchboard.calls[0].request.max_call_duration.seconds
        await call.job_shuts_down()
        await asyncio.sleep(5.0)
        call.human_hangs_up()
        await asyncio.sleep(60.0)
        alone = call.caller.joined
        said = "the caller is left alone in the room" if alone else "nobody is left alone"
        said += f", a call may last {limit} s" if limit else ", no limit is set for the call"
        return Observation(bool(limit) and not alone, said)


async def h37_server_cannot_move_anybody(side: Side) -> Observation:
    async with call_on(side) as call:
        call.world.cloud = False
        await _yes(call)
        await asyncio.sleep(SETTLED_S)
        said = "they hear each other" if call.bridged else f"{call.said} after the human agreed"
        return Observation(call.merged and call.bridged, said)
