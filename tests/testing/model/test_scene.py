"""How a move is written down."""

from tests.testing.model.made import around, phases, started, the_move
from warm_transfer.effects import Do
from warm_transfer.states import State
from warm_transfer.testing.model import (
    Leg,
    Phase,
    World,
    launch,
    moves,
)


def test_a_release_runs_at_once_and_again_when_its_start_returns() -> None:
    world = World(leg=Leg.RINGING)
    here = around(State.ABANDONED, (Do.DIAL_CONSULT, 1))
    flights = started(Do.DIAL_CONSULT, Do.HANG_UP_CONSULT)
    ran = the_move(list(moves(here, flights, world)), Do.HANG_UP_CONSULT, None)
    assert ran.world.leg is Leg.GONE
    assert phases(ran.flights)[Do.HANG_UP_CONSULT] is Phase.BEHIND
    left, _ = launch((), tuple(e for e in ran.flights if e.name is not Do.DIAL_CONSULT))
    assert phases(left)[Do.HANG_UP_CONSULT] is Phase.REPEATING
