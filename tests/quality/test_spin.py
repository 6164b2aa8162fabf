"""Spin and the explorer, each with its own description of the world, agree about the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.quality.promela.broken import BROKEN, QUICK, broken_model
from tests.quality.promela.model import Model
from tests.quality.promela.spin import check, missing
from tests.sources import ROOT
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES, explore

spin = pytest.mark.skipif(missing() is not None, reason=f"the second checker: {missing()}")

SMALLEST = SCOPES[0]


@spin
def test_spin_finds_nothing_and_reaches_what_the_explorer_reaches(tmp_path: Path) -> None:
    explored = explore(scopes=(SMALLEST,))

    checked = check(Model(SMALLEST.policy, SMALLEST.strategies, TABLE), tmp_path)

    assert (checked.claim, checked.errors, checked.path) == (None, 0, ())
    assert checked.rows == explored.rows_taken
    assert checked.pairs == explored.pairs_row | explored.pairs_ignored | explored.pairs_impossible


@spin
@pytest.mark.parametrize("fault", QUICK)
def test_spin_names_what_a_broken_row_breaks(fault: str, tmp_path: Path) -> None:
    model, claim = broken_model(fault)

    checked = check(model, tmp_path, optimize=False)

    assert checked.claim == claim
    assert checked.path[0].startswith("idle x ")


def test_the_committed_result_is_that_of_this_table() -> None:
    told = json.loads((ROOT / "docs" / "spin.json").read_text(encoding="utf-8"))
    assert told["table"] == TABLE.version, "run `make spin` and copy build/spin.json to docs/"
    assert (told["errors"], told["agree"]) == (0, True)
    assert told["rows"] == {"total": len(TABLE.rows), "taken": len(TABLE.rows)}
    assert set(told["broken_rows"]) == set(BROKEN)
