"""What a picture shows of a machine: the arrows to draw, and what is left out.

`full` draws every row. `states` is what fits a README: it leaves out the rows that stay, the
conditions, and which states of a group an arrow is about. `overview` leaves out the same, and draws
every group and every state that has others inside as one box. In all of them rows with the same
ends share an arrow, and so do the states of a group that lead to the same target. Every format that
draws arrows starts from a `Picture`, so all of them show the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from fsm_diagrams.collapse import boxes, collapsed
from fsm_diagrams.model import Edge, Group, Machine, State
from fsm_diagrams.overlay import RANK, Look, Paint

__all__ = ["Arrow", "Line", "Picture", "View", "picture", "regions"]


class View(StrEnum):
    """How much of a machine is drawn."""

    OVERVIEW = "overview"
    STATES = "states"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an arrow's label, and the rows it stands for."""

    event: str
    edges: tuple[Edge, ...]
    guard: str = ""
    only: str = ""
    """Which states of the group it is about, when not all of them."""
    look: Look | None = None
    """What a review paints over it; all rows of a line look alike."""

    @property
    def text(self) -> str:
        """The line as people read it."""
        guard = f" [{self.guard}]" if self.guard else ""
        only = f" ({self.only})" if self.only else ""
        said = f": {self.look.text}" if self.look and self.look.text else ""
        return f"{self.event}{guard}{only}{said}"


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow of the picture, with every event that takes it."""

    source: str
    """The name of a state, or of a group when `shared`."""
    target: str
    lines: tuple[Line, ...]
    shared: bool = False

    @property
    def look(self) -> Look | None:
        """What a review paints over it; its lines differ at most in what is said."""
        return self.lines[0].look


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn: a machine, the arrows, the boxes, and what a caption must say."""

    machine: Machine
    """What the arrows are between; in an overview its states are the boxes."""
    view: View
    arrows: tuple[Arrow, ...]
    inside: Mapping[str, tuple[Line, ...]]
    """The rows that stay in a state, by the state's name."""
    groups: tuple[Group, ...]
    notes: tuple[str, ...]
    """How to read it and what is left out, one sentence each."""
    paint: Paint | None = None

    @property
    def title(self) -> str:
        """What stands above it; may be empty."""
        return (self.paint.title if self.paint else "") or self.machine.name


def picture(machine: Machine, view: View, paint: Paint | None = None) -> Picture:
    """A machine in the given view; rows that a review paints differently do not share an arrow."""
    return _Drawing(machine, view, paint).picture()


class _Drawing:
    def __init__(self, machine: Machine, view: View, paint: Paint | None) -> None:
        self._whole = machine
        machine = collapsed(machine) if view is View.OVERVIEW else machine
        self._machine = machine
        self._view = view
        self._full = view is View.FULL
        self._paint = paint
        self._place = {state.name: index for index, state in enumerate(machine.states)}
        self._turn = {event: index for index, event in enumerate(machine.events)}

    def picture(self) -> Picture:
        machine = self._machine
        moves = [edge for edge in machine.edges if not edge.internal]
        groups = boxes(machine)
        shared = {group.name: list(_shared(group, moves)) for group in groups}
        taken = {edge.id for edges in shared.values() for edge in edges}
        alone = [edge for edge in moves if edge.id not in taken]
        arrows = [Arrow(s, t, tuple(self._lines(edges))) for s, t, edges in self._by_ends(alone)]
        for group in groups:
            for target, edges in self._by_target(shared[group.name]):
                lines = tuple(self._lines(edges, group))
                arrows.append(Arrow(group.name, target, lines, shared=True))
        drawn = tuple(group for group in groups if shared[group.name])
        return Picture(
            machine=machine,
            view=self._view,
            arrows=tuple(arrows),
            inside=self._inside(),
            groups=drawn,
            notes=tuple(_notes(self._whole, self._view, drawn, machine)),
            paint=self._paint,
        )

    def _inside(self) -> dict[str, tuple[Line, ...]]:
        stays: dict[str, list[Edge]] = {}
        for edge in self._machine.edges:
            if edge.internal and self._full:
                stays.setdefault(edge.source, []).append(edge)
        return {source: tuple(self._lines(edges)) for source, edges in stays.items()}

    def _by_ends(self, edges: Iterable[Edge]) -> Iterator[tuple[str, str, list[Edge]]]:
        """The rows by source and target, in the order of the states: the happy path comes first."""

        def key(edge: Edge) -> tuple[int, int, int, bool]:
            return self._place[edge.source], self._place[edge.target], *self._tint(edge)

        for _, found in groupby(sorted(edges, key=key), key=key):
            rows = list(found)
            yield rows[0].source, rows[0].target, rows

    def _by_target(self, edges: Iterable[Edge]) -> Iterator[tuple[str, list[Edge]]]:
        def key(edge: Edge) -> tuple[int, int, bool]:
            return self._place[edge.target], *self._tint(edge)

        ranked = sorted(edges, key=lambda edge: (*key(edge), self._turn[edge.event]))
        for _, found in groupby(ranked, key=key):
            rows = list(found)
            yield rows[0].target, rows

    def _look(self, edge: Edge) -> Look | None:
        return self._paint.edge(edge.id) if self._paint else None

    def _tint(self, edge: Edge) -> tuple[int, bool]:
        """How the arrow of a row is drawn, as its place among the ways to draw one."""
        look = self._look(edge)
        return (RANK.index(look.colour), look.dashed) if look else (-1, False)

    def _lines(self, edges: Iterable[Edge], group: Group | None = None) -> Iterator[Line]:
        """One line an event, or a row; states of a group share a line where they agree."""
        found: dict[tuple[str, str, Look | None, int], list[Edge]] = {}
        for edge in edges:
            event, guard, look = edge.event, edge.guard if self._full else "", self._look(edge)
            same = [key for key in found if key[:3] == (event, guard, look)]
            # A row that is there twice, by mistake or not, stands there twice.
            before = sum(row.source == edge.source for key in same for row in found[key])
            turn = before if self._full else 0
            found.setdefault((event, guard, look, turn), []).append(edge)
        for (event, guard, look, _), rows in found.items():
            only = _only(group, {row.source for row in rows}) if group and self._full else ""
            yield Line(event, tuple(rows), guard, only, look)


