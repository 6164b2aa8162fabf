import pytest

from warm_transfer.events import Facts
from warm_transfer.outcome import (
    REASONS_OF,
    REFUSALS,
    Reason,
    TransferOutcome,
    reason_of_refusal,
)
from warm_transfer.states import DELIVERED, State

#: livekit/protocol livekit/sip.go and RFC 3261 section 21: what a status says of the human.
BY_STATUS = [
    (300, Reason.UNREACHABLE),
    (301, Reason.UNREACHABLE),
    (302, Reason.UNREACHABLE),
    (305, Reason.UNREACHABLE),
    (380, Reason.UNREACHABLE),
    (400, Reason.REJECTED),
    (401, Reason.REJECTED),
    (402, Reason.REJECTED),
    (403, Reason.REJECTED),
    (404, Reason.INVALID_DESTINATION),
    (405, Reason.REJECTED),
    (407, Reason.REJECTED),
    (408, Reason.NO_ANSWER),
    (410, Reason.INVALID_DESTINATION),
    (416, Reason.INVALID_DESTINATION),
    (480, Reason.NO_ANSWER),
    (481, Reason.REJECTED),
    (482, Reason.REJECTED),
    (484, Reason.INVALID_DESTINATION),
    (485, Reason.INVALID_DESTINATION),
    (486, Reason.BUSY),
    (487, Reason.NO_ANSWER),
    (488, Reason.REJECTED),
    (491, Reason.REJECTED),
    (500, Reason.UNREACHABLE),
    (501, Reason.UNREACHABLE),
    (502, Reason.UNREACHABLE),
    (503, Reason.UNREACHABLE),
    (504, Reason.UNREACHABLE),
    (505, Reason.UNREACHABLE),
    (513, Reason.UNREACHABLE),
    (600, Reason.BUSY),
    (603, Reason.DECLINED),
    (604, Reason.INVALID_DESTINATION),
    (606, Reason.REJECTED),
    (607, Reason.DECLINED),
    (608, Reason.REJECTED),
    (100, Reason.UNREACHABLE),
    (699, Reason.REJECTED),
    (999, Reason.UNREACHABLE),
]

#: How a dial ends without a SIP status: API code, the leg's reason, and what it means.
WITHOUT_STATUS = [
    ("canceled", "USER_UNAVAILABLE", Reason.NO_ANSWER),
    ("canceled", None, Reason.NO_ANSWER),
    ("deadline_exceeded", None, Reason.NO_ANSWER),
    ("failed_precondition", "USER_REJECTED", Reason.UNREACHABLE),
    ("failed_precondition", None, Reason.UNREACHABLE),
    ("invalid_argument", "SIP_TRUNK_FAILURE", Reason.INVALID_DESTINATION),
    ("unavailable", None, Reason.UNREACHABLE),
    ("not_found", None, Reason.REJECTED),
    ("permission_denied", None, Reason.REJECTED),
    ("unauthenticated", None, Reason.REJECTED),
    ("resource_exhausted", "USER_REJECTED", Reason.BUSY),
    ("resource_exhausted", None, Reason.UNREACHABLE),
    (None, "USER_UNAVAILABLE", Reason.NO_ANSWER),
    (None, "USER_REJECTED", Reason.BUSY),
    (None, "SIP_TRUNK_FAILURE", Reason.UNREACHABLE),
    (None, "CLIENT_INITIATED", Reason.UNREACHABLE),
    (None, "17", Reason.UNREACHABLE),
    (None, None, Reason.UNREACHABLE),
]


@pytest.mark.parametrize(("status", "reason"), BY_STATUS)
def test_the_sip_status_says_why_a_dial_was_refused(status: int, reason: Reason) -> None:
    assert reason_of_refusal(Facts(sip_status=status)) is reason


@pytest.mark.parametrize(("code", "left", "reason"), WITHOUT_STATUS)
def test_without_a_status_the_api_code_counts_and_then_the_leg(
    code: str | None, left: str | None, reason: Reason
) -> None:
    assert reason_of_refusal(Facts(api_code=code, disconnect_reason=left)) is reason


def test_the_status_counts_more_than_the_api_code() -> None:
    # Busy arrives as the code of a rate limit.
    facts = Facts(sip_status=486, api_code="resource_exhausted", disconnect_reason="USER_REJECTED")
    assert reason_of_refusal(facts) is Reason.BUSY


def test_every_status_gives_a_reason_that_a_failure_can_have() -> None:
    for status in range(1000):
        reason = reason_of_refusal(Facts(sip_status=status))
        assert reason in REFUSALS
        assert reason in REASONS_OF[State.FAILED]


def test_every_delivered_state_has_reasons_and_every_reason_a_state() -> None:
    assert set(REASONS_OF) == DELIVERED
    assert frozenset().union(*REASONS_OF.values()) == set(Reason)


def test_an_outcome_is_merged_in_one_state_only() -> None:
    for state in DELIVERED:
        outcome = TransferOutcome(result=state, reason=Reason.ACCEPTED, transfer_id="t")
        assert outcome.merged == (state is State.MERGED)


def test_an_outcomes_times_cannot_be_changed() -> None:
    outcome = TransferOutcome(result=State.MERGED, reason=Reason.ACCEPTED, transfer_id="t")
    with pytest.raises(TypeError):
        outcome.seconds[State.IDLE] = 1.0  # type: ignore[index]  # the point of the test
