"""What a walk has covered, measured by what the table makes possible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from warm_transfer.rows import Pair
from warm_transfer.testing.explorer.exclusions import NOT_IN_ANY_WORLD
from warm_transfer.testing.explorer.feasible import (
    Feasible,
    adjacent,
    row_paths,
    state_paths,
)
from warm_transfer.testing.explorer.report import Report

__all__ = ["Totals"]


@dataclass(frozen=True)
class Totals:
    """A report beside what is feasible in the same table and scopes."""

    report: Report
    feasible: Feasible

    @cached_property
    def switches(self) -> frozenset[tuple[str, str]]:
        """The pairs of rows that the explorer has to take one after the other."""
        return self.feasible.switches - set(NOT_IN_ANY_WORLD)

    @cached_property
    def core_alone(self) -> frozenset[Pair]:
        """Pairs that the core would decide, and that come up in no world."""
        reached = self.report.pairs_row | self.report.pairs_ignored
        return self.feasible.pairs - reached

    def missed(self) -> Iterator[str]:
        """Everything that should have been reached and was not, or the other way round."""
        table, report = self.report.table, self.report
        yield from (f"row not taken: {row}" for row in report.rows_missed())
        for state, event in (*table.by_pair, *table.ignored):
            if (state, event) not in report.pairs_row | report.pairs_ignored | self.core_alone:
                yield f"pair not reached: {state} x {event}"
        for first, second in sorted(self.switches - report.switches):
            yield f"not taken: {second} after {first}"
        for first, second in sorted(report.switches - self.switches):
            yield f"taken, but called infeasible: {second} after {first}"
        for path in sorted(self.feasible.paths ^ report.paths):
            how = "walked, but infeasible" if path in report.paths else "not walked"
            yield f"path {how}: {', '.join(path)}"

    def plain(self) -> dict[str, object]:
        """The totals as JSON values."""
        report, table = self.report, self.report.table
        reached = len(report.pairs_row) + len(report.pairs_ignored)
        return {
            "table": table.version,
            "rows": {"total": report.rows_total, "taken": len(report.rows_taken)},
            "pairs": {
                "rows": len(table.by_pair),
                "ignored": len(table.ignored),
                "impossible": len(table.impossible),
                "reached": reached + len(self.core_alone),
                "reached_by_the_core_alone": [f"{s} x {e}" for s, e in sorted(self.core_alone)],
                "impossible_reached": [f"{s} x {e}" for s, e in sorted(report.pairs_impossible)],
            },
            "switch1": {
                "adjacent": len(adjacent(table)),
                "feasible": len(self.switches),
                "taken": len(report.switches),
                "in_no_world": _by_reason(self.feasible),
            },
            "simple_paths": {
                "by_state": len(state_paths(table)),
                "by_row": sum(1 for _ in row_paths(table)),
                "feasible": len(self.feasible.paths),
                "walked": len(report.paths),
            },
            "configurations": report.configurations,
            "edges": report.edges,
            "in_flight_max": report.in_flight_max,
            "cut": report.cut,
            "missed": list(self.missed()),
        }


def _by_reason(feasible: Feasible) -> Mapping[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for (first, second), why in NOT_IN_ANY_WORLD.items():
        if (first, second) in feasible.switches:
            reasons.setdefault(why, []).append(f"{second} after {first}")
    return reasons
