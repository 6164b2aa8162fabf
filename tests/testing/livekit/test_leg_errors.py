import pytest
from livekit import api, rtc
from livekit.protocol.sip import SIPStatusCode

from warm_transfer.testing.livekit.leg_errors import leg_reason, ring_timeout, sip_refusal

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


def test_the_leg_leaves_with_the_reason_of_the_status() -> None:
    # facts 5.3, "room reason old"; A.0 for 503
    reasons = rtc.DisconnectReason
    assert leg_reason(480) == reasons.USER_UNAVAILABLE
    assert leg_reason(486) == reasons.USER_REJECTED
    assert leg_reason(503) == reasons.CLIENT_INITIATED
