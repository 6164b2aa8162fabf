"""The simple paths of a machine: from its start to each way it can end, no state twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from fsm_diagrams.errors import ModelError
from fsm_diagrams.model import Edge, Machine
from fsm_diagrams.walk import Config, Walker

__all__ = ["EFFORT", "LIMIT", "Hop", "Route", "Routes", "paths"]

LIMIT = 200
"""How many paths to one state are listed unless told otherwise."""


EFFORT = 200_000
"""How many paths to one state are looked at, whether they get there or not: about a second."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path: the rows that make it, and where it leads."""

    rows: tuple[Edge, ...]
    """By state: every row that does. By row: exactly those that one event takes."""
    after: Config


@dataclass(frozen=True, slots=True)
class Route:
    """One path."""

    start: Config
    hops: tuple[Hop, ...]

    @property
    def states(self) -> tuple[str, ...]:
        """The states on the way, with those that are parallel joined."""
        return tuple(" + ".join(config) for config in (self.start, *(h.after for h in self.hops)))


@dataclass(frozen=True, slots=True)
class Routes:
    """The paths to one state."""

    to: str
    routes: tuple[Route, ...]
    """In the order of their lengths, then of the machine."""
    complete: bool
    """False when there are more than the limit allows, or may be, because the search gave up."""


def paths(
    machine: Machine, *, to: Sequence[str] = (), rows: bool = False, limit: int = LIMIT
) -> tuple[Routes, ...]:
    """The simple paths to each final state.

    Args:
        machine: the machine.
        to: the states to go to; the final ones when empty, or else those that nothing leaves.
        rows: whether two rows with the same ends are two paths.
        limit: how many paths to list for each state; the shortest come first.

    Raises:
        ModelError: a state in `to` is not there, or none is given and the machine has no end.
    """
    walker = Walker(machine)
    hops = {config: tuple(_hops(walker, config, rows=rows)) for config in walker.reached}
    return tuple(_routes(walker, hops, name, limit) for name in to or _ends(machine))


def _ends(machine: Machine) -> list[str]:
    finals = [state.name for state in machine.states if state.final and state.parent is None]
    left = {edge.source for edge in machine.edges if not edge.internal}
    found = finals or [
        state.name
        for state in machine.states
        if state.name not in left and state.parent is None and not machine.children(state.name)
    ]
    if not found:
        raise ModelError(f"{machine.name!r} has no final state; say where to go with --to")
    return found


def _hops(walker: Walker, config: Config, *, rows: bool) -> Iterator[Hop]:
    found: dict[Config, list[tuple[Edge, ...]]] = {}
    for _, move in walker.moves(config):
        if move.after != config and move.edges not in found.setdefault(move.after, []):
            found[move.after].append(move.edges)
    for after, taken in found.items():
        if rows:
            yield from (Hop(edges, after) for edges in taken)
        else:
            yield Hop(tuple(dict.fromkeys(edge for edges in taken for edge in edges)), after)


def _routes(walker: Walker, hops: dict[Config, tuple[Hop, ...]], to: str, limit: int) -> Routes:
    if to not in walker.machine.state_named:
        raise ModelError(f"{walker.machine.name!r} has no state {to!r}")
    search = _Search(walker, hops, to)
    found = list(islice(search.by_length(), limit + 1))
    return Routes(to, tuple(found[:limit]), complete=len(found) <= limit and not search.gave_up)


def _is_at(walker: Walker, config: Config, to: str) -> bool:
    return any(to in walker.ancestors(leaf) for leaf in config)


def _leading_to(walker: Walker, hops: dict[Config, tuple[Hop, ...]], to: str) -> set[Config]:
    """The configurations from which the state can be reached: the rest is not worth a try."""
    found = {config for config in hops if _is_at(walker, config, to)}
    while more := {
        config
        for config, onward in hops.items()
        if config not in found and any(hop.after in found for hop in onward)
    }:
        found |= more
    return found


class _Search:
    """Looks for the simple paths to one state, the shortest first."""

    def __init__(self, walker: Walker, hops: dict[Config, tuple[Hop, ...]], to: str) -> None:
        self._walker, self._hops, self._to = walker, hops, to
        self._useful = _leading_to(walker, hops, to)
        self._tried = 0

    @property
    def gave_up(self) -> bool:
        """Whether there was too much to look at."""
        return self._tried > EFFORT

    def by_length(self) -> Iterator[Route]:
        """The paths; only as much is searched as is taken."""
        for length in range(len(self._useful)):
            yield from self._of_length(Route(self._walker.start, ()), length)

    def _of_length(self, route: Route, left: int) -> Iterator[Route]:
        self._tried += 1
        here = route.hops[-1].after if route.hops else route.start
        there = _is_at(self._walker, here, self._to)
        if there and left == 0:
            yield route
        if there or left == 0 or self.gave_up:
            return
        been = {route.start, *(hop.after for hop in route.hops)}
        for hop in self._hops[here]:
            if hop.after in self._useful and hop.after not in been:
                yield from self._of_length(Route(route.start, (*route.hops, hop)), left - 1)