def regions(machine: Machine, name: str) -> tuple[tuple[State, ...], ...]:
    """The children of a state, apart where they run in parallel; one region otherwise.

    A child that is not entered with the state belongs to the region whose states it has rows with.
    """
    children = machine.children(name)
    starts = machine.state_named[name].initial
    if len(starts) < 2:  # noqa: PLR2004 - it takes two to run in parallel
        return (children,)
    region = {start: start for start in starts}
    top = {each: child.name for child in children for each in machine.inside(child.name)}
    ends = [(top[e.source], top[e.target]) for e in machine.edges if {e.source, e.target} <= {*top}]
    for _ in children:
        for one, other in (*ends, *((b, a) for a, b in ends)):
            if one in region:
                region.setdefault(other, region[one])
    return tuple(
        tuple(child for child in children if region.get(child.name, starts[0]) == start)
        for start in starts
    )


def _shared(group: Group, moves: Iterable[Edge]) -> Iterator[Edge]:
    """The rows that leave a group for a target that several of its states lead to."""
    leaving = [e for e in moves if e.source in group.states and e.target not in group.states]
    sources: dict[str, set[str]] = {}
    for edge in leaving:
        sources.setdefault(edge.target, set()).add(edge.source)
    return (edge for edge in leaving if len(sources[edge.target]) > 1)


def _only(group: Group, sources: set[str]) -> str:
    """The states of a group that take part; the one that does not, when it is only one."""
    outside = [name for name in group.states if name not in sources]
    if not outside:
        return ""
    if len(outside) == 1 and len(sources) > 1:
        return f"not {outside[0]}"
    return ", ".join(name for name in group.states if name in sources)


def _notes(
    machine: Machine, view: View, groups: tuple[Group, ...], drawn: Machine
) -> Iterator[str]:
    full = view is View.FULL
    if len(drawn.states) < len(machine.states):
        yield "A box with a colon stands for all states named in it, in the colour that most have."
    if groups:
        yield (
            "An arrow from 'these states' is taken in every state of the box, "
            "or in those named in round brackets."
            if full
            else "An arrow from 'these states' is taken in one or more states of the box."
        )
    if full:
        count = len(machine.edges)
        yield "The only row stands here." if count == 1 else f"All {count} rows stand here once."
        yield "An event inside a state keeps that state; a condition stands in square brackets."
        return
    if any(edge.guard for edge in drawn.edges):
        yield "Where one event leads from a state along several arrows, a condition decides."
    if left := _left_out(machine, len(machine.edges) - len(drawn.edges)):
        yield f"Left out: {left}."


def _left_out(machine: Machine, within: int) -> str:
    """The rows that a picture other than the full one does not draw, counted."""
    finals = {state.name for state in machine.states if state.final}
    stays = [edge for edge in machine.edges if edge.internal]
    late = [edge for edge in stays if edge.source in finals]
    parts = [f"{_rows(within)} within a box"] if within else []
    if len(stays) > len(late):
        keep = "that keep" if len(stays) - len(late) > 1 else "that keeps"
        parts.append(f"{_rows(len(stays) - len(late))} {keep} a state before the end")
    if late:
        parts.append(f"{_rows(len(late))} for what comes late, in a final state")
    return ", ".join([*parts[:-2], " and ".join(parts[-2:])])


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
