"""Each promise of the group is broken once on purpose, and names itself."""

from tests.testing.invariants.made import (
    ANSWERED,
    ASKED,
    Made,
    each_names_itself,
    moment,
)
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.states import State
from warm_transfer.testing.invariants import Known
from warm_transfer.testing.invariants.waiting import WAITS

S = State

BROKEN: dict[str, Made] = {
    "a_transfer_is_asked_for_once": lambda: moment(
        S.HOLDING, On.TRANSFER_REQUESTED, S.HOLDING, Do.OPEN_CONSULT
    ),
    "nothing_is_done_before_it_is_asked": lambda: moment(
        S.IDLE, On.APP_CANCELLED, S.CANCELLED, Do.CLOSE_CONSULT
    ),
    "a_merge_follows_a_yes": lambda: moment(
        S.MERGING, On.BRIEFING_STOPPED, S.MERGING, Do.MERGE_LEGS, known=ANSWERED
    ),
    "a_merge_is_prepared_when_the_human_answers": lambda: moment(
        S.DIALING, On.CONSULT_ANSWERED, S.BRIEFING, known=ASKED
    ),
    "nobody_decides_before_the_answer": lambda: moment(
        S.DIALING, On.CONSULT_DECLINED, S.DECLINED, known=ASKED
    ),
    "the_briefing_is_over_before_the_legs_are_joined": lambda: moment(
        S.BRIEFING, On.CONSULT_ACCEPTED, S.MERGING, known=ANSWERED
    ),
    "one_dial_at_most": lambda: moment(
        S.DIALING, On.CONSULT_RANG, S.DIALING, Do.DIAL_CONSULT, known=Known(dials=1)
    ),
    "a_dial_that_was_answered_has_said_all": lambda: moment(
        S.BRIEFING, On.DIAL_UNCERTAIN, S.FAILED, known=ANSWERED
    ),
    "whoever_leaves_ends_the_waiting": lambda: moment(S.DIALING, On.CALLER_HUNG_UP, S.DIALING),
    "what_the_human_says_is_the_outcome": lambda: moment(
        S.BRIEFING, On.VOICEMAIL_DETECTED, S.DECLINED
    ),
    "before_the_merge_every_wish_is_followed_at_once": lambda: moment(
        S.DIALING, On.APP_CANCELLED, S.DIALING
    ),
    "whoever_is_let_go_is_told": lambda: moment(S.BRIEFING, On.DEADLINE_PASSED, S.FAILED),
}


def test_each_promise_names_itself() -> None:
    each_names_itself(BROKEN, WAITS)
