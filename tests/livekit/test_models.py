from __future__ import annotations

from typing import Any

import pytest
from livekit.agents import NOT_GIVEN, Agent, AgentSession
from livekit.agents.beta.workflows import WorkflowInstructions
from livekit.agents.llm import ChatContext
from livekit.agents.utils import is_given

from tests.livekit.booth import HearingSTT, PlainTTS
from tests.livekit.models import CallingLLM
from tests.livekit.realtime import FakeRealtimeModel
from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.models import (
    MODEL_NAMES,
    check_models,
    consult_models,
    refuse_silence,
    resolve_instructions,
    turn_handling_of,
    turns_given,
)
from warm_transfer.livekit.phrases import ENGLISH, Phrases

NOTHING: dict[str, Any] = dict.fromkeys(MODEL_NAMES, NOT_GIVEN)


def session_with(llm: Any = NOT_GIVEN, **options: Any) -> AgentSession[Any]:
    turns: Any = {"turn_detection": options.get("turn_detection")}
    return AgentSession(llm=llm, vad=None, turn_handling=turns)


# Models.


@pytest.mark.asyncio
async def test_a_model_is_the_given_one_else_the_agents_else_the_sessions() -> None:
    given, own, shared = CallingLLM(), CallingLLM(), CallingLLM()
    session = session_with(shared)
    plain, equipped = Agent(instructions=""), Agent(instructions="", llm=own)
    assert consult_models({**NOTHING, "llm": given}, session, equipped)["llm"] is given
    assert consult_models(NOTHING, session, equipped)["llm"] is own
    assert consult_models(NOTHING, session, plain)["llm"] is shared


@pytest.mark.asyncio
async def test_a_model_that_is_given_as_none_is_none() -> None:
    models = consult_models(
        {**NOTHING, "llm": None}, session_with(CallingLLM()), Agent(instructions="")
    )
    assert models["llm"] is None


@pytest.mark.asyncio
async def test_an_agent_without_a_model_takes_that_of_the_session() -> None:
    shared = CallingLLM()
    agent = Agent(instructions="", llm=None)
    assert consult_models(NOTHING, session_with(shared), agent)["llm"] is shared


@pytest.mark.asyncio
async def test_what_nobody_has_is_not_given() -> None:
    models = consult_models(NOTHING, session_with(), Agent(instructions=""))
    assert set(models) == set(MODEL_NAMES)
    assert not any(is_given(each) for each in models.values())


@pytest.mark.asyncio
async def test_the_options_make_a_session() -> None:
    caller = session_with(CallingLLM())
    models = consult_models(NOTHING, caller, Agent(instructions=""))
    turns: Any = turn_handling_of(NOT_GIVEN, caller)
    session: AgentSession[Any] = AgentSession(**models, turn_handling=turns)
    assert session.llm is caller.llm


@pytest.mark.parametrize("missing", MODEL_NAMES)
def test_a_model_is_one_or_the_name_of_one_or_none(missing: str) -> None:
    check_models({**NOTHING, missing: None})
    check_models({**NOTHING, "llm": "openai/gpt-4.1-mini", "stt": "deepgram/nova-3", "tts": "a/b"})
    with pytest.raises(InvalidArgument, match="is int") as caught:
        check_models({**NOTHING, missing: 42})
    assert caught.value.argument == missing


def found(**models: Any) -> dict[str, Any]:
    return {**NOTHING, "llm": CallingLLM(), "stt": HearingSTT(), "tts": PlainTTS(), **models}


@pytest.mark.asyncio
@pytest.mark.parametrize("missing", ["llm", "stt", "tts"])
async def test_a_consult_without_a_model_would_be_silent(missing: str) -> None:
    refuse_silence(found(), greeting=False, sounds=True)
    for absent, greeting in ((NOT_GIVEN, False), (NOT_GIVEN, True), (None, False)):
        with pytest.raises(InvalidArgument, match="no conversation") as caught:
            refuse_silence(found(**{missing: absent}), greeting=greeting, sounds=True)
        assert caught.value.argument == missing


@pytest.mark.asyncio
async def test_who_greets_may_leave_the_conversation_out_but_not_the_voice() -> None:
    refuse_silence(found(llm=None, stt=None), greeting=True, sounds=True)
    with pytest.raises(InvalidArgument, match="tts"):
        refuse_silence(found(llm=None, stt=None, tts=None), greeting=True, sounds=True)


