from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import APIConnectionError, llm

from tests.livekit.models import Judge
from warm_transfer.livekit.consent import Consent
from warm_transfer.livekit.phrases import ENGLISH, Phrases
from warm_transfer.logs import transfer_log

pytestmark = pytest.mark.asyncio
LIMIT_S = 3.0


class Talk:
    """A consult session of which only the events are there."""

    def __init__(self, judge: Judge | None, phrases: Phrases = ENGLISH) -> None:
        self.session = cast("Any", rtc.EventEmitter())
        self.consent = Consent(phrases, LIMIT_S, transfer_log("t"))
        self.consent.begin(self.session, judge)

    def agent(self, *, ends: bool = True) -> None:
        self._state("agent", "listening", "speaking")
        if ends:
            self._state("agent", "speaking", "listening")

    def human(self, words: str | None, *, final: bool = True, speaks: bool = True) -> None:
        """The human speaks; None when what they say is not written down yet."""
        if speaks:
            self._state("user", "listening", "speaking")
            self._state("user", "speaking", "listening")
        if words is not None:
            event = SimpleNamespace(transcript=words, is_final=final)
            self.session.emit("user_input_transcribed", event)

    def _state(self, who: str, old: str, new: str) -> None:
        event = SimpleNamespace(old_state=old, new_state=new)
        self.session.emit(f"{who}_state_changed", event)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def told(judge: Judge | None, *words: str) -> Talk:
    """The human has been told what it is about, and has said this."""
    talk = Talk(judge)
    talk.agent()
    for each in words:
        talk.human(each)
    return talk


# Who has to have spoken.


async def test_the_agent_speaks_first_and_the_human_answers() -> None:
    judge = Judge()
    talk = Talk(judge)
    assert await talk.consent.refusal() == ENGLISH.not_told
    talk.human("Hello?")
    assert await talk.consent.refusal() == ENGLISH.not_told
    talk._state("agent", "listening", "thinking")
    assert await talk.consent.refusal() == ENGLISH.not_told
    talk.agent(ends=False)
    # It is still being said.
    assert await talk.consent.refusal() == ENGLISH.not_told
    talk._state("agent", "speaking", "listening")
    # "Hello?" came before; it answers nothing.
    assert await talk.consent.refusal() == ENGLISH.not_spoken
    assert judge.asked == []
    talk.human("Yes, do.")
    assert await talk.consent.refusal() is None
    assert judge.said == [["Yes, do."]]


async def test_what_is_said_into_the_agents_words_counts() -> None:
    judge = Judge()
    talk = Talk(judge)
    talk.agent(ends=False)
    talk.human("Yes yes, put them through.")
    talk._state("agent", "speaking", "listening")
    assert await talk.consent.refusal() is None


@pytest.mark.parametrize("words", ["", "  ", "\n"], ids=repr)
async def test_a_transcript_without_words_is_none(words: str) -> None:
    talk = told(Judge())
    talk.human(words, speaks=False)
    assert await talk.consent.refusal() == ENGLISH.not_spoken


async def test_a_transcript_that_may_still_change_is_none() -> None:
    talk = told(Judge())
    talk.human("Yes", final=False, speaks=False)
    assert await talk.consent.refusal() == ENGLISH.not_spoken


async def test_without_a_judge_an_answer_of_the_human_is_enough_and_needed() -> None:
    talk = told(None)
    assert await talk.consent.refusal() == ENGLISH.not_spoken
    # A speech-to-speech model may never write down what it hears.
    talk.human(None)
    assert await talk.consent.refusal() is None


# What the judge is shown.


async def test_the_judge_sees_the_question_and_the_words_and_nothing_else() -> None:
    judge = Judge()
    talk = told(judge, "Who is it?", 'Well, "yes".\nPut them through.')
    await talk.consent.refusal()
    (context,) = judge.asked
    question, words = context.items
    assert isinstance(question, llm.ChatMessage)
    assert isinstance(words, llm.ChatMessage)
    assert (question.role, question.text_content) == ("system", ENGLISH.consent)
    assert words.role == "user"
    assert words.text_content == (
        '{"said": "Who is it?"}\n{"said": "Well, \\"yes\\".\\nPut them through."}'
    )
    assert judge.tools == [None]
    # One try, within the limit.
    assert (judge.options[0].max_retry, judge.options[0].timeout) == (0, LIMIT_S)


async def test_the_question_can_be_translated() -> None:
    judge = Judge()
    talk = Talk(judge, Phrases(consent="Ja oder nein?", not_agreed="Noch nicht."))
    talk.agent()
    talk.human("Vielleicht.")
    judge.answer = "nein"
    assert await talk.consent.refusal() == "Noch nicht."
    first = judge.asked[0].messages()[0]
    assert first.text_content == "Ja oder nein?"


# What counts as a yes.


@pytest.mark.parametrize("answer", ["yes", "Yes", "YES.", " yes\n", '"yes"', "**Yes**", "yes!"])
async def test_a_plain_yes_is_a_yes(answer: str) -> None:
    assert await told(Judge(answer), "Yes.").consent.refusal() is None


@pytest.mark.parametrize(
    "answer",
    ["no", "", "Yes, but", "yes no", "not yes", "I cannot tell", "y", "true", "yesterday", "ja"],
)
async def test_anything_else_is_not(answer: str) -> None:
    assert await told(Judge(answer), "Yes.").consent.refusal() == ENGLISH.not_agreed


