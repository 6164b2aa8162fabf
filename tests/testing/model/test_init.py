"""The model knows every effect."""

import pytest

from tests.testing.model.made import around
from warm_transfer.effects import Do
from warm_transfer.states import State
from warm_transfer.testing.model import Flight, Leg, Phase, World, moves


@pytest.mark.parametrize("name", list(Do))
def test_every_effect_can_go_on(name: Do) -> None:
    flight = Flight(1, name, Phase.RUNNING)
    world = World(leg=Leg.ANSWERED, joined=True)
    found = list(moves(around(State.MERGED), (flight,), world, news=False))
    assert any(flight not in move.flights for move in found)
