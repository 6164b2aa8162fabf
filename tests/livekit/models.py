"""Tiny models of livekit-agents for tests: a language model that calls one tool, and no sound.

Asked without tools, it is asked to judge a human's words.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, llm

from warm_transfer.testing.livekit.scripted import Answer, ScriptedModel, last_text

__all__ = ["CUE", "CallingLLM", "Judge"]

CUE = "a human please"
"""What the user has to say for the model to call the tool."""


class CallingLLM(ScriptedModel):
    """Calls `tool` when it hears the cue, and says "ok" to everything else."""

    def __init__(self, tool: str = "transfer") -> None:
        super().__init__()
        self.tool = tool
        self.asked: list[str] = []
        """The last item of each context it was asked with."""
        self.judged: list[str] = []
        """The words it was asked to judge; they are a yes when they begin with one."""

    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None) -> Answer:
        text = last_text(chat_ctx)
        if tools is None:
            said = json.loads(text.splitlines()[-1])["said"]
            self.judged.append(said)
            return "yes" if said.startswith("Yes") else "no", ()
        self.asked.append(text)
        return ("", ((self.tool, "{}"),)) if CUE in text else ("ok", ())


class Judge(llm.LLM[Any]):
    """Answers what it is told to, as late as it is told to; keeps what it was asked."""

    def __init__(self, answer: str | Exception = "yes", after_s: float = 0.0) -> None:
        super().__init__()
        self.answer = answer
        self.after_s = after_s
        self.asked: list[llm.ChatContext] = []
        self.options: list[Any] = []
        self.tools: list[Any] = []
        self.cut = 0
        """How many answers were not waited for."""

    def chat(
        self, *, chat_ctx: llm.ChatContext, tools: Any = None, conn_options: Any = None, **_: Any
    ) -> llm.LLMStream:
        self.asked.append(chat_ctx)
        self.options.append(conn_options)
        self.tools.append(tools)
        rest: Any = {"conn_options": conn_options or DEFAULT_API_CONNECT_OPTIONS}
        return _Answer(self, chat_ctx=chat_ctx, tools=[], **rest)

    @property
    def said(self) -> list[list[str]]:
        """The words in each question."""
        return [
            [json.loads(line)["said"] for line in str(each.messages()[-1].text_content).split("\n")]
            for each in self.asked
        ]


class _Answer(llm.LLMStream):
    async def _run(self) -> None:
        judge: Any = self._llm
        try:
            await asyncio.sleep(judge.after_s)
        except asyncio.CancelledError:
            judge.cut += 1
            raise
        if isinstance(judge.answer, Exception):
            raise judge.answer
        delta = llm.ChoiceDelta(role="assistant", content=judge.answer)
        self._event_ch.send_nowait(llm.ChatChunk(id="a", delta=delta))
