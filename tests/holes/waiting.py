"""Nobody ends it: deadlines, and the application that gives up."""

from __future__ import annotations

import asyncio

from tests.holes.call import call_on
from tests.holes.hole import Observation, Side
from warm_transfer.testing.livekit.phones import Phone

__all__ = ["h10_nobody_decides", "h11_application_gives_up"]


async def h10_nobody_decides(side: Side) -> Observation:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        call.human_says("hm")
        await asyncio.sleep(1800.0)
        held = call.over and call.agent_back and not call.phones_busy
        music = ", the caller still hears the music" if call.hears("caller", "music") else ""
        return Observation(held, f"after half an hour {call.said}{music}")


async def h11_application_gives_up(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=15.0)) as call:
        call.ask()
        await call.until_ringing()
        call.app_gives_up()
        await asyncio.sleep(5.0)
        phone = "the phone rings on" if call.phones_busy else "no phone rings"
        agent = "is with the agent" if call.agent_back else "is not with the agent"
        music = " and hears the music" if call.hears("caller", "music") else ""
        held = call.agent_back and not call.phones_busy
        return Observation(held, f"5 s later {phone}, the caller {agent}{music}")
