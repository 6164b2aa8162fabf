"""A part of a machine, drawn alone: some of its rows and the states they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fsm_diagrams.model import Edge, Machine

__all__ = ["only"]


def only(machine: Machine, edges: Sequence[Edge], states: Iterable[str] = ()) -> Machine:
    """A machine with some of its rows, and no other states and events than these need.

    Args:
        machine: the whole.
        edges: the rows to keep.
        states: states to keep in any case, besides those of the rows and the start.
    """
    ends = {name for edge in edges for name in (edge.source, edge.target)}
    keep = _with_parents(machine, ends | set(states) | set(machine.initial))
    return replace(
        machine,
        states=tuple(
            replace(state, initial=tuple(name for name in state.initial if name in keep))
            for state in machine.states
            if state.name in keep
        ),
        events=tuple(event for event in machine.events if any(e.event == event for e in edges)),
        edges=tuple(edges),
        ignored=(),
        impossible=(),
        groups=(),
    )


def _with_parents(machine: Machine, names: set[str]) -> set[str]:
    found = set(names)
    for name in names:
        parent = machine.state_named[name].parent
        while parent is not None:
            found.add(parent)
            parent = machine.state_named[parent].parent
    return found
