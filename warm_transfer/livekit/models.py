"""Which models, instructions and tools the consult session gets, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livekit.agents import NOT_GIVEN, Agent, AgentSession
from livekit.agents.beta.workflows import WorkflowInstructions
from livekit.agents.llm import ChatContext
from livekit.agents.llm.chat_context import Instructions
from livekit.agents.utils import is_given

from warm_transfer.livekit.phrases import ENGLISH, Phrases
from warm_transfer.livekit.prompts import transcript

__all__ = [
    "MODEL_NAMES",
    "consult_models",
    "resolve_instructions",
    "turn_handling_of",
    "turns_given",
]

MODEL_NAMES = ("stt", "vad", "llm", "tts")


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


def turns_given(turn_handling: Any, turn_detection: Any, allow_interruptions: Any) -> Any:
    """Turn handling, with the two older arguments that livekit-agents' own class still takes."""
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
