from __future__ import annotations

from fsm_diagrams.coverage import cover
from fsm_diagrams.coverage_report import coverage_report
from tests.fsm_diagrams.machines import door
from tests.fsm_diagrams.test_coverage import LINES


def test_what_was_taken_and_what_was_not() -> None:
    assert coverage_report(cover(door(), LINES[1:])).text() == (
        "Coverage of door: 2 of 4 rows taken (50.0 %), 0 of 1 ignored pairs seen (0.0 %), "
        "in 1 run of 3 lines.\n\n"
        "Rows never taken:\n  open x PUSHED [no wind]\n  shut x BURNT\n\n"
        "Pairs never seen:\n  open x KNOCKED (useless)\n\n"
        "Rows taken:\n       2  open x PUSHED [wind]\n       1  open x BURNT\n"
    )
