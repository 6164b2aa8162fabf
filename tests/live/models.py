"""Scripted models: a real LLM, STT and TTS of livekit-agents whose lines are known beforehand.

The recogniser is asked only when a real VAD has found an end of speech in what that leg received
(livekit-agents' `stt.StreamAdapter` does that for every STT that cannot stream), and then gives
the next line. The language model answers the last line it has been given. Nothing runs on a clock.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    TurnHandlingOptions,
    llm,
    stt,
    tts,
)
from livekit.agents.inference import VAD
from livekit.agents.language import LanguageCode
from livekit.agents.utils import AudioBuffer, shortuuid

from tests.live.pilots import Pilot
from tests.live.scenarios import Reply
from tests.live.voices import pilot_tone, speak
from warm_transfer.testing.livekit.scripted import Answer, ScriptedModel

__all__ = ["TURN_HANDLING", "ScriptedLLM", "ScriptedSTT", "ScriptedTTS", "real_vad"]

TTS_RATE_HZ = 24_000

TURN_HANDLING: TurnHandlingOptions = {
    "turn_detection": "vad",
    "endpointing": {"min_delay": 0.05, "max_delay": 0.5},
    "interruption": {"mode": "vad"},
}
"""Answers come soon after the end of speech; there is no thinking to hide."""


def real_vad() -> VAD:
    """The VAD that ships with livekit-agents, a little quicker to see the end of speech."""
    return VAD(min_silence_duration=0.2)


class ScriptedSTT(stt.STT[Any]):
    """Gives its next line for each piece of speech."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))
        self._lines = list(lines)

    async def _recognize_impl(
        self, buffer: AudioBuffer, *, language: Any = NOT_GIVEN, conn_options: APIConnectOptions
    ) -> stt.SpeechEvent:
        del buffer, language, conn_options
        text = self._lines.pop(0) if self._lines else ""
        data = stt.SpeechData(language=LanguageCode("en"), text=text, confidence=1.0)
        return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])


class ScriptedLLM(ScriptedModel):
    """Answers by the first reply whose cue is in the last thing it was told."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        super().__init__()
        self._replies = tuple(replies)

    def answer(self, chat_ctx: llm.ChatContext, tools: list[llm.Tool] | None) -> Answer:
        # Without tools it is asked whether the human's words are a yes.
        reply = _verdict(chat_ctx) if tools is None else self._reply_to(chat_ctx)
        if reply is None:
            return "", ()
        return reply.says, ((reply.calls, reply.arguments),) if reply.calls else ()

    def _reply_to(self, chat_ctx: llm.ChatContext) -> Reply | None:
        heard = ""
        for item in reversed(chat_ctx.items):
            if isinstance(item, llm.FunctionCallOutput):
                heard = item.output
                break
            if isinstance(item, llm.ChatMessage) and item.role == "user":
                heard = item.text_content or ""
                break
        return next((reply for reply in self._replies if reply.hears in heard), None)


def _verdict(chat_ctx: llm.ChatContext) -> Reply:
    """Yes when what the human said last begins with it."""
    lines = (chat_ctx.messages()[-1].text_content or "").splitlines()
    return Reply("", says="yes" if json.loads(lines[-1])["said"].startswith("Yes") else "no")


class ScriptedTTS(tts.TTS[Any]):
    """Speaks with the synthesiser's voice and a pilot of its own."""

    def __init__(self, pilot: Pilot) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=TTS_RATE_HZ,
            num_channels=1,
        )
        self.pilot = pilot

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Spoken(tts=self, input_text=text, conn_options=conn_options)


class _Spoken(tts.ChunkedStream):
    """One text as sound."""

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        owner = self._tts
        assert isinstance(owner, ScriptedTTS)
        output_emitter.initialize(
            request_id=shortuuid("spoken_"),
            sample_rate=TTS_RATE_HZ,
            num_channels=1,
            mime_type="audio/pcm",
        )
        # The voice ends far below 12 kHz: every second sample is enough.
        voice = speak(self._input_text, owner.pilot)[::2].astype(np.float64)
        voice += pilot_tone(owner.pilot, voice.size, TTS_RATE_HZ)
        output_emitter.push(voice.astype(np.int16).tobytes())
        output_emitter.flush()
