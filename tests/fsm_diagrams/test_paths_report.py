from __future__ import annotations

from fsm_diagrams.paths_report import paths_report
from fsm_diagrams.routes import Routes, paths
from tests.fsm_diagrams.machines import door


def test_a_path_is_a_line_of_states() -> None:
    assert paths_report(door(), paths(door())).text() == (
        "Paths of door: 2 paths.\n\nTo gone (2):\n  open -> gone\n  open -> shut -> gone\n"
    )


def test_by_row_the_events_stand_between_the_states() -> None:
    text = paths_report(door(), paths(door(), rows=True), rows=True).text()
    assert "  open, PUSHED [no wind] -> shut, BURNT -> gone\n" in text


def test_what_was_cut_off_is_said_at_the_top_and_in_its_place() -> None:
    text = paths_report(door(), paths(door(), limit=1)).text()
    assert text.startswith("Paths of door: 1 path. Cut off at the limit: there may be more to gone")
    assert "To gone (1 or more):\n  open -> gone\n  ... and maybe more" in text


def test_no_path_is_said() -> None:
    text = paths_report(door(), [Routes("moon", (), complete=True)]).text()
    assert text == "Paths of door: 0 paths.\n\nTo moon (0):\n  none: nothing leads there\n"
