from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.live.hearing import Hearing
from tests.live.pilots import FREQUENCY_HZ, VOICE_CUTOFF_HZ, Pilot
from tests.live.voices import RATE_HZ, SPEAKERS, pilot_tone, speak, write_music, write_tone


@pytest.mark.parametrize("pilot", list(SPEAKERS))
def test_a_voice_is_loud_and_leaves_the_band_of_the_pilots_clean(pilot: Pilot) -> None:
    voice = speak("Six thick sea shells.", pilot).astype(np.float64)
    spectrum = np.abs(np.fft.rfft(voice * np.hanning(voice.size)))
    hertz = np.fft.rfftfreq(voice.size, 1 / RATE_HZ)
    assert np.abs(voice).max() > 8000
    above = spectrum[hertz > min(FREQUENCY_HZ.values()) - 200].max()
    assert above < spectrum[hertz < VOICE_CUTOFF_HZ].max() / 1000


def test_a_voice_comes_in_whole_frames_without_a_silent_head() -> None:
    voice = speak("Hello?", Pilot.HUMAN)
    assert voice.size % 480 == 0
    assert np.abs(voice[:960]).max() > 100


def test_voices_differ() -> None:
    words = "Hello, who is there?"
    assert not np.array_equal(speak(words, Pilot.CALLER), speak(words, Pilot.HUMAN))


def test_pilots_are_seamless_from_frame_to_frame() -> None:
    for pilot in Pilot:
        two = pilot_tone(pilot, 960)
        assert np.allclose(two[:480], two[480:], atol=1e-6)
        assert pilot_tone(pilot, 240, 24_000).size == 240


def sound_of(path: Path) -> npt.NDArray[np.int16]:
    with wave.open(str(path)) as source:
        assert (source.getframerate(), source.getnchannels()) == (RATE_HZ, 1)
        return np.frombuffer(source.readframes(source.getnframes()), dtype=np.int16)


def test_the_music_is_there_at_once_and_never_pauses(tmp_path: Path) -> None:
    path = tmp_path / "music.wav"
    write_music(path)
    sound = sound_of(path)
    heard = Hearing(0.0, np.concatenate((sound, sound)))
    assert heard.frames_of(Pilot.MUSIC) == 1000
    assert heard.longest_silence_ms(0.0, 20.0) == 0


def test_the_tone_has_nothing_where_voices_are(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    write_tone(path)
    sound = sound_of(path)
    assert Hearing(0.0, sound).frames_of(Pilot.MUSIC) == 500
    spectrum = np.abs(np.fft.rfft(sound[:RATE_HZ]))
    assert spectrum[:VOICE_CUTOFF_HZ].max() < spectrum.max() / 1000
