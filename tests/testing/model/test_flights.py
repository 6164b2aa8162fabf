"""In which order effects begin."""

from tests.testing.model.made import phases, started
from warm_transfer.effects import Do
from warm_transfer.testing.model import (
    Flight,
    Phase,
    late_by,
    launch,
)


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


def test_the_closing_of_the_briefing_alone_is_not_late() -> None:
    closing = Flight(6, Do.STOP_BRIEFING, Phase.HALFWAY)
    playing = Flight(2, Do.PLAY_HOLD_AUDIO, Phase.RUNNING)
    assert late_by((closing,)) == 0
    assert late_by((playing,)) == 1
    assert late_by((playing, closing)) == 2
