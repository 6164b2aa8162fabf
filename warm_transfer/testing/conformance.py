"""Conformance of a table: a changed one, or one of your own, walked with every invariant.

    class TestMyTable(TableConformance):
        table = MY_TABLE

The whole walk takes about a minute; ``scopes = SCOPES[:1]`` walks one policy in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from warm_transfer.rows import Table
from warm_transfer.table import TABLE
from warm_transfer.table_rules import check
from warm_transfer.testing.explorer import SCOPES, Counterexample, Report, Scope, explore
from warm_transfer.testing.invariants import CORES, SCENES, STEPS

__all__ = ["NotConforming", "TableConformance", "conform"]

_SENTENCES = {each.__name__: (each.__doc__ or "").strip() for each in (*STEPS, *CORES, *SCENES)}
_SENTENCES["an_impossible_pair"] = "An event that the table calls impossible does not come."


class NotConforming(AssertionError):
    """A table breaks an invariant, or has a row that no path takes."""

    def __init__(
        self, table: str, found: Counterexample | None = None, missed: Sequence[str] = ()
    ) -> None:
        super().__init__(table, found, missed)
        self.table = table
        """The version of the table."""
        self.found = found
        """The shortest way to break an invariant; None when none is broken."""
        self.missed = tuple(missed)
        """The rows that no path takes."""

    def __str__(self) -> str:
        if self.found is None:
            rows = "".join(f"\n    {each}" for each in self.missed)
            return f"table {self.table} has rows that no path takes:{rows}"
        steps = "".join(f"\n    {each}" for each in self.found.path)
        return (
            f"table {self.table} breaks {self.found.invariant}: {self.found.problem}\n"
            f"  the invariant: {_SENTENCES.get(self.found.invariant, '')}\n"
            f"  with {self.found.scope}, the shortest way:{steps}"
        )


def conform(table: Table, *, scopes: Sequence[Scope] = SCOPES) -> tuple[Report, ...]:
    """Walk every path of a table.

    Args:
        table: the table.
        scopes: the policies and merge strategies to walk it with. Whether every row is taken is
            only asked with all of them.

    Returns:
        What was reached, for each scope.

    Raises:
        TableError: the table breaks a rule that every table must keep.
        NotConforming: a path breaks an invariant, or no path takes a row.
    """
    check(table)
    reports = []
    for scope in scopes:
        report = explore(table=table, scopes=(scope,), stop_at=1)
        if report.violations:
            shortest = min(report.violations, key=lambda each: len(each.path))
            raise NotConforming(table.version, shortest)
        reports.append(report)
    taken = frozenset[str]().union(*(report.rows_taken for report in reports))
    missed = [row.id for row in table.rows if row.id not in taken]
    if missed and set(SCOPES) <= set(scopes):
        raise NotConforming(table.version, missed=missed)
    return tuple(reports)


class TableConformance:
    """Derive from it and set `table`."""

    table: ClassVar[Table] = TABLE
    scopes: ClassVar[Sequence[Scope]] = SCOPES
    """With which policies and merge strategies it is walked."""

    def test_the_table_keeps_the_rules(self) -> None:
        """Total, no row shadowed, every wait bounded."""
        check(self.table)

    def test_every_path_keeps_the_invariants(self) -> None:
        """Every path, every order, every failure."""
        conform(self.table, scopes=self.scopes)
