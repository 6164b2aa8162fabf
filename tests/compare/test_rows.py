from __future__ import annotations

import json

from tests.compare.rows import HELD, Row, hole_row, read_row, scene_row
from tests.compare.scenes import SCENES
from tests.compare.verdict import Shown, Spread, Verdict

HOLDS = Shown(owed={HELD: True}, said="held")
FAILS = Shown(owed={HELD: False}, said="not held")
BUSY = SCENES["busy"]


def in_time(back_ms: float | None) -> Shown:
    spread = None if back_ms is None else Spread(back_ms, back_ms - 1, back_ms + 1)
    return Shown(owed={"it": True}, said="", times_ms={"back": spread}, runs=3)


def test_a_hole_is_better_when_only_ours_holds() -> None:
    row = hole_row("H1", "Somebody is left.", FAILS, HOLDS)
    assert row.verdict is Verdict.BETTER
    assert row.name == "H1"
    assert hole_row("H1", "", HOLDS, HOLDS).verdict is Verdict.EQUAL
    assert hole_row("H1", "", HOLDS, FAILS).verdict is Verdict.BEHIND


def test_a_hole_that_cannot_be_played_says_why_and_ours_must_hold_it_all_the_same() -> None:
    row = hole_row("H1", "", None, HOLDS, reason="needs the cloud")
    assert (row.verdict, row.because) == (Verdict.NOT_DRIVABLE, "needs the cloud")
    assert hole_row("H1", "", None, FAILS, reason="x").verdict is Verdict.BEHIND


def test_a_moving_server_can_only_make_it_worse_for_us() -> None:
    ours = in_time(100)
    assert scene_row(BUSY, "real", in_time(300), ours, in_time(300)).verdict is Verdict.BETTER
    behind = scene_row(BUSY, "real", in_time(300), ours, in_time(10))
    assert behind.verdict is Verdict.BEHIND
    assert "where the server can move participants, behind: slower: back" in behind.because
    better = scene_row(BUSY, "real", in_time(300), ours, in_time(100))
    assert better.verdict is Verdict.BETTER


def test_the_noise_depends_on_the_place() -> None:
    assert scene_row(BUSY, "real", in_time(100), in_time(130)).verdict is Verdict.EQUAL
    assert scene_row(BUSY, "simulated", in_time(100), in_time(130)).verdict is Verdict.BEHIND


def test_a_row_is_read_back_as_it_was_written() -> None:
    rows: list[Row] = [
        hole_row("H1", "t", None, HOLDS, reason="r"),
        scene_row(BUSY, "real", in_time(None), in_time(1), in_time(2)),
    ]
    assert [read_row(json.loads(json.dumps(row.stored()))) for row in rows] == rows
    assert rows[1].name == "busy@real"
