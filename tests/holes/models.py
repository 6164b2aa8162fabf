"""A language model that does what a table says, for the caller's session and the human's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    APIStatusError,
    llm,
)

__all__ = ["ASKS", "Asked", "TableLLM", "Tools"]

ASKS = "a human please"
"""What the caller says to be transferred."""

Tools = tuple[tuple[str, Mapping[str, str]], ...]
"""Tools to call at once, with their arguments."""

_ANSWERS: Mapping[str, Tools] = {
    ASKS: (("transfer", {}),),
    "yes": (("connect_to_caller", {}),),
    "no": (("decline_transfer", {"reason": "in a meeting"}),),
    "voicemail": (("voicemail_detected", {}),),
    "yes, yes": (("connect_to_caller", {}), ("connect_to_caller", {})),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the model was asked with."""

    last: str
    """The text of the last item of the context."""
    system: str
    """The instructions."""


class TableLLM(llm.LLM[Any]):
    """Calls the tools that stand in a table for what was said last, if it is offered them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.obeys: Callable[[Asked], Tools] | None = None
        """Another way to choose, instead of the table."""
        self.broken = False
        """Whether every request fails, for good."""

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
        del parallel_tool_calls, tool_choice, extra_kwargs
        asked = _asked(chat_ctx)
        self.asked.append(asked)
        wanted = self.obeys(asked) if self.obeys is not None else _ANSWERS.get(asked.last, ())
        offered = {getattr(tool, "id", "") for tool in tools or []}
        calls = tuple(each for each in wanted if each[0] in offered)
        text = "yes" if _is_a_yes(asked.last) else "ok"
        return _Reply(
            self, calls, text, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options
        )


def _asked(chat_ctx: llm.ChatContext) -> Asked:
    last = chat_ctx.items[-1] if chat_ctx.items else None
    text = last.text_content or "" if isinstance(last, llm.ChatMessage) else ""
    if isinstance(last, llm.FunctionCallOutput):
        text = last.output
    system = [each.text_content or "" for each in chat_ctx.messages() if each.role == "system"]
    return Asked(text, "\n".join(system))


def _is_a_yes(text: str) -> bool:
    """The judge of ours is asked with nothing but the human's words, one JSON object a line."""
    lines = [json.loads(each) for each in text.splitlines() if each.startswith("{")]
    return any(str(each.get("said", "")).startswith("yes") for each in lines)


class _Reply(llm.LLMStream):
    def __init__(self, owner: TableLLM, calls: Tools, text: str, **rest: Any) -> None:
        super().__init__(owner, **rest)
        self._text = text
        self._owner = owner
        self._calls = calls
        self._number = len(owner.asked)

    async def _run(self) -> None:
        await asyncio.sleep(0)
        if self._owner.broken:
            raise APIStatusError("the model is gone", status_code=401, retryable=False)
        tools = [
            llm.FunctionToolCall(
                name=name, arguments=json.dumps(arguments), call_id=f"call_{self._number}_{at}"
            )
            for at, (name, arguments) in enumerate(self._calls)
        ]
        delta = llm.ChoiceDelta(
            role="assistant", content="" if tools else self._text, tool_calls=tools
        )
        self._event_ch.send_nowait(llm.ChatChunk(id=f"chunk_{self._number}", delta=delta))
