from __future__ import annotations

import asyncio
import struct
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from livekit import rtc
from livekit.agents import AudioConfig, BuiltinAudioClip

from tests.testing.livekit.contracts.own_holds import frame, tune
from warm_transfer.testing.clauses import Findings
from warm_transfer.testing.contracts import HoldAudioContract
from warm_transfer.testing.livekit.contracts.sound import listen


def heard(make: Callable[[], object]) -> dict[str, str]:
    findings = Findings(HoldAudioContract.CLAUSES)
    listen(make, findings)
    return findings.problems


def test_what_sounds_as_it_should_has_no_problem() -> None:
    assert heard(tune) == {}
    assert heard(lambda: AudioConfig(tune(), volume=0.5)) == {}
    assert heard(lambda: BuiltinAudioClip.HOLD_MUSIC) == {}
    assert heard(lambda: None) == {}


def test_a_file_may_end_because_it_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "beep.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(struct.pack("<h", 9000) * 24_000)
    assert heard(lambda: str(path)) == {}
    path.write_bytes(b"no sound at all")
    assert "a_file_can_be_read" in heard(lambda: str(path))


def test_an_iterator_that_needs_real_time_is_heard_in_real_time() -> None:
    async def from_a_thread() -> AsyncIterator[rtc.AudioFrame]:
        while True:
            yield await asyncio.to_thread(frame)

    assert heard(from_a_thread) == {}


def test_one_that_raises_is_told_with_when() -> None:
    async def breaks() -> AsyncIterator[rtc.AudioFrame]:
        for _ in range(150):
            yield frame()
        raise OSError("the stream is gone")

    assert heard(breaks) == {
        "sound_goes_on": "it raises OSError('the stream is gone') after 1.50 s"
    }


def test_one_that_gives_nothing_is_not_waited_for() -> None:
    async def hangs() -> AsyncIterator[rtc.AudioFrame]:
        await asyncio.sleep(1e6)
        yield frame()

    assert heard(hangs) == {"sound_keeps_up": "no frame for 5 s"}
