"""What several walks have reached, together."""

from dataclasses import replace

import pytest

from tests.conftest import Explored
from tests.testing.explorer.tables import SILENT, SMALL
from warm_transfer.rows import Guard
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES, Explorer, Report, report_of
from warm_transfer.testing.explorer.report import Part, merged


@pytest.fixture(scope="module")
def small(explored: Explored) -> Explorer:
    return explored.explorers[0]


def test_what_one_scope_cannot_reach_is_missed(small: Explorer) -> None:
    report = report_of([small], 1.0)
    missed = report.rows_missed()
    assert f"merging x MERGE_CONFIRMED [{Guard.BRIDGED.name}]" in missed
    assert f"merging x MERGE_CONFIRMED [{Guard.RELAYED.name}]" not in missed
    assert len(missed) + len(report.rows_taken) == report.rows_total == len(TABLE.rows)


def test_parts_are_added_up(small: Explorer) -> None:
    part = Part.of(small)
    report: Report = merged(TABLE, [part, part], 2.0)
    assert report.configurations == 2 * len(small)
    assert report.edges == 2 * small.edges
    assert report.in_flight_max == small.in_flight_max
    assert report.switches == part.switches
    assert report.violations == ()


def test_of_two_ways_to_break_an_invariant_the_shorter_one_is_told() -> None:
    explorer = Explorer(SMALL, SILENT)
    explorer.run(stop_at=1)
    part = Part.of(explorer)
    longer = tuple(
        replace(each, path=(*each.path, "more"), scope=SCOPES[1].name) for each in part.found
    )
    for parts in ([part, replace(part, found=longer)], [replace(part, found=longer), part]):
        (found,) = merged(SILENT, parts, 1.0).violations
        assert found.scope == SMALL.name
