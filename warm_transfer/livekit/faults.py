"""What an error of LiveKit's API means: one place where foreign errors become our facts."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from livekit import api, rtc

from warm_transfer.events import Facts
from warm_transfer.ports import DialRefused

__all__ = ["disconnect_reason", "facts_of", "is_gone", "refusal"]

#: After these the server has said that nobody is rung (any more); what is not in here is unknown.
_REFUSED_CODES = frozenset(
    {
        api.ServerErrorCode.CANCELED,
        api.ServerErrorCode.DEADLINE_EXCEEDED,
        api.ServerErrorCode.INVALID_ARGUMENT,
        api.ServerErrorCode.NOT_FOUND,
        api.ServerErrorCode.PERMISSION_DENIED,
        api.ServerErrorCode.UNAUTHENTICATED,
        api.ServerErrorCode.RESOURCE_EXHAUSTED,
        api.ServerErrorCode.FAILED_PRECONDITION,
        api.ServerErrorCode.ABORTED,
        api.ServerErrorCode.OUT_OF_RANGE,
        api.ServerErrorCode.UNAVAILABLE,
        api.ServerErrorCode.UNIMPLEMENTED,
        api.ServerErrorCode.MALFORMED,
        api.ServerErrorCode.BAD_ROUTE,
    }
)


#: What livekit-server answers to every SIP call while it has no Redis; nothing has been sent then.
_NO_SIP = "sip not connected"

#: What to look at when the server itself refuses a call, without any word from the SIP side.
_REMEDIES: Mapping[str, str] = {
    api.ServerErrorCode.UNAUTHENTICATED: "the server refuses the API key: check LIVEKIT_API_KEY "
    "and LIVEKIT_API_SECRET",
    api.ServerErrorCode.PERMISSION_DENIED: "the API key may not do this: it needs the grants "
    "roomCreate, roomAdmin and sip.call",
    api.ServerErrorCode.NOT_FOUND: "the server does not know the trunk: check `sip_trunk_id`",
    api.ServerErrorCode.UNAVAILABLE: "no SIP service answers at the server: is livekit-sip "
    "running, and below its CPU limit?",
}


def facts_of(error: BaseException) -> Facts:
    """The evidence in an error."""
    if isinstance(error, aiohttp.ClientConnectorError):
        detail = "the server's API cannot be reached: check LIVEKIT_URL"
        return Facts(detail=detail, cause=error)
    if not isinstance(error, api.ServerError):
        return Facts(detail=type(error).__name__, cause=error)
    status = error.sip_status_code if isinstance(error, api.SipCallError) else None
    phrase = error.sip_status if isinstance(error, api.SipCallError) else None
    detail = type(error).__name__
    if _has_no_sip(error):
        detail = "the server's SIP API is not connected: livekit-server needs Redis for it"
    elif status is None:
        detail = _REMEDIES.get(error.code, detail)
    return Facts(
        sip_status=status, sip_phrase=phrase, api_code=error.code, detail=detail, cause=error
    )


def refusal(error: Exception) -> DialRefused | None:
    """The refusal that an error of a dial stands for; None when its fate is unknown.

    A SIP status is a final answer. A request that never left rang nobody. A timeout or a broken
    connection says nothing about the phone (livekit-api does not cancel what the server began).
    """
    refused = (isinstance(error, api.SipCallError) and error.sip_status_code is not None) or (
        isinstance(error, api.ServerError) and error.code in _REFUSED_CODES
    )
    if refused or _has_no_sip(error) or isinstance(error, aiohttp.ClientConnectorError):
        return DialRefused(facts_of(error))
    return None


def _has_no_sip(error: BaseException) -> bool:
    return isinstance(error, api.ServerError) and _NO_SIP in error.message


def is_gone(error: BaseException) -> bool:
    """Whether an error says that what was to be removed is not there, as wanted."""
    return isinstance(error, api.ServerError) and error.code == api.ServerErrorCode.NOT_FOUND


def disconnect_reason(value: int | None) -> str | None:
    """LiveKit's reason by name; a number that has no name yet stays a number."""
    if value is None:
        return None
    try:
        return rtc.DisconnectReason.Name(value)  # type: ignore[arg-type]  # any int is tried
    except ValueError:
        return f"REASON_{value}"
