from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tests.live.hearing import Piece
from tests.live.pilots import Pilot
from tests.live.stack.listening import RUN_FRAMES, Listening, loud_in_band
from tests.live.voices import RATE_HZ, Samples, pilot_tone

FRAME = RATE_HZ // 50
Floats = npt.NDArray[np.float64]


def voice(seconds: float, level: float = 2000.0) -> Floats:
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return level * np.sin(2 * np.pi * 440 * time)


def heard(*parts: Floats) -> Listening:
    """A track of 10 ms frames that begins at 100 s."""
    sound = np.concatenate(parts).astype(np.int16)
    frames = sound.reshape(-1, RATE_HZ // 100)
    return Listening(Piece("t", 100 + at / 100, each) for at, each in enumerate(frames))


def music(seconds: float) -> Floats:
    return pilot_tone(Pilot.MUSIC, int(seconds * RATE_HZ))


def silence(seconds: float) -> Floats:
    return np.zeros(int(seconds * RATE_HZ))


def test_the_hold_audio_and_silence_are_no_leak() -> None:
    line = heard(silence(1), music(2), silence(1))
    assert line.leaked_frames(100, 104) == 0
    assert line.music_frames(100, 104) >= 99
    assert line.phone_heard_s(100) is None


def test_a_voice_under_the_hold_audio_is_a_leak() -> None:
    line = heard(music(1), music(1) + voice(1), music(1))
    assert abs(line.leaked_frames(100, 103) - 50) <= 1
    assert line.leaked_frames(100, 101) == 0


def test_what_comes_after_the_merge_is_the_phone() -> None:
    line = heard(music(1), silence(1), voice(1))
    assert line.leaked_frames(100, 102) == 0
    at_s = line.phone_heard_s(101)
    assert at_s is not None
    assert abs(at_s - 102) <= 0.02


def test_a_voice_of_our_own_is_not_the_phone_but_a_leak() -> None:
    briefing = voice(1) + pilot_tone(Pilot.BRIEFING, RATE_HZ)
    line = heard(silence(1), briefing)
    assert line.phone_heard_s(100) is None
    assert line.leaked_frames(100, 102) >= 49


def test_the_briefings_pilot_alone_is_a_leak() -> None:
    assert heard(silence(1), pilot_tone(Pilot.BRIEFING, RATE_HZ)).leaked_frames(100, 102) >= 49


def test_a_click_and_the_noise_of_a_line_are_no_sound() -> None:
    sound = np.zeros(20 * FRAME)
    sound[3 * FRAME : (3 + RUN_FRAMES - 1) * FRAME] = voice(0.02 * (RUN_FRAMES - 1))
    noise = np.random.default_rng(1).normal(0, 40, sound.size)
    assert not loud_in_band((sound + noise).astype(np.int16)).any()


def test_nothing_heard_is_nothing() -> None:
    nothing: Samples = np.zeros(0, dtype=np.int16)
    assert loud_in_band(nothing).size == 0
    assert Listening(()).phone_heard_s(0) is None
