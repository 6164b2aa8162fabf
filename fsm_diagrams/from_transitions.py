"""A machine of the `transitions` package as a machine, whichever of its classes made it.

Read from the machine's own tables (`states`, `events`; checked against transitions 0.9.3), never
by running it. `transitions` is not imported here: whoever has such a machine has loaded it.

- The names of nested states are paths, joined by the separator of the machine.
- Transitions that `transitions` adds itself (``to_STATE``) are left out, unless somebody gave them
  a condition or a callback.
- A row's effects are its callbacks in the order in which they run, each with its phase; those of
  the machine (``before_state_change``) run for every row. The entry and exit callbacks, tags and
  timeouts of a state stand in its label.
- A callback is shown by its name. What an object or a `functools.partial` holds is not shown: it
  would differ from process to process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from fsm_diagrams.errors import TargetError
from fsm_diagrams.model import Edge, Kind, Machine, State

__all__ = ["as_transitions", "from_transitions"]


def as_transitions(found: object) -> Any | None:
    """The object as a machine of `transitions`, if it is one, holds one, or is the model of one.

    Raises:
        TargetError: it holds several machines; names them.
    """
    core = sys.modules.get("transitions.core")
    machine_class: type | None = getattr(core, "Machine", None)
    if machine_class is None or isinstance(found, type):
        return None
    if isinstance(found, machine_class):
        return found
    held = getattr(found, "__dict__", {})
    # A model that knows nothing of its machine still has the trigger that the machine gave it.
    trigger = held.get("trigger")
    owner = getattr(trigger.func, "__self__", None) if isinstance(trigger, partial) else None
    inside = {name: value for name, value in held.items() if isinstance(value, machine_class)}
    if len({id(value) for value in inside.values()}) > 1:
        names = ", ".join(sorted(inside))
        raise TargetError(f"a {type(found).__qualname__} holds several machines; name one: {names}")
    for value in (*inside.values(), owner):
        if isinstance(value, machine_class):
            return value
    return None


def from_transitions(machine: Any) -> Machine:
    """A machine of `transitions` as a machine: states and events in the order they were added.

    Raises:
        ModelError: a row names a state that was never added; `transitions` itself notices only
            when that row is taken.
    """
    return _Reader(machine).machine()


@dataclass(frozen=True, slots=True)
class _Place:
    """A state with where it stands, or the machine itself at the top."""

    path: tuple[str, ...]
    state: Any

    def children(self) -> Iterator[_Place]:
        for name, state in getattr(self.state, "states", {}).items():
            yield _Place((*self.path, name), state)


class _Reader:
    def __init__(self, machine: Any) -> None:
        self._machine = machine
        self._separator: str = getattr(machine.state_cls, "separator", "_")
        self._top = _Place((), machine)
        self._places = list(_walk(self._top))
        self._by_path = {place.path: place for place in self._places}

    def machine(self) -> Machine:
        found = [(depth, edge) for depth, edge in self._edges() if not self._is_automatic(edge)]
        # The states inside are asked before those around them.
        found.sort(key=lambda item: -item[0])
        edges = [edge for _, edge in found]
        used = {edge.event for edge in edges}
        events = [name for name in self._events() if name in used or not self._names_a_state(name)]
        return Machine.of(
            _name(self._machine),
            [self._state(place) for place in self._places],
            events,
            [self._joined(path) for path in self._initial(self._top)],
            [self._with_clock(edge) for edge in edges],
        )

    def _joined(self, path: Sequence[str]) -> str:
        return self._separator.join(path)

    def _state(self, place: _Place) -> State:
        state, children = place.state, list(place.children())
        name, label = self._joined(place.path), "\n".join(_label(place))
        return State(
            name,
            label="" if label == name else label,
            kind=_kind(state),
            final=bool(state.final),
            parent=self._joined(place.path[:-1]) or None,
            initial=tuple(self._joined(path) for path in self._initial(place)) if children else (),
        )

    def _initial(self, place: _Place) -> Iterator[tuple[str, ...]]:
        """Where a state, or the machine, starts; several at once when they run in parallel."""
        for each in _flat(getattr(place.state, "initial", None)):
            if isinstance(each, Enum):
                yield self._path_of(each, place)
            else:
                yield self._resolve(str(getattr(each, "name", each)), place)

    def _path_of(self, member: Enum, place: _Place) -> tuple[str, ...]:
        inside = [it for it in self._places if it.path[: len(place.path)] == place.path]
        for each in inside:
            if each.state.value is member:
                return each.path
        return (*place.path, member.name)

    def _resolve(self, name: str, scope: _Place) -> tuple[str, ...]:
        """A name as a path: seen from a scope, or else from the top, as `transitions` looks."""
        if not hasattr(self._machine, "get_nested_state_names"):
            return (name,)
        parts = tuple(name.split(self._separator))
        near = (*scope.path, *parts)
        return parts if near not in self._by_path and parts in self._by_path else near

    def _events(self) -> Iterator[str]:
        places = (self._top, *self._places)
        yield from dict.fromkeys(
            str(name) for place in places for name in getattr(place.state, "events", {})
        )

    def _edges(self) -> Iterator[tuple[int, Edge]]:
        """The rows with the depth of the scope that holds them."""
        for place in (self._top, *self._places):
            for name, event in getattr(place.state, "events", {}).items():
                for rows in event.transitions.values():
                    for row in rows:
                        yield len(place.path), self._edge(place, str(name), row)

    def _edge(self, scope: _Place, event: str, row: Any) -> Edge:
        source = self._joined(self._resolve(row.source, scope))
        internal = row.dest is None
        return Edge(
            source,
            event,
            source if internal else self._joined(self._resolve(row.dest, scope)),
            guard=" and ".join(_condition(each) for each in row.conditions),
            effects=tuple(self._effects(row)),
            internal=internal,
        )

    def _effects(self, row: Any) -> Iterator[str]:
        machine = self._machine
        phases = (
            ("prepare", row.prepare),
            ("before", [*machine.before_state_change, *row.before]),
            ("after", [*row.after, *machine.after_state_change]),
        )
        for phase, callbacks in phases:
            yield from (f"{phase} {_callback(each)}" for each in callbacks)

    def _with_clock(self, edge: Edge) -> Edge:
        """The row, with the clock of the state it enters."""
        place = next((it for it in self._places if self._joined(it.path) == edge.target), None)
        seconds = _timeout(place.state) if place and not edge.internal else 0
        if not seconds:
            return edge
        return Edge(
            edge.source, edge.event, edge.target, edge.guard, edge.effects, f"{seconds:g} s"
        )

    def _is_automatic(self, edge: Edge) -> bool:
        ours = self._machine.auto_transitions and edge.event == self._automatic(edge.target)
        shared = {
            *(f"before {_callback(each)}" for each in self._machine.before_state_change),
            *(f"after {_callback(each)}" for each in self._machine.after_state_change),
        }
        return ours and not edge.internal and not edge.guard and set(edge.effects) <= shared

    def _names_a_state(self, event: str) -> bool:
        names = (self._automatic(self._joined(place.path)) for place in self._places)
        return bool(self._machine.auto_transitions) and event in names

    def _automatic(self, state: str) -> str:
        attribute = self._machine.model_attribute
        return f"to_{state}" if attribute == "state" else f"to_{attribute}_{state}"


def _walk(place: _Place) -> Iterator[_Place]:
    for child in place.children():
        yield child
        yield from _walk(child)


def _flat(value: Any) -> Iterator[Any]:
    """The members of lists in lists; nothing for None."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _flat(each)
    elif value is not None:
        yield value


