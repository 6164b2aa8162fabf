"""All promises together."""

from tests.testing.invariants.made import (
    moment,
)
from warm_transfer.effects import Do
from warm_transfer.events import Event, On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.invariants import Known, Moment, broken_by, learn, repeated
from warm_transfer.transfer import Transfer

S = State


def test_the_happy_path_breaks_no_promise() -> None:
    transfer = Transfer("t")
    known = Known()
    for on in (
        On.TRANSFER_REQUESTED,
        On.CALLER_HELD,
        On.CONSULT_OPENED,
        On.CONSULT_ANSWERED,
        On.CONSULT_ACCEPTED,
        On.BRIEFING_STOPPED,
        On.MERGE_CONFIRMED,
        On.CALLER_HUNG_UP,
    ):
        step = transfer.receive(Event(on), 0.0)
        seen = Moment(step, known, transfer.policy, carrier=Carrier.AGENT)
        assert list(broken_by(seen)) == []
        known = learn(seen)
    assert known.outcomes == 1


def test_a_report_that_acts_twice_is_found() -> None:
    first = moment(S.MERGING, On.BRIEFING_STOPPED, S.MERGING, Do.MERGE_LEGS, effect=4).step
    assert [name for name, _ in repeated(first, first)] == [
        "a_report_delivered_twice_changes_nothing"
    ]
    again = moment(S.MERGING, On.BRIEFING_STOPPED, S.MERGING, effect=4).step
    assert list(repeated(first, again)) == []
