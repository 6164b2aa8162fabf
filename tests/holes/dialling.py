"""Ringing the human: what is asked for, how often, and what is told when it fails."""

from __future__ import annotations

import asyncio
import os
from typing import Any
from unittest import mock

from livekit.agents import NOT_GIVEN

from tests.holes.call import call_on
from tests.holes.hole import Observation, Side
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import At, Phone
from warm_transfer.testing.livekit.rooms import Reason

__all__ = [
    "h07_causes_of_a_failed_dial_are_erased",
    "h16_a_tool_is_called_while_ringing",
    "h23_second_attempt_meets_the_first",
    "h26b_key_tones_after_a_late_answer",
    "h28_room_closes_as_the_human_answers",
    "h29_consult_session_fails_to_start",
    "h30_models_stand_on_the_agent",
    "h31_whoever_answers_says_nothing",
    "h36_trunk_from_an_empty_variable",
]

PROMPTLY_S = 5.0


async def h07_causes_of_a_failed_dial_are_erased(side: Side) -> Observation:
    async with call_on(side, phone=Phone(refuses_with=480)) as call:
        call.ask()
        await call.until(lambda: call.over)
        evidence = _evidence(call.got[-1])
        kept = "480" in evidence
        return Observation(kept, f"{call.said}, {'the SIP status is kept' if kept else 'no cause'}")


def _evidence(error: BaseException | None) -> str:
    """Everything an application can read about an error."""
    words = ""
    while error is not None:
        words += f"{error} {getattr(error, 'outcome', '')} "
        error = error.__cause__ or error.__context__
    return words


async def h16_a_tool_is_called_while_ringing(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=15.0)) as call:
        call.ask()
        await call.until_ringing()
        await call.tasks[-1].decline_transfer("in a meeting")
        in_time = await call.until(lambda: call.over and not call.phones_busy, PROMPTLY_S)
        said = call.said if in_time else f"{call.said}, the phone rings on"
        await asyncio.sleep(15.0)
        if call.consult_open:
            said += "; later the human is briefed for nothing"
        return Observation(in_time and not call.consult_open, said)


async def h23_second_attempt_meets_the_first(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=2.0)) as call:
        call.ask()
        await call.until_briefing()
        call.breaks({("session.closing", 1): Fault(How.LATE, seconds=2.0)})
        call.human_says("no")
        await call.until(lambda: call.over)
        call.ask()
        await call.until(lambda: call.dials == 2)
        await asyncio.sleep(PROMPTLY_S)
        first, second = (each.request for each in call.sdk.switchboard.calls)
        same = first.room_name == second.room_name
        there = call.sdk.switchboard.calls[1].at is At.TALKING
        said = "the second attempt joins the first one's room" if same else "each has its own room"
        said += "" if there else ", the second human is cut off"
        return Observation(there and not same, said)


async def h26b_key_tones_after_a_late_answer(side: Side) -> Observation:
    late = Phone(answers_after_s=29.0)
    async with call_on(side, phone=late, dtmf="w" * 24) as call:
        call.ask()
        await call.until(lambda: call.human_on_line, 40.0)
        await asyncio.sleep(20.0)
        there = call.human_on_line
        return Observation(
            there, "the human is briefed" if there else f"the human is cut off, {call.said}"
        )


async def h28_room_closes_as_the_human_answers(side: Side) -> Observation:
    # In which turn of the loop the two meet depends on the side, so every turn is tried.
    for turn in range(12):
        async with call_on(side) as call:
            call.ask()
            await call.until(lambda: call.dials)
            (dial,) = call.sdk.switchboard.calls
            await asyncio.wait([dial.result])
            for _ in range(turn):
                await asyncio.sleep(0)
            room = call.sdk.rooms[-1]
            room.removed(Reason.ROOM_DELETED)
            call.world.delete_room(room.name)
            await asyncio.sleep(PROMPTLY_S)
            if not call.agent_back or call.consult_open or call.phones_busy:
                open_ = "a consult session stays open" if call.consult_open else call.left
                return Observation(held=False, said=f"in turn {turn}: {call.said}, {open_}")
    return Observation(held=True, said="in each of 12 turns the caller is back, nothing is open")


async def h29_consult_session_fails_to_start(side: Side) -> Observation:
    async with call_on(side) as call:
        call.breaks({("session.models", 1): Fault(How.FAILS)})
        call.ask()
        await call.until(lambda: call.over)
        await asyncio.sleep(PROMPTLY_S)
        held = call.agent_back and not call.consult_rooms and not call.phones_busy
        return Observation(held, f"{call.said}; there is left: {call.left}")


async def h30_models_stand_on_the_agent(side: Side) -> Observation:
    async with call_on(side, models_on="agent") as call:
        call.ask()
        await call.until(lambda: call.human_on_line)
        await asyncio.sleep(PROMPTLY_S)
        call.human_says("who is it?")
        await asyncio.sleep(1.0)
        answered = any(each.last == "who is it?" for each in call.llm.asked)
        said = "the human is answered" if answered else "the human is rung and nobody speaks"
        return Observation(answered, said)


async def h31_whoever_answers_says_nothing(side: Side) -> Observation:
    ours = {"greeting": "Hello, I have a caller for you."}
    async with call_on(side, ours=ours) as call:
        call.ask()
        await call.until_answered()
        history = call.sdk.consults[-1].history
        await asyncio.sleep(600.0)
        spoken_to = any(each.role == "assistant" for each in history.messages())
        said = f"{'greeted' if spoken_to else 'nobody speaks first'}; after 10 min {call.said}"
        return Observation(spoken_to and call.over and not call.merged, said)


async def h36_trunk_from_an_empty_variable(side: Side) -> Observation:
    options: dict[str, Any] = {"sip_trunk_id": NOT_GIVEN}
    async with call_on(side, **options) as call:
        with mock.patch.dict(os.environ, {"LIVEKIT_SIP_OUTBOUND_TRUNK": ""}):
            try:
                call.make()
            except ValueError as error:
                return Observation(held=True, said=f"refused: {error}")
        return Observation(held=False, said="taken; the dial will fail")
