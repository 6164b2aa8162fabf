"""Each promise of the group is broken once on purpose, and names itself."""

from tests.testing.invariants.made import (
    ANSWERED,
    Made,
    each_names_itself,
    moment,
    outcome,
)
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing.invariants.ends import ENDS

S = State

BROKEN: dict[str, Made] = {
    "one_outcome_is_delivered_once": lambda: moment(
        S.BRIEFING, On.CONSULT_DECLINED, S.DECLINED, known=ANSWERED
    ),
    "the_result_is_the_state_and_the_reason_fits": lambda: moment(
        S.BRIEFING,
        On.CONSULT_DECLINED,
        S.DECLINED,
        outcome=outcome(S.DECLINED, Reason.BUSY),
    ),
    "final_states_do_not_change": lambda: moment(S.FAILED, On.CALLER_HUNG_UP, S.ABANDONED),
    "after_the_end_only_a_late_start_is_answered": lambda: moment(
        S.FAILED, On.CALLER_HUNG_UP, S.FAILED, Do.HANG_UP_CONSULT
    ),
    "a_late_start_is_compensated": lambda: moment(S.FAILED, On.CONSULT_ANSWERED, S.FAILED),
}


def test_each_promise_names_itself() -> None:
    each_names_itself(BROKEN, ENDS)
