"""The model of the caller's agent in the simulated world: uses one tool when the caller asks."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from livekit.agents import llm

from warm_transfer.testing.livekit.judge import SimJudge
from warm_transfer.testing.livekit.scripted import Answer, last_text

__all__ = ["CUE", "SimCallerModel"]

CUE = "I would like to talk to a person."
"""What the caller says for the agent to use the tool."""


class SimCallerModel(SimJudge):
    """Uses a tool at the cue, if it is offered, and says "ok" to everything else.

    As the consult session borrows it, it also judges the human's words.

    Args:
        tool: the name of the tool.
        arguments: what it is used with.
        agreements: what the human says when they mean yes.
    """

    def __init__(
        self, tool: str, arguments: Mapping[str, Any], agreements: Collection[str]
    ) -> None:
        super().__init__(agreements)
        self._tool = tool
        self._arguments = json.dumps(dict(arguments))
        self.heard: list[str] = []
        """The last thing in each context it was asked to go on with."""
        self.offered: tuple[str, ...] | None = None
        """The names of the tools it had at the cue; None before it."""

    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None) -> Answer:
        """Go on with a conversation; without tools and the cue, judge."""
        text = last_text(chat_ctx)
        if not tools and text != CUE:
            return super().answer(chat_ctx, tools)
        self.heard.append(text)
        if text == CUE:
            self.offered = tuple(llm.ToolContext(tools or []).function_tools)
            if self._tool in self.offered:
                return "", ((self._tool, self._arguments),)
        return "ok", ()
