from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.catalogue import SCENARIOS
from warm_transfer.testing.livekit.script import Scenario


def test_a_scenario_that_is_told_nothing_is_the_happy_path() -> None:
    told = Scenario()
    assert told.phone.answers_after_s is not None
    assert told.human.says == "yes"
    assert told.faults == {}


def test_every_policy_of_the_catalogue_is_one() -> None:
    for told in SCENARIOS.values():
        TransferPolicy(**told.policy)
