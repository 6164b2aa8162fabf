"""Tables broken by hand."""

from __future__ import annotations

from dataclasses import replace

from warm_transfer.effects import Do
from warm_transfer.rows import Row, Table
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES

SMALL = SCOPES[0]


def changed(row_id: str, **fields: object) -> Table:
    """Our table with one row changed."""
    assert row_id in {row.id for row in TABLE.rows}
    return TABLE.with_rows(
        replace(row, **fields) if row.id == row_id else row  # type: ignore[arg-type]  # named fields
        for row in TABLE.rows
    )


def row(row_id: str) -> Row:
    return next(row for row in TABLE.rows if row.id == row_id)


def without(row_id: str, effect: Do) -> Table:
    left = tuple(each for each in row(row_id).effects if each is not effect)
    return changed(row_id, effects=left)


SILENT = without("idle x TRANSFER_REQUESTED", Do.PLAY_HOLD_AUDIO)
"""The caller is held in silence."""
