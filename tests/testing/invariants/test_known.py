"""What is learnt from a step."""

from tests.testing.invariants.made import (
    moment,
)
from warm_transfer.events import On
from warm_transfer.states import State
from warm_transfer.testing.invariants import learn
from warm_transfer.transfer import Handling

S = State


def test_what_was_ignored_teaches_nothing() -> None:
    ignored = moment(S.DIALING, On.CONSULT_ACCEPTED, S.DIALING, handling=Handling.IGNORED)
    assert learn(ignored) is ignored.known


def test_the_first_wish_while_merging_is_the_one_known() -> None:
    known = learn(moment(S.MERGING, On.APP_CANCELLED, S.MERGING))
    known = learn(moment(S.MERGING, On.CONSULT_DECLINED, S.MERGING, known=known))
    assert known.asked is On.APP_CANCELLED
