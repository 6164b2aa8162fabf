"""Coverage of the table: which rows and pairs the transfers of a test run have taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

from warm_transfer.ports import Journal, Line, StateHook
from warm_transfer.rows import Table
from warm_transfer.runner import Runner
from warm_transfer.table import TABLE
from warm_transfer.transfer import Transfer

__all__ = ["Coverage", "recorded"]


class Coverage:
    """What was taken of a table.

    Args:
        table: the table; steps of another one are counted apart.
    """

    def __init__(self, table: Table = TABLE) -> None:
        self.table = table
        self.rows: set[str] = set()
        """The ids of the rows that were taken."""
        self.pairs: set[tuple[str, str]] = set()
        """The pairs of state and event that came up, ignored ones included."""
        self.transfers = 0
        self.foreign = 0
        """Steps of another table."""

    def take(self, line: Mapping[str, Any]) -> None:
        """Count one journal line."""
        if line["table"] != self.table.version:
            self.foreign += 1
            return
        self.transfers += line["seq"] == 1
        if line["handling"] in ("row", "ignored"):
            self.pairs.add((line["before"], line["event"]))
        if line["handling"] == "row":
            self.rows.add(line["row"])

    def dump(self) -> dict[str, Any]:
        """Everything as plain values, to be added elsewhere."""
        return {
            "rows": sorted(self.rows),
            "pairs": sorted(map(list, self.pairs)),
            "transfers": self.transfers,
            "foreign": self.foreign,
        }

    def add(self, dumped: Mapping[str, Any]) -> None:
        """Add what another process has counted."""
        self.rows.update(dumped["rows"])
        self.pairs.update((state, event) for state, event in dumped["pairs"])
        self.transfers += dumped["transfers"]
        self.foreign += dumped["foreign"]

    @property
    def missed(self) -> list[str]:
        """The rows that nothing took, in table order."""
        return [row.id for row in self.table.rows if row.id not in self.rows]

    @property
    def percent(self) -> float:
        """The share of the rows that were taken."""
        return 100.0 * (1.0 - len(self.missed) / len(self.table.rows))

    def summary(self, *, missing: bool = False) -> Iterator[str]:
        """The result in lines; with `missing`, every row that was not taken."""
        total, taken = len(self.table.rows), len(self.table.rows) - len(self.missed)
        with_rows = {(state.value, event.value) for state, event in self.table.by_pair}
        ignored = {(state.value, event.value) for state, event in self.table.ignored}
        yield f"{self.transfers} transfers through table {self.table.version}"
        yield f"rows     {taken:4} of {total:4}  {self.percent:5.1f} %"
        yield f"pairs    {len(self.pairs & with_rows):4} of {len(with_rows):4}"
        yield f"ignored  {len(self.pairs & ignored):4} of {len(ignored):4}"
        if self.foreign:
            yield f"{self.foreign} steps of another table are not counted"
        if missing:
            yield from (f"not taken: {each}" for each in self.missed)


Take = Callable[[Mapping[str, Any]], object]


class _Both:
    """A journal that tells of each line, and passes it on."""

    def __init__(self, take: Take, journal: Journal | None) -> None:
        self._take = take
        self._journal = journal

    def write(self, line: Mapping[str, object]) -> None:
        """Tell of one line, and pass it on."""
        self._take(line)
        if self._journal is not None:
            self._journal.write(line)


@contextmanager
def recorded(take: Take, *hooks: StateHook) -> Iterator[None]:
    """Take the steps of every transfer that runs meanwhile, whether or not it has a journal.

    Args:
        take: is given every journal line.
        hooks: are told of every change of state, before those of the application.
    """
    make = Runner.__init__

    def watched(
        runner: Runner,
        transfer: Transfer,
        line: Line,
        *,
        journal: Journal | None = None,
        **rest: Any,
    ) -> None:
        told = (*hooks, *rest.pop("hooks", ()))
        make(runner, transfer, line, journal=_Both(take, journal), hooks=told, **rest)

    with mock.patch.object(Runner, "__init__", watched):
        yield
