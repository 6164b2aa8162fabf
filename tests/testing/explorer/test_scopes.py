"""What is walked."""

from tests.testing.explorer.tables import SMALL
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES


def test_the_scopes_cover_every_choice_of_policy_and_kind_of_plan() -> None:
    assert {scope.policy.on_human_left for scope in SCOPES} == {"end_call", "return"}
    assert {scope.policy.after_merge for scope in SCOPES} == {"silent", "leave"}
    assert {tuple(each.carrier for each in scope.strategies) for scope in SCOPES} == {
        (Carrier.AGENT,),
        (Carrier.SERVER,),
        (Carrier.BRIDGE,),
        (Carrier.BRIDGE, Carrier.SERVER, Carrier.AGENT),
        (Carrier.SERVER, Carrier.BRIDGE),
        (Carrier.AGENT, Carrier.SERVER),
    }
    assert len({scope.name for scope in SCOPES}) == len(SCOPES)


def test_every_carrier_is_the_first_and_one_that_is_fallen_back_to() -> None:
    assert {scope.strategies[0].carrier for scope in SCOPES} == set(Carrier)
    assert {each.carrier for scope in SCOPES for each in scope.strategies[1:]} == set(Carrier)


def test_a_fresh_transfer_has_the_policy_and_the_plan() -> None:
    fresh = SMALL.fresh("t", TABLE)
    assert fresh.state is State.IDLE
    assert fresh.policy is SMALL.policy
    assert fresh.plan.strategies == SMALL.strategies
