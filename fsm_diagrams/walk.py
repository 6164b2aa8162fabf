"""How a machine moves, for tools that walk it: states, events, and which conditions hold.

Conditions are names here, joined by ``and`` and turned by ``not``: a walk may let any of them hold.
Nested states are entered with their
initial children; an event goes to the innermost state with a row for it; parallel states each
take it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from fsm_diagrams.model import Edge, Machine

__all__ = ["Config", "Move", "Walker"]

Config = tuple[str, ...]
"""The innermost states a machine is in, in the order of its states; one unless some are parallel.
"""


#: So many conditions of one event are tried in every combination.
_FEW = 7
_NOT = "not "


@dataclass(frozen=True, slots=True)
class Move:
    """What an event did: the rows it took, none when it had none, and where that led."""

    edges: tuple[Edge, ...]
    after: Config


class Walker:
    """Moves through a machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._order = {state.name: index for index, state in enumerate(machine.states)}
        self._parent = {state.name: state.parent for state in machine.states}

    @cached_property
    def start(self) -> Config:
        """Where the machine starts."""
        leaves = [leaf for name in self.machine.initial for leaf in self._enter(name)]
        return self._sorted(leaves)

    def ancestors(self, name: str) -> tuple[str, ...]:
        """A state and what it is nested in, from the inside out."""
        chain = [name]
        while (parent := self._parent[chain[-1]]) is not None and parent not in chain:
            chain.append(parent)
        return tuple(chain)

    def rows(self, config: Config, event: str) -> tuple[Edge, ...]:
        """All rows that an event may take, of the innermost states first."""
        found: dict[str, Edge] = {}
        for leaf in config:
            for name in self.ancestors(leaf):
                found |= {row.id: row for row in self.machine.by_pair.get((name, event), ())}
        return tuple(found.values())

    def move(self, config: Config, event: str, holding: frozenset[str]) -> Move:
        """What an event does when exactly these conditions hold."""
        leaves, taken = list(config), list[Edge]()
        for leaf in config:
            if leaf not in leaves:
                continue
            edge = self._first(leaf, event, holding)
            if edge is None or edge in taken:
                continue
            taken.append(edge)
            if not edge.internal:
                leaves = self._moved(leaves, edge)
        return Move(tuple(taken), self._sorted(leaves))

    def choices(self, config: Config, event: str) -> Iterator[frozenset[str]]:
        """The conditions that may hold when an event comes, the fewest first.

        Every set of them while there are few; else none, each, each two and all.
        """
        names = sorted({name for row in self.rows(config, event) for name in _names(row.guard)})
        sizes = range(len(names) + 1) if len(names) <= _FEW else (0, 1, 2, len(names))
        for count in sizes:
            yield from (frozenset(some) for some in combinations(names, count))

    def moves(self, config: Config) -> Iterator[tuple[str, Move]]:
        """Every different move out of a configuration that takes a row, by event."""
        for event in self.machine.events:
            seen = dict.fromkeys(self.move(config, event, c) for c in self.choices(config, event))
            yield from ((event, move) for move in seen if move.edges)

    @cached_property
    def reached(self) -> frozenset[Config]:
        """Every configuration that can come about."""
        found, todo = {self.start}, [self.start]
        while todo:
            for _, move in self.moves(todo.pop()):
                if move.after not in found:
                    found.add(move.after)
                    todo.append(move.after)
        return frozenset(found)

    def _first(self, leaf: str, event: str, holding: frozenset[str]) -> Edge | None:
        for name in self.ancestors(leaf):
            for row in self.machine.by_pair.get((name, event), ()):
                if _holds(row.guard, holding):
                    return row
        return None

    def _moved(self, leaves: list[str], edge: Edge) -> list[str]:
        """What is left after a row: out of the outermost state it leaves, into its target."""
        above = self.ancestors(edge.target)[1:]
        left = next(
            (name for name in self.ancestors(edge.source) if self._parent[name] in above),
            self.ancestors(edge.source)[-1],
        )
        stay = [leaf for leaf in leaves if left not in self.ancestors(leaf)]
        return stay + [leaf for leaf in self._enter(edge.target) if leaf not in stay]

    def _enter(self, name: str) -> list[str]:
        state = self.machine.state_named[name]
        if not state.initial:
            return [name]
        return [leaf for child in state.initial for leaf in self._enter(child)]

    def _sorted(self, leaves: list[str]) -> Config:
        return tuple(sorted(dict.fromkeys(leaves), key=self._order.__getitem__))


def _parts(guard: str) -> list[str]:
    return guard.split(" and ") if guard else []


def _names(guard: str) -> Iterator[str]:
    return (part.removeprefix(_NOT) for part in _parts(guard))


def _holds(guard: str, holding: frozenset[str]) -> bool:
    """Whether a condition holds when exactly these do; no condition always does."""
    return all(
        (part.removeprefix(_NOT) in holding) is not part.startswith(_NOT) for part in _parts(guard)
    )
