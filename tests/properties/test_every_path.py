"""Breadth-first over the core with effects in flight, in every run."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.conftest import Explored
from tests.sources import ROOT
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.rows import Pair
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES, Explorer, Scope, explore
from warm_transfer.testing.explorer.exclusions import NOT_IN_ANY_WORLD
from warm_transfer.testing.explorer.feasible import feasible
from warm_transfer.testing.explorer.totals import Totals
from warm_transfer.testing.invariants import CORES, SCENES, STEPS

#: Ignored pairs that come up in no world, because the report is stale before the table is asked.
STALE_BEFORE: dict[Pair, str] = {
    (State.MERGED, On.BRIEFING_STOPPED): "a merge has followed the report, so it is superseded",
}


@pytest.fixture(scope="module")
def totals(explored: Explored) -> Totals:
    return Totals(explored.report, feasible(TABLE))


def test_no_path_breaks_an_invariant(explored: Explored) -> None:
    report = explored.report
    assert not report.violations, "\n\n".join(map(str, report.violations))
    print(  # noqa: T201 - the totals are the result
        f"\n{report.configurations} configurations, {report.edges} edges, "
        f"{report.in_flight_max} in flight at most, {report.cut} cut, {report.seconds:.1f} s"
    )


def test_every_row_is_taken(explored: Explored) -> None:
    assert explored.report.rows_missed() == []
    assert len(explored.report.rows_taken) == len(TABLE.rows)


def test_every_pair_with_rows_is_reached(explored: Explored) -> None:
    assert explored.report.pairs_row == frozenset(TABLE.by_pair)


def test_every_ignored_pair_is_reached_or_known_to_be_stale_before(totals: Totals) -> None:
    missed = set(TABLE.ignored) - totals.report.pairs_ignored
    assert missed == set(STALE_BEFORE)
    # The core alone reaches them, by reports that no world makes: ignoring them is right.
    assert totals.core_alone == missed


def test_every_row_is_taken_after_every_other_after_which_it_can_be(totals: Totals) -> None:
    assert totals.switches - totals.report.switches == set()
    assert len(totals.switches) > 1000


def test_what_follows_is_what_the_core_allows(totals: Totals) -> None:
    assert totals.report.switches - totals.switches == set()


def test_what_no_world_can_do_is_named_and_nothing_more(totals: Totals) -> None:
    assert set(NOT_IN_ANY_WORLD) <= totals.feasible.switches, "excluded, but not even feasible"


def test_every_simple_path_that_is_feasible_is_walked(totals: Totals) -> None:
    assert totals.report.paths == totals.feasible.paths


def test_the_totals_in_the_documents_are_those_of_this_table(totals: Totals) -> None:
    # After a change of the table or the model: make explore, and copy build/explore.json.
    written = json.loads((ROOT / "docs" / "explore.json").read_text(encoding="utf-8"))
    assert written["violations"] == []
    now = totals.plain()
    assert {name: written[name] for name in now} == now


def test_nothing_is_missed(totals: Totals) -> None:
    assert list(totals.missed()) == []


def test_no_impossible_pair_is_reached(explored: Explored) -> None:
    assert explored.report.pairs_impossible == frozenset()


def test_what_is_cut_is_a_small_part(explored: Explored) -> None:
    assert explored.report.cut < explored.report.edges / 1000


def test_the_walk_has_the_size_it_had(explored: Explored) -> None:
    # A model that loses a move reaches less and finds nothing; so the size is asserted too.
    assert explored.report.configurations > 300_000
    assert explored.report.in_flight_max >= 10


@pytest.mark.parametrize("scope", range(len(SCOPES)), ids=[scope.name for scope in SCOPES])
def test_a_fresh_transfer_follows_the_path_the_explorer_remembers(
    explored: Explored, scope: int
) -> None:
    explorer = explored.explorers[scope]
    for index in range(0, len(explorer), max(1, len(explorer) // 300)):
        played = explorer.replay(explorer.path_to(index))
        names = [event.name for event in played.events]
        assert played.transfer.state is explorer.state(index), names


def test_every_promise_has_its_sentence_and_a_name_of_its_own() -> None:
    promises = [*STEPS, *CORES, *SCENES]
    names = [promise.__name__ for promise in promises]
    assert len(set(names)) == len(names)
    for promise in promises:
        assert (promise.__doc__ or "").endswith("."), promise.__name__


def test_a_broken_table_is_found_by_the_shortest_path() -> None:
    rows = [
        replace(row, effects=tuple(e for e in row.effects if e is not Do.NOTIFY_CONSULT))
        if row.event is On.DEADLINE_PASSED
        else row
        for row in TABLE.rows
    ]
    report = explore(TABLE.with_rows(rows), [Scope("small", lag_max=0)], stop_at=1)
    (found,) = report.violations
    assert found.invariant == "whoever_is_let_go_is_told"
    assert [event.name for event in found.events] == [
        On.TRANSFER_REQUESTED,
        On.CALLER_HELD,
        On.CONSULT_ANSWERED,
        On.DEADLINE_PASSED,
    ]


def test_an_explorer_stops_at_what_its_base_has_seen(explored: Explored) -> None:
    base = explored.explorers[0]
    assert base.differs(TABLE, (State.BRIEFING, On.CONSULT_ACCEPTED)) is None
    assert isinstance(base, Explorer)
