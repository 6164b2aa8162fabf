"""What the API answers when a dial fails: codes, HTTP status and metadata (facts 5.1 to 5.3)."""

from __future__ import annotations

import http
from typing import Literal

from livekit import api, rtc
from livekit.protocol.sip import SIPStatusCode

__all__ = [
    "RING_TIMEOUT_TEXT",
    "Service",
    "leg_reason",
    "ring_timeout",
    "sip_refusal",
    "stopped_reason",
    "unanswered_reason",
]

Service = Literal["measured", "old", "new"]
"""Which livekit-sip says why a leg leaves: one that was measured (facts A.0), or what its source
reads before and after its #861 (facts 5.3)."""

Reason = rtc.DisconnectReason
RING_TIMEOUT_TEXT = "sip request timed out"

_CODE_BY_STATUS: dict[int, str] = {
    **dict.fromkeys((301, 302, 404, 410, 481, 604), "not_found"),
    **dict.fromkeys((401, 402, 403, 433, 470, 603, 607, 608), "permission_denied"),
    **dict.fromkeys((407, 428, 436, 437, 438, 494), "unauthenticated"),
    **dict.fromkeys((408, 504), "deadline_exceeded"),
    **dict.fromkeys((440, 480, 486, 600), "resource_exhausted"),
    **dict.fromkeys((487, 491), "aborted"),
    **dict.fromkeys((409, 412, 482, 483, 500, 501, 502, 503), "failed_precondition"),
    416: "out_of_range",
    **dict.fromkeys((505, 513), "invalid_argument"),
}
_CODE_BY_CLASS = {
    3: "invalid_argument",
    4: "invalid_argument",
    5: "failed_precondition",
    6: "invalid_argument",
}
_HTTP_BY_CODE = {
    "not_found": 404,
    "invalid_argument": 400,
    "permission_denied": 403,
    "unauthenticated": 401,
    "deadline_exceeded": 408,
    "resource_exhausted": 429,
    "aborted": 409,
    "failed_precondition": 412,
    "out_of_range": 400,
    "unknown": 500,
}
_SERVER_ERROR: dict[Service, int] = {
    "measured": Reason.CLIENT_INITIATED,
    "old": Reason.UNKNOWN_REASON,
    "new": Reason.SIP_TRUNK_FAILURE,
}
_REJECTED = (401, 403, 407, 486, 488)
_PHRASES = {
    486: "Busy Here",
    600: "Busy Everywhere",
    603: "Decline",
    480: "Temporarily Unavailable",
}


def sip_refusal(status: int, phrase: str | None = None) -> api.SipCallError:
    """The error of a dial that ended with a SIP status."""
    code = _CODE_BY_STATUS.get(status) or _CODE_BY_CLASS.get(status // 100, "unknown")
    words = phrase or _phrase(status)
    return api.SipCallError(
        code,
        f"INVITE failed: sip status: {status}: {words}",
        status=_HTTP_BY_CODE[code],
        metadata={"sip_status_code": str(status), "sip_status": words},
    )


def _phrase(status: int) -> str:
    if status in _PHRASES:
        return _PHRASES[status]
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        # The server puts the enum's name when the wire had no phrase.
        known = status in SIPStatusCode.values()
        return SIPStatusCode.Name(SIPStatusCode.ValueType(status)) if known else "Unknown"


def ring_timeout() -> api.ServerError:
    """The error of a dial that nobody answered, or whose leg was removed: the same text."""
    return api.ServerError("canceled", f"INVITE failed: {RING_TIMEOUT_TEXT}", status=408)


def leg_reason(status: int, service: Service = "measured") -> int:
    """With which reason the leg leaves the room when the phone refuses (facts 5.3)."""
    if status in (404, 408, 480):
        return Reason.USER_UNAVAILABLE
    match status // 100:
        case 5:
            return _SERVER_ERROR[service]
        case 4 if service == "new" and status not in _REJECTED:
            return Reason.USER_UNAVAILABLE
        case _:
            return Reason.USER_REJECTED


def unanswered_reason(service: Service = "measured", *, rang: bool) -> int:
    """The same when nobody answers, not even that it rings (facts 5.3)."""
    return Reason.SIP_TRUNK_FAILURE if service == "new" and not rang else Reason.USER_UNAVAILABLE


def stopped_reason(service: Service = "measured") -> int:
    """The same when the SIP service shuts down under a call (facts 5.3)."""
    return Reason.SERVER_SHUTDOWN if service == "new" else Reason.UNKNOWN_REASON
