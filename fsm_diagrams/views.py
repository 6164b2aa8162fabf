"""What a picture shows of a machine: the arrows to draw, and what is left out.

`full` draws every row. `overview` is what fits a README: it leaves out the rows that stay, the
conditions, and which states of a group an arrow is about. In both, rows with the same ends share
an arrow, and so do the states of a group that lead to the same target. Every format that draws
arrows starts from a `Picture`, so all of them show the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from fsm_diagrams.model import Edge, Group, Machine

__all__ = ["Arrow", "Line", "Picture", "View", "picture"]


class View(StrEnum):
    """How much of a machine is drawn."""

    OVERVIEW = "overview"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an arrow's label, and the rows it stands for."""

    event: str
    edges: tuple[Edge, ...]
    guard: str = ""
    only: str = ""
    """Which states of the group it is about, when not all of them."""

    @property
    def text(self) -> str:
        """The line as people read it."""
        guard = f" [{self.guard}]" if self.guard else ""
        only = f" ({self.only})" if self.only else ""
        return f"{self.event}{guard}{only}"


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow of the picture, with every event that takes it."""

    source: str
    """The name of a state, or of a group when `shared`."""
    target: str
    lines: tuple[Line, ...]
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn: a machine, the arrows, the boxes, and what a caption must say."""

    machine: Machine
    view: View
    arrows: tuple[Arrow, ...]
    inside: Mapping[str, tuple[Line, ...]]
    """The rows that stay in a state, by the state's name."""
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
    """How to read it and what is left out, one sentence each."""


def picture(machine: Machine, view: View) -> Picture:
    """A machine in the given view."""
    full = view is View.FULL
    moves = [edge for edge in machine.edges if not edge.internal]
    shared = {group.name: list(_shared(group, moves)) for group in machine.groups}
    taken = {edge for edges in shared.values() for edge in edges}
    arrows = [
        Arrow(source, target, tuple(_lines(edges, full=full)))
        for source, target, edges in _by_ends(machine, [e for e in moves if e not in taken])
    ]
    for group in machine.groups:
        for target, edges in _by_target(machine, shared[group.name]):
            lines = tuple(_lines(edges, full=full, group=group))
            arrows.append(Arrow(group.name, target, lines, shared=True))
    stays = [edge for edge in machine.edges if edge.internal and full]
    groups = tuple(group for group in machine.groups if shared[group.name])
    return Picture(
        machine=machine,
        view=view,
        arrows=tuple(arrows),
        inside={
            source: tuple(_lines(edges, full=True)) for source, _, edges in _by_ends(machine, stays)
        },
        groups=groups,
        notes=tuple(_notes(machine, view, groups)),
    )


def _shared(group: Group, moves: Iterable[Edge]) -> Iterator[Edge]:
    """The rows that leave a group for a target that several of its states lead to."""
    leaving = [e for e in moves if e.source in group.states and e.target not in group.states]
    sources: dict[str, set[str]] = {}
    for edge in leaving:
        sources.setdefault(edge.target, set()).add(edge.source)
    return (edge for edge in leaving if len(sources[edge.target]) > 1)


def _by_ends(machine: Machine, edges: Iterable[Edge]) -> Iterator[tuple[str, str, list[Edge]]]:
    """The rows by source and target, in the order of the states: the happy path comes first."""
    order = _order(machine)
    ranked = sorted(edges, key=lambda edge: (order[edge.source], order[edge.target]))
    for (source, target), found in groupby(ranked, key=lambda edge: (edge.source, edge.target)):
        yield source, target, list(found)


def _by_target(machine: Machine, edges: Iterable[Edge]) -> Iterator[tuple[str, list[Edge]]]:
    order = _order(machine)
    events = {event: index for index, event in enumerate(machine.events)}
    ranked = sorted(edges, key=lambda edge: (order[edge.target], events[edge.event]))
    for target, found in groupby(ranked, key=lambda edge: edge.target):
        yield target, list(found)


def _lines(edges: Iterable[Edge], *, full: bool, group: Group | None = None) -> Iterator[Line]:
    """One line an event, or an event and its guard; several states of a group share a line."""

    def key(edge: Edge) -> tuple[str, str]:
        return edge.event, edge.guard if full else ""

    found: dict[tuple[str, str], list[Edge]] = {}
    for edge in edges:
        found.setdefault(key(edge), []).append(edge)
    for (event, guard), rows in found.items():
        only = _only(group, {row.source for row in rows}) if group and full else ""
        yield Line(event, tuple(rows), guard, only)


def _only(group: Group, sources: set[str]) -> str:
    """The states of a group that take part; the one that does not, when it is only one."""
    outside = [name for name in group.states if name not in sources]
    if not outside:
        return ""
    if len(outside) == 1 and len(sources) > 1:
        return f"not {outside[0]}"
    return ", ".join(name for name in group.states if name in sources)


def _notes(machine: Machine, view: View, groups: tuple[Group, ...]) -> Iterator[str]:
    full = view is View.FULL
    if groups:
        yield (
            "An arrow from 'these states' is taken in every state of the box, "
            "or in those named in round brackets."
            if full
            else "An arrow from 'these states' is taken in one or more states of the box."
        )
    if full:
        yield f"All {_rows(len(machine.edges))} stand here once."
        yield "An event inside a state keeps that state; a condition stands in square brackets."
        return
    if any(edge.guard for edge in machine.edges):
        yield "Where one event leads from a state along several arrows, a condition decides."
    if left := _left_out(machine):
        yield f"Left out: {left}."


def _left_out(machine: Machine) -> str:
    """The rows that an overview does not draw, counted."""
    finals = {state.name for state in machine.states if state.final}
    stays = [edge for edge in machine.edges if edge.internal]
    late = [edge for edge in stays if edge.source in finals]
    parts = []
    if len(stays) > len(late):
        parts.append(f"{_rows(len(stays) - len(late))} that keep a state before the end")
    if late:
        parts.append(f"{_rows(len(late))} for what comes late, in a final state")
    return " and ".join(parts)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _order(machine: Machine) -> dict[str, int]:
    return {state.name: index for index, state in enumerate(machine.states)}
