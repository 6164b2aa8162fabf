"""The model world: what may happen next, and in which order effects begin."""

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.model import (
    Flight,
    Leg,
    Move,
    Music,
    Phase,
    Room,
    Surroundings,
    World,
    begin,
    late_by,
    launch,
    moves,
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


def test_an_effect_begins_when_what_it_comes_after_has_returned() -> None:
    both = started(Do.OPEN_CONSULT, Do.START_BRIEFING)
    assert phases(both)[Do.START_BRIEFING] is Phase.WAITING
    alone, begun = launch((), tuple(each for each in both if each.name is Do.START_BRIEFING))
    assert phases(alone)[Do.START_BRIEFING] is Phase.RUNNING
    assert begun == (Do.START_BRIEFING,)


def test_a_start_that_has_not_begun_when_its_release_comes_never_begins() -> None:
    waiting = started(Do.OPEN_CONSULT, Do.START_BRIEFING)
    flights, _ = launch(((3, Do.CLOSE_CONSULT),), waiting)
    assert Do.START_BRIEFING not in phases(flights)
    assert Do.OPEN_CONSULT in phases(flights)


def test_a_release_runs_at_once_and_again_when_its_start_returns() -> None:
    world = World(leg=Leg.RINGING)
    here = around(State.ABANDONED, (Do.DIAL_CONSULT, 1))
    flights = started(Do.DIAL_CONSULT, Do.HANG_UP_CONSULT)
    ran = the_move(list(moves(here, flights, world)), Do.HANG_UP_CONSULT, None)
    assert ran.world.leg is Leg.GONE
    assert phases(ran.flights)[Do.HANG_UP_CONSULT] is Phase.BEHIND
    left, _ = launch((), tuple(e for e in ran.flights if e.name is not Do.DIAL_CONSULT))
    assert phases(left)[Do.HANG_UP_CONSULT] is Phase.REPEATING


def test_a_merge_waits_for_the_repetition_of_an_unmerge() -> None:
    flights = (
        Flight(1, Do.MERGE_LEGS, Phase.RUNNING),
        Flight(2, Do.UNMERGE_LEGS, Phase.BEHIND),
        Flight(3, Do.MERGE_LEGS, Phase.WAITING),
    )
    now, begun = launch((), flights)
    assert now[2].phase is Phase.WAITING
    assert begun == ()


def test_the_caller_comes_back_without_waiting_for_a_repetition() -> None:
    flights = (
        Flight(1, Do.PLAY_HOLD_AUDIO, Phase.RUNNING),
        Flight(2, Do.STOP_HOLD_AUDIO, Phase.BEHIND),
        Flight(3, Do.RESUME_CALLER, Phase.WAITING),
    )
    assert launch((), flights)[1] == (Do.RESUME_CALLER,)


def test_holding_is_synchronous_and_a_briefing_speaks_as_soon_as_it_begins() -> None:
    world = begin((Do.HOLD_CALLER, Do.START_BRIEFING), World())
    assert not world.input_on
    assert world.output_on
    assert world.briefing


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


def test_an_agent_that_has_said_its_last_words_leaves_and_the_others_stay() -> None:
    here = around(State.MERGED, *NEWEST, (Do.AWAIT_LAST_WORDS, 9), carrier=Carrier.SERVER)
    world = World(leg=Leg.ANSWERED, joined=True)
    waiting = started(Do.AWAIT_LAST_WORDS)
    said = the_move(list(moves(here, waiting, world)), Do.AWAIT_LAST_WORDS, On.AGENT_HEARD_OUT)
    assert said.flights == ()
    over = around(State.ENDED, (Do.AWAIT_LAST_WORDS, 9), carrier=Carrier.SERVER)
    (gone,) = moves(over, started(Do.LEAVE_CALL), world, news=False)
    assert gone.world == world._replace(agent=False)


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


def test_after_the_end_one_thing_after_the_other_is_cleared_away() -> None:
    flights = started(Do.UNMERGE_LEGS, Do.STOP_HOLD_AUDIO, Do.HANG_UP_CONSULT, Do.DELIVER_OUTCOME)
    (first,) = moves(around(State.FAILED), flights, World(), news=False)
    assert first.what == "DELIVER_OUTCOME returns"


def test_the_closing_of_the_briefing_alone_is_not_late() -> None:
    closing = Flight(6, Do.STOP_BRIEFING, Phase.HALFWAY)
    playing = Flight(2, Do.PLAY_HOLD_AUDIO, Phase.RUNNING)
    assert late_by((closing,)) == 0
    assert late_by((playing,)) == 1
    assert late_by((playing, closing)) == 2
