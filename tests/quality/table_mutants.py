"""Broken tables, one fault each, and who notices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from warm_transfer.errors import TableError
from warm_transfer.events import On
from warm_transfer.rows import Pair, Row, Table
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.table_rules import check
from warm_transfer.testing.explorer import Explorer

__all__ = ["Mutant", "Verdict", "judge", "mutants"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A table with one fault."""

    id: str
    table: Table
    pair: Pair
    """The pair in which it differs."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who noticed a mutant: a rule, an invariant, or nobody."""

    rule: str | None = None
    invariant: str | None = None

    @property
    def caught(self) -> bool:
        return self.rule is not None or self.invariant is not None


def mutants(table: Table = TABLE) -> Iterator[Mutant]:
    """Every mutant of the table."""
    for row in table.rows:
        for effect in row.effects:
            left = tuple(each for each in row.effects if each is not effect)
            yield _with(table, row, replace(row, effects=left), f"drop {effect}")
        for target in State:
            if target is not row.target:
                yield _with(table, row, replace(row, target=target), f"retarget to {target}")
        if row.start is not None:
            yield _with(table, row, replace(row, start=None), f"drop clock {row.start.name}")
        if row.guard is not None:
            yield _with(table, row, replace(row, guard=None), "drop guard")
        for keep in row.keep:
            kept = tuple(each for each in row.keep if each is not keep)
            yield _with(table, row, replace(row, keep=kept), f"drop mark {keep.name}")
    yield from _ignored_pairs_as_rows(table)


def _with(table: Table, row: Row, broken: Row, what: str) -> Mutant:
    rows = [broken if each is row else each for each in table.rows]
    return Mutant(f"{row.id}: {what}", table.with_rows(rows), (row.source, row.event))


def _ignored_pairs_as_rows(table: Table) -> Iterator[Mutant]:
    """Each ignored pair does what the event does elsewhere.

    A row that stays, starts nothing and keeps nothing is an ignored pair by another name; it is
    left out.
    """
    for (state, event), why in table.ignored.items():
        ignored = {pair: reason for pair, reason in table.ignored.items() if pair != (state, event)}
        named: set[str] = set()
        for like in _behaviours(table, state, event):
            stands = replace(table, ignored=ignored, rows=(*table.rows, like))
            what = f"{why.name} becomes {like.target} {' '.join(like.effects)}".strip()
            if like.reason is not None:
                what += f" ({like.reason})"
            if what in named:
                because = f" because {like.reason}" if like.reason else ""
                what += f"{because}, keeping {' '.join(each.name for each in like.keep)}"
            named.add(what)
            yield Mutant(f"{state} x {event}: {what}", stands, (state, event))


def _behaviours(table: Table, state: State, event: On) -> list[Row]:
    found: dict[tuple[object, ...], Row] = {}
    elsewhere = [row for row in table.rows if row.event == event and row.source is not state]
    for row in elsewhere or _way_out_of(table, state):
        target = state if row.stays else row.target
        like = replace(row, source=state, event=event, target=target, guard=None)
        if like.stays and not like.effects and not like.keep and like.start is None:
            continue
        found.setdefault((target, like.effects, like.keep, like.start, like.reason), like)
    return list(found.values()) or [replace(row, event=event) for row in _way_out_of(table, state)]


def _way_out_of(table: Table, state: State) -> list[Row]:
    """What the state does when it gives up, for events that do nothing anywhere."""
    rows = [row for row in table.rows if row.source is state and not row.stays and row.effects]
    return [replace(row, guard=None) for row in rows[:1]]


def judge(mutant: Mutant, explorers: Sequence[Explorer]) -> Verdict:
    """Ask the rules first, then every explorer until one objects."""
    try:
        check(mutant.table)
    except TableError as error:
        return Verdict(rule=str(error))
    for explorer in explorers:
        found = explorer.differs(mutant.table, mutant.pair)
        if found is not None:
            return Verdict(invariant=found.invariant)
    return Verdict()
