"""Each promise of the group is broken once on purpose, and names itself."""

from tests.testing.invariants.made import (
    SAID_YES,
    Made,
    each_names_itself,
    moment,
    outcome,
)
from warm_transfer.effects import Do
from warm_transfer.events import Event, On
from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing.invariants.known import Moment
from warm_transfer.testing.invariants.merging import MERGES
from warm_transfer.transfer import Deadline

S = State

NEXT = "each_strategy_is_tried_once_with_its_whole_time"


def the_next_one_until(clock: On) -> Moment:
    """The next strategy is tried, and the next clock runs out 2 s after the beginning."""
    return moment(
        S.MERGING,
        On.MERGE_FAILED,
        S.MERGING,
        Do.UNMERGE_LEGS,
        Do.MERGE_LEGS,
        known=SAID_YES._replace(tried=("move",)),
        deadline=Deadline(2.0, Event(clock)),
    )


BROKEN: dict[str, Made] = {
    "only_the_merge_ends_the_merging": lambda: moment(S.MERGING, On.APP_CANCELLED, S.CANCELLED),
    "what_was_asked_while_merging_is_followed": lambda: moment(
        S.MERGING,
        On.MERGE_FAILED,
        S.FAILED,
        Do.DELIVER_OUTCOME,
        outcome=outcome(S.FAILED, Reason.MERGE_FAILED),
        known=SAID_YES._replace(asked=On.APP_CANCELLED),
    ),
    "a_merge_that_fails_goes_on_or_ends": lambda: moment(S.MERGING, On.MERGE_FAILED, S.MERGING),
    NEXT: lambda: the_next_one_until(On.DEADLINE_PASSED),
}


def test_each_promise_names_itself() -> None:
    each_names_itself(BROKEN, MERGES)


def test_the_hold_limit_takes_no_time_from_a_merge() -> None:
    (promise,) = (each for each in MERGES if each.__name__ == NEXT)
    assert list(promise(the_next_one_until(On.HOLD_LIMIT_PASSED))) == []
