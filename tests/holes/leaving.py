"""Somebody leaves: the caller, the human, or a room."""

from __future__ import annotations

import asyncio

from livekit import rtc

from tests.holes.call import CALLER_ROOM, Call, call_on
from tests.holes.hole import Observation, Side
from tests.holes.joining import JOIN_NOT_AT_ONCE
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import Phone

__all__ = [
    "h01_caller_hangs_up_while_ringing",
    "h02_human_is_merged_into_a_call_without_a_caller",
    "h03_caller_hangs_up_in_the_briefing",
    "h04_caller_is_lost_without_hanging_up",
    "h06_human_is_lost_without_hanging_up",
    "h08_rooms_cannot_be_deleted",
    "h09_a_reason_that_nobody_knows",
    "h22_caller_leaves_while_the_legs_are_joined",
]

Reason = rtc.DisconnectReason

PROMPTLY_S = 5.0
"""After this nobody may still be kept waiting for a caller who has gone."""
SETTLED_S = 10.0


def _line(call: Call) -> str:
    if call.human_on_line:
        return "the human is on the line"
    return "the phone rings" if call.phones_busy else "no phone rings"


async def h01_caller_hangs_up_while_ringing(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=25.0)) as call:
        call.ask()
        await call.until_ringing()
        call.caller_leaves()
        await asyncio.sleep(PROMPTLY_S)
        closed = not call.session._started
        session = "closed" if closed else "still open"
        said = f"{PROMPTLY_S:g} s later {_line(call)}, the agent's session is {session}"
        return Observation(closed and not call.phones_busy, said)


async def h02_human_is_merged_into_a_call_without_a_caller(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=6.0)) as call:
        call.ask()
        await call.until_ringing()
        call.caller_leaves()
        await call.until(lambda: call.human_on_line, 15.0)
        await asyncio.sleep(1.0)
        call.human_says("yes")
        await asyncio.sleep(2.0)
        moved = any("human" in each for each in _present(call))
        said = f"{_line(call)}{', in the room the caller has left' if moved else ''}"
        return Observation(not moved and not call.human_on_line, said)


def _present(call: Call) -> list[str]:
    room = call.world.rooms.get(CALLER_ROOM)
    return list(room.members) if room is not None else []


async def h03_caller_hangs_up_in_the_briefing(side: Side) -> Observation:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        call.caller_leaves()
        await asyncio.sleep(SETTLED_S)
        held = not call.phones_busy and not call.consult_open and not call.consult_rooms
        return Observation(held, f"{SETTLED_S:g} s later there is left: {call.left}")


async def h04_caller_is_lost_without_hanging_up(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=8.0)) as call:
        call.ask()
        await call.until_ringing()
        call.caller_leaves(Reason.CONNECTION_TIMEOUT)
        await asyncio.sleep(SETTLED_S)
        return Observation(not call.phones_busy, f"{SETTLED_S:g} s later {_line(call)}")


async def h06_human_is_lost_without_hanging_up(side: Side) -> Observation:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        call.human_hangs_up(Reason.UNKNOWN_REASON)
        return await _comes_back(call, SETTLED_S)


async def h08_rooms_cannot_be_deleted(side: Side) -> Observation:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        call.breaks({("room.delete_room", 0): Fault(How.FAILS)})
        call.human_hangs_up()
        return await _comes_back(call, SETTLED_S)


async def h09_a_reason_that_nobody_knows(side: Side) -> Observation:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        (name,) = call.consult_rooms
        call.world.leave(call.world.rooms[name].members["agent"], 99)
        return await _comes_back(call, SETTLED_S)


async def _comes_back(call: Call, within_s: float) -> Observation:
    """The caller is with the agent again in time."""
    back = await call.until(lambda: call.over and call.agent_back, within_s)
    music = ", the caller hears the music" if call.hears("caller", "music") else ""
    return Observation(back, f"within {within_s:g} s {call.said}{music}")


async def h22_caller_leaves_while_the_legs_are_joined(side: Side) -> Observation:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        call.breaks(JOIN_NOT_AT_ONCE)
        call.human_says("yes")
        await asyncio.sleep(1.0)
        call.caller_leaves()
        await asyncio.sleep(SETTLED_S)
        held = not call.human_on_line and not call.merged
        return Observation(held, f"{SETTLED_S:g} s later {_line(call)}, {call.said}")
