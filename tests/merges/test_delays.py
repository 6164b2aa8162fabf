from __future__ import annotations

import numpy as np
import pytest

from tests.live.hearing import Piece
from tests.live.pilots import Pilot
from tests.live.voices import pilot_tone
from tests.merges.delays import arrivals_ms, first_heard_s, spread

FRAME = 480


def track(name: str, late_s: float, tones: dict[Pilot, tuple[float, float]]) -> list[Piece]:
    """Two seconds of a track that is heard `late_s` late, with tones from and to a time."""
    pieces = []
    for number in range(200):
        at_s = number / 100
        sound = np.zeros(FRAME)
        for pilot, (from_s, to_s) in tones.items():
            if from_s <= at_s < to_s:
                sound += pilot_tone(pilot, FRAME)
        pieces.append(Piece(name, at_s + late_s, sound.astype(np.int16)))
    return pieces


def test_a_marker_takes_as_long_as_its_frame_was_on_its_way() -> None:
    pieces = track("a", 0.12, {Pilot.CALLER: (0.0, 2.0), Pilot.CALLER_MARK: (1.0, 1.08)})
    (delay,) = arrivals_ms(pieces, Pilot.CALLER_MARK, [1.0])
    assert delay == pytest.approx(120, abs=11)


def test_a_marker_that_is_not_heard_is_left_out() -> None:
    pieces = track("a", 0.1, {Pilot.CALLER: (0.0, 2.0), Pilot.CALLER_MARK: (1.0, 1.08)})
    assert len(arrivals_ms(pieces, Pilot.CALLER_MARK, [0.1, 1.0])) == 1
    assert arrivals_ms(pieces, Pilot.HUMAN_MARK, [1.0]) == []
    assert arrivals_ms([], Pilot.HUMAN_MARK, [1.0]) == []


def test_of_two_tracks_the_first_to_be_heard_counts() -> None:
    marks = {Pilot.HUMAN_MARK: (1.0, 1.08)}
    pieces = [*track("a", 0.3, marks), *track("b", 0.05, marks)]
    (delay,) = arrivals_ms(pieces, Pilot.HUMAN_MARK, [1.0])
    assert delay == pytest.approx(50, abs=11)


def test_somebody_is_heard_from_the_second_frame_running() -> None:
    pieces = track("a", 0.1, {Pilot.HUMAN: (1.0, 2.0)})
    heard_s = first_heard_s(pieces, Pilot.HUMAN, 0.0)
    assert heard_s == pytest.approx(1.1, abs=0.021)
    assert first_heard_s(pieces, Pilot.CALLER, 0.0) is None
    assert first_heard_s(pieces, Pilot.HUMAN, 5.0) is None


def test_the_spread_is_the_median_and_the_95th_percentile() -> None:
    assert spread([float(each) for each in range(101)]) == {"p50": 50, "p95": 95}
    assert spread([]) == {"p50": None, "p95": None}
