from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.compare.facts import Facts, run_of, words_of
from tests.compare.scenes import LIMIT_S, SCENES, Owed, Time
from warm_transfer.livekit.result import TransferFailed
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.states import State

GOOD = Facts(
    entered_s=10.0,
    dialled_s=10.05,
    music_s=10.2,
    decided_s=20.0,
    back_s=20.1,
    released_s=20.3,
    returned_s=20.05,
    told="ToolError: human agent declined to connect: busy",
)
DECLINE = SCENES["decline"]


def test_everything_that_is_owed_and_came_is_seen_and_timed() -> None:
    run = run_of(DECLINE, GOOD)
    assert all(run.owed.values())
    assert run.owed.keys() == set(DECLINE.owed)
    assert run.times_ms == {
        Time.DIAL: 50.0,
        Time.MUSIC: 200.0,
        Time.BACK: 100.0,
        Time.RELEASE: 300.0,
    }
    assert run.said == (
        "the caller is back; the human is let go;"
        " the await gives `ToolError: human agent declined to connect: busy`"
    )


@pytest.mark.parametrize(
    ("change", "owed"),
    [
        ({"back_s": None}, Owed.BACK),
        ({"back_s": 20.0 + LIMIT_S + 0.1}, Owed.BACK),
        ({"released_s": None}, Owed.RELEASED),
        ({"returned_s": None}, Owed.ENDED),
        ({"told": "ToolError: could not dial human agent"}, Owed.REASON),
        ({"left": ["a room"]}, Owed.CLEAN),
    ],
)
def test_what_did_not_come_is_not_seen(change: dict[str, Any], owed: Owed) -> None:
    run = run_of(DECLINE, replace(GOOD, **change))
    assert [each for each, seen in run.owed.items() if not seen] == [owed]


def test_a_run_that_never_came_to_its_end_shows_nothing() -> None:
    run = run_of(DECLINE, replace(GOOD, decided_s=None))
    assert not any(run.owed[owed] for owed in (Owed.BACK, Owed.RELEASED, Owed.ENDED))
    assert run.times_ms[Time.BACK] is None
    assert not run.decided
    assert run_of(DECLINE, GOOD).decided


def test_a_call_that_ended_settles_the_caller_too() -> None:
    scene = SCENES["human-leaves-merging"]
    facts = replace(GOOD, back_s=None, call_over_s=20.4, told="TransferFailed: human_left")
    run = run_of(scene, facts)
    assert run.owed[Owed.SETTLED]
    assert run.times_ms[Time.BACK] == 400.0
    assert run.said.startswith("the caller's call ends; ")
    assert not run_of(scene, replace(facts, call_over_s=None)).owed[Owed.SETTLED]


def test_who_is_put_through_hears_and_the_human_is_let_go_after_the_hang_up() -> None:
    scene = SCENES["accepted"]
    facts = replace(GOOD, heard_s=20.2, hung_up_s=30.0, released_s=30.1, told="WarmTransferResult")
    run = run_of(scene, facts)
    assert all(run.owed.values())
    assert (run.times_ms[Time.HEARD], run.times_ms[Time.RELEASE]) == (200.0, 100.0)
    assert run.said == (
        "they hear each other; the human is let go; the await gives `WarmTransferResult`"
    )
    alone = run_of(scene, replace(facts, heard_s=None, released_s=30.0 + LIMIT_S + 0.1))
    assert [each for each, seen in alone.owed.items() if not seen] == [Owed.HEARD, Owed.RELEASED]
    assert alone.said.startswith("they do not hear each other; the human is not let go")
    before = run_of(scene, replace(facts, released_s=29.0))
    assert before.times_ms[Time.RELEASE] is None


def test_what_is_said_names_what_is_missing() -> None:
    facts = Facts(decided_s=1.0, left=["a room with 2 in it", "1 track"])
    assert run_of(DECLINE, facts).said == (
        "the caller stays on hold; the human is not let go; the await does not end;"
        " left behind: a room with 2 in it, 1 track"
    )


def test_words_are_those_of_the_error_its_reason_and_its_causes() -> None:
    outcome = TransferOutcome(result=State.FAILED, reason=Reason.BUSY, transfer_id="t")
    error = TransferFailed(outcome)
    error.__cause__ = ValueError("486 Busy Here. Try later.")
    assert words_of(error) == (
        "TransferFailed: could not dial human agent: busy [busy] ← ValueError: 486 Busy Here"
    )
    assert words_of(TimeoutError()) == "TimeoutError"
    assert words_of(None) == ""
