"""A model that knows what the simulated human means, to judge whether their words are a yes."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, APIConnectOptions, llm

__all__ = ["SimJudge"]


class SimJudge(llm.LLM[Any]):
    """Answers ``yes`` when what was said last is one of the given sentences, at once.

    Args:
        agreements: what the human says when they mean yes.
    """

    def __init__(self, agreements: Collection[str]) -> None:
        super().__init__()
        self._agreements = frozenset(agreements)
        self.asked: list[llm.ChatContext] = []
        """Every question, whole."""

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
        """Answer the question of a `Consent`, which asks with one line of JSON an utterance."""
        del parallel_tool_calls, tool_choice, extra_kwargs
        self.asked.append(chat_ctx)
        last = chat_ctx.messages()[-1].text_content or ""
        said = json.loads(last.splitlines()[-1])["said"]
        answer = "yes" if said in self._agreements else "no"
        return _Answer(
            self, answer, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options
        )


class _Answer(llm.LLMStream):
    """One word."""

    def __init__(self, judge: SimJudge, word: str, **rest: Any) -> None:
        super().__init__(judge, **rest)
        self._word = word

    async def _run(self) -> None:
        delta = llm.ChoiceDelta(role="assistant", content=self._word)
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))
