"""What stands in an example where models of a vendor stand: nothing leaves the machine."""

from __future__ import annotations

from typing import Any

from tests.livekit.models import CallingLLM

__all__ = ["models"]

TOOL = "transfer_to_human"
"""The tool that the scripted model uses when the caller says the cue."""


def models() -> dict[str, Any]:
    """Arguments of an ``AgentSession`` without sound, and with a model that uses one tool."""
    turns = {"turn_detection": None}
    return {"llm": CallingLLM(TOOL), "vad": None, "turn_handling": turns}
