import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.events import On
from warm_transfer.states import DELIVERED, State
from warm_transfer.testing.livekit.when import ANCHORS, WHILE, When


def test_every_anchor_is_an_event_or_a_state() -> None:
    for events, states in ANCHORS.values():
        assert events or states
        assert events <= set(On)
        assert states <= set(State)
    assert ANCHORS["outcome"][1] == DELIVERED


def test_while_a_state_counts_from_an_anchor() -> None:
    assert {anchor for anchor, _ in WHILE.values()} <= set(ANCHORS)


@pytest.mark.parametrize("values", [(1.0, "supper"), (-1.0, "answer")])
def test_a_time_that_cannot_be_is_refused(values: tuple[float, str]) -> None:
    with pytest.raises(InvalidArgument):
        When(*values)
