"""What effects change in the world."""

from warm_transfer.effects import Do
from warm_transfer.policy import Carrier
from warm_transfer.testing.model import (
    Leg,
    Room,
    World,
    begin,
)
from warm_transfer.testing.model.world import released


def test_holding_is_synchronous_and_a_briefing_speaks_as_soon_as_it_begins() -> None:
    world = begin((Do.HOLD_CALLER, Do.START_BRIEFING), World())
    assert not world.input_on
    assert world.output_on
    assert world.briefing


def test_a_closed_consult_room_silences_the_briefing_and_parts_who_was_joined_through_it() -> None:
    world = World(room=Room.OPEN, briefing=True, joined=True, leg=Leg.ANSWERED)
    relayed = released(Do.CLOSE_CONSULT, world, Carrier.AGENT)
    assert (relayed.room, relayed.briefing, relayed.joined) == (Room.CLOSED, False, False)
    assert released(Do.CLOSE_CONSULT, world, Carrier.SERVER).joined


def test_a_leg_that_is_hung_up_hears_nobody() -> None:
    gone = released(Do.HANG_UP_CONSULT, World(leg=Leg.ANSWERED, joined=True), Carrier.SERVER)
    assert (gone.leg, gone.joined) == (Leg.GONE, False)
    assert released(Do.HANG_UP_CONSULT, World(), Carrier.SERVER) == World()