@pytest.mark.parametrize(
    "error", [RuntimeError("broken"), APIConnectionError(), TimeoutError()], ids=repr
)
async def test_a_judge_that_fails_has_not_said_yes_and_may_be_asked_again(
    error: Exception,
) -> None:
    judge = Judge(error)
    talk = told(judge, "Yes.")
    assert await talk.consent.refusal() == ENGLISH.not_agreed
    judge.answer = "yes"
    assert await talk.consent.refusal() is None
    assert len(judge.asked) == 2


async def test_a_judge_that_is_late_has_not_said_yes() -> None:
    judge = Judge(after_s=LIMIT_S + 0.5)
    talk = told(judge, "Yes.")
    began_s = now_s()
    assert await talk.consent.refusal() == ENGLISH.not_agreed
    assert now_s() - began_s == pytest.approx(LIMIT_S)
    await asyncio.sleep(0.1)
    assert judge.cut == 1
    judge.after_s = LIMIT_S - 0.5
    assert await talk.consent.refusal() is None


# How often it is asked.


async def test_the_same_words_are_judged_once_and_others_again() -> None:
    judge = Judge("no", after_s=0.4)
    talk = told(judge, "Hm.")
    asked = await asyncio.gather(*(talk.consent.refusal() for _ in range(5)))
    assert asked == [ENGLISH.not_agreed] * 5
    assert await talk.consent.refusal() == ENGLISH.not_agreed
    assert judge.said == [["Hm."]]
    judge.answer = "yes"
    talk.human("Fine, yes.")
    began_s = now_s()
    assert await talk.consent.refusal() is None
    assert now_s() - began_s == pytest.approx(0.4)
    assert judge.said == [["Hm."], ["Hm.", "Fine, yes."]]


async def test_what_is_said_while_it_judges_is_judged_too() -> None:
    judge = Judge("yes", after_s=0.5)
    talk = told(judge, "Yes.")
    asking = asyncio.ensure_future(talk.consent.refusal())
    await asyncio.sleep(0.3)
    talk.human("No, wait.")
    await asyncio.sleep(0.25)
    judge.answer = "no"
    assert await asking == ENGLISH.not_agreed
    assert judge.said == [["Yes."], ["Yes.", "No, wait."]]


# Words that come late.


async def test_words_that_are_still_being_written_down_are_waited_for() -> None:
    judge = Judge()
    talk = told(judge)
    talk.human(None)
    asking = asyncio.ensure_future(talk.consent.refusal())
    await asyncio.sleep(1.0)
    assert not asking.done()
    talk.human("Yes.", speaks=False)
    assert await asking is None
    assert judge.said == [["Yes."]]


async def test_a_no_is_kept_back_while_more_is_coming_and_a_yes_is_not() -> None:
    judge = Judge("no")
    talk = told(judge, "Hm.")
    talk.human(None)
    asking = asyncio.ensure_future(talk.consent.refusal())
    await asyncio.sleep(0.5)
    judge.answer = "yes"
    talk.human("Yes.", speaks=False)
    assert await asking is None
    talk.human(None)
    began_s = now_s()
    assert await talk.consent.refusal() is None
    assert now_s() == began_s


async def test_words_that_never_come_are_no_yes() -> None:
    talk = told(Judge())
    talk.human(None)
    began_s = now_s()
    assert await talk.consent.refusal() == ENGLISH.not_agreed
    assert now_s() - began_s == pytest.approx(LIMIT_S)


# The end.


async def test_nobody_waits_for_a_verdict_after_the_close() -> None:
    judge = Judge(after_s=2.0)
    talk = told(judge, "Yes.")
    asking = [asyncio.ensure_future(talk.consent.refusal()) for _ in range(2)]
    await asyncio.sleep(0.5)
    began_s = now_s()
    talk.consent.close()
    assert await asyncio.gather(*asking) == [ENGLISH.not_agreed] * 2
    assert now_s() == began_s
    await asyncio.sleep(0.1)
    assert judge.cut == 1


@pytest.mark.parametrize("turns", range(8))
async def test_a_close_in_any_turn_of_the_loop_is_a_refusal(turns: int) -> None:
    talk = told(Judge(after_s=1.0), "Yes.")
    asking = asyncio.ensure_future(talk.consent.refusal())
    for _ in range(turns):
        await asyncio.sleep(0)
    talk.consent.close()
    assert await asking == ENGLISH.not_agreed


async def test_what_is_said_after_the_close_is_no_yes() -> None:
    for judge in (Judge(), None):
        talk = told(judge, "Yes.")
        talk.consent.close()
        talk.consent.close()
        talk.human("Yes, yes.")
        assert await talk.consent.refusal() == ENGLISH.not_agreed
        assert not [each for each in talk.session._events.values() if each]


async def test_a_tool_that_is_cancelled_takes_the_verdict_of_the_others_not_with_it() -> None:
    judge = Judge(after_s=1.0)
    talk = told(judge, "Yes.")
    first, second = (asyncio.ensure_future(talk.consent.refusal()) for _ in range(2))
    await asyncio.sleep(0.5)
    first.cancel()
    assert await second is None
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(judge.asked) == 1
