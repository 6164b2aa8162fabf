"""A speech-to-speech model of livekit-agents for tests: what it hears and says is text."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from livekit import rtc
from livekit.agents import NOT_GIVEN, llm

__all__ = ["Brain", "FakeRealtimeModel", "FakeRealtimeSession", "Turn", "frames"]

RATE_HZ, FRAME_S = 24_000, 0.1
_IDS = itertools.count(1)

Turn = tuple[str, Sequence[tuple[str, str]]]
"""What a model says, and the tools it calls with which arguments."""
Brain = Callable[[str], Turn]
"""What a model makes of what it has heard, been asked to say, or been answered by a tool."""


def frames(seconds: float) -> list[rtc.AudioFrame]:
    """Silence of a length, as a voice would give it."""
    frame = rtc.AudioFrame.create(RATE_HZ, 1, int(RATE_HZ * FRAME_S))
    return [frame] * max(1, round(seconds / FRAME_S))


class FakeRealtimeModel(llm.RealtimeModel):
    """A model that hears and speaks.

    Args:
        brain: what it says and does.
        supports_say: whether it can be given words.
        transcript_after_s: when what it has heard is written down; None for never.
    """

    def __init__(
        self,
        brain: Brain = lambda _: ("", ()),
        *,
        supports_say: bool = False,
        transcript_after_s: float | None = 0.0,
    ) -> None:
        super().__init__(
            capabilities=llm.RealtimeCapabilities(
                message_truncation=False,
                turn_detection=True,
                user_transcription=transcript_after_s is not None,
                auto_tool_reply_generation=False,
                audio_output=True,
                manual_function_calls=False,
                mutable_chat_context=True,
                mutable_instructions=True,
                mutable_tools=True,
                per_response_tool_choice=True,
                supports_say=supports_say,
            )
        )
        self.brain = brain
        self.transcript_after_s = transcript_after_s
        self.sessions: list[FakeRealtimeSession] = []

    def session(self, *, turn_detection_disabled: bool = False) -> FakeRealtimeSession:
        del turn_detection_disabled
        session = FakeRealtimeSession(self)
        self.sessions.append(session)
        return session

    async def aclose(self) -> None: ...


class FakeRealtimeSession(llm.RealtimeSession[Any]):
    """Keeps what it is told; a test lets it hear."""

    def __init__(self, model: FakeRealtimeModel) -> None:
        super().__init__(model)
        self._model = model
        self._chat = llm.ChatContext.empty()
        self._tool_ctx = llm.ToolContext.empty()
        self.instructions = ""
        self.asked: list[tuple[str, Any]] = []
        """What it was asked to say, and whether it might use tools."""
        self.interrupted = 0
        self._writing: set[asyncio.Task[None]] = set()

    def hear(self, words: str) -> None:
        """The human says this: the model answers, and writes down what it has heard."""
        writes = self._model.transcript_after_s is not None
        self.emit("input_speech_started", llm.InputSpeechStartedEvent())
        self.emit("input_speech_stopped", llm.InputSpeechStoppedEvent(writes))
        self.emit("generation_created", self._generation(self._model.brain(words)))
        task = asyncio.get_running_loop().create_task(self._write(words))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _write(self, words: str) -> None:
        after_s = self._model.transcript_after_s
        if after_s is None:
            return
        await asyncio.sleep(after_s)
        heard = llm.InputTranscriptionCompleted(f"item_{next(_IDS)}", words, is_final=True)
        self.emit("input_audio_transcription_completed", heard)

    def _generation(self, turn: Turn, *, asked: bool = False) -> llm.GenerationCreatedEvent:
        text, calls = turn
        made: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        made.set_result(["audio", "text"])
        message = llm.MessageGeneration(
            f"msg_{next(_IDS)}", _stream([text]), _stream(frames(len(text) * 0.05)), made
        )
        functions = [
            llm.FunctionCall(call_id=f"call_{next(_IDS)}", name=name, arguments=arguments)
            for name, arguments in calls
        ]
        return llm.GenerationCreatedEvent(
            _stream([message] if text else []), _stream(functions), user_initiated=asked
        )

    def generate_reply(
        self, *, instructions: Any = NOT_GIVEN, tool_choice: Any = NOT_GIVEN, tools: Any = NOT_GIVEN
    ) -> asyncio.Future[llm.GenerationCreatedEvent]:
        del tools
        self.asked.append((instructions or "", tool_choice))
        last = self._chat.items[-1] if self._chat.items else None
        prompt = instructions or (last.output if isinstance(last, llm.FunctionCallOutput) else "")
        made: asyncio.Future[llm.GenerationCreatedEvent]
        made = asyncio.get_running_loop().create_future()
        made.set_result(self._generation(self._model.brain(prompt), asked=True))
        return made

    def say(self, text: Any) -> asyncio.Future[llm.GenerationCreatedEvent]:
        made: asyncio.Future[llm.GenerationCreatedEvent]
        made = asyncio.get_running_loop().create_future()
        made.set_result(self._generation((text, ()), asked=True))
        return made

    @property
    def chat_ctx(self) -> llm.ChatContext:
        return self._chat.copy()

    @property
    def tools(self) -> llm.ToolContext:
        return self._tool_ctx.copy()

    async def update_instructions(self, instructions: str) -> None:
        self.instructions = instructions

    async def update_chat_ctx(self, chat_ctx: llm.ChatContext) -> None:
        self._chat = chat_ctx

    async def update_tools(self, tools: list[Any]) -> None:
        self._tool_ctx = llm.ToolContext(tools)

    def update_options(self, *, tool_choice: Any = NOT_GIVEN) -> None: ...

    def push_audio(self, frame: rtc.AudioFrame) -> None: ...

    def push_video(self, frame: rtc.VideoFrame) -> None: ...

    def commit_audio(self) -> None: ...

    def clear_audio(self) -> None: ...

    def interrupt(self) -> None:
        self.interrupted += 1

    def truncate(self, **_: Any) -> None: ...

    async def aclose(self) -> None: ...


async def _stream(items: Sequence[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item
