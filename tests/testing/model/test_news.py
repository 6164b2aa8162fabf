"""What is told of its own accord, late, or twice."""

from tests.testing.model.made import NEWEST, around
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.model import (
    Flight,
    Leg,
    Music,
    Phase,
    Room,
    Surroundings,
    World,
    moves,
)


def test_before_the_request_only_people_and_the_application_make_news() -> None:
    events = {move.event for move in moves(around(State.IDLE), (), World())}
    assert events == {
        On.TRANSFER_REQUESTED,
        On.APP_ACCEPTED,
        On.APP_DECLINED,
        On.APP_CANCELLED,
        On.CALLER_HUNG_UP,
        On.CALLER_ROOM_LOST,
        On.SESSION_CLOSED,
        On.JOB_SHUTTING_DOWN,
    }


def test_with_a_move_the_departure_may_be_the_merge() -> None:
    merging = (Flight(7, Do.MERGE_LEGS, Phase.RUNNING),)
    newest = (*NEWEST, (Do.DIAL_CONSULT, 4), (Do.MERGE_LEGS, 7))
    world = World(leg=Leg.ANSWERED)

    def legs_after(here: Surroundings) -> set[Leg]:
        return {m.world.leg for m in moves(here, merging, world) if m.event is On.CONSULT_HUNG_UP}

    assert legs_after(around(State.MERGING, *newest, carrier=Carrier.SERVER)) == {
        Leg.GONE,
        Leg.ANSWERED,
    }
    assert legs_after(around(State.MERGING, *newest)) == {Leg.GONE}


def test_a_report_comes_late_and_a_second_time() -> None:
    late = list(moves(around(State.DIALING, *NEWEST), (), World()))
    assert {move.event for move in late if move.effect == 3} == {
        On.CONSULT_OPENED,
        On.CONSULT_OPEN_FAILED,
    }


def test_after_the_end_late_news_leaves_the_world_as_it_is() -> None:
    here = around(State.FAILED, *NEWEST, (Do.DIAL_CONSULT, 4))
    world = World(leg=Leg.ANSWERED, room=Room.OPEN, music=Music.OFF)
    assert {move.world for move in moves(here, (), world)} == {world}
