"""Walk every path of a table, in every scope."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from warm_transfer.rows import Table
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer.report import Part, Report, merged
from warm_transfer.testing.explorer.scopes import SCOPES, Scope
from warm_transfer.testing.explorer.walk import Explorer

__all__ = ["explore", "parts_of"]


def explore(
    table: Table = TABLE,
    scopes: Sequence[Scope] = SCOPES,
    *,
    stop_at: int | None = None,
    processes: int = 1,
) -> Report:
    """Walk every path of a table in every scope.

    Args:
        table: the table.
        scopes: the policies and plans.
        stop_at: give a scope up after so many broken invariants.
        processes: how many scopes are walked at once, each in a process of its own.

    Raises:
        TableError: the table breaks a rule of `table_rules`.
        OutsideModel: the model cannot follow the table, and nothing was found until then.
    """
    began = time.perf_counter()
    parts = dict(parts_of(table, scopes, stop_at=stop_at, processes=processes))
    # In the order of the scopes, so that the report does not depend on who was ready first.
    return merged(table, [parts[scope.name] for scope in scopes], time.perf_counter() - began)


def parts_of(
    table: Table, scopes: Sequence[Scope], *, stop_at: int | None = None, processes: int = 1
) -> Iterator[tuple[str, Part]]:
    """The part of each scope, by its name, as it is ready."""
    if processes == 1:
        for scope in scopes:
            yield scope.name, _part(table, scope, stop_at)
        return
    with ProcessPoolExecutor(processes) as pool:
        # The longest plans have the most paths; they begin first.
        longest = sorted(scopes, key=lambda each: -len(each.strategies))
        running = {pool.submit(_part, table, each, stop_at): each.name for each in longest}
        for ready in as_completed(running):
            yield running[ready], ready.result()


def _part(table: Table, scope: Scope, stop_at: int | None) -> Part:
    explorer = Explorer(scope, table)
    explorer.run(stop_at=stop_at)
    return Part.of(explorer)
