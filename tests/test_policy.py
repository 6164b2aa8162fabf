import math
from dataclasses import fields, replace
from typing import Any

import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.policy import RING_TIMEOUT_MAX_S, Carrier, Plan, Strategy, TransferPolicy

SECONDS = [each.name for each in fields(TransferPolicy) if each.name.endswith("_s")]
COUNTS = [each.name for each in fields(TransferPolicy) if each.name.endswith("_max")]
NO_SECONDS: list[Any] = [0, -1, -0.001, math.nan, math.inf, -math.inf, True, False, "30", None]
NO_COUNTS: list[Any] = [0, -1, 1.5, True, "3", None, math.nan]


def refused(**arguments: Any) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        TransferPolicy(**arguments)
    return caught.value


def test_the_defaults_are_a_policy() -> None:
    assert TransferPolicy() == TransferPolicy()


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", NO_SECONDS, ids=repr)
def test_seconds_are_a_number_above_zero(name: str, value: Any) -> None:
    assert refused(**{name: value}).argument == name


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", NO_COUNTS, ids=repr)
def test_a_count_is_a_whole_number_from_one_on(name: str, value: Any) -> None:
    assert refused(**{name: value}).argument == name


@pytest.mark.parametrize("value", ["end", "", None, 1], ids=repr)
def test_what_follows_the_human_is_one_of_two(value: Any) -> None:
    assert refused(on_human_left=value).argument == "on_human_left"


@pytest.mark.parametrize("value", ["stay", "", None, True], ids=repr)
def test_after_the_merge_the_agent_does_one_of_two(value: Any) -> None:
    assert refused(after_merge=value).argument == "after_merge"


def test_an_agent_that_leaves_cannot_take_the_caller_back() -> None:
    error = refused(after_merge="leave", on_human_left="return")
    assert error.argument == "after_merge"
    assert "`on_human_left`" in error.problem
    assert TransferPolicy(after_merge="leave").on_human_left == "end_call"


def test_last_words_are_shorter_than_the_quiet_after_them_in_vain() -> None:
    error = refused(leave_timeout_s=0.5, leave_quiet_s=1.0)
    assert error.argument == "leave_timeout_s"
    assert "leave_quiet_s" in error.problem


@pytest.mark.parametrize("value", [1, 0, "yes", None], ids=repr)
def test_star_codes_are_allowed_or_not(value: Any) -> None:
    assert refused(allow_star_codes=value).argument == "allow_star_codes"


@pytest.mark.parametrize("value", ["X-Name", None, 3], ids=repr)
def test_headers_are_a_set_of_names(value: Any) -> None:
    assert refused(allowed_headers=value).argument == "allowed_headers"


def test_headers_may_be_given_as_any_collection() -> None:
    given: Any = ["X-One", "X-Two"]
    assert TransferPolicy(allowed_headers=given).allowed_headers == frozenset(given)


def test_a_ring_longer_than_the_server_waits_is_refused() -> None:
    longest = TransferPolicy(ring_timeout_s=RING_TIMEOUT_MAX_S)
    assert longest.ring_timeout_s == RING_TIMEOUT_MAX_S
    error = refused(ring_timeout_s=RING_TIMEOUT_MAX_S + 0.1)
    assert error.argument == "ring_timeout_s"
    assert "80 s" in error.remedy


def test_a_hold_limit_below_the_ring_contradicts_it() -> None:
    error = refused(hold_limit_s=29.0, ring_timeout_s=30.0)
    assert error.argument == "hold_limit_s"
    assert "ring_timeout_s" in error.problem


def test_a_decision_that_is_given_more_time_than_the_hold_has_would_not_get_it() -> None:
    error = refused(decision_timeout_s=301.0)
    assert error.argument == "decision_timeout_s"
    assert "hold_limit_s" in error.problem
    assert refused(decision_timeout_s=121.0, hold_limit_s=60.0).argument == "decision_timeout_s"
    assert TransferPolicy(decision_timeout_s=301.0, hold_limit_s=301.0).hold_limit_s == 301.0


def test_a_hold_limit_may_be_shortened_alone() -> None:
    policy = TransferPolicy(hold_limit_s=60.0)
    assert policy.hold_limit_s < policy.decision_timeout_s


def test_a_call_limit_below_the_decision_contradicts_it() -> None:
    error = refused(call_limit_s=60.0, decision_timeout_s=61.0)
    assert error.argument == "call_limit_s"
    assert "decision_timeout_s" in error.problem


def test_a_changed_policy_is_checked_again() -> None:
    with pytest.raises(InvalidArgument, match="ring_timeout_s"):
        replace(TransferPolicy(), ring_timeout_s=-1)


def test_a_plan_needs_a_strategy() -> None:
    with pytest.raises(InvalidArgument, match="merge"):
        Plan(strategies=())


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_key_tones_take_no_negative_time(value: float) -> None:
    with pytest.raises(InvalidArgument, match="dtmf_s"):
        Plan(dtmf_s=value)


def test_the_default_plan_relays() -> None:
    assert Plan().strategies == (Strategy("relay", Carrier.AGENT),)
    assert Strategy("move").carrier is Carrier.SERVER
