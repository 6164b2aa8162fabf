"""What walks have reached, and what broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warm_transfer.rows import Pair, Table
from warm_transfer.testing.explorer.counterexample import Counterexample
from warm_transfer.testing.explorer.trails import Path
from warm_transfer.testing.explorer.walk import Explorer

__all__ = ["Part", "Report", "merged", "report_of"]


@dataclass(frozen=True, slots=True)
class Part:
    """What one scope's walk has reached."""

    rows: frozenset[str]
    pairs: frozenset[Pair]
    switches: frozenset[tuple[str, str]]
    paths: frozenset[Path]
    configurations: int
    edges: int
    in_flight_max: int
    cut: int
    found: tuple[Counterexample, ...]

    @staticmethod
    def of(explorer: Explorer) -> Part:
        """The part of an explorer that has run."""
        taken = explorer.cores.taken.values()
        return Part(
            rows=frozenset(each.row for each in taken if each.row),
            pairs=frozenset(explorer.reached),
            switches=explorer.trails.switches,
            paths=explorer.trails.paths,
            configurations=len(explorer.configs),
            edges=explorer.edges,
            in_flight_max=explorer.in_flight_max,
            cut=explorer.cut,
            found=tuple(explorer.found.values()),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """What was reached, and what broke."""

    table: Table
    rows_total: int
    rows_taken: frozenset[str]
    pairs_row: frozenset[Pair]
    """Pairs with rows that were reached."""
    pairs_ignored: frozenset[Pair]
    """Ignored pairs that were reached."""
    pairs_impossible: frozenset[Pair]
    """Impossible pairs that were reached: each is a violation."""
    switches: frozenset[tuple[str, str]]
    """Pairs of rows of which the second was taken directly after the first."""
    paths: frozenset[Path]
    """Simple paths to a final state that were walked."""
    configurations: int
    edges: int
    in_flight_max: int
    cut: int
    """Edges not followed because more starts would have been late at once than the scope allows."""
    violations: tuple[Counterexample, ...]
    """The shortest for each invariant."""
    seconds: float

    def rows_missed(self) -> list[str]:
        """The rows that no path takes."""
        return [row.id for row in self.table.rows if row.id not in self.rows_taken]


def report_of(explorers: Sequence[Explorer], seconds: float) -> Report:
    """What explorers that have run have found, together."""
    return merged(explorers[0].table, [Part.of(each) for each in explorers], seconds)


def merged(table: Table, parts: Sequence[Part], seconds: float) -> Report:
    """The report of all scopes together."""
    pairs: frozenset[Pair] = frozenset().union(*(part.pairs for part in parts))
    shortest: dict[str, Counterexample] = {}
    for found in (each for part in parts for each in part.found):
        known = shortest.get(found.invariant)
        if known is None or len(found.path) < len(known.path):
            shortest[found.invariant] = found
    return Report(
        table=table,
        rows_total=len(table.rows),
        rows_taken=frozenset().union(*(part.rows for part in parts)),
        pairs_row=frozenset(pairs & set(table.by_pair)),
        pairs_ignored=frozenset(pairs & set(table.ignored)),
        pairs_impossible=frozenset(pairs & table.impossible),
        switches=frozenset().union(*(part.switches for part in parts)),
        paths=frozenset().union(*(part.paths for part in parts)),
        configurations=sum(part.configurations for part in parts),
        edges=sum(part.edges for part in parts),
        in_flight_max=max(part.in_flight_max for part in parts),
        cut=sum(part.cut for part in parts),
        violations=tuple(shortest.values()),
        seconds=seconds,
    )
