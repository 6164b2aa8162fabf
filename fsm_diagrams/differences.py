"""What is different between two machines: states, events, rows, and what becomes of each pair.

Rows are matched by state, event and condition; what is left in a pair is matched by its target,
so that a new condition is one change and not a row that goes and another that comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from fsm_diagrams.model import Edge, Group, Machine, Pair, Reason, State
from fsm_diagrams.witness import Witness, witnesses

__all__ = ["Change", "Diff", "Other", "PairChange", "RowChange", "diff"]


class Change(StrEnum):
    """What happened to a row."""

    ADDED = "added"
    REMOVED = "removed"
    RETARGETED = "retargeted"
    """It leads elsewhere, whatever else has changed with it."""
    CHANGED = "changed"
    """Its condition, effects, clock, reason or notes."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that differs."""

    change: Change
    old: Edge | None
    new: Edge | None
    what: tuple[tuple[str, str, str], ...] = ()
    """The fields that differ: name, what it was, what it is."""

    @property
    def row(self) -> Edge:
        """The row as it is, or as it was when it is gone."""
        found = self.new or self.old
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class PairChange:
    """A pair of which something else becomes now: ``handled``, ``ignored (why)``, ..."""

    pair: Pair
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Other:
    """Anything else that differs, such as a state: what it is, what it was, what it is now."""

    what: str
    old: str
    new: str


@dataclass(frozen=True)
class Diff:
    """All differences between two machines."""

    old: Machine
    new: Machine
    others: tuple[Other, ...]
    rows: tuple[RowChange, ...]
    reordered: tuple[Pair, ...]
    """Pairs whose rows are asked in another order."""
    pairs: tuple[PairChange, ...]
    witnesses: tuple[Witness, ...]
    """The shortest sequences of events that show a difference."""

    @property
    def same(self) -> bool:
        """Whether nothing differs but a version, which follows from the rest."""
        return not (self.others or self.rows or self.reordered or self.pairs)

    def of(self, change: Change) -> tuple[RowChange, ...]:
        """The rows that changed in one way."""
        return tuple(row for row in self.rows if row.change is change)


def diff(old: Machine, new: Machine) -> Diff:
    """Compare two machines, row by row and by what they do."""
    rows, reordered = [], []
    pairs = dict.fromkeys([*old.by_pair, *new.by_pair])
    for pair in sorted(pairs, key=lambda pair: _place(old, new, pair)):
        matched = list(_match(old.by_pair.get(pair, ()), new.by_pair.get(pair, ())))
        rows += [change for each in matched if (change := _row_change(*each))]
        kept = [after for before, after in matched if before and after]
        if kept != [row for row in new.by_pair.get(pair, ()) if row in kept]:
            reordered.append(pair)
    others = tuple(_others(old, new))
    return Diff(
        old,
        new,
        others,
        tuple(rows),
        tuple(reordered),
        tuple(_pairs(old, new)),
        tuple(witnesses(old, new)),
    )


def _place(old: Machine, new: Machine, pair: Pair) -> tuple[int, int, int, int]:
    """In the order of the new machine; what is gone comes last, in the order of the old one."""
    state, event = pair
    states, was = [each.name for each in new.states], [each.name for each in old.states]
    return (
        states.index(state) if state in states else len(states),
        was.index(state) if state in was else -1,
        new.events.index(event) if event in new.events else len(new.events),
        old.events.index(event) if event in old.events else -1,
    )


Match = tuple[Edge | None, Edge | None]


def _match(old: Sequence[Edge], new: Sequence[Edge]) -> Iterator[Match]:
    """The rows of one pair, each with its counterpart if it has one; in the old order."""
    counterparts: dict[int, Edge] = {}
    rules = (_alike, _same_condition, _same_target, _any)
    for rule in rules:
        free = [row for row in new if not any(row is one for one in counterparts.values())]
        for index, row in enumerate(old):
            if index in counterparts:
                continue
            found = next((each for each in free if rule(row, each)), None)
            # What has neither condition nor target in common is one change only when it is clear
            # which row became which.
            if found is None or (rule is _any and not len(old) == len(new) == 1):
                continue
            counterparts[index] = found
            free.remove(found)
    yield from ((row, counterparts.get(index)) for index, row in enumerate(old))
    yield from ((None, row) for row in new if not any(row is c for c in counterparts.values()))


