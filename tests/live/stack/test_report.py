from __future__ import annotations

from typing import Any, cast

import pytest

from tests.live.stack.call import Evidence
from tests.live.stack.listening import Listening
from tests.live.stack.report import faults_of, figures_of, report_of, table
from tests.live.stack.watching import Leg
from warm_transfer.states import State

LEG = Leg("consult", "active", has_track=True, callers_track="the agent's relay")


class Heard:
    """What somebody heard, as a test says."""

    def __init__(self, *, leaked: int = 0, music: int = 200, phone_s: float | None = 15.3) -> None:
        self.asked: list[tuple[float, float]] = []
        self._leaked, self._music, self._phone_s = leaked, music, phone_s

    def leaked_frames(self, from_s: float, to_s: float) -> int:
        self.asked.append((from_s, to_s))
        return self._leaked

    def music_frames(self, from_s: float, to_s: float) -> int:
        self.asked.append((from_s, to_s))
        return self._music

    def phone_heard_s(self, from_s: float) -> float | None:
        assert from_s == 15.0
        return self._phone_s


def clean(**changes: Any) -> Evidence:
    heard = changes.pop("heard", Heard())
    evidence = Evidence(
        "relay",
        outcome={
            "result": "merged",
            "reason": "accepted",
            "strategy": "relay",
            "detail": None,
            "entered_s": 10.0,
            "sent_s": 10.05,
        },
        states={State.HOLDING: 10.1, State.BRIEFING: 12.05, State.MERGED: 15.2},
        accepted_s=15.0,
        heard=cast("Listening", heard),
        leg=LEG,
        hang_up_s=20.0,
        leg_gone_s=20.25,
        closed=True,
    )
    for name, value in changes.items():
        setattr(evidence, name, value)
    return evidence


def test_a_clean_call_has_its_times_and_no_fault() -> None:
    evidence = clean()
    figures = figures_of(evidence)
    assert figures["timings_ms"] == {
        "await_to_request": 50,
        "request_to_answer": 2000,
        "accept_to_merged": 200,
        "accept_to_caller_hears": 300,
        "hangup_to_leg_gone": 250,
    }
    assert figures["merged_by"] == "relay"
    assert figures["phone_leg"]["callers_track"] == "the agent's relay"
    assert faults_of(figures, []) == []


def test_a_leak_is_looked_for_from_the_hold_to_the_acceptance() -> None:
    heard = Heard()
    figures_of(clean(heard=heard))
    assert set(heard.asked) == {(10.1, 15.0)}


FAILED = {"result": "failed", "reason": "busy", "entered_s": 10.0, "sent_s": 10.1}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"heard": Heard(leaked=7)}, "140 ms that are no hold audio"),
        ({"heard": Heard(music=0)}, "heard no hold audio"),
        ({"heard": Heard(phone_s=None)}, "heard nothing of the phone"),
        ({"leg": None}, "did not know the phone's leg"),
        ({"leg": Leg("consult", "active", has_track=False, callers_track="x")}, "no sound"),
        (
            {"leg": Leg("consult", "active", has_track=True, callers_track=None)},
            "brought the caller's sound",
        ),
        ({"leg_gone_s": None}, "still there 10 s after"),
        ({"closed": False}, "nothing was left"),
        (
            {"rooms_left": ["the consult room"], "participants_left": 2},
            "the consult room, with 2 in it",
        ),
        ({"faults": ["it rained"]}, "it rained"),
        ({"outcome": FAILED}, "it ended as failed (busy)"),
    ],
)
def test_each_fault_is_named(changes: dict[str, Any], fault: str) -> None:
    evidence = clean(**changes)
    (found,) = faults_of(figures_of(evidence), evidence.faults)
    assert fault in found


def test_a_call_that_never_began_has_no_figures_and_is_red() -> None:
    report = report_of({"relay": Evidence("relay", faults=["no agent"])}, {}, "ws://x")
    figures = report["strategies"]["relay"]
    assert figures["caller_before_merge"] == {"music_frames": None, "leaked_frames": None}
    assert "relay: no agent" in report["faults"]
    assert "red" in table(report)


def test_the_table_has_a_line_for_each_that_ran_and_the_reason_of_each_that_did_not() -> None:
    report = report_of({"relay": clean()}, {"move": "only the cloud can"}, "ws://x")
    lines = table(report).splitlines()
    assert lines[0].split()[:3] == ["strategy", "outcome", "merged"]
    assert lines[1].startswith("relay")
    assert lines[1].endswith("clean")
    assert "merged/accepted" in lines[1]
    assert "move was not run: only the cloud can" in lines
    assert "shared_room was not run: it was not asked for" in lines
    assert report["faults"] == []
