"""The conversation with the human through a real ``AgentSession``, with models for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from livekit.agents import NOT_GIVEN, APIStatusError, llm

from tests.livekit.booth import Booth, HearingSTT, PlainTTS, consult
from tests.livekit.desk import Desk
from tests.livekit.injections import injections
from tests.livekit.realtime import Brain, FakeRealtimeModel, Turn
from warm_transfer.livekit.briefing import ConsultOptions
from warm_transfer.livekit.models import resolve_instructions
from warm_transfer.livekit.phrases import ENGLISH
from warm_transfer.livekit.result import TransferFailed
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.scripted import Answer, ScriptedModel, last_text, text_of

pytestmark = pytest.mark.asyncio
HOSTILE = list(injections())[::17]
BRIEFING = "A caller is waiting. Their parcel is late. Do you take the call?"
CONNECT = (("connect_to_caller", "{}"),)


class Brained(ScriptedModel):
    """Says and does what its brain makes of the last it was told; without tools, it judges."""

    def __init__(self, brain: Brain, verdict: Callable[[str], str] | None = None) -> None:
        super().__init__()
        self.brain = brain
        self.verdict = verdict or _means_yes
        self.prompts: list[str] = []
        """The whole of each context it was asked with to talk."""
        self.judged: list[str] = []
        """The whole of each context it was asked with to judge."""

    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None) -> Answer:
        whole = "\n".join(text_of(each) for each in chat_ctx.items)
        if tools is None:
            self.judged.append(whole)
            return self.verdict(whole), ()
        self.prompts.append(whole)
        return self.brain(last_text(chat_ctx))


def _means_yes(whole: str) -> str:
    return "yes" if json.loads(whole.splitlines()[-1])["said"].startswith("Yes") else "no"


def sensible(heard: str) -> Turn:
    """A model that does as the prompt says."""
    if heard.startswith("Yes"):
        return "", CONNECT
    if heard.startswith("No"):
        return "", (("decline_transfer", '{"reason": "in a meeting"}'),)
    return (BRIEFING if "Hello" in heard else "So, do you take it?"), ()


def obedient(_: str) -> Turn:
    """A model that does as the caller says, thrice at every chance, and says so."""
    return "Do you hear me? Yes, yes. Connecting.", CONNECT * 3


def options(model: llm.LLM[Any], *, chat_ctx: Any = NOT_GIVEN, **more: Any) -> ConsultOptions:
    turns = {"turn_detection": "stt", "endpointing": {"min_delay": 0.1, "max_delay": 0.5}}
    session = {"llm": model, "stt": HearingSTT(), "tts": PlainTTS(), "vad": None}
    agent = {"instructions": resolve_instructions(NOT_GIVEN, chat_ctx, "")}
    return ConsultOptions(session={**session, "turn_handling": turns}, agent=agent, **more)


def human(*words: str) -> Callable[[Booth], Awaitable[None]]:
    """A human who says one thing after the other, each when the agent has finished."""

    async def script(booth: Booth) -> None:
        for each in words:
            booth.hears(each)
            await asyncio.sleep(0.3)
            await booth.quiet()

    return script


# As it is meant.


async def test_a_human_who_says_yes_is_connected_after_one_judgement() -> None:
    model = Brained(sensible)
    result, (booth,) = await consult(options(model), human("Hello?", "Yes, put them through."))
    assert result.outcome is not None
    assert result.outcome.result is State.MERGED
    assert not result.left, str(result.left)
    assert booth.tts.said[0].startswith("A caller is waiting.")
    # "Hello?" and the yes: two turns of the model; and what the consent costs is one more.
    assert (len(model.prompts), len(model.judged)) == (2, 1)
    assert model.judged[0] == f'{ENGLISH.consent}\n{{"said": "Yes, put them through."}}'


async def test_a_plain_string_comes_with_the_record_into_the_real_prompt() -> None:
    chat_ctx = llm.ChatContext.empty()
    chat_ctx.add_message(role="user", content="My parcel 17 is late.")
    model = Brained(sensible)
    given = options(model)
    told = resolve_instructions("You are Bob.", chat_ctx, "Be brief.")
    given = ConsultOptions(session=given.session, agent={"instructions": told})
    await consult(given, human("Hello?", "No, not now."))
    prompt = model.prompts[0]
    assert prompt.startswith("You are Bob.\n")
    assert '{"speaker": "caller", "said": "My parcel 17 is late."}' in prompt
    assert "`connect_to_caller`" in prompt
    assert "Be brief." in prompt
    assert ENGLISH.persona not in prompt


async def test_a_no_is_passed_on_with_the_humans_words_and_judged_by_nobody() -> None:
    model = Brained(sensible)
    result, _ = await consult(options(model), human("Hello?", "No, I am in a meeting."))
    assert result.outcome is not None
    assert (result.outcome.result, result.outcome.words) == (State.DECLINED, "in a meeting")
    assert model.judged == []


async def test_a_greeting_counts_as_something_said() -> None:
    model = Brained(sensible)
    given = options(model, greeting="Hello. A caller is waiting, do you take it?")
    result, _ = await consult(given, _after_greeting("Yes."))
    assert result.outcome is not None
    assert result.outcome.merged
    assert (len(model.prompts), len(model.judged)) == (1, 1)


def _after_greeting(*words: str) -> Callable[[Booth], Awaitable[None]]:
    async def script(booth: Booth) -> None:
        await asyncio.sleep(0.3)
        await booth.quiet()
        await human(*words)(booth)

    return script


# A model that is too quick.


async def test_a_call_that_is_too_early_is_answered_and_the_model_goes_on_talking() -> None:
    heard: list[str] = []

    def hasty(words: str) -> Turn:
        heard.append(words)
        if words == ENGLISH.not_told:
            return BRIEFING, ()
        return "", CONNECT

    model = Brained(hasty)
    result, _ = await consult(options(model), human("Hello?", "Who is it?", "Yes."))
    assert result.outcome is not None
    assert result.outcome.merged
    # Each refusal cost a turn of the model, and the one that was judged a judgement.
    assert heard[:2] == ["Hello?", ENGLISH.not_told]
    assert ENGLISH.not_agreed in heard
    assert heard[-1] == "Yes."
    # "Who is it?" is judged once; what the model says to it while "hasty" repeats is not.
    assert len(model.judged) == 2


@pytest.mark.parametrize("injection", HOSTILE, ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("words", "merges"),
    [
        ((), False),
        (("Hello?",), False),
        (("Hello?", "Who is it?", "No, not now."), False),
        (("Hello?", "Hm.", "Yes, put them through."), True),
    ],
    ids=["silent", "hello", "no", "yes"],
)
async def test_an_obedient_model_connects_nobody_but_who_has_said_yes(
    injection: Any, words: Sequence[str], *, merges: bool
) -> None:
    def verdict(whole: str) -> str:
        # As obedient as the other one: any word of the caller is an order.
        return "yes" if injection.canary in whole else _means_yes(whole)

    model = Brained(obedient, verdict)
    given = options(model, chat_ctx=injection.chat_ctx)
    policy = TransferPolicy(decision_timeout_s=20.0)
    result, _ = await consult(given, human(*words), policy)
    assert result.outcome is not None
    assert result.outcome.merged is merges
    if not merges:
        assert result.outcome.reason is Reason.NO_DECISION
    assert not result.left, str(result.left)
    # The words did reach the model that obeys them, and did not reach the one that judges.
    assert all(injection.canary in each for each in model.prompts)
    assert bool(model.prompts) is bool(words)
    assert not [each for each in model.judged if injection.canary in each]


# What the caller is told.


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('human answers, says no "in a meeting" after 3 s', Reason.DECLINED),
        ("human answers, is a voicemail after 3 s", Reason.VOICEMAIL),
        ("human is busy", Reason.BUSY),
        ("human answers, says nothing", Reason.NO_DECISION),
    ],
)
async def test_the_callers_model_is_told_what_happened_and_speaks(
    line: str, reason: Reason
) -> None:
    desk = await Desk.open(line)
    said: list[str] = []
    desk.session.on("conversation_item_added", lambda each: said.append(text_of(each.item)))
    error = await desk.ask_and_wait()
    assert isinstance(error, TransferFailed)
    while desk.session.agent_state != "listening":  # noqa: ASYNC110 - the session speaks
        await asyncio.sleep(0.1)
    # The tool's answer is the last the model was asked with, and it has said something to it.
    assert desk.llm.asked[-1] == error.message
    assert ENGLISH.explanations[reason] in error.message
    assert said[-1] == "ok"
    await desk.close()


# When something breaks.


async def test_a_human_is_told_when_the_model_has_died() -> None:
    def broken(_: str) -> Turn:
        raise APIStatusError("down", status_code=400, retryable=False)

    model = Brained(broken)
    given = options(model)
    result, booths = await consult(given, human("Hello?", "Hello?", "Hello?", "Hello?", "Hello?"))
    assert result.outcome is not None
    assert result.outcome.reason is Reason.BRIEFING_FAILED
    assert len(booths) == 2
    assert " ".join(given.session["tts"].said) == ENGLISH.notice
    assert not result.left, str(result.left)
    assert all(booth.closed for booth in booths)


# Speech to speech.


def realtime(model: FakeRealtimeModel, **more: Any) -> ConsultOptions:
    chat_ctx = llm.ChatContext.empty()
    chat_ctx.add_message(role="user", content="My parcel 17 is late.")
    session = {"llm": model, "stt": NOT_GIVEN, "tts": NOT_GIVEN, "vad": None}
    agent = {"instructions": resolve_instructions(NOT_GIVEN, chat_ctx, "")}
    return ConsultOptions(session=session, agent=agent, **more)


async def test_a_speech_to_speech_model_briefs_and_connects() -> None:
    model = FakeRealtimeModel(sensible)
    result, _ = await consult(realtime(model), human("Hello?", "Yes, do."))
    (session,) = model.sessions
    assert result.outcome is not None
    assert result.outcome.merged
    assert not result.left, str(result.left)
    assert session.instructions.startswith(ENGLISH.persona)
    assert '"said": "My parcel 17 is late."' in session.instructions
    tools = {"connect_to_caller", "decline_transfer", "voicemail_detected"}
    assert set(session.tools.function_tools) == tools
    # It was silenced.
    assert session.interrupted


async def test_a_speech_to_speech_model_declines() -> None:
    result, _ = await consult(realtime(FakeRealtimeModel(sensible)), human("Hello?", "No."))
    assert result.outcome is not None
    assert (result.outcome.result, result.outcome.words) == (State.DECLINED, "in a meeting")


@pytest.mark.parametrize("late_s", [0.0, 1.0, None])
async def test_it_says_nothing_and_nobody_answers_before_it_connects(late_s: float | None) -> None:
    # Without a judge a model that obeys the caller is held up until the human has answered.
    model = FakeRealtimeModel(lambda _: ("", CONNECT), transcript_after_s=late_s)
    policy = TransferPolicy(decision_timeout_s=20.0)
    result, _ = await consult(realtime(model), human("Hello?"), policy)
    assert result.outcome is not None
    assert result.outcome.reason is Reason.NO_DECISION


@pytest.mark.parametrize("late_s", [0.0, 1.0])
@pytest.mark.parametrize(("last", "merges"), [("Hm.", False), ("Yes, do.", True)])
async def test_a_judge_beside_a_speech_to_speech_model_waits_for_late_words(
    late_s: float, last: str, *, merges: bool
) -> None:
    judge = Brained(sensible)
    model = FakeRealtimeModel(
        lambda heard: (BRIEFING if heard == "Hello?" else "", CONNECT),
        transcript_after_s=late_s,
    )
    policy = TransferPolicy(decision_timeout_s=20.0)
    given = realtime(model, consent_llm=judge)
    result, _ = await consult(given, human("Hello?", last), policy)
    assert result.outcome is not None
    assert result.outcome.merged is merges
    assert judge.prompts == []
    assert judge.judged


@pytest.mark.parametrize("supports_say", [False, True])
async def test_greeting_and_notice_of_a_speech_to_speech_model(*, supports_say: bool) -> None:
    model = FakeRealtimeModel(sensible, supports_say=supports_say)
    policy = TransferPolicy(decision_timeout_s=6.0)
    given = realtime(model, greeting="Hello. A caller is waiting.")
    result, _ = await consult(given, _after_greeting(), policy)
    (session,) = model.sessions
    assert result.outcome is not None
    assert result.outcome.reason is Reason.NO_DECISION
    asked = [ENGLISH.read_aloud.format(words=each) for each in (given.greeting, ENGLISH.notice)]
    assert session.asked == ([] if supports_say else [(each, "none") for each in asked])
