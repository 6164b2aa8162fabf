from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.compare.page import page
from tests.compare.rows import read_row
from tests.compare.scenes import SCENES
from tests.compare.verdict import Verdict
from tests.holes.holes import HOLES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def stored() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DOCS / "comparison.json").read_text(encoding="utf-8"))
    return loaded


def test_the_page_is_what_was_stored() -> None:
    assert (DOCS / "comparison.md").read_text(encoding="utf-8") == page(stored())


def test_every_row_was_played_and_ours_is_behind_in_none() -> None:
    rows = [read_row(row) for row in stored()["rows"]]
    assert [row.name for row in rows] == [
        *(hole.id for hole in HOLES),
        *(f"{scene}@simulated" for scene in SCENES),
        *(f"{scene}@real" for scene in SCENES),
    ]
    assert [row.name for row in rows if row.verdict is Verdict.BEHIND] == []
    assert all(row.ours.runs >= 3 for row in rows if row.place == "real")
