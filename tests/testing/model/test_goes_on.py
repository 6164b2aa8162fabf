"""How effects go on."""

from tests.testing.model.made import NEWEST, around, started, the_move
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.model import (
    Flight,
    Leg,
    Phase,
    World,
    moves,
)


def test_an_uncertain_dial_may_still_be_answered() -> None:
    limbo = (Flight(4, Do.DIAL_CONSULT, Phase.LIMBO),)
    found = list(moves(around(State.FAILED, (Do.DIAL_CONSULT, 4)), limbo, World()))
    assert the_move(found, Do.DIAL_CONSULT, On.CONSULT_ANSWERED).world.leg is Leg.ANSWERED
    assert the_move(found, Do.DIAL_CONSULT, None).world.leg is Leg.GONE


def test_legs_are_joined_only_with_the_human_on_the_line() -> None:
    merging = (Flight(7, Do.MERGE_LEGS, Phase.RUNNING),)
    here = around(State.MERGING, *NEWEST, (Do.MERGE_LEGS, 7))
    with_human = moves(here, merging, World(leg=Leg.ANSWERED))
    without = moves(here, merging, World(leg=Leg.GONE))
    assert any(move.world.joined for move in with_human)
    assert not any(move.world.joined for move in without)


def test_an_agent_that_has_said_its_last_words_leaves_and_the_others_stay() -> None:
    here = around(State.MERGED, *NEWEST, (Do.AWAIT_LAST_WORDS, 9), carrier=Carrier.SERVER)
    world = World(leg=Leg.ANSWERED, joined=True)
    waiting = started(Do.AWAIT_LAST_WORDS)
    said = the_move(list(moves(here, waiting, world)), Do.AWAIT_LAST_WORDS, On.AGENT_HEARD_OUT)
    assert said.flights == ()
    over = around(State.ENDED, (Do.AWAIT_LAST_WORDS, 9), carrier=Carrier.SERVER)
    (gone,) = moves(over, started(Do.LEAVE_CALL), world, news=False)
    assert gone.world == world._replace(agent=False)


def test_after_the_end_one_thing_after_the_other_is_cleared_away() -> None:
    flights = started(Do.UNMERGE_LEGS, Do.STOP_HOLD_AUDIO, Do.HANG_UP_CONSULT, Do.DELIVER_OUTCOME)
    (first,) = moves(around(State.FAILED), flights, World(), news=False)
    assert first.what == "DELIVER_OUTCOME returns"
