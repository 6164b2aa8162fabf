from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.live.hearing import FRAME_S, Detector, Hearing, Piece, assemble, delays_ms
from tests.live.pilots import FREQUENCY_HZ, VOICE_CUTOFF_HZ, Pilot
from tests.live.voices import RATE_HZ, Samples, pilot_tone, speak

SECOND = RATE_HZ
START_S = 1000.0
BUT_MARKS = (Pilot.CALLER, Pilot.HUMAN, Pilot.AGENT, Pilot.BRIEFING, Pilot.MUSIC)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SECOND), dtype=np.int16)


def tone(pilot: Pilot, seconds: float, level: float = 1.0) -> Samples:
    return (level * pilot_tone(pilot, int(seconds * SECOND))).astype(np.int16)


def hearing(*parts: Samples) -> Hearing:
    return Hearing(START_S, np.concatenate(parts))


def test_pilots_stand_apart_and_above_the_voices() -> None:
    tones = sorted(FREQUENCY_HZ.values())
    assert tones[0] >= VOICE_CUTOFF_HZ + 700
    assert tones[-1] < 8000
    assert all(tone % 100 == 0 for tone in tones)
    assert all(high - low >= 400 for low, high in itertools.pairwise(tones))


@pytest.mark.parametrize("pilot", list(Pilot))
def test_each_pilot_is_attributed_to_its_own_source_only(pilot: Pilot) -> None:
    heard = hearing(silence(0.5), tone(pilot, 1.0), silence(0.5))
    assert heard.frames_of(pilot) == 50
    assert heard.frames_of(*(other for other in Pilot if other is not pilot)) <= 2


def test_every_pilot_is_found_in_a_mixture_with_a_voice() -> None:
    voice = speak("This is somebody else talking all the time.", Pilot.HUMAN)
    mixed = voice.astype(np.float64)
    for pilot in BUT_MARKS:
        mixed += pilot_tone(pilot, voice.size)
    heard = Hearing(START_S, mixed.astype(np.int16))
    for pilot in BUT_MARKS:
        assert heard.frames_of(pilot) == voice.size // 960


@pytest.mark.parametrize("level", [0.3, 1.0, 2.0])
def test_a_pilot_is_found_at_any_level_it_may_arrive_with(level: float) -> None:
    assert hearing(tone(Pilot.CALLER, 1.0, level)).frames_of(Pilot.CALLER) == 50


@pytest.mark.parametrize("speaker", [Pilot.CALLER, Pilot.HUMAN, Pilot.AGENT])
def test_a_voice_without_a_pilot_is_no_leak(speaker: Pilot) -> None:
    voice = speak("She sells six thick sea shells, yes, exactly so.", speaker)
    assert voice.size > SECOND
    assert Hearing(START_S, voice).frames_of(*Pilot) == 0


def test_noise_and_clicks_are_attributed_to_nobody() -> None:
    noise = np.random.default_rng(1).normal(0, 400, 2 * SECOND)
    noise[SECOND] = 30000
    assert Hearing(START_S, noise.astype(np.int16)).frames_of(*Pilot) == 0


def test_first_and_last_say_when_a_pilot_was_heard() -> None:
    heard = hearing(silence(0.5), tone(Pilot.MUSIC, 1.0), silence(0.5), tone(Pilot.MUSIC, 0.5))
    assert heard.first_s(Pilot.MUSIC) == pytest.approx(START_S + 0.5, abs=FRAME_S)
    assert heard.last_s(Pilot.MUSIC) == pytest.approx(START_S + 2.5, abs=FRAME_S)
    again_s = heard.first_s(Pilot.MUSIC, from_s=START_S + 1.6)
    assert again_s == pytest.approx(START_S + 2.0, abs=FRAME_S)
    assert heard.first_s(Pilot.HUMAN) is None
    assert heard.last_s(Pilot.HUMAN) is None


def test_the_first_sound_is_one_that_lasts_whoever_makes_it() -> None:
    click = np.full(960, 3000, dtype=np.int16)
    rest = (speak("Any sound will do.", Pilot.HUMAN)[:48_000], tone(Pilot.MUSIC, 1.0))
    heard = hearing(silence(0.5), click, silence(0.48), tone(Pilot.MUSIC, 1.0), *rest)
    assert heard.first_sound_s(5) == pytest.approx(START_S + 1.0, abs=FRAME_S)
    assert heard.first_sound_s(1) == pytest.approx(START_S + 0.5, abs=FRAME_S)
    assert heard.first_sound_s(5, from_s=START_S + 1.4) == pytest.approx(START_S + 1.4, abs=FRAME_S)
    assert hearing(silence(1.0)).first_sound_s(5) is None
    assert hearing(silence(0.04)).first_sound_s(5) is None