@pytest.mark.asyncio
async def test_a_model_that_hears_and_speaks_by_itself_needs_no_other() -> None:
    for llm in (FakeRealtimeModel(), "openai/gpt-realtime"):
        refuse_silence({**NOTHING, "llm": llm}, greeting=False, sounds=True)


@pytest.mark.asyncio
async def test_a_test_in_text_needs_an_llm_alone() -> None:
    refuse_silence({**NOTHING, "llm": CallingLLM()}, greeting=False, sounds=False)
    with pytest.raises(InvalidArgument, match="llm"):
        refuse_silence(NOTHING, greeting=False, sounds=False)


# Turn handling.


@pytest.mark.asyncio
async def test_turn_detection_is_that_of_the_callers_session_unless_given() -> None:
    caller = session_with(turn_detection="manual")
    assert turn_handling_of(NOT_GIVEN, caller) == {"turn_detection": "manual"}
    assert turn_handling_of({"turn_detection": "vad"}, caller) == {"turn_detection": "vad"}
    both = turn_handling_of({"endpointing": {"min_delay": 1.0}}, caller)
    assert both == {"endpointing": {"min_delay": 1.0}, "turn_detection": "manual"}


@pytest.mark.asyncio
async def test_what_was_given_is_not_changed() -> None:
    given = {"endpointing": {"min_delay": 1.0}}
    turn_handling_of(given, session_with(turn_detection="manual"))
    assert given == {"endpointing": {"min_delay": 1.0}}


# Instructions.


def _history() -> ChatContext:
    chat_ctx = ChatContext.empty()
    chat_ctx.add_message(role="user", content="My {order} is {0} late {persona} {extra}")
    return chat_ctx


def test_without_instructions_the_persona_comes_with_record_and_rules() -> None:
    text = str(resolve_instructions(NOT_GIVEN, _history(), "Be brief."))
    assert text.startswith(ENGLISH.persona)
    assert "# What to do" in text
    assert text.endswith("Be brief.")
    # Braces of the caller are text.
    assert "My {order} is {0} late {persona} {extra}" in text


def test_a_plain_string_replaces_the_persona_and_keeps_record_and_rules() -> None:
    text = str(resolve_instructions("You are Bob {really}.", _history(), ""))
    assert text.startswith("You are Bob {really}.")
    assert ENGLISH.persona not in text
    assert "My {order}" in text
    assert "connect_to_caller" in text


def test_workflow_instructions_are_resolved_as_the_incumbent_does() -> None:
    given = WorkflowInstructions(persona="You are Eve.", extra="Whisper.")
    text = str(resolve_instructions(given, _history(), ""))
    assert text.startswith("You are Eve.")
    assert text.endswith("Whisper.")
    assert "My {order}" in text


def test_persona_and_template_can_be_translated() -> None:
    template = "{persona}\n# Gesagt wurde\n{_conversation_history}\n# Sonst\n{extra}"
    phrases = Phrases(persona="Du bist eine KI.", template=template)
    text = str(resolve_instructions(NOT_GIVEN, _history(), "Kurz.", phrases))
    assert text.startswith("Du bist eine KI.\n# Gesagt wurde\n<<record")
    assert text.endswith("# Sonst\nKurz.")
    given = str(resolve_instructions("Du bist Bob.", _history(), "", phrases))
    assert given.startswith("Du bist Bob.\n# Gesagt wurde\n<<record")


def test_no_history_is_an_empty_record() -> None:
    text = str(resolve_instructions(NOT_GIVEN, NOT_GIVEN, ""))
    assert "<<record" in text
    assert '"speaker"' not in text


def test_the_older_arguments_for_turns_count_as_livekit_agents_counts_them() -> None:
    quiet = {"interruption": {"enabled": False}}
    assert turns_given(NOT_GIVEN, NOT_GIVEN, NOT_GIVEN) is NOT_GIVEN
    assert turns_given(NOT_GIVEN, NOT_GIVEN, False) == quiet
    assert turns_given(NOT_GIVEN, NOT_GIVEN, True) is NOT_GIVEN
    assert turns_given(NOT_GIVEN, "vad", NOT_GIVEN) == {"turn_detection": "vad"}
    # Turn handling that is given says all about interruptions.
    assert turns_given({"turn_detection": "stt"}, "vad", False) == {"turn_detection": "vad"}
