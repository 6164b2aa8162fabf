"""Recorded journals as regressions: the table still decides as it did then.

    def test_what_happened_on_monday():
        regression("tests/journals/monday.jsonl")

A journal holds no words, numbers or names that a person said, so it may be kept with the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from warm_transfer.errors import JournalError
from warm_transfer.journal import read, replay
from warm_transfer.rows import Table
from warm_transfer.table import TABLE

__all__ = ["DecidesOtherwise", "journals", "regression"]


class DecidesOtherwise(AssertionError):
    """A table decides otherwise than a journal has it."""

    def __init__(self, path: str, number: int, line: Mapping[str, Any], problem: str) -> None:
        super().__init__(path, number, problem)
        self.path = path
        self.number = number
        """The number of the line in the file, from 1 on."""
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        line = self.line
        return (
            f"{self.path}:{self.number}: {self.problem}\n"
            f"  step {line['seq']} of transfer {line['transfer']}, {line['t_s']:.3f} s: "
            f"{line['event']} in {line['before']}, recorded with table {line['table']}"
        )


def regression(path: str | Path, *, table: Table = TABLE) -> int:
    """Run every transfer of a journal through a table again; returns how many there were.

    The table may be another one than that of the journal, as long as it decides the same.

    Raises:
        DecidesOtherwise: at the first line that differs.
        JournalError: the file cannot be read, holds no transfer, or lacks a transfer's beginning.
    """
    transfers: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, line in enumerate(read(path), 1):
        transfers.setdefault(line["transfer"], []).append((number, line))
    if not transfers:
        raise JournalError(str(path), "holds no transfer")
    first: DecidesOtherwise | None = None
    for lines in transfers.values():
        found = _difference(str(path), lines, table)
        if found is not None and (first is None or found.number < first.number):
            first = found
    if first is not None:
        raise first
    return len(transfers)


def _difference(
    path: str, lines: Sequence[tuple[int, dict[str, Any]]], table: Table
) -> DecidesOtherwise | None:
    """The first line of one transfer that the table decides otherwise."""
    for wanted, (number, line) in enumerate(lines, 1):
        if line["seq"] != wanted:
            problem = f"is step {line['seq']} of transfer {line['transfer']}, not {wanted}"
            raise JournalError(f"{path}:{number}", problem)
    done = 0
    try:
        for _ in replay([{**line, "table": table.version} for _, line in lines], table):
            done += 1
    except JournalError as error:
        number, line = lines[done]
        return DecidesOtherwise(path, number, line, error.problem)
    return None


def journals(folder: str | Path) -> list[Path]:
    """Every journal in a folder and below, for ``pytest.mark.parametrize``.

    Raises:
        JournalError: there is none, so that nothing would be tested.
    """
    found = sorted(Path(folder).rglob("*.jsonl"))
    if not found:
        raise JournalError(str(folder), "holds no journal (*.jsonl)")
    return found
