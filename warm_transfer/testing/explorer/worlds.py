"""The model by number: flights and worlds, the moves that they allow, what a launch leads to.

Millions of edges are walked, and most of them lead to something that has been seen. So flights,
worlds and moves are whole numbers here, and what the model says of them is asked for once. None
of it depends on the table, and walks of different tables share it.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from warm_transfer.effects import RELEASES, Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.explorer.cores import Wrong
from warm_transfer.testing.explorer.memory import canonical, renamed
from warm_transfer.testing.invariants import Scene, broken_by
from warm_transfer.testing.model import (
    Flight,
    Flights,
    Move,
    Phase,
    Surroundings,
    World,
    begin,
    launch,
    moves,
)

__all__ = ["EFFECT_BITS", "EVENTS", "HERE", "HERE_BITS", "Worlds", "code_of", "decoded"]

_WORLD_BITS = 14
_WORLD = (1 << _WORLD_BITS) - 1
HERE_BITS = _WORLD_BITS + 24
HERE = (1 << HERE_BITS) - 1
"""The part of a number that says which flights and which world."""
EFFECT_BITS = 14

EVENTS: tuple[On | None, ...] = (None, *On)
"""Events by number; 0 is what the core does not see."""

_NUMBER = {event: number for number, event in enumerate(EVENTS)}

T = TypeVar("T", bound=Hashable)


class _Numbered(Generic[T]):
    """Things, each with a number, counted from 0."""

    def __init__(self, *first: T) -> None:
        self.all = list(first)
        self._numbers = {each: number for number, each in enumerate(first)}

    def __call__(self, thing: T) -> int:
        number = self._numbers.get(thing)
        if number is None:
            number = self._numbers[thing] = len(self.all)
            self.all.append(thing)
        return number


def code_of(event: On | None, effect: int | None) -> int:
    """What the core is told, as a number: 0 when it is told nothing."""
    return 0 if event is None else _NUMBER[event] << EFFECT_BITS | (effect or 0)


def decoded(code: int) -> tuple[On, int | None]:
    """The event and the effect of a number that is not 0."""
    event = EVENTS[code >> EFFECT_BITS]
    assert event is not None
    return event, code & (1 << EFFECT_BITS) - 1 or None


Launch = tuple[tuple[tuple[int, Do], ...], tuple[int, ...]]
"""The effects of a step, and the old ids that were kept when it was renumbered."""


class Worlds:
    """What the model says, remembered by number."""

    def __init__(self) -> None:
        self._flights: _Numbered[Flights] = _Numbered(())
        self._worlds: _Numbered[World] = _Numbered(World())
        self._around: _Numbered[Surroundings] = _Numbered()
        self._steps: _Numbered[Launch] = _Numbered(((), ()))
        self._begun: _Numbered[tuple[Do, ...]] = _Numbered(())
        self._moves: dict[int, tuple[int, ...]] = {}
        self._launched: dict[int, tuple[int, int]] = {}
        self._changed: dict[tuple[int, int], int] = {}
        self._good: set[int] = set()
        self._starts: _Numbered[tuple[tuple[Do, Phase], ...]] = _Numbered(())
        self._underway: dict[int, int] = {}

    def flights(self, here: int) -> Flights:
        """The flights of a number."""
        return self._flights.all[here >> _WORLD_BITS]

    def underway(self, here: int) -> int:
        """A number for the starts in flight, and how far each of them has come."""
        number = here >> _WORLD_BITS
        found = self._underway.get(number)
        if found is None:
            flights = self._flights.all[number]
            starts = ((e.name, e.phase) for e in flights if e.name not in RELEASES)
            found = self._underway[number] = self._starts(tuple(starts))
        return found

    def around(self, around: Surroundings) -> int:
        """The number of what the model has to know of the core."""
        return self._around(around)

    def step(self, effects: tuple[tuple[int, Do], ...], kept: tuple[int, ...]) -> int:
        """The number of what a step starts; 0 when it starts nothing."""
        return self._steps((effects, kept)) if effects else 0

    def moves(self, around: int, here: int, *, news: bool) -> tuple[int, ...]:
        """All moves: the code of what the core is told, then flights and world after it."""
        asked = (around << 1 | news) << HERE_BITS | here
        found = self._moves.get(asked)
        if found is None:
            packed = [
                code_of(move.event, move.effect) << HERE_BITS
                | self._flights(move.flights) << _WORLD_BITS
                | self._worlds(move.world)
                for move in self.told(around, here, news=news)
            ]
            found = self._moves[asked] = tuple(packed)
        return found

    def told(self, around: int, here: int, *, news: bool = True) -> list[Move]:
        """The same moves in the words of the model."""
        world = self._worlds.all[here & _WORLD]
        return list(moves(self._around.all[around], self.flights(here), world, news=news))

    def launch(self, step: int, here: int) -> int:
        """Flights and world when a step's effects, and what waited, have begun."""
        asked = step << HERE_BITS | here >> _WORLD_BITS
        launched = self._launched.get(asked)
        if launched is None:
            launched = self._launched[asked] = self._launch(step, here >> _WORLD_BITS)
        flights, begun = launched
        world = here & _WORLD
        return flights | (self._begin(begun, world) if begun else world)

    def _launch(self, step: int, number: int) -> tuple[int, int]:
        effects, kept = self._steps.all[step]
        flights = self._flights.all[number]
        if effects:
            flights = tuple(Flight(renamed(n, kept), name, phase) for n, name, phase in flights)
            effects = tuple((renamed(n, kept), name) for n, name in effects)
        flights, begun = launch(effects, flights)
        return self._flights(canonical(flights)) << _WORLD_BITS, self._begun(begun)

    def _begin(self, begun: int, world: int) -> int:
        after = self._changed.get((begun, world))
        if after is None:
            after = self._worlds(begin(self._begun.all[begun], self._worlds.all[world]))
            self._changed[begun, world] = after
        return after

    def wrong(self, around: int, here: int) -> Wrong:
        """What is wrong with core and world together."""
        asked = around << HERE_BITS | here
        if asked in self._good:
            return ()
        state, carrier = self._around.all[around][:2]
        wrong = self._judged(state, carrier, here)
        if not wrong:
            self._good.add(asked)
        return wrong

    def _judged(self, state: State, carrier: Carrier, here: int) -> Wrong:
        world = self._worlds.all[here & _WORLD]
        return tuple(broken_by(Scene(state, world, self.flights(here), carrier)))
