import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import StateChange
from warm_transfer.states import State
from warm_transfer.testing.scenario import (
    SCENARIOS,
    Caller,
    Human,
    Phone,
    Scenario,
    When,
    run,
    scenario,
)


def test_a_line_of_english_runs() -> None:
    result = run(scenario("human answers after 4 s, says no after 6 s"))
    assert result.outcome is not None
    assert (result.outcome.result, result.outcome.reason) == (State.DECLINED, Reason.DECLINED)


def test_typed_parts_run() -> None:
    told = Scenario(
        phone=Phone(answers_after_s=9.0),
        human=Human("no", after_s=6.0, words="I am in a meeting"),
        caller=Caller(hangs_up=When(2.0, "answer")),
    )
    result = run(told)
    assert result.outcome is not None
    assert result.outcome.reason is Reason.CALLER_LEFT


def test_hooks_and_policy_are_passed_on() -> None:
    changes: list[StateChange] = []
    policy = TransferPolicy(ring_timeout_s=7.0)
    result = run(SCENARIOS["no-answer"], policy=policy, on_state_change=changes.append)
    assert result.outcome is not None
    assert result.outcome.seconds[State.DIALING] <= 7.1
    assert [change.after for change in changes] == [each for _, each in result.states[1:]]


def test_what_is_not_understood_is_an_error_of_our_own() -> None:
    with pytest.raises(InvalidArgument, match="the moon rises"):
        scenario("the moon rises")
