"""A model that knows what the simulated human means, to judge whether their words are a yes."""

from __future__ import annotations

import json
from collections.abc import Collection

from livekit.agents import llm

from warm_transfer.testing.livekit.scripted import Answer, ScriptedModel

__all__ = ["SimJudge"]


class SimJudge(ScriptedModel):
    """Answers ``yes`` when what was said last is one of the given sentences, at once.

    Args:
        agreements: what the human says when they mean yes.
    """

    def __init__(self, agreements: Collection[str]) -> None:
        super().__init__()
        self._agreements = frozenset(agreements)
        self.asked: list[llm.ChatContext] = []
        """Every question, whole."""

    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None) -> Answer:
        """Answer the question of a `Consent`, which asks with one line of JSON an utterance."""
        del tools
        self.asked.append(chat_ctx)
        last = chat_ctx.messages()[-1].text_content or ""
        said = json.loads(last.splitlines()[-1])["said"]
        return "yes" if said in self._agreements else "no", ()
