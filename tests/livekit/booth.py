"""A booth: a real ``AgentSession`` talks to the human, everything around it is simulated.

It has no room: its ear is a recogniser that is told what it hears, its voice ends as soon as its
sound would have been played.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    AgentSession,
    APIConnectOptions,
    stt,
    tts,
)
from livekit.agents.language import LanguageCode
from livekit.agents.utils import shortuuid
from livekit.agents.voice.io import AudioOutput, AudioOutputCapabilities

from tests.livekit.realtime import RATE_HZ, FakeRealtimeModel, frames
from warm_transfer.livekit.briefing import ConsultOptions
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.application import Quiet
from warm_transfer.testing.livekit.play import Result, Stage, play
from warm_transfer.testing.livekit.script import Scenario

__all__ = ["Booth", "HearingSTT", "PlainTTS", "Speaker", "consult"]

QUIET_S = 0.6
"""After this long without a word it is the other one's turn."""
SECONDS_PER_CHARACTER = 0.05


class HearingSTT(stt.STT[Any]):
    """Hears what it is told to hear."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self.streams: list[_Hearing] = []

    def hear(self, words: str) -> None:
        self.streams[-1].words.put_nowait(words)

    def stream(
        self,
        *,
        language: Any = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        del language
        stream = _Hearing(stt=self, conn_options=conn_options)
        self.streams.append(stream)
        return stream

    async def _recognize_impl(self, *_: Any, **__: Any) -> stt.SpeechEvent:
        raise NotImplementedError("it streams")


class _Hearing(stt.RecognizeStream):
    def __init__(self, **options: Any) -> None:
        self.words: asyncio.Queue[str] = asyncio.Queue()
        super().__init__(**options)

    async def _run(self) -> None:
        kinds = stt.SpeechEventType
        while True:
            text = await self.words.get()
            data = stt.SpeechData(language=LanguageCode("en"), text=text, confidence=1.0)
            self._event_ch.send_nowait(stt.SpeechEvent(type=kinds.START_OF_SPEECH))
            heard = stt.SpeechEvent(type=kinds.FINAL_TRANSCRIPT, alternatives=[data])
            self._event_ch.send_nowait(heard)
            self._event_ch.send_nowait(stt.SpeechEvent(type=kinds.END_OF_SPEECH))


class PlainTTS(tts.TTS[Any]):
    """Says everything at the same pace; keeps what it was given to say."""

    def __init__(self) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE_HZ, num_channels=1
        )
        self.said: list[str] = []

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        self.said.append(text)
        return _Spoken(tts=self, input_text=text, conn_options=conn_options)


class _Spoken(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=shortuuid("spoken_"),
            sample_rate=RATE_HZ,
            num_channels=1,
            mime_type="audio/pcm",
        )
        for frame in frames(len(self._input_text) * SECONDS_PER_CHARACTER):
            output_emitter.push(bytes(frame.data))
        output_emitter.flush()


class Speaker(AudioOutput):
    """Takes as long as the sound is."""

    def __init__(self) -> None:
        super().__init__(label="speaker", capabilities=AudioOutputCapabilities(pause=False))
        self._length_s = 0.0
        self._began_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        now_s = asyncio.get_running_loop().time()
        if self._began_s is None:
            self._began_s = now_s
            self.on_playback_started(created_at=now_s)
        self._length_s += frame.duration

    def flush(self) -> None:
        super().flush()
        if self._began_s is not None:
            loop = asyncio.get_running_loop()
            left_s = max(0.0, self._began_s + self._length_s - loop.time())
            self._timer = loop.call_later(left_s, self._end)

    def clear_buffer(self) -> None:
        if self._began_s is not None:
            self._end(interrupted=True)

    def _end(self, *, interrupted: bool = False) -> None:
        if self._timer is not None:
            self._timer.cancel()
        length_s, self._length_s, self._began_s, self._timer = self._length_s, 0.0, None, None
        self.on_playback_finished(playback_position=length_s, interrupted=interrupted)


class Booth:
    """The consult session, and the human in front of it."""

    def __init__(self, options: dict[str, Any], script: Callable[[Booth], Awaitable[None]]) -> None:
        self.session: AgentSession[Any] = AgentSession(**options)
        self._script = script
        self._task: asyncio.Task[None] | None = None
        self.input, self.output = self.session.input, self.session.output
        self.say, self.generate_reply = self.session.say, self.session.generate_reply
        self.interrupt, self.on, self.off = (
            self.session.interrupt,
            self.session.on,
            self.session.off,
        )
        self.closed = False
        self.session.on("close", self._leave)

    @property
    def llm(self) -> Any:
        return self.session.llm

    @property
    def tts(self) -> Any:
        return self.session.tts

    async def start(self, agent: Any, *, room: Any, room_options: Any, record: bool) -> None:
        del room, room_options
        self.session.input.audio = Quiet(label="ear")
        self.session.output.audio = Speaker()
        await self.session.start(agent, record=record)
        self._task = asyncio.get_running_loop().create_task(self._play(), name="sim: human")

    async def aclose(self) -> None:
        self._leave()
        await self.session.aclose()

    def _leave(self, _event: object = None) -> None:
        """The session is over; there is nobody to talk to."""
        self.closed = True
        if self._task is not None:
            self._task.cancel()

    async def _play(self) -> None:
        while not self.session.input.audio_enabled:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.05)
        await self._script(self)

    # What a script does.

    def hears(self, words: str) -> None:
        """The human says something."""
        if self.closed or not self.session.input.audio_enabled:
            return
        if isinstance(self.llm, FakeRealtimeModel):
            self.llm.sessions[-1].hear(words)
        else:
            self.session.stt.hear(words)  # type: ignore[union-attr]  # ours

    async def quiet(self) -> None:
        """Return when the agent has said what it has to say."""
        still_s = 0.0
        while still_s < QUIET_S and not self.closed:
            await asyncio.sleep(0.1)
            still_s = still_s + 0.1 if self.session.agent_state == "listening" else 0.0


async def consult(
    options: ConsultOptions,
    script: Callable[[Booth], Awaitable[None]],
    policy: TransferPolicy | None = None,
) -> tuple[Result, list[Booth]]:
    """A whole transfer whose human is talked to in a booth."""
    stage = Stage(Scenario())
    booths: list[Booth] = []

    def booth(given: Any) -> Any:
        booths.append(Booth(dict(given), script))
        return booths[-1]

    sdk: Any = stage.sdk
    sdk.consult_session = booth
    policy = policy or TransferPolicy(decision_timeout_s=30.0)
    return await play(stage.scenario, policy=policy, consult=options, stage=stage), booths
