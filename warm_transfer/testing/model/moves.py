"""Everything that may happen next."""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.testing.model.flights import Flights
from warm_transfer.testing.model.goes_on import going_on
from warm_transfer.testing.model.news import told
from warm_transfer.testing.model.scene import Move, Scene, Surroundings
from warm_transfer.testing.model.world import World

__all__ = ["moves"]


def moves(
    around: Surroundings, flights: Flights, world: World, *, news: bool = True
) -> Iterator[Move]:
    """Everything that may happen next, clocks apart; without news only what effects do."""
    scene = Scene(around, flights, world)
    yield from going_on(scene)
    if news:
        yield from told(scene)
