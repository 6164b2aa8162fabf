"""The intermediate form: what a state machine is, whoever described it.

Sources (our table, a `transitions` machine, saved JSON) make a `Machine`; everything that draws,
compares or lists reads one. It holds plain text only, so it can be saved and hashed, and it is in
canonical order, so the same machine always gives the same bytes.

The order of the states and of the events is part of a machine: it is the order in which a reader
meets them. The order of the rows is not, except among the rows of one (state, event) pair, where
the first one whose guard holds is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from functools import cached_property

from fsm_diagrams.errors import ModelError

__all__ = ["Edge", "Group", "Ignored", "Kind", "Machine", "Pair", "Reason", "State"]

Pair = tuple[str, str]
"""The name of a state and the name of an event."""


class Kind(StrEnum):
    """What a state means to a reader. Pictures colour by it."""

    ORDINARY = "ordinary"
    WAITING = "waiting"
    """Something is awaited here, and a clock bounds it."""
    SUCCESS = "success"
    """The wanted outcome."""
    FAILURE = "failure"
    """An outcome that is not the wanted one."""
    OVER = "over"
    """After the outcome, and final."""


@dataclass(frozen=True, slots=True)
class State:
    """A state. Names are unique in a machine; the label is what people read."""

    name: str
    label: str = ""
    kind: Kind = Kind.ORDINARY
    final: bool = False
    parent: str | None = None
    """The state it is nested in."""
    initial: tuple[str, ...] = ()
    """The children entered with it, not their children; several run in parallel."""

    @property
    def text(self) -> str:
        """The label, or the name when there is none."""
        return self.label or self.name


@dataclass(frozen=True, slots=True)
class Edge:
    """One row: in `source`, on `event` and under `guard`, go to `target`."""

    source: str
    event: str
    target: str
    guard: str = ""
    """The condition in words; empty when there is none."""
    effects: tuple[str, ...] = ()
    clock: str = ""
    """The clock that starts with it."""
    reason: str = ""
    """The reason of the outcome it delivers."""
    notes: tuple[str, ...] = ()
    """What it makes the machine remember."""
    internal: bool = False
    """Whether it stays: the state is neither left nor entered again."""
    id: str = ""
    """A name that is stable while pair and guard are. `Machine.of` gives one where there is none:
    ``source x event [guard]``. No two rows of a machine have the same."""

    @property
    def pair(self) -> Pair:
        """The pair it is a row of."""
        return self.source, self.event


@dataclass(frozen=True, slots=True)
class Reason:
    """One of the reasons for which events may be ignored."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A pair that is ignored on purpose."""

    state: str
    event: str
    reason: str
    """The code of a `Reason` of the machine."""


@dataclass(frozen=True, slots=True)
class Group:
    """States that a small picture draws as one box, with common ways out."""

    name: str
    label: str
    states: tuple[str, ...]


@dataclass(frozen=True)
class Machine:
    """A state machine in canonical order. Make one with `Machine.of`."""

    name: str
    states: tuple[State, ...]
    events: tuple[str, ...]
    initial: tuple[str, ...]
    """The states it starts in; several when they run in parallel."""
    edges: tuple[Edge, ...]
    ignored: tuple[Ignored, ...] = ()
    impossible: tuple[Pair, ...] = ()
    reasons: tuple[Reason, ...] = ()
    groups: tuple[Group, ...] = ()
    version: str = ""

    @staticmethod
    def of(
        name: str,
        states: Sequence[State],
        events: Sequence[str],
        initial: Sequence[str],
        edges: Iterable[Edge],
        *,
        ignored: Iterable[Ignored] = (),
        impossible: Iterable[Pair] = (),
        reasons: Sequence[Reason] = (),
        groups: Sequence[Group] = (),
        version: str = "",
    ) -> Machine:
        """Put everything into canonical order and check that it fits together.

        Raises:
            ModelError: a name is used twice, something names what is not there, a state is
                nested in itself or starts elsewhere, or a text cannot be written as UTF-8.
        """
        _check_unique("state", [state.name for state in states])
        _check_unique("event", events)
        _check_unique("reason", [reason.code for reason in reasons])
        _check_unique("group", [group.name for group in groups])
        _check_unique("initial state", initial)
        order = _Order(states, events)
        rows = sorted(edges, key=lambda edge: order.of(edge.pair, f"row {edge.id!r}"))
        machine = Machine(
            name=name,
            states=tuple(states),
            events=tuple(events),
            initial=tuple(initial),
            # Sorting is stable: rows of one pair keep the order in which their guards are asked.
            edges=tuple(_named(rows)),
            ignored=tuple(
                sorted(ignored, key=lambda it: order.of((it.state, it.event), "ignored"))
            ),
            impossible=tuple(sorted(impossible, key=lambda pair: order.of(pair, "impossible"))),
            reasons=tuple(reasons),
            groups=tuple(groups),
            version=version,
        )
        _check_references(machine)
        _check_nesting(machine)
        _check_texts(machine)
        return machine

    @cached_property
    def state_named(self) -> dict[str, State]:
        """The states by name."""
        return {state.name: state for state in self.states}

    @cached_property
    def by_pair(self) -> dict[Pair, tuple[Edge, ...]]:
        """The rows of each pair that has any, in the order in which their guards are asked."""
        found: dict[Pair, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.pair, []).append(edge)
        return {pair: tuple(edges) for pair, edges in found.items()}

    @cached_property
    def why_ignored(self) -> dict[Pair, str]:
        """The code of the reason of each ignored pair."""
        return {(it.state, it.event): it.reason for it in self.ignored}

    @cached_property
    def leaves(self) -> tuple[State, ...]:
        """The states with no states inside."""
        return tuple(state for state in self.states if not self.children(state.name))

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of the leaves, in their own order; a frame is drawn in no kind's colour."""
        return tuple(kind for kind in Kind if any(state.kind is kind for state in self.leaves))

    def children(self, parent: str | None) -> tuple[State, ...]:
        """The states nested directly in a state; with None, those of the top level."""
        return self._nested.get(parent, ())

    def inside(self, name: str) -> Iterator[str]:
        """A state and all that is nested in it, by name."""
        yield name
        for child in self.children(name):
            yield from self.inside(child.name)

    @cached_property
    def _nested(self) -> dict[str | None, tuple[State, ...]]:
        found: dict[str | None, list[State]] = {}
        for state in self.states:
            found.setdefault(state.parent, []).append(state)
        return {parent: tuple(states) for parent, states in found.items()}


