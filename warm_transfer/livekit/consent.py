"""Whether the human has agreed: judged by their own words, where no caller's words can reach.

The consult model has read what the caller said, and a model can be talked into anything. So its
tool call is only the wish to connect. A second, one-shot question to a model that is shown
nothing but the human's words says whether they are a yes. Anything but a clear yes is a no.
"""

from __future__ import annotations

import asyncio
from typing import Any

from livekit.agents import APIConnectOptions
from livekit.agents.llm import LLM, ChatContext

from warm_transfer.livekit.legs import unless
from warm_transfer.livekit.phrases import Phrases
from warm_transfer.livekit.prompts import data_lines
from warm_transfer.livekit.sdk import ConsultSession
from warm_transfer.logs import BoundLog

__all__ = ["Consent"]


class Consent:
    """Listens to one consult session, and says whether its human has agreed.

    Args:
        phrases: the question to the judge, and what a refused tool answers.
        limit_s: how long one decision may take; ``TransferPolicy.consent_timeout_s``.
        log: where a judge that fails is told.
    """

    def __init__(self, phrases: Phrases, limit_s: float, log: BoundLog) -> None:
        self._phrases = phrases
        self._limit_s = limit_s
        self._log = log
        self._judge: LLM[Any] | None = None
        self._session: ConsultSession | None = None
        self._talking = False
        self._told = False
        self._unwritten = False
        self._words: list[str] = []
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self._verdicts: dict[tuple[str, ...], asyncio.Task[bool]] = {}

    def begin(self, session: ConsultSession, judge: LLM[Any] | None) -> None:
        """The briefing begins: what the human says from now on counts.

        Args:
            session: whose events tell who speaks.
            judge: who judges the words; without one, that the human has answered is enough.
        """
        self._session, self._judge = session, judge
        session.on("agent_state_changed", self._on_agent)
        session.on("user_state_changed", self._on_user)
        session.on("user_input_transcribed", self._on_transcript)

    def close(self) -> None:
        """The briefing is over: nobody waits for a verdict any longer, and none is a yes."""
        self._over.set()
        for task in self._verdicts.values():
            task.cancel()
        session, self._session = self._session, None
        if session is not None:
            session.off("agent_state_changed", self._on_agent)
            session.off("user_state_changed", self._on_user)
            session.off("user_input_transcribed", self._on_transcript)

    async def refusal(self) -> str | None:
        """Why the two are not to be connected, as a model is told it; None after a yes."""
        if not self._told:
            return self._phrases.not_told
        if not self._words and not self._unwritten:
            return self._phrases.not_spoken
        return None if await self._has_agreed() else self._phrases.not_agreed

    async def _has_agreed(self) -> bool:
        if self._judge is None:
            return not self._over.is_set()
        try:
            return await unless(self._over, self._judged(), limit_s=self._limit_s)
        except (ConnectionAbortedError, TimeoutError):
            return False

    async def _judged(self) -> bool:
        """The verdict on all that has been said, also on what is said while it is awaited."""
        while not self._over.is_set():
            news, words = self._news, tuple(self._words)
            yes = bool(words) and await self._verdict(words)
            if news.is_set():
                # "Yes ... no, wait": the verdict is on less than was said.
                continue
            if yes or not self._unwritten:
                return yes
            # Speech-to-speech models write down what they hear late, often after they act on it.
            await news.wait()
        return False

    async def _verdict(self, words: tuple[str, ...]) -> bool:
        """One judgement for the same words, however often and by how many it is asked for."""
        task = self._verdicts.get(words)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._ask(words), name="consent")
            self._verdicts[words] = task
        await asyncio.wait([task])
        return not task.cancelled() and task.result()

    async def _ask(self, words: tuple[str, ...]) -> bool:
        assert self._judge is not None
        # An empty context: the record, and what the consult agent said, must not be in it.
        context = ChatContext.empty()
        context.add_message(role="system", content=self._phrases.consent)
        lines = data_lines({"said": each} for each in words)
        context.add_message(role="user", content="\n".join(lines))
        options = APIConnectOptions(max_retry=0, timeout=self._limit_s)
        try:
            async with asyncio.timeout(self._limit_s):
                answer = await self._judge.chat(chat_ctx=context, conn_options=options).collect()
        except Exception as error:  # noqa: BLE001 - however a model fails, it did not say yes
            self._log.warning("consent not judged", detail=type(error).__name__)
            # Not kept: the same words may be judged when they are asked about again.
            del self._verdicts[words]
            return False
        return answer.text.strip(" \t\n.!\"'`*").casefold() == "yes"

    # Who speaks.

    def _on_agent(self, event: Any) -> None:
        if event.new_state == "speaking":
            self._talking = True
        elif event.old_state == "speaking":
            self._told = True

    def _on_user(self, event: Any) -> None:
        # What is said before the agent has said anything answers nothing: "Yes?" is how some
        # people pick up a phone.
        if event.new_state == "speaking" and self._talking:
            self._unwritten = True

    def _on_transcript(self, event: Any) -> None:
        words = event.transcript.strip()
        if not event.is_final or not words or not self._talking:
            return
        self._unwritten = False
        self._words.append(words)
        self._news.set()
        self._news = asyncio.Event()
