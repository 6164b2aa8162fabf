"""No caller's words merge without the human: a model that obeys them all, and a gate."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit.agents import NOT_GIVEN, llm

from tests.livekit.injections import FAMILIES, Injection, injections
from warm_transfer.livekit.briefing import ConsultOptions
from warm_transfer.livekit.models import resolve_instructions
from warm_transfer.livekit.phrases import ENGLISH
from warm_transfer.livekit.prompts import data_lines
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.humans import Human, Line
from warm_transfer.testing.livekit.judge import SimJudge
from warm_transfer.testing.livekit.play import Result, Stage, play
from warm_transfer.testing.livekit.script import Scenario
from warm_transfer.testing.livekit.sessions import SimConsultSession

INJECTIONS = list(injections())
YES = "Yes, put them through."
SILENT = Human("nothing", 4.0)
NOT_AGREED = {
    "silent": SILENT,
    "hello": Human("nothing", 4.0, "Hello?"),
    "asks": Human("nothing", 4.0, "Who is it, and what do they want?"),
    "no": Human("nothing", 4.0, "No, I cannot take it now."),
    "taken-back": Human("nothing", 4.0, YES, then=(Line("nothing", 4.0, "No, wait, not now."),)),
}
AGREED = Human("nothing", 4.0, YES)
POLICY = TransferPolicy(decision_timeout_s=8.0)


class ObedientJudge(SimJudge):
    """Says yes when the human has, and also when any word of the caller has reached it."""

    def __init__(self, canary: str) -> None:
        super().__init__([YES])
        self.canary = canary
        self.shown: list[list[str]] = []
        """All it was ever shown: the texts of each question."""

    def chat(self, *, chat_ctx: llm.ChatContext, **rest: Any) -> llm.LLMStream:
        self.shown.append([each.text_content or "" for each in chat_ctx.messages()])
        if self.canary in str(chat_ctx.to_dict()):
            chat_ctx = llm.ChatContext.empty()
            chat_ctx.add_message(role="user", content=f'{{"said": "{YES}"}}')
        return super().chat(chat_ctx=chat_ctx, **rest)

    def assert_shown_only(self, human: Human) -> None:
        """It has seen the question and the human's words, to the letter."""
        words = [line.utterance for line in human.lines if line.utterance]
        lines = data_lines({"said": each} for each in words)
        known = [[ENGLISH.consent, "\n".join(lines[: n + 1])] for n in range(len(lines))]
        assert all(each in known for each in self.shown)


class ObedientSession(SimConsultSession):
    """Its model does what the record says, and calls the tool at every chance, thrice."""

    answers: list[object]

    async def _converse(self) -> None:
        self.answers = []
        await asyncio.gather(self._nag(), super()._converse())

    @property
    def obeys(self) -> bool:
        assert self._agent is not None
        return "zebra-" in str(self._agent.instructions)

    async def _nag(self) -> None:
        while self.obeys and not self.closed:
            calls = (self._call("connect_to_caller", {}) for _ in range(3))
            self.answers += await asyncio.gather(*calls)
            await asyncio.sleep(0.9)


class ObedientStage(Stage):
    """A stage on which every consult session is obedient."""

    def __init__(self, human: Human) -> None:
        super().__init__(Scenario(human=human))
        self.sdk.consult_session = self._consult_session  # type: ignore[method-assign]  # ours

    def _consult_session(self, options: Any) -> SimConsultSession:
        session = ObedientSession(self.world, self.scenario.human, dict(options))
        self.sdk.consult_sessions.append(session)
        return session


async def transfer(
    injection: Injection, human: Human, consent: Any = "judged"
) -> tuple[Result, ObedientJudge, ObedientSession]:
    judge = ObedientJudge(injection.canary)
    consult = ConsultOptions(
        session={"llm": judge},
        agent={"instructions": resolve_instructions(NOT_GIVEN, injection.chat_ctx, "")},
        consent=consent,
    )
    stage = ObedientStage(human)
    result = await play(stage.scenario, policy=POLICY, consult=consult, stage=stage)
    (session,) = result.sdk.consult_sessions
    assert isinstance(session, ObedientSession)
    return result, judge, session


def test_there_are_enough_of_them_and_each_is_its_own() -> None:
    assert len(INJECTIONS) >= 200
    assert len(FAMILIES) >= 14
    assert len({each.name for each in INJECTIONS}) == len(INJECTIONS)
    assert len({each.spoken for each in INJECTIONS}) == len(INJECTIONS)


@pytest.mark.asyncio
@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda each: each.name)
async def test_words_of_the_caller_merge_nobody(injection: Injection) -> None:
    for name, human in NOT_AGREED.items():
        result, judge, session = await transfer(injection, human)
        # The model did obey, again and again, and was answered each time.
        assert session.obeys
        assert len(session.answers) > 10
        assert all(session.answers)
        assert result.outcome is not None
        assert result.outcome.result is State.FAILED, name
        assert State.MERGING not in {state for _, state in result.states}
        judge.assert_shown_only(human)


@pytest.mark.asyncio
@pytest.mark.parametrize("injection", INJECTIONS[::15], ids=lambda each: each.name)
async def test_a_human_who_says_yes_is_connected_all_the_same(injection: Injection) -> None:
    result, judge, _ = await transfer(injection, AGREED)
    assert result.outcome is not None
    assert result.outcome.result is State.MERGED
    judge.assert_shown_only(AGREED)
    # However often the tool was called, the yes was judged once.
    assert len(judge.shown) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(("name", "merges"), [("silent", False), ("hello", True), ("no", True)])
async def test_a_tool_call_alone_merges_whoever_has_said_anything(name: str, merges: bool) -> None:
    # What the judgement is for; and the least that is asked for without it.
    result, judge, _ = await transfer(INJECTIONS[0], NOT_AGREED[name], consent="tool")
    assert result.outcome is not None
    assert result.outcome.merged is merges
    assert judge.shown == []
