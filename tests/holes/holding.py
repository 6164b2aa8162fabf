"""The held caller: the hold audio, who may say what, and how they come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from livekit import rtc

from tests.holes.call import Call, call_on
from tests.holes.hole import Observation, Side
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import Phone

__all__ = [
    "h12_hold_audio_cannot_be_published",
    "h13_entry_hook_is_cancelled",
    "h17_held_caller_types_the_yes",
    "h18_caller_is_heard_before_their_agent_is_back",
    "h19_hold_audio_players_stay_open",
    "h35_hold_audio_from_an_iterator",
]

PROMPTLY_S = 5.0


async def h12_hold_audio_cannot_be_published(side: Side) -> Observation:
    async with call_on(side) as call:
        call.breaks({("player.start", 0): Fault(How.FAILS)})
        call.ask()
        return await _goes_on(call)


async def h35_hold_audio_from_an_iterator(side: Side) -> Observation:
    async with call_on(side, hold_audio=_frames()) as call:
        call.ask()
        return await _goes_on(call)


async def _frames() -> AsyncIterator[rtc.AudioFrame]:
    while True:
        await asyncio.sleep(0.01)
        yield rtc.AudioFrame(bytes(960), 48_000, 1, 480)


async def _goes_on(call: Call) -> Observation:
    """The hold audio is a courtesy: the human is rung without it, too."""
    rung = await call.until(lambda: call.dials, PROMPTLY_S)
    await asyncio.sleep(1.0)
    return Observation(rung, "the human is rung" if rung else f"nobody is rung, {_stuck(call)}")


def _stuck(call: Call) -> str:
    if call.session.current_agent is call.agent:
        return "the caller is with the agent"
    return "the caller is left with the consult agent's persona"


async def h13_entry_hook_is_cancelled(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=20.0)) as call:
        call.ask()
        await call.until_ringing()
        activity = call.tasks[-1]._activity
        hook = activity._on_enter_task if activity is not None else None
        if hook is not None:
            hook.cancel()
        await asyncio.sleep(PROMPTLY_S)
        held = call.phones_busy or call.agent_back
        rest = "the human is still rung" if call.phones_busy else _rest(call)
        return Observation(held, f"{PROMPTLY_S:g} s later {rest}")


def _rest(call: Call) -> str:
    music = "the music plays on" if call.hears("caller", "music") else "no music plays"
    ear = "hears" if call.session.input.audio_enabled else "does not hear"
    return f"nobody is rung, {music}, the agent {ear} the caller"


async def h17_held_caller_types_the_yes(side: Side) -> Observation:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        call.caller_types("yes")
        await asyncio.sleep(PROMPTLY_S)
        joined = call.bridged or call.over
        said = (
            "caller and human are joined, the human has not agreed" if call.bridged else call.said
        )
        return Observation(not joined, said)


async def h18_caller_is_heard_before_their_agent_is_back(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=20.0)) as call:
        call.ask()
        await call.until_ringing()
        call.breaks({("room.disconnect", 0): Fault(How.LATE, seconds=1.5)})
        (name,) = call.consult_rooms
        call.world.delete_room(name)
        too_early_s = 0.0
        for _ in range(500):
            await asyncio.sleep(0.01)
            away = call.session.current_agent is not call.agent
            if away and call.session.input.audio_enabled:
                too_early_s += 0.01
        said = f"for {too_early_s:.1f} s the caller is heard by the transfer's own persona"
        held = too_early_s < 0.05 and call.agent_back
        return Observation(held, said)


async def h19_hold_audio_players_stay_open(side: Side) -> Observation:
    async with call_on(side) as call:
        for _ in range(2):
            call.got.clear()
            call.ask()
            await call.until_briefing()
            call.human_says("no")
            await call.until(lambda: call.over)
            await asyncio.sleep(PROMPTLY_S)
        left = [each for each in call.world.left().open if each.startswith("player")]
        return Observation(not left, f"after two transfers {len(left)} players are open")
