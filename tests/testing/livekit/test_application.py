from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from livekit.agents import Agent, function_tool
from livekit.agents.llm import ToolError

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.task import WarmTransferTask
from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing.application import Told, run_agent
from warm_transfer.testing.livekit.callermodel import SimCallerModel
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.script import App

TOOL = "transfer_to_human"


class Support(Agent):
    """An application as it stands: nothing in it is for tests."""

    def __init__(self) -> None:
        super().__init__(instructions="Help with orders.")

    @function_tool
    async def look_up(self) -> str:
        """Called for an order."""
        return "on its way"

    @function_tool
    async def transfer_to_human(self, department: str = "orders") -> str:
        """Called when the caller wants a person."""
        assert department in ("orders", "billing")
        try:
            await WarmTransferTask("+15105550123", sip_trunk_id="ST_x", chat_ctx=self.chat_ctx)
        except ToolError as error:
            raise ToolError(f"sorry: {error}") from error
        self.session.shutdown()
        return "done"


def told(line: str, tool: str = TOOL) -> Told:
    return run_agent(Support, line, tool=tool)


def test_a_yes_leaves_the_two_talking_and_the_agent_gone() -> None:
    result = told("human answers after 4 s, says yes after 6 s")
    assert result.outcome is not None
    assert result.outcome.result is State.MERGED
    assert (result.rung, result.together, result.alone, result.closed) == (1, True, False, True)
    assert result.states[:5] == ("holding", "dialing", "briefing", "merging", "merged")
    assert result.left == ""


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("human is busy", Reason.BUSY),
        ("human answers after 4 s, says no after 6 s", Reason.DECLINED),
        ("human never answers; caller hangs up 3 s after the dial", Reason.CALLER_LEFT),
        ("human answers after 1 s, hangs up 2 s after the answer", Reason.HUMAN_LEFT),
    ],
)
def test_each_end_is_the_applications_to_tell(line: str, reason: Reason) -> None:
    result = told(line)
    assert result.outcome is not None
    assert result.outcome.reason is reason
    assert (result.rung, result.together, result.alone) == (1, False, True)
    assert result.closed == (reason is Reason.CALLER_LEFT)
    assert result.left == ""
    if reason is Reason.BUSY:
        assert result.heard[-1].startswith("sorry: could not dial human agent: busy")


def test_a_session_that_is_told_to_stays_open_without_the_caller() -> None:
    leaves = scenario("human never answers; caller hangs up 3 s after the dial")
    result = run_agent(Support, replace(leaves, app=App(close_on_disconnect=False)), tool=TOOL)
    assert result.outcome is not None
    assert (result.outcome.reason, result.closed) == (Reason.CALLER_LEFT, False)


def test_arguments_of_the_tool_are_given() -> None:
    right = run_agent(Support, "human is busy", tool=TOOL, arguments={"department": "billing"})
    wrong = run_agent(Support, "human is busy", tool=TOOL, arguments={"department": "cellar"})
    assert (right.rung, wrong.rung) == (1, 0)
    assert wrong.outcome is None


def test_an_agent_that_does_not_transfer_rings_nobody() -> None:
    result = told("human is busy", tool="look_up")
    assert (result.rung, result.outcome, result.journal) == (0, None, ())


def test_a_task_that_runs_on_is_left_behind() -> None:
    class Forgetful(Support):
        @function_tool
        async def transfer_to_human(self) -> str:  # type: ignore[override]  # gives nothing in the base
            self.forgotten = asyncio.create_task(asyncio.Event().wait(), name="forgotten")
            return "done"

    assert run_agent(Forgetful, "human is busy", tool=TOOL).left == "tasks: forgotten"


def test_a_tool_that_the_agent_lacks_is_no_test_that_passes() -> None:
    with pytest.raises(InvalidArgument, match="transfer_to_humna") as caught:
        told("human never answers; caller hangs up 9 s after the dial", tool="transfer_to_humna")
    assert caught.value.argument == "tool"
    assert caught.value.remedy == "it has look_up, transfer_to_human"


def test_an_agent_without_tools_is_told_of() -> None:
    with pytest.raises(InvalidArgument, match="@function_tool"):
        run_agent(lambda: Agent(instructions=""), "human is busy", tool=TOOL)


def test_an_agent_with_a_model_of_its_own_is_told_of() -> None:
    own = SimCallerModel("other", {}, [])
    with pytest.raises(InvalidArgument, match="simulated") as caught:
        run_agent(lambda: Agent(instructions="", llm=own), "human is busy", tool=TOOL)
    assert caught.value.argument == "make"


def test_what_the_application_does_is_not_told_beside_it() -> None:
    with pytest.raises(InvalidArgument, match="application"):
        told("human answers after 4 s; app accepts 1 s after the answer")
