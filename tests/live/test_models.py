from __future__ import annotations

import numpy as np
import pytest
from livekit import rtc
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, llm

from tests.live.hearing import Hearing
from tests.live.models import ScriptedLLM, ScriptedSTT, ScriptedTTS, real_vad
from tests.live.pilots import Pilot
from tests.live.scenarios import HELLO, MAILBOX, NO, YES, Reply
from tests.live.voices import FRAME, RATE_HZ, pilot_tone, speak
from warm_transfer.livekit.phrases import ENGLISH
from warm_transfer.livekit.prompts import data_lines

pytestmark = pytest.mark.asyncio


async def test_the_recogniser_gives_its_lines_in_order_and_then_nothing() -> None:
    recogniser = ScriptedSTT(("one", "two"))
    silence = rtc.AudioFrame.create(RATE_HZ, 1, FRAME)
    heard = [(await recogniser.recognize(silence)).alternatives[0].text for _ in range(3)]
    assert heard == ["one", "two", ""]


@llm.function_tool
async def connect_to_caller() -> None:
    """A tool, so that the model talks; without one it judges."""


async def answer(model: ScriptedLLM, chat: llm.ChatContext) -> llm.CollectedResponse:
    return await model.chat(chat_ctx=chat, tools=[connect_to_caller]).collect()


async def test_the_model_answers_the_last_thing_it_was_told() -> None:
    model = ScriptedLLM((Reply("Hello", says="Good day."), Reply("Yes", calls="connect_to_caller")))
    chat = llm.ChatContext.empty()
    chat.add_message(role="user", content="Hello?")
    assert (await answer(model, chat)).text == "Good day."
    chat.add_message(role="user", content="Yes, do.")
    called = await answer(model, chat)
    assert called.text == ""
    assert [call.name for call in called.tool_calls] == ["connect_to_caller"]
    chat.add_message(role="user", content="Whatever.")
    assert not (await answer(model, chat)).tool_calls


@pytest.mark.parametrize(
    ("said", "verdict"), [(YES, "yes"), (HELLO, "no"), (NO, "no"), (MAILBOX, "no")]
)
async def test_the_model_judges_the_last_words_when_it_has_no_tools(
    said: str, verdict: str
) -> None:
    chat = llm.ChatContext.empty()
    chat.add_message(role="system", content=ENGLISH.consent)
    chat.add_message(role="user", content="\n".join(data_lines([{"said": YES}, {"said": said}])))
    answered = await ScriptedLLM(()).chat(chat_ctx=chat).collect()
    assert answered.text == verdict


async def test_a_spoken_line_carries_the_voice_and_its_pilot() -> None:
    stream = ScriptedTTS(Pilot.BRIEFING).synthesize(
        "A caller is waiting.", conn_options=DEFAULT_API_CONNECT_OPTIONS
    )
    frame = await stream.collect()
    await stream.aclose()
    assert frame.sample_rate == 24_000
    sound = np.repeat(np.frombuffer(frame.data, dtype=np.int16), 2)
    heard = Hearing(0.0, sound)
    assert heard.frames_of(Pilot.BRIEFING) >= sound.size // 960 - 1
    assert heard.frames_of(Pilot.AGENT, Pilot.CALLER, Pilot.HUMAN) == 0


async def test_a_real_vad_hears_the_words_and_not_the_pilot() -> None:
    words = speak("Yes, put them through.", Pilot.HUMAN)
    pause = np.zeros(RATE_HZ, dtype=np.int16)
    line = np.concatenate((pause, words, pause)).astype(np.float64)
    line += pilot_tone(Pilot.HUMAN, line.size)
    samples = line.astype(np.int16)
    stream = real_vad().stream()
    for at in range(0, samples.size - FRAME, FRAME):
        stream.push_frame(rtc.AudioFrame(samples[at : at + FRAME].tobytes(), RATE_HZ, 1, FRAME))
    stream.end_input()
    events = [event async for event in stream if event.type.value != "inference_done"]
    await stream.aclose()
    assert [event.type.value for event in events] == ["start_of_speech", "end_of_speech"]
    spoken_s = words.size / RATE_HZ
    assert events[0].timestamp == pytest.approx(1.0, abs=0.3)
    assert events[1].timestamp == pytest.approx(1.0 + spoken_s + 0.2, abs=0.3)
