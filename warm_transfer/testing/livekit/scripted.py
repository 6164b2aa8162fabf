"""A language model whose answers are known beforehand."""

from __future__ import annotations

import asyncio
import itertools
from abc import abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, llm

__all__ = ["Answer", "ScriptedModel", "last_text", "text_of"]

Answer = tuple[str, Sequence[tuple[str, str]]]
"""What is said, and the tools that are called: name and arguments, as JSON."""

_NUMBERS = itertools.count(1)


class ScriptedModel(llm.LLM[Any]):
    """Gives the answer of its script, at once."""

    lingers_s: float = 0.0
    """How long its stream goes on after a tool call, in seconds."""

    @abstractmethod
    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None) -> Answer:
        """What it answers; what this raises, its stream raises, as a provider's does."""

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
        """Answer."""
        del parallel_tool_calls, tool_choice, extra_kwargs
        answer = partial(self.answer, chat_ctx, tools)
        return _Stream(
            self, answer, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options
        )


class _Stream(llm.LLMStream):
    """One answer."""

    def __init__(self, model: ScriptedModel, answer: Callable[[], Answer], **rest: Any) -> None:
        super().__init__(model, **rest)
        self._answer = answer
        self._lingers_s = model.lingers_s

    async def _run(self) -> None:
        words, wanted = self._answer()
        if words:
            self._send(content=words)
        if wanted:
            self._send(
                tool_calls=[
                    llm.FunctionToolCall(
                        name=name, arguments=arguments, call_id=f"call_{next(_NUMBERS)}"
                    )
                    for name, arguments in wanted
                ]
            )
            await asyncio.sleep(self._lingers_s)

    def _send(self, **delta: Any) -> None:
        chunk = llm.ChatChunk(id="answer", delta=llm.ChoiceDelta(role="assistant", **delta))
        self._event_ch.send_nowait(chunk)


def last_text(chat_ctx: llm.ChatContext) -> str:
    """What was said last, or what the last tool has returned."""
    return text_of(chat_ctx.items[-1]) if chat_ctx.items else ""


def text_of(item: llm.ChatItem) -> str:
    """The words of a message, or what a tool has returned; empty for anything else."""
    if isinstance(item, llm.FunctionCallOutput):
        return item.output
    return item.text_content or "" if isinstance(item, llm.ChatMessage) else ""
