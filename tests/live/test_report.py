from __future__ import annotations

from typing import Any

import numpy as np

from tests.live.hearing import Hearing
from tests.live.pilots import Pilot
from tests.live.report import Evidence, make_report, summary, table
from tests.live.scenarios import SCENARIOS
from tests.live.voices import RATE_HZ, pilot_tone
from warm_transfer.states import State

FIELDS = {
    "scenario",
    "outcome",
    "timings_ms",
    "one_way_ms",
    "leaks",
    "longest_silence_ms",
    "left",
    "violations",
}


def sound(*spans: tuple[Pilot, float, float], length_s: float = 10.0) -> Hearing:
    mixed = np.zeros(int(length_s * RATE_HZ))
    for pilot, begin_s, end_s in spans:
        first, last = int(begin_s * RATE_HZ), int(end_s * RATE_HZ)
        mixed[first:last] += pilot_tone(pilot, last - first)
    return Hearing(0.0, mixed.astype(np.int16))


CALLER = ((Pilot.MUSIC, 1.2, 6.1), (Pilot.HUMAN, 6.1, 9.0), (Pilot.HUMAN_MARK, 7.1, 7.2))
HUMAN = ((Pilot.BRIEFING, 3.0, 5.0), (Pilot.CALLER, 6.1, 9.0), (Pilot.CALLER_MARK, 7.2, 7.3))


def evidence(**changes: Any) -> Evidence:
    whole: dict[str, Any] = {
        "scenario": SCENARIOS["merged"],
        "states": {
            State.HOLDING: 1.0,
            State.DIALING: 1.0,
            State.BRIEFING: 2.0,
            State.MERGING: 6.0,
            State.MERGED: 6.2,
            State.ENDED: 9.0,
        },
        "outcome": {"entered_s": 1.0, "result": "merged", "reason": "accepted", "error": None},
        "closed": {"closed": True, "left": {}},
        "caller": sound(*CALLER),
        "human": sound(*HUMAN),
        "caller_marks_s": [7.0],
        "human_marks_s": [7.0],
        "dialed_s": 1.03,
        "dials": 1,
        "answered_s": 2.0,
        "hang_up_s": 9.0,
        "human_gone_s": 9.05,
        "end_s": 9.5,
        "released_s": 9.05,
        "left_rooms": [],
        "left_participants": [],
        "left_processes": [],
    }
    return Evidence(**(whole | changes))


def violations(**changes: Any) -> list[str]:
    found: list[str] = make_report(evidence(**changes))["violations"]
    return found


def test_a_clean_call_gives_a_clean_report_with_the_fields_of_the_issue() -> None:
    report = make_report(evidence())
    assert report["violations"] == []
    assert set(report) == FIELDS
    assert report["timings_ms"]["task_to_dial"] == 30
    assert 180 <= report["timings_ms"]["task_to_hold_music"] <= 220
    assert 80 <= report["timings_ms"]["accept_to_caller_hears"] <= 120
    assert report["timings_ms"]["decision_to_caller_back"] is None
    assert report["timings_ms"]["hangup_to_release"] == 50
    assert abs(report["one_way_ms"]["human_to_caller"] - 100) <= 4
    assert abs(report["one_way_ms"]["caller_to_human"] - 200) <= 4
    assert summary(report).endswith("clean")


def test_the_briefing_at_the_caller_is_a_leak() -> None:
    heard = sound(*CALLER, (Pilot.BRIEFING, 3.0, 3.1))
    assert violations(caller=heard) == ["leak: briefing_at_caller, 5 frames"]


def test_the_humans_voice_at_the_caller_before_the_yes_is_a_leak() -> None:
    heard = sound(*CALLER, (Pilot.HUMAN, 3.0, 3.1))
    assert violations(caller=heard) == ["leak: briefing_at_caller, 5 frames"]


def test_the_caller_and_the_music_at_the_human_are_leaks() -> None:
    assert any("caller_at_human" in each for each in violations(human=sound(*HUMAN, CALLER_EARLY)))
    assert any("music_at_human" in each for each in violations(human=sound(*HUMAN, MUSIC_EARLY)))


CALLER_EARLY = (Pilot.CALLER, 3.0, 3.1)
MUSIC_EARLY = (Pilot.MUSIC, 3.0, 3.1)


def test_music_that_plays_on_after_the_merge_is_named() -> None:
    heard = sound(*CALLER, (Pilot.MUSIC, 6.1, 9.0))
    assert any(
        "hold music at the caller after the merge" in each for each in violations(caller=heard)
    )


def test_a_muted_human_is_a_silence() -> None:
    found = violations(caller=sound(CALLER[0], (Pilot.HUMAN, 6.1, 6.3)))
    assert any("caller heard nothing for 2" in each for each in found)


def test_one_way_only_is_named() -> None:
    found = violations(caller=sound(CALLER[0]))
    assert "the caller never heard the human" in found
    assert "no marker of the human reached the caller" in found


def test_what_is_left_is_counted_and_named() -> None:
    inside = {"closed": True, "left": {"tasks": ["a task"], "tracks": ["hold"], "threads": ["t"]}}
    report = make_report(evidence(closed=inside, left_rooms=["wt-1"], left_processes=["7 python"]))
    assert report["left"] == {
        "rooms": 1,
        "participants": 0,
        "tracks": 1,
        "tasks": 2,
        "processes": 1,
    }
    assert "left, tasks: a task" in report["violations"]


def test_another_outcome_a_second_dial_and_no_end_are_violations() -> None:
    other = {"entered_s": 1.0, "result": "failed", "reason": "busy", "error": "x"}
    found = violations(outcome=other, dials=2, closed=None)
    assert any("instead of merged/accepted" in each for each in found)
    assert "dialled 2 times" in found
    assert "the transfer did not say that it was closed" in found


def test_an_act_that_is_late_or_missing_is_named() -> None:
    drains = SCENARIOS["sigterm-drains"]
    assert violations(scenario=drains, acted_s=3.0) == []
    assert violations(scenario=drains, acted_s=None) == ["the application did not terminate"]
    late = violations(scenario=drains, acted_s=6.1)
    assert late == ["terminate came after merging instead of in briefing"]


def test_a_run_that_never_came_to_a_transfer_still_gives_a_report() -> None:
    nothing = Hearing(0.0, np.zeros(0, dtype=np.int16))
    report = make_report(
        evidence(
            states={},
            outcome=None,
            closed=None,
            caller=nothing,
            human=nothing,
            dialed_s=None,
            answered_s=None,
            hang_up_s=None,
        )
    )
    assert report["outcome"] == {"result": None, "reason": None}
    assert report["violations"]


def test_the_table_has_a_line_for_each_run() -> None:
    reports = [make_report(evidence()), make_report(evidence(dials=2))]
    lines = table(reports).splitlines()
    assert [line.split()[-1] for line in lines] == ["verdict", "clean", "red"]
