"""The shortest sequence of events that shows how two machines differ.

Both are walked at once, breadth first. What is assumed: both get the same events; a condition is
known by its words and may hold or not at any step; the same words hold or not in both machines
alike. Where an event has more than seven conditions, they are tried alone, in twos and together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fsm_diagrams.model import Edge, Kind, Machine
from fsm_diagrams.walk import Config, Move, Walker

__all__ = ["ASSUMED", "Happening", "Witness", "witnesses"]

ASSUMED = (
    "Assumed: both machines get the same events, and a condition with the same words holds in "
    "both or in neither."
)

_OUTCOMES = (Kind.SUCCESS, Kind.FAILURE, Kind.OVER)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a sequence, and the conditions that hold when it comes."""

    event: str
    holding: tuple[str, ...] = ()
    asked: bool = False
    """Whether conditions are asked when it comes."""

    @property
    def text(self) -> str:
        """The event as people read it."""
        says = ", ".join(self.holding) or "no condition holds"
        return f"{self.event} [{says}]" if self.asked else self.event


@dataclass(frozen=True, slots=True)
class Witness:
    """A shortest sequence, and what each machine does at its last event."""

    kind: str
    """``behaviour``: anything that can be seen differs; ``outcome``: how it ends does."""
    events: tuple[Happening, ...]
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class _Node:
    old: Config
    new: Config
    came: _Node | None = None
    by: Happening | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """One event in both machines."""

    old: Move
    new: Move


def witnesses(old: Machine, new: Machine) -> Iterator[Witness]:
    """The shortest sequence that shows any difference, and the shortest whose outcome differs."""
    if old == new:
        return
    walkers = Walker(old), Walker(new)
    if walkers[0].start != walkers[1].start:
        says = " + ".join(walkers[0].start), " + ".join(walkers[1].start)
        yield Witness("behaviour", (), f"starts in {says[0]}", f"starts in {says[1]}")
    else:
        yield from _search(walkers, "behaviour", _seen_differs)
    yield from _search(walkers, "outcome", _Ends(old, new).differ)


def _search(
    walkers: tuple[Walker, Walker],
    kind: str,
    differs: Callable[[_Step], bool],
) -> Iterator[Witness]:
    first = _Node(walkers[0].start, walkers[1].start)
    seen, todo = {(first.old, first.new)}, deque([first])
    events = tuple(dict.fromkeys([*walkers[0].machine.events, *walkers[1].machine.events]))
    while todo:
        node = todo.popleft()
        for happening, step in _steps(walkers, node, events):
            following = _Node(step.old.after, step.new.after, node, happening)
            if differs(step):
                old = _says(walkers[0].machine, happening.event, step.old)
                new = _says(walkers[1].machine, happening.event, step.new)
                yield Witness(kind, _events(following), old, new)
                return
            ends = following.old, following.new
            if ends not in seen:
                seen.add(ends)
                todo.append(following)


def _steps(
    walkers: tuple[Walker, Walker], node: _Node, events: tuple[str, ...]
) -> Iterator[tuple[Happening, _Step]]:
    for event in events:
        old = set(walkers[0].choices(node.old, event))
        new = set(walkers[1].choices(node.new, event))
        for holding in sorted(old | new, key=lambda some: (len(some), sorted(some))):
            step = _Step(
                walkers[0].move(node.old, event, holding),
                walkers[1].move(node.new, event, holding),
            )
            yield Happening(event, tuple(sorted(holding)), asked=len(old | new) > 1), step


def _seen_differs(step: _Step) -> bool:
    return step.old.after != step.new.after or _visible(step.old) != _visible(step.new)


def _visible(move: Move) -> list[tuple[object, ...]]:
    return [_shown(edge) for edge in move.edges]


def _shown(edge: Edge) -> tuple[object, ...]:
    return edge.target, edge.internal, edge.effects, edge.clock, edge.reason, edge.notes


class _Ends:
    """Whether two moves end differently: in an outcome that the other has not, or its reason."""

    def __init__(self, old: Machine, new: Machine) -> None:
        self._old, self._new = _outcomes(old), _outcomes(new)
        self._any = not (self._old and self._new)

    def differ(self, step: _Step) -> bool:
        """Whether a step ends differently; in machines without outcomes any state counts."""
        old, new = step.old.after, step.new.after
        if self._any:
            return old != new
        if old != new:
            return bool(self._old & set(old) or self._new & set(new))
        return bool(self._old & set(old)) and _reasons(step.old) != _reasons(step.new)


def _reasons(move: Move) -> list[str]:
    return [edge.reason for edge in move.edges if edge.reason]


def _outcomes(machine: Machine) -> set[str]:
    return {state.name for state in machine.states if state.final or state.kind in _OUTCOMES}


def _events(node: _Node) -> tuple[Happening, ...]:
    found = []
    current: _Node | None = node
    while current is not None and current.by is not None:
        found.append(current.by)
        current = current.came
    return tuple(reversed(found))


def _says(machine: Machine, event: str, move: Move) -> str:
    """What a machine does, in words."""
    where = " + ".join(move.after)
    if not move.edges:
        return f"stays in {where}, where {event} {_unhandled(machine, event, move.after)}"
    parts = [f"stays in {where}" if all(e.internal for e in move.edges) else f"goes to {where}"]
    for edge in move.edges:
        parts += [f"reason {edge.reason}"] if edge.reason else []
        parts += [f"clock {edge.clock}"] if edge.clock else []
        parts += [f"does {', '.join(edge.effects)}"] if edge.effects else []
        parts += [f"notes {', '.join(edge.notes)}"] if edge.notes else []
    return "; ".join(parts)


def _unhandled(machine: Machine, event: str, config: Config) -> str:
    if event not in machine.events:
        return "does not exist"
    for pair in ((name, event) for name in config):
        if pair in machine.why_ignored:
            return f"is ignored ({machine.why_ignored[pair]})"
        if pair in machine.impossible:
            return "cannot happen"
        if pair in machine.by_pair:
            return "has no row whose condition holds"
    return "has no row"
