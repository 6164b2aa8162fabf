"""The world of the holes lets both sides do well: what fails there is the side's own."""

from __future__ import annotations

import asyncio

import pytest

from tests.holes.call import call_on
from tests.holes.hole import SIDES, Side


@pytest.mark.asyncio
@pytest.mark.parametrize("side", SIDES)
async def test_a_human_who_says_yes_is_joined(side: Side) -> None:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        assert call.hears("caller", "music")
        assert not call.hears("caller", "human")
        call.human_says("yes")
        assert await call.until(lambda: call.over, 5.0)
        assert call.merged
        await asyncio.sleep(1.0)
        assert call.bridged
        assert not call.hears("caller", "music")
        call.human_hangs_up()
        await asyncio.sleep(5.0)
        assert not call.phones_busy
        assert not call.caller.joined
        assert not call.consult_rooms


@pytest.mark.asyncio
@pytest.mark.parametrize("side", SIDES)
async def test_a_human_who_says_no_gives_the_caller_back(side: Side) -> None:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        call.human_says("no")
        assert await call.until(lambda: call.over and call.agent_back, 5.0)
        assert not call.merged
        assert "in a meeting" in call.said
        await asyncio.sleep(5.0)
        assert not call.phones_busy
        assert not call.consult_rooms


@pytest.mark.asyncio
@pytest.mark.parametrize("side", SIDES)
async def test_a_human_who_hangs_up_gives_the_caller_back(side: Side) -> None:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        call.human_hangs_up()
        assert await call.until(lambda: call.over and call.agent_back, 5.0)
        assert call.said.startswith("the await gave 'room closed: ")


@pytest.mark.asyncio
@pytest.mark.parametrize("side", SIDES)
async def test_what_the_caller_types_reaches_the_agent_outside_a_transfer(side: Side) -> None:
    async with call_on(side) as call:
        call.caller_types("good morning")
        await asyncio.sleep(1.0)
        assert call.llm.asked[-1].last == "good morning"
