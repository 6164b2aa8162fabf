"""What stands in an example where models of a vendor stand: nothing leaves the machine."""

from __future__ import annotations

from typing import Any

from tests.livekit.booth import HearingSTT, PlainTTS
from tests.livekit.models import CallingLLM

__all__ = ["language_model", "models", "recogniser", "voice"]

TOOL = "transfer_to_human"
"""The tool that the scripted model uses when the caller says the cue."""


def models() -> dict[str, Any]:
    """Arguments of an ``AgentSession`` without sound, and with a model that uses one tool."""
    turns = {"turn_detection": None}
    return {"llm": CallingLLM(TOOL), "vad": None, "turn_handling": turns}


def recogniser() -> HearingSTT:
    """For an environment that names a class: it hears nothing unless told."""
    return HearingSTT()


def language_model() -> CallingLLM:
    """As `models`."""
    return CallingLLM(TOOL)


def voice() -> PlainTTS:
    """Speaks to nobody."""
    return PlainTTS()
