"""One configuration of the model, and the ways in which a move is written down."""

from __future__ import annotations

from typing import NamedTuple

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import FINAL, State
from warm_transfer.testing.model.flights import REPEATED, Flight, Flights, Phase, overtook
from warm_transfer.testing.model.world import World

__all__ = ["Move", "Scene", "Surroundings"]


class Move(NamedTuple):
    """The next thing that may happen: a report or news for the core, or nothing it sees."""

    event: On | None
    effect: int | None
    flights: Flights
    world: World
    what: str


class Surroundings(NamedTuple):
    """What the model has to know of the core to say what can happen next."""

    state: State
    carrier: Carrier
    """Who carries the sound of the strategy in use."""
    newest: tuple[tuple[Do, int], ...]
    """The newest effect of each name that reports."""


class Scene:
    """What is known while the moves of one configuration are found; lives for one expansion."""

    def __init__(self, around: Surroundings, flights: Flights, world: World) -> None:
        self.around = around
        self.flights = flights
        self.world = world
        self.newest = dict(around.newest)
        self.final = around.state in FINAL
        #: A merge by moving shows as a departure.
        self.moving = around.carrier is Carrier.SERVER and any(
            each.name is Do.MERGE_LEGS and each.phase in (Phase.RUNNING, Phase.HALFWAY)
            for each in flights
        )

    def returns(self, flight: Flight, event: On | None, world: World, *, how: str = "") -> Move:
        """The effect returns, with or without a report; a release may stay to run again."""
        again = (
            flight.phase in (Phase.RUNNING, Phase.HALFWAY)
            and flight.name in REPEATED
            and overtook(flight, self.flights)
        )
        if again:
            behind = Flight(flight.id, flight.name, Phase.BEHIND)
            flights = tuple(behind if each is flight else each for each in self.flights)
        else:
            flights = tuple(each for each in self.flights if each is not flight)
        return Move(event, flight.id, flights, world, f"{flight.name} returns{how}")

    def goes(self, flight: Flight, phase: Phase, event: On | None, world: World) -> Move:
        """The effect goes on to another phase, with or without a report."""
        flights = tuple(
            Flight(each.id, each.name, phase) if each is flight else each for each in self.flights
        )
        what = f"{flight.name} goes {phase.name.lower()}"
        return Move(event, flight.id, flights, world, what)

    def news(self, event: On, world: World | None = None, effect: int | None = None) -> Move:
        """Something is told, and no effect goes on."""
        return Move(event, effect, self.flights, world or self.world, "news")
