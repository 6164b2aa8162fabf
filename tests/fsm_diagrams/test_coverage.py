from __future__ import annotations

from dataclasses import replace

import pytest

from fsm_diagrams.coverage import cover
from fsm_diagrams.journals import Recorded
from fsm_diagrams.model import Machine
from fsm_diagrams.overlay import Look
from tests.fsm_diagrams.machines import door


def recorded(
    event: str, before: str, after: str, row: str = "", *, seq: int = 1, transfer: str = "t"
) -> Recorded:
    handling = "row" if row else "ignored"
    return Recorded(transfer, seq, None, event, (before,), (after,), handling, row, ())


LINES = (
    recorded("KNOCKED", "open", "open", seq=1),
    recorded("PUSHED", "open", "open", "open x PUSHED [wind]", seq=2),
    recorded("PUSHED", "open", "open", "open x PUSHED [wind]", seq=3),
    recorded("BURNT", "open", "gone", "open x BURNT", seq=4),
)


def test_rows_and_ignored_pairs_are_counted() -> None:
    found = cover(door(), LINES)
    assert found.rows == {
        "open x PUSHED [no wind]": 0,
        "open x PUSHED [wind]": 2,
        "open x BURNT": 1,
        "shut x BURNT": 0,
    }
    assert found.ignored == {("open", "KNOCKED"): 1}
    assert [edge.id for edge in found.uncovered] == ["open x PUSHED [no wind]", "shut x BURNT"]
    assert (found.percent, found.pairs_percent) == (50.0, 100.0)


def test_a_run_is_counted_once_in_each_journal() -> None:
    assert cover(door(), LINES).runs == 1
    other = [replace(line, transfer="u") for line in LINES]
    assert cover(door(), [*LINES, *other, *LINES]).runs == 3
    assert cover(door(), [*LINES, *other]).lines == 8


def test_stale_events_cover_nothing() -> None:
    stale = replace(LINES[0], handling="stale")
    assert cover(door(), [stale]).never_ignored == door().ignored


def test_an_event_ignored_for_want_of_a_condition_is_no_pair() -> None:
    nowhere = recorded("PUSHED", "open", "open")
    assert sum(cover(door(), [nowhere]).ignored.values()) == 0


def test_a_machine_without_rows_is_covered() -> None:
    empty = Machine.of("m", [], [], [], [])
    assert (cover(empty, []).percent, cover(empty, []).pairs_percent) == (100.0, 100.0)


def test_the_paint_has_counts_and_marks_what_was_never_taken() -> None:
    paint = cover(door(), LINES).paint()
    assert paint.edges["open x BURNT"] == Look("plain", text="1x")
    assert paint.edges["shut x BURNT"] == Look("uncovered", dashed=True, text="never")
    assert set(paint.states) == {"shut"}
    assert paint.title == "door: 50.0 % of the rows taken"


@pytest.mark.parametrize("share", [0, 1])
def test_a_state_that_was_entered_is_not_marked(share: int) -> None:
    pushed = recorded("PUSHED", "open", "shut", "open x PUSHED [no wind]")
    assert ("shut" in cover(door(), [pushed] * share).paint().states) is not bool(share)
