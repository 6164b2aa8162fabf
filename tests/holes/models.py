"""A language model that does what a table says, for the caller's session and the human's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from livekit.agents import APIStatusError, llm

from warm_transfer.testing.livekit.scripted import Answer, ScriptedModel, last_text

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


class TableLLM(ScriptedModel):
    """Calls the tools that stand in a table for what was said last, if it is offered them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Asked] = []
        self.obeys: Callable[[Asked], Tools] | None = None
        """Another way to choose, instead of the table."""
        self.broken = False
        """Whether every request fails, for good."""

    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None) -> Answer:
        asked = _asked(chat_ctx)
        self.asked.append(asked)
        if self.broken:
            raise APIStatusError("the model is gone", status_code=401, retryable=False)
        wanted = self.obeys(asked) if self.obeys is not None else _ANSWERS.get(asked.last, ())
        offered = {getattr(tool, "id", "") for tool in tools or []}
        calls = [(name, json.dumps(given)) for name, given in wanted if name in offered]
        return "" if calls else "yes" if _is_a_yes(asked.last) else "ok", calls


def _asked(chat_ctx: llm.ChatContext) -> Asked:
    system = [each.text_content or "" for each in chat_ctx.messages() if each.role == "system"]
    return Asked(last_text(chat_ctx), "\n".join(system))


def _is_a_yes(text: str) -> bool:
    """The judge of ours is asked with nothing but the human's words, one JSON object a line."""
    lines = [json.loads(each) for each in text.splitlines() if each.startswith("{")]
    return any(str(each.get("said", "")).startswith("yes") for each in lines)
