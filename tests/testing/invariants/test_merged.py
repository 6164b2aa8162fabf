"""Each promise of the group is broken once on purpose, and names itself."""

import pytest

from tests.testing.invariants.made import (
    SAID_YES,
    Made,
    each_names_itself,
    moment,
)
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.invariants import Moment, broken_by
from warm_transfer.testing.invariants.merged import MERGED_CALLS

S = State

BROKEN: dict[str, Made] = {
    "a_broken_merge_is_repaired_once": lambda: moment(S.MERGED, On.MERGE_BROKE, S.MERGED),
    "a_settled_merge_is_not_undone_by_an_older_report": lambda: moment(
        S.MERGED, On.MERGE_FAILED, S.ENDED, known=SAID_YES._replace(settled=9), effect=9
    ),
    "nobody_is_returned_to_an_agent_who_has_gone": lambda: moment(
        S.MERGED,
        On.CONSULT_HUNG_UP,
        S.RETURNED,
        known=SAID_YES._replace(agent_gone=True),
        returns=True,
    ),
    "the_policy_says_what_follows_the_human": lambda: moment(
        S.MERGED, On.CONSULT_HUNG_UP, S.ENDED, Do.END_CALL, returns=True
    ),
    "the_humans_leaving_is_followed": lambda: moment(S.BRIEFING, On.CONSULT_HUNG_UP, S.BRIEFING),
    "a_merged_call_outlives_what_it_does_not_need": lambda: moment(
        S.MERGED, On.CONSULT_DECLINED, S.ENDED, Do.END_CALL
    ),
    "a_call_that_ends_is_ended_for_all": lambda: moment(S.MERGED, On.DEADLINE_PASSED, S.ENDED),
    "the_policy_says_whether_the_agent_leaves": lambda: moment(
        S.MERGING, On.MERGE_CONFIRMED, S.MERGED, carrier=Carrier.SERVER, agent_leaves=True
    ),
    "the_agent_leaves_after_the_outcome": lambda: moment(
        S.MERGED,
        On.AGENT_HEARD_OUT,
        S.ENDED,
        Do.LEAVE_CALL,
        carrier=Carrier.SERVER,
        agent_leaves=True,
    ),
}


def test_each_promise_names_itself() -> None:
    each_names_itself(BROKEN, MERGED_CALLS)


LEAVES = "the_policy_says_whether_the_agent_leaves"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (
            moment(S.MERGING, On.MERGE_CONFIRMED, S.MERGED, Do.AWAIT_LAST_WORDS, agent_leaves=True),
            "is to stay",
        ),
        (
            moment(
                S.MERGED,
                On.MERGE_CONFIRMED,
                S.MERGED,
                carrier=Carrier.SERVER,
                agent_leaves=True,
                known=SAID_YES._replace(broken=True),
            ),
            "stays after a repair",
        ),
        (
            moment(
                S.MERGED, On.AGENT_HEARD_OUT, S.MERGED, carrier=Carrier.SERVER, agent_leaves=True
            ),
            "and stays",
        ),
        (
            moment(
                S.MERGED,
                On.AGENT_HEARD_OUT,
                S.ENDED,
                Do.LEAVE_CALL,
                carrier=Carrier.SERVER,
                agent_leaves=True,
                known=SAID_YES._replace(broken=True, outcomes=1),
            ),
            "leaves silence",
        ),
    ],
)
def test_each_way_to_leave_wrongly_is_found(told: Moment, problem: str) -> None:
    assert problem in dict(broken_by(told))[LEAVES]
