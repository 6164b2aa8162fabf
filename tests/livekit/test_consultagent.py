from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import Agent
from livekit.agents.llm import FunctionTool

from tests.livekit.bench import Bench
from warm_transfer.events import Facts, On
from warm_transfer.livekit.consultagent import ConsultAgent
from warm_transfer.livekit.task import WarmTransferTask

TOOLS = {"connect_to_caller", "decline_transfer", "voicemail_detected"}


def _agent(
    bench: Bench, standing: str | None = None, refusal: str | None = None, **options: Any
) -> Any:
    """A consult agent whose human has agreed, unless there is a refusal."""

    async def refuse() -> str | None:
        return refusal

    consent: Any = SimpleNamespace(refusal=refuse)
    return ConsultAgent(bench.legs, consent, lambda: standing, **options)


def _tools_of(agent: Agent) -> set[str]:
    return {each.info.name for each in agent.tools if isinstance(each, FunctionTool)}


@pytest.mark.asyncio
async def test_the_tools_exist_on_the_consult_agent_and_not_on_the_task() -> None:
    bench = await Bench.set_up()
    assert _tools_of(_agent(bench)) == TOOLS
    task = WarmTransferTask("+15105550123", sip_trunk_id="ST_x")
    assert _tools_of(task) == set()


@pytest.mark.asyncio
async def test_tools_of_the_application_come_beside_ours() -> None:
    from livekit.agents import function_tool  # noqa: PLC0415 - for this test alone

    @function_tool
    async def look_up_order() -> str:
        """Look an order up."""
        return "none"

    bench = await Bench.set_up()
    assert _tools_of(_agent(bench, tools=[look_up_order])) == TOOLS | {"look_up_order"}


@pytest.mark.asyncio
async def test_a_tool_posts_one_event_and_returns_nothing_at_once() -> None:
    bench = await Bench.set_up()
    agent = _agent(bench)
    began_s = bench.now_s
    # None makes no further reply of the model.
    assert await agent.connect_to_caller() is None
    assert await agent.decline_transfer("in a meeting") is None
    assert await agent.voicemail_detected() is None
    assert bench.now_s == began_s
    assert [(each.name, each.facts) for each in bench.posted] == [
        (On.CONSULT_ACCEPTED, Facts(via="tool")),
        (On.CONSULT_DECLINED, Facts(words="in a meeting")),
        (On.VOICEMAIL_DETECTED, Facts(via="tool")),
    ]


@pytest.mark.asyncio
async def test_a_refused_connection_is_answered_and_posted_to_nobody() -> None:
    bench = await Bench.set_up()
    agent = _agent(bench, refusal="not yet")
    assert await agent.connect_to_caller() == "not yet"
    assert bench.posted == []
    # Neither a no nor a machine needs anybody's consent.
    assert await agent.decline_transfer("in a meeting") is None
    assert await agent.voicemail_detected() is None
    assert bench.names == [On.CONSULT_DECLINED, On.VOICEMAIL_DETECTED]


@pytest.mark.asyncio
async def test_a_tool_that_comes_too_late_is_answered_with_the_state_and_the_table_decides() -> (
    None
):
    bench = await Bench.set_up()
    agent = _agent(bench, standing="It is over.")
    assert await agent.connect_to_caller() == "It is over."
    assert await agent.decline_transfer("no") == "It is over."
    assert await agent.voicemail_detected() == "It is over."
    assert bench.names == [On.CONSULT_ACCEPTED, On.CONSULT_DECLINED, On.VOICEMAIL_DETECTED]
    agent = _agent(bench, standing="It is over.", refusal="not yet")
    assert await agent.connect_to_caller() == "It is over."
    assert len(bench.posted) == 3


@pytest.mark.asyncio
async def test_a_tool_does_not_wait_for_an_engine_that_does_not_answer() -> None:
    bench = await Bench.set_up()
    bench.on_post = lambda _: None
    agent = _agent(bench)
    coroutine = agent.connect_to_caller()
    # It ends in its first step, without one suspension.
    with pytest.raises(StopIteration):
        coroutine.send(None)