def _alike(old: Edge, new: Edge) -> bool:
    return old == new


def _same_condition(old: Edge, new: Edge) -> bool:
    return old.guard == new.guard


def _same_target(old: Edge, new: Edge) -> bool:
    return old.target == new.target


def _any(_old: Edge, _new: Edge) -> bool:
    return True


def _row_change(old: Edge | None, new: Edge | None) -> RowChange | None:
    if old is None or new is None:
        return RowChange(Change.REMOVED if new is None else Change.ADDED, old, new)
    what = tuple(_fields(old, new))
    if not what:
        return None
    moved = old.target != new.target or old.internal != new.internal
    return RowChange(Change.RETARGETED if moved else Change.CHANGED, old, new, what)


def _fields(old: Edge, new: Edge) -> Iterator[tuple[str, str, str]]:
    names = {"target": "target", "internal": "stays", "guard": "condition"}
    for name in ("target", "internal", "guard", "effects", "clock", "reason", "notes"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after and not (name == "internal" and old.target != new.target):
            yield names.get(name, name), _words(before), _words(after)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    return str(value)


def _pairs(old: Machine, new: Machine) -> Iterator[PairChange]:
    """The pairs of states and events that both machines have, where the decision differs."""
    known = set(old.state_named), set(old.events)
    for state in new.states:
        for event in new.events:
            if state.name not in known[0] or event not in known[1]:
                continue
            pair = state.name, event
            was, is_now = _becomes(old, pair), _becomes(new, pair)
            if was != is_now:
                yield PairChange(pair, was, is_now)


def _becomes(machine: Machine, pair: Pair) -> str:
    """What becomes of an event in a state, counting the rows of what the state is nested in."""
    name: str | None = pair[0]
    while name is not None:
        if (name, pair[1]) in machine.by_pair:
            return "handled"
        name = machine.state_named[name].parent
    if pair in machine.why_ignored:
        return f"ignored ({machine.why_ignored[pair]})"
    return "impossible" if pair in machine.impossible else "unhandled"


def _others(old: Machine, new: Machine) -> Iterator[Other]:
    yield from _named("state", *({each.name: each for each in it.states} for it in (old, new)))
    yield from _named("event", dict.fromkeys(old.events, ""), dict.fromkeys(new.events, ""))
    yield from _named("reason", *({each.code: each for each in it.reasons} for it in (old, new)))
    yield from _named("group", *({each.name: each for each in it.groups} for it in (old, new)))
    if old.name != new.name:
        yield Other("name", old.name, new.name)
    if old.initial != new.initial:
        yield Other("start", _words(old.initial), _words(new.initial))
    yield from _orders(old, new)


Part = State | Group | Reason | str


def _named(what: str, old: Mapping[str, Part], new: Mapping[str, Part]) -> Iterator[Other]:
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            yield Other(f"{what} {name}", "there", "gone")
        elif name not in old:
            yield Other(f"{what} {name}", "not there", "new")
        elif old[name] != new[name]:
            yield Other(f"{what} {name}", *_parts(old[name], new[name]))


def _parts(old: Part, new: Part) -> tuple[str, str]:
    """The fields that differ, of the old and of the new thing."""
    assert not isinstance(old, str)
    names = [it.name for it in fields(old) if getattr(old, it.name) != getattr(new, it.name)]
    was, is_now = (
        "; ".join(f"{name} {_words(getattr(each, name)) or 'none'}" for name in names)
        for each in (old, new)
    )
    return was, is_now


def _orders(old: Machine, new: Machine) -> Iterator[Other]:
    lists = {
        "states": ([each.name for each in old.states], [each.name for each in new.states]),
        "events": (list(old.events), list(new.events)),
    }
    for what, (was, is_now) in lists.items():
        before = [name for name in was if name in is_now]
        after = [name for name in is_now if name in was]
        if before != after:
            yield Other(f"order of the {what}", ", ".join(before), ", ".join(after))
