"""The model of the caller's agent in the simulated world: uses one tool when the caller asks."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, llm

from warm_transfer.testing.livekit.judge import SimJudge

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

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: Any = NOT_GIVEN,
        tool_choice: Any = NOT_GIVEN,
        extra_kwargs: Any = NOT_GIVEN,
    ) -> llm.LLMStream:
        """Go on with a conversation; without tools and the cue, judge."""
        del parallel_tool_calls, tool_choice, extra_kwargs
        last = chat_ctx.items[-1] if chat_ctx.items else None
        text = last.text_content or "" if isinstance(last, llm.ChatMessage) else ""
        if not tools and text != CUE:
            return super().chat(chat_ctx=chat_ctx, tools=tools, conn_options=conn_options)
        if isinstance(last, llm.FunctionCallOutput):
            text = last.output
        self.heard.append(text)
        call = llm.FunctionToolCall(
            name=self._tool, arguments=self._arguments, call_id=f"call_{len(self.heard)}"
        )
        calls = []
        if text == CUE:
            self.offered = tuple(llm.ToolContext(tools or []).function_tools)
            calls = [call] if self._tool in self.offered else []
        return _Answer(self, calls, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Answer(llm.LLMStream):
    """A tool call, or a word."""

    def __init__(
        self, model: SimCallerModel, calls: list[llm.FunctionToolCall], **rest: Any
    ) -> None:
        super().__init__(model, **rest)
        self._calls = calls

    async def _run(self) -> None:
        delta = llm.ChoiceDelta(role="assistant", content="" if self._calls else "ok")
        delta.tool_calls = self._calls
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))
