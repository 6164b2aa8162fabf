"""A counterexample as a journal, to be shown by ``warm-transfer demo --replay``."""

from __future__ import annotations

from pathlib import Path

from warm_transfer.errors import UnexpectedEvent
from warm_transfer.journal import FileJournal, to_line
from warm_transfer.rows import Table
from warm_transfer.testing.explorer.counterexample import Counterexample

__all__ = ["lines_of", "write"]


def lines_of(found: Counterexample, table: Table) -> list[dict[str, object]]:
    """The journal of a counterexample; `journal.replay` accepts it for this table.

    An event that the table calls impossible ends the journal: no step takes it.

    Args:
        found: the counterexample.
        table: the table in which it was found.
    """
    transfer = found.where.fresh(found.invariant, table)
    lines: list[dict[str, object]] = []
    for event, at_s in zip(found.events, found.at_s, strict=True):
        try:
            step = transfer.receive(event, at_s)
        except UnexpectedEvent:
            break
        lines.append(to_line(step, transfer, found.at_s[0]))
    return lines


def write(found: Counterexample, table: Table, path: str | Path) -> Path | None:
    """Write the journal of a counterexample, over an older one of that name.

    Returns:
        The path; None when the core has taken no event, so that there is nothing to replay.

    Raises:
        JournalError: the file cannot be written.
    """
    lines = lines_of(found, table)
    if not lines:
        return None
    place = Path(path)
    place.unlink(missing_ok=True)
    journal = FileJournal(place)
    try:
        for line in lines:
            journal.write(line)
    finally:
        journal.close()
    return place
