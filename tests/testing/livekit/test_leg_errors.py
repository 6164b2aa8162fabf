import pytest
from livekit import api, rtc
from livekit.protocol.sip import SIPStatusCode

from warm_transfer.testing.livekit.leg_errors import (
    leg_reason,
    ring_timeout,
    sip_refusal,
    stopped_reason,
    unanswered_reason,
)

HTTP = {"unknown": 500, "failed_precondition": 412, "invalid_argument": 400}


@pytest.mark.parametrize("status", [code for code in SIPStatusCode.values() if code >= 300])
def test_every_status_the_protocol_knows_has_a_code_a_phrase_and_metadata(status: int) -> None:
    error = sip_refusal(status)
    assert isinstance(error, api.SipCallError)
    assert error.sip_status_code == status
    assert error.sip_status
    assert 400 <= error.status <= 500
    assert error.code != "unknown"
    assert f"sip status: {status}" in error.message


@pytest.mark.parametrize(
    ("status", "code", "http"),
    [
        (486, "resource_exhausted", 429),
        (302, "not_found", 404),
        (300, "invalid_argument", 400),
        (433, "permission_denied", 403),
        (438, "unauthenticated", 401),
        (504, "deadline_exceeded", 408),
        (491, "aborted", 409),
        (483, "failed_precondition", 412),
        (416, "out_of_range", 400),
        (599, "failed_precondition", 412),
        (699, "invalid_argument", 400),
        (513, "invalid_argument", 400),
    ],
)
def test_the_codes_are_those_of_the_protocols_map(status: int, code: str, http: int) -> None:
    # facts 5.2
    error = sip_refusal(status)
    assert (error.code, error.status) == (code, http)


def test_the_phrase_of_the_wire_is_kept() -> None:
    assert sip_refusal(486, "Line Engaged").sip_status == "Line Engaged"


def test_a_ring_timeout_has_no_sip_metadata() -> None:
    # facts 5.3
    error = ring_timeout()
    assert not isinstance(error, api.SipCallError)
    assert error.metadata == {}
    assert (error.code, error.status) == ("canceled", 408)


REASONS = {
    # status: as measured (facts A.0), "room reason old" and "new" (facts 5.3)
    404: ("USER_UNAVAILABLE", "USER_UNAVAILABLE", "USER_UNAVAILABLE"),
    480: ("USER_UNAVAILABLE", "USER_UNAVAILABLE", "USER_UNAVAILABLE"),
    486: ("USER_REJECTED", "USER_REJECTED", "USER_REJECTED"),
    603: ("USER_REJECTED", "USER_REJECTED", "USER_REJECTED"),
    407: ("USER_REJECTED", "USER_REJECTED", "USER_REJECTED"),
    488: ("USER_REJECTED", "USER_REJECTED", "USER_REJECTED"),
    487: ("USER_REJECTED", "USER_REJECTED", "USER_UNAVAILABLE"),
    400: ("USER_REJECTED", "USER_REJECTED", "USER_UNAVAILABLE"),
    503: ("CLIENT_INITIATED", "UNKNOWN_REASON", "SIP_TRUNK_FAILURE"),
}


@pytest.mark.parametrize("status", REASONS)
def test_the_leg_leaves_with_the_reason_of_the_status(status: int) -> None:
    found = [leg_reason(status), leg_reason(status, "old"), leg_reason(status, "new")]
    assert found == [rtc.DisconnectReason.Value(each) for each in REASONS[status]]


def test_only_a_new_service_says_that_it_stops_or_that_nothing_rings() -> None:
    # facts 5.3
    reasons = rtc.DisconnectReason
    assert stopped_reason("old") == reasons.UNKNOWN_REASON
    assert stopped_reason("new") == reasons.SERVER_SHUTDOWN
    assert unanswered_reason("old", rang=False) == reasons.USER_UNAVAILABLE
    assert unanswered_reason("new", rang=False) == reasons.SIP_TRUNK_FAILURE
    assert unanswered_reason("new", rang=True) == reasons.USER_UNAVAILABLE
