"""Totals, and what is missed."""

from dataclasses import replace

import pytest

from tests.conftest import Explored
from tests.testing.explorer.tables import SMALL
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import report_of
from warm_transfer.testing.explorer.exclusions import NOT_IN_ANY_WORLD
from warm_transfer.testing.explorer.feasible import feasible
from warm_transfer.testing.explorer.totals import Totals


@pytest.fixture(scope="module")
def totals(explored: Explored) -> Totals:
    return Totals(report_of(explored.explorers[:1], 1.0), feasible(TABLE, [SMALL]))


def test_in_one_scope_what_needs_another_strategy_is_missed(totals: Totals) -> None:
    rows = [each for each in totals.missed() if each.startswith("row not taken")]
    assert "row not taken: merging x MERGE_FAILED [STRATEGY_LEFT]" in rows
    switches = [each for each in totals.missed() if each.startswith("not taken")]
    # No strategy is given up, so while merging there is no release that could fail.
    assert switches
    assert all("merging x RELEASE_FAILED" in each for each in switches)


def test_a_transition_or_path_that_is_not_taken_is_missed(totals: Totals) -> None:
    report = totals.report
    switch, path = min(report.switches), min(report.paths)
    less = replace(report, switches=report.switches - {switch}, paths=report.paths - {path})
    missed = set(Totals(less, totals.feasible).missed()) - set(totals.missed())
    assert missed == {
        f"not taken: {switch[1]} after {switch[0]}",
        f"path not walked: {', '.join(path)}",
    }


def test_what_no_world_can_do_is_not_asked_for(totals: Totals) -> None:
    excluded = totals.feasible.switches - totals.switches
    assert excluded
    assert excluded <= set(NOT_IN_ANY_WORLD)


def test_what_is_taken_and_called_infeasible_is_said(totals: Totals) -> None:
    switch = min(totals.report.switches)
    narrow = replace(totals.feasible, switches=totals.feasible.switches - {switch})
    said = f"taken, but called infeasible: {switch[1]} after {switch[0]}"
    assert said in set(Totals(totals.report, narrow).missed())


def test_the_totals_are_as_the_issue_names_them(totals: Totals) -> None:
    plain = totals.plain()
    assert plain["rows"] == {"total": len(TABLE.rows), "taken": len(totals.report.rows_taken)}
    assert {"pairs", "switch1", "simple_paths", "configurations", "edges"} <= set(plain)
    pairs = plain["pairs"]
    assert isinstance(pairs, dict)
    assert pairs["impossible_reached"] == []
    assert pairs["rows"] + pairs["ignored"] + pairs["impossible"] == 416
