"""Flights and surroundings made by hand."""

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.model import (
    Flight,
    Move,
    Phase,
    Surroundings,
    launch,
)

NEWEST = ((Do.HOLD_CALLER, 1), (Do.PLAY_HOLD_AUDIO, 2), (Do.OPEN_CONSULT, 3))


def around(state: State, *newest: tuple[Do, int], carrier: Carrier = Carrier.AGENT) -> Surroundings:
    return Surroundings(state, carrier, newest)


def started(*names: Do) -> tuple[Flight, ...]:
    flights, _ = launch(tuple(enumerate(names, start=1)), ())
    return flights


def phases(flights: tuple[Flight, ...]) -> dict[Do, Phase]:
    return {each.name: each.phase for each in flights}


def the_move(found: list[Move], name: Do, event: On | None) -> Move:
    (move,) = [each for each in found if each.event is event and each.what.startswith(name)]
    return move