class _Order:
    """The canonical order of pairs."""

    def __init__(self, states: Sequence[State], events: Sequence[str]) -> None:
        self._states = {state.name: index for index, state in enumerate(states)}
        self._events = {event: index for index, event in enumerate(events)}

    def of(self, pair: Pair, what: str) -> tuple[int, int]:
        state, event = pair
        if state not in self._states:
            raise ModelError(f"{what} names the state {state!r}, which is not declared")
        if event not in self._events:
            raise ModelError(f"{what} names the event {event!r}, which is not declared")
        return self._states[state], self._events[event]


def _named(rows: Sequence[Edge]) -> Iterator[Edge]:
    """The rows, each with an id of its own."""
    given = [row.id for row in rows if row.id]
    _check_unique("row", given)
    taken = set(given)
    for row in rows:
        name = row.id or _free(f"{row.source} x {row.event}", row.guard, taken)
        taken.add(name)
        yield row if row.id else replace(row, id=name)


def _free(pair: str, guard: str, taken: set[str]) -> str:
    stem = f"{pair} [{guard}]" if guard else pair
    name, count = stem, 1
    while name in taken:
        count += 1
        name = f"{stem} ({count})"
    return name


def _check_unique(what: str, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ModelError(f"the {what} {name!r} is declared twice")
        seen.add(name)


def _check_references(machine: Machine) -> None:
    known = set(machine.state_named)
    codes = {reason.code for reason in machine.reasons}
    named = [("the machine starts in", name) for name in machine.initial]
    named += [(f"row {edge.id!r} goes to", edge.target) for edge in machine.edges]
    for state in machine.states:
        named += [(f"{state.name!r} starts in", name) for name in state.initial]
        named += (
            [(f"{state.name!r} is nested in", state.parent)] if state.parent is not None else []
        )
    for group in machine.groups:
        named += [(f"the group {group.name!r} holds", name) for name in group.states]
    for what, name in named:
        if name not in known:
            raise ModelError(f"{what} the state {name!r}, which is not declared")
    for ignored in machine.ignored:
        if ignored.reason not in codes:
            raise ModelError(f"the reason {ignored.reason!r} of an ignored pair is not declared")


def _check_nesting(machine: Machine) -> None:
    for state in machine.states:
        _check_unique(f"initial state of {state.name!r},", state.initial)
        for child in state.initial:
            if machine.state_named[child].parent != state.name:
                raise ModelError(f"{state.name!r} starts in {child!r}, which is not inside it")
        seen = {state.name}
        parent = state.parent
        while parent is not None:
            if parent in seen:
                raise ModelError(f"the state {state.name!r} is nested in itself")
            seen.add(parent)
            parent = machine.state_named[parent].parent


def _check_texts(part: object) -> None:
    """Refuse half a surrogate pair: no format could hold it, and every one would fail its way."""
    if isinstance(part, str):
        try:
            part.encode()
        except UnicodeEncodeError as error:
            raise ModelError(f"the text {part!r} cannot be written as UTF-8") from error
    elif isinstance(part, tuple):
        for each in part:
            _check_texts(each)
    elif is_dataclass(part):
        for field in fields(part):
            _check_texts(getattr(part, field.name))
