"""Which models, instructions and tools the consult session gets, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livekit.agents import NOT_GIVEN, Agent, AgentSession
from livekit.agents.beta.workflows import WorkflowInstructions
from livekit.agents.llm import LLM, ChatContext, DuplexModel, RealtimeModel
from livekit.agents.llm.chat_context import Instructions
from livekit.agents.stt import STT
from livekit.agents.tts import TTS
from livekit.agents.utils import is_given
from livekit.agents.vad import VAD

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.phrases import ENGLISH, Phrases
from warm_transfer.livekit.prompts import transcript

__all__ = [
    "MODEL_NAMES",
    "check_models",
    "consult_models",
    "refuse_silence",
    "resolve_instructions",
    "turn_handling_of",
    "turns_given",
]

MODEL_NAMES = ("stt", "vad", "llm", "tts")

#: What each may be; livekit-agents makes a model of a name, but no VAD.
_KINDS: Mapping[str, tuple[type, ...]] = {
    "stt": (STT, str),
    "vad": (VAD,),
    "llm": (LLM, RealtimeModel, DuplexModel, str),
    "tts": (TTS, str),
}


def check_models(given: Mapping[str, Any]) -> None:
    """Check the models that are given to the task.

    Raises:
        InvalidArgument: one is no model; the session would start with it, and stay mute.
    """
    for name, kinds in _KINDS.items():
        model = given.get(name, NOT_GIVEN)
        if is_given(model) and model is not None and not isinstance(model, kinds):
            remedy = f"give one of livekit-agents' {name.upper()} models, or None"
            raise InvalidArgument(name, f"is {type(model).__name__}", remedy)


def consult_models(
    given: Mapping[str, Any], session: AgentSession[Any], agent: Agent
) -> dict[str, Any]:
    """The models of the consult session: given, else of the agent, else of the caller's session.

    Models that are set on the agent alone count too; without them the consult would start, ring a
    human, and stay mute.
    """
    found: dict[str, Any] = {}
    for name in MODEL_NAMES:
        if is_given(given.get(name, NOT_GIVEN)):
            found[name] = given[name]
            continue
        own = getattr(agent, name)
        found[name] = own if is_given(own) and own else getattr(session, name) or NOT_GIVEN
    return found


def refuse_silence(models: Mapping[str, Any], *, greeting: bool, sounds: bool) -> None:
    """Refuse a consult in which the human would hear nothing, or would not be heard.

    Args:
        models: as `consult_models` finds them. One that is None was left out on purpose: the human
            is greeted, and the application decides for them.
        greeting: whether there are words that need no LLM.
        sounds: whether the caller is talked to in sound; an application's test may do it in text.

    Raises:
        InvalidArgument: a model is missing.
    """
    # Such a model hears and speaks by itself, and a name may stand for one.
    whole = isinstance(models["llm"], RealtimeModel | DuplexModel | str)
    for name in ("llm", "stt", "tts") if sounds and not whole else ("llm",):
        model = models[name]
        left_out = model is None and greeting and name != "tts"
        if (model is None or not is_given(model)) and not left_out:
            problem = "is missing: the human would be rung, and there would be no conversation"
            remedy = f"give `{name}` to the task, its agent or the session"
            raise InvalidArgument(name, problem, remedy)


def turns_given(turn_handling: Any, turn_detection: Any, allow_interruptions: Any) -> Any:
    """Turn handling, with the two older arguments that livekit-agents' own class still takes.

    Raises:
        InvalidArgument: it is no mapping.
    """
    if is_given(turn_handling) and not isinstance(turn_handling, Mapping):
        problem = f"is {type(turn_handling).__name__}"
        raise InvalidArgument("turn_handling", problem, "give `TurnHandlingOptions`, a mapping")
    turns: dict[str, Any] = dict(turn_handling) if is_given(turn_handling) else {}
    if allow_interruptions is False and not is_given(turn_handling):
        turns["interruption"] = {"enabled": False}
    if is_given(turn_detection):
        turns["turn_detection"] = turn_detection
    return turns or NOT_GIVEN


def turn_handling_of(given: Any, session: AgentSession[Any]) -> dict[str, Any]:
    """Turn handling as given; the turn detection of the caller's session unless it is set."""
    turns: dict[str, Any] = dict(given) if is_given(given) else {}
    if "turn_detection" not in turns and session.turn_detection is not None:
        turns["turn_detection"] = session.turn_detection
    return turns


def resolve_instructions(
    instructions: Any, chat_ctx: Any, extra: str, phrases: Phrases = ENGLISH
) -> Any:
    """The instructions of the consult agent, with what was said to the caller as data.

    A plain string (or ``Instructions``) replaces the persona and keeps the record and the rules:
    otherwise `chat_ctx` would be lost without a word.
    """
    history = transcript(chat_ctx if isinstance(chat_ctx, ChatContext) else None)
    if not is_given(instructions):
        instructions = WorkflowInstructions(extra=extra)
    elif not isinstance(instructions, WorkflowInstructions):
        persona: Instructions | str = instructions
        instructions = WorkflowInstructions(persona=persona, extra=extra)
    return instructions.resolve(
        template=phrases.template,
        default_persona=phrases.persona,
        _conversation_history=history,
    )