def _name(machine: Any) -> str:
    """The name the machine was given, or that of a class of one's own."""
    given = str(machine.name).removesuffix(": ")
    own = not type(machine).__module__.startswith("transitions.")
    return given or (type(machine).__name__ if own else "")


def _label(place: _Place) -> Iterator[str]:
    state = place.state
    yield place.path[-1]
    if tags := getattr(state, "tags", None):
        yield f"tags: {', '.join(str(tag) for tag in tags)}"
    if seconds := _timeout(state):
        yield f"after {seconds:g} s / {_callbacks(state.on_timeout)}"
    if state.on_enter:
        yield f"entry / {_callbacks(state.on_enter)}"
    if state.on_exit:
        yield f"exit / {_callbacks(state.on_exit)}"


def _timeout(state: Any) -> float:
    """The seconds after which a state of the class `Timeout` acts; 0 for any other."""
    # Not getattr on the state: the class `Tags` answers every name that starts with "is_".
    return float(vars(state).get("timeout") or 0)


def _kind(state: Any) -> Kind:
    accepted = "accepted" in (getattr(state, "tags", None) or ())
    if state.final:
        return Kind.SUCCESS if accepted else Kind.OVER
    return Kind.WAITING if _timeout(state) else Kind.ORDINARY


def _condition(condition: Any) -> str:
    return _callback(condition.func) if condition.target else f"not {_callback(condition.func)}"


def _callbacks(callbacks: Iterable[Any]) -> str:
    return ", ".join(_callback(each) for each in callbacks)


def _callback(found: str | Callable[..., object]) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, partial):
        return _callback(found.func)
    return str(getattr(found, "__name__", type(found).__name__))
