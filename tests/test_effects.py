import pytest

from warm_transfer.effects import AFTER, FAILURE, OVERTAKES, RELEASES, TIMEOUT, Do, Effect
from warm_transfer.events import On


def test_every_effect_has_an_event_for_its_failure_or_none_on_purpose() -> None:
    assert set(FAILURE) == set(Do) == set(TIMEOUT)
    assert {name for name, on in FAILURE.items() if on is None} == {
        Do.PREPARE_MERGE,
        Do.NOTIFY_CONSULT,
        Do.DELIVER_OUTCOME,
    }


@pytest.mark.parametrize("name", sorted(RELEASES))
def test_a_release_that_fails_never_changes_the_course(name: Do) -> None:
    assert FAILURE[name] is On.RELEASE_FAILED


def test_a_dial_that_fails_is_uncertain_and_never_refused() -> None:
    assert FAILURE[Do.DIAL_CONSULT] is TIMEOUT[Do.DIAL_CONSULT] is On.DIAL_UNCERTAIN


def test_a_merge_that_does_not_return_is_uncertain() -> None:
    assert TIMEOUT[Do.MERGE_LEGS] is On.MERGE_UNCERTAIN
    assert {name for name in Do if TIMEOUT[name] is not FAILURE[name]} == {Do.MERGE_LEGS}


def test_no_effects_wait_for_each_other_in_a_circle() -> None:
    waits = {name: set(AFTER.get(name, ())) for name in Do}
    while ready := {name for name, others in waits.items() if not others}:
        for name in ready:
            del waits[name]
        waits = {name: others - ready for name, others in waits.items()}
    assert waits == {}


def test_only_releases_and_the_end_of_the_briefing_overtake() -> None:
    assert set(OVERTAKES) <= RELEASES | {Do.STOP_BRIEFING}


def test_what_is_overtaken_is_a_start() -> None:
    overtaken = frozenset().union(*OVERTAKES.values())
    assert not overtaken & RELEASES


def test_every_start_that_holds_something_is_overtaken_by_its_release() -> None:
    assert Do.PLAY_HOLD_AUDIO in OVERTAKES[Do.STOP_HOLD_AUDIO]
    assert Do.OPEN_CONSULT in OVERTAKES[Do.CLOSE_CONSULT]
    assert Do.DIAL_CONSULT in OVERTAKES[Do.HANG_UP_CONSULT]
    assert Do.MERGE_LEGS in OVERTAKES[Do.UNMERGE_LEGS]
    assert Do.HOLD_CALLER in OVERTAKES[Do.RESUME_CALLER]


def test_a_look_waits_until_an_unmerge_is_through() -> None:
    assert Do.UNMERGE_LEGS in AFTER[Do.LOOK_AT_ROOMS]


def test_the_notice_comes_before_the_hang_up() -> None:
    assert Do.NOTIFY_CONSULT in AFTER[Do.HANG_UP_CONSULT] & AFTER[Do.CLOSE_CONSULT]


def test_the_caller_comes_back_after_the_outcome_and_waits_for_no_music_to_be_gone() -> None:
    assert Do.DELIVER_OUTCOME in AFTER[Do.RESUME_CALLER] & AFTER[Do.RESUME_OUTPUT]
    assert Do.STOP_HOLD_AUDIO not in AFTER[Do.RESUME_CALLER] | AFTER[Do.RESUME_OUTPUT]


def test_the_agent_speaks_before_it_leaves_and_leaves_last() -> None:
    assert Do.RESUME_OUTPUT in AFTER[Do.AWAIT_LAST_WORDS]
    assert {Do.DELIVER_OUTCOME, Do.STOP_HOLD_AUDIO, Do.CLOSE_CONSULT} <= AFTER[Do.LEAVE_CALL]


def test_who_cannot_be_heard_out_is_not_waited_for() -> None:
    assert FAILURE[Do.AWAIT_LAST_WORDS] is TIMEOUT[Do.AWAIT_LAST_WORDS] is On.AGENT_HEARD_OUT


def test_an_effect_is_compared_by_what_it_is() -> None:
    assert Effect(1, Do.DIAL_CONSULT, 1) == Effect(1, Do.DIAL_CONSULT, 1)
    assert Effect(1, Do.DIAL_CONSULT, 1) != Effect(2, Do.DIAL_CONSULT, 1)