def test_frames_are_counted_only_in_the_time_asked_for() -> None:
    heard = hearing(tone(Pilot.HUMAN, 2.0))
    assert heard.frames_of(Pilot.HUMAN, from_s=START_S + 0.5, to_s=START_S + 1.5) == 50
    assert heard.frames_of(Pilot.HUMAN, to_s=START_S - 1) == 0


def test_silence_is_neither_sound_nor_pilot() -> None:
    voice = speak("Good morning.", Pilot.HUMAN)[: SECOND // 2]
    heard = hearing(voice, silence(1.2), tone(Pilot.MUSIC, 0.3), silence(0.4))
    until_s = START_S + heard.samples.size / RATE_HZ
    assert heard.longest_silence_ms(START_S, until_s) == pytest.approx(1200, abs=60)


def test_faint_noise_is_silence() -> None:
    hiss = np.random.default_rng(2).normal(0, 20, 2 * SECOND).astype(np.int16)
    assert Hearing(START_S, hiss).longest_silence_ms(START_S, START_S + 2) == 2000


def test_time_without_a_recording_is_silence() -> None:
    heard = hearing(tone(Pilot.MUSIC, 1.0))
    assert heard.longest_silence_ms(START_S - 3, START_S + 1) == pytest.approx(3000, abs=20)
    assert heard.longest_silence_ms(START_S, START_S + 5) == pytest.approx(4000, abs=20)
    assert heard.longest_silence_ms(START_S + 2, START_S + 5) >= 3000
    assert Hearing(*assemble([])).longest_silence_ms(START_S, START_S + 5) >= 5000


@pytest.mark.parametrize("delay_s", [0.0412, 0.1503, 0.3007])
def test_a_marker_tells_the_delay_to_a_few_milliseconds(delay_s: float) -> None:
    sound = tone(Pilot.HUMAN, 4.0).astype(np.float64)
    sent_s = [START_S + 0.5, START_S + 1.5, START_S + 2.5]
    for at_s in sent_s:
        place = int((at_s + delay_s - START_S) * RATE_HZ)
        sound[place : place + 3840] += pilot_tone(Pilot.HUMAN_MARK, 3840)
    heard = Hearing(START_S, sound.astype(np.int16))
    delays = delays_ms(heard, Pilot.HUMAN_MARK, sent_s)
    assert delays == pytest.approx([1000 * delay_s] * 3, abs=4)


def test_a_marker_that_is_not_heard_gives_no_delay() -> None:
    heard = hearing(tone(Pilot.HUMAN, 2.0))
    assert delays_ms(heard, Pilot.CALLER_MARK, [START_S + 0.5, START_S + 9]) == []


def frames(track: str, sound: Samples, arrivals_s: list[float]) -> list[Piece]:
    return [
        Piece(track, at_s, sound[index * 480 : index * 480 + 480])
        for index, at_s in enumerate(arrivals_s)
    ]


def test_late_bursts_do_not_tear_the_sound() -> None:
    sound = tone(Pilot.CALLER, 1.0)
    steady = [START_S + index * 0.01 for index in range(100)]
    # Eight frames are held up for 80 ms and then come all at once.
    bursts = [START_S + 0.48 if 40 <= index < 48 else at_s for index, at_s in enumerate(steady)]
    start_s, mixed = assemble(frames("a", sound, bursts))
    assert start_s == START_S
    assert np.array_equal(mixed, sound)


def test_a_pause_of_a_track_stays_a_pause() -> None:
    sound = tone(Pilot.CALLER, 1.0)
    arrivals = [START_S + index * 0.01 + (2.0 if index >= 50 else 0.0) for index in range(100)]
    heard = Hearing(*assemble(frames("a", sound, arrivals)))
    assert heard.longest_silence_ms(START_S, START_S + 3) == pytest.approx(2000, abs=40)
    assert heard.frames_of(Pilot.CALLER) >= 49


def test_tracks_are_mixed_where_they_were_heard() -> None:
    music, human = tone(Pilot.MUSIC, 1.0), tone(Pilot.HUMAN, 1.0)
    begin = [START_S + index * 0.01 for index in range(100)]
    later = [at_s + 0.5 for at_s in begin]
    heard = Hearing(*assemble(frames("m", music, begin) + frames("h", human, later)))
    assert heard.frames_of(Pilot.MUSIC) == 50
    first_s = heard.first_s(Pilot.HUMAN)
    assert first_s == pytest.approx(START_S + 0.5, abs=FRAME_S)


def test_the_detector_takes_no_frames_at_all() -> None:
    assert Detector().present(np.zeros((0, 960), dtype=np.int16)).shape == (0, len(Pilot))
