"""What an error of LiveKit's API means: one place where foreign errors become our facts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus

import aiohttp
from livekit import api, rtc

from warm_transfer.errors import ServerUnusable
from warm_transfer.events import Facts
from warm_transfer.ports import DialRefused

__all__ = [
    "disconnect_reason",
    "facts_of",
    "has_no_sip",
    "is_gone",
    "naming_settings",
    "refusal",
    "unusable",
]

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

#: The setting to look at, what is wrong with it and what to do, when the server itself refuses.
_SETTINGS: Mapping[str, tuple[str, str, str]] = {
    api.ServerErrorCode.UNAUTHENTICATED: (
        "LIVEKIT_API_KEY",
        "is refused by the server",
        "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET",
    ),
    api.ServerErrorCode.PERMISSION_DENIED: (
        "LIVEKIT_API_KEY",
        "may not do this at the server",
        "the key needs the grants roomCreate, roomAdmin and sip.call",
    ),
}

#: The same for what only a dial can meet.
_DIAL_SETTINGS: Mapping[str, tuple[str, str, str]] = {
    api.ServerErrorCode.NOT_FOUND: (
        "sip_trunk_id",
        "is not known to the server",
        "list its trunks with `lk sip outbound list`",
    ),
    api.ServerErrorCode.UNAVAILABLE: (
        "LIVEKIT_URL",
        "is a server at which no SIP service answers",
        "is livekit-sip running, and below its CPU limit?",
    ),
}

_UNREACHABLE = ("LIVEKIT_URL", "cannot be reached", "check the address, and that the server runs")
_NOT_CONNECTED = (
    "LIVEKIT_URL",
    "is a server whose SIP API is not connected",
    "give livekit-server a Redis, it needs one for SIP",
)


def unusable(error: BaseException, *, dialling: bool = False) -> ServerUnusable | None:
    """The setting behind an error, named; None when it is not about the set-up.

    Args:
        error: what the SDK raised.
        dialling: whether the request was a dial, where codes mean more.
    """
    found: tuple[str, str, str] | None = None
    if isinstance(error, aiohttp.ClientConnectorError):
        found = _UNREACHABLE
    elif has_no_sip(error):
        found = _NOT_CONNECTED
    elif isinstance(error, api.ServerError) and not _has_sip_status(error):
        code = _code_of(error)
        found = _SETTINGS.get(code)
        if dialling:
            found = found or _DIAL_SETTINGS.get(code)
    if found is None:
        return None
    named = ServerUnusable(*found)
    named.__cause__ = error
    return named


@contextlib.contextmanager
def naming_settings() -> Iterator[None]:
    """Raise what only the set-up can cause as an error that names the setting."""
    try:
        yield
    except Exception as error:
        named = unusable(error)
        if named is None:
            raise
        raise named from error


def facts_of(error: BaseException) -> Facts:
    """The evidence in the error of a dial."""
    named = unusable(error, dialling=True)
    detail = str(named) if named is not None else type(error).__name__
    cause = named or error
    if not isinstance(error, api.ServerError):
        return Facts(detail=detail, cause=cause)
    status = error.sip_status_code if isinstance(error, api.SipCallError) else None
    phrase = error.sip_status if isinstance(error, api.SipCallError) else None
    return Facts(
        sip_status=status, sip_phrase=phrase, api_code=_code_of(error), detail=detail, cause=cause
    )


def refusal(error: Exception) -> DialRefused | None:
    """The refusal that an error of a dial stands for; None when its fate is unknown.

    A SIP status is a final answer. A request that never left rang nobody. A timeout or a broken
    connection says nothing about the phone (livekit-api does not cancel what the server began).
    """
    refused = isinstance(error, api.ServerError) and _code_of(error) in _REFUSED_CODES
    if (
        refused
        or _has_sip_status(error)
        or has_no_sip(error)
        or isinstance(error, aiohttp.ClientConnectorError)
    ):
        return DialRefused(facts_of(error))
    return None


def _has_sip_status(error: BaseException) -> bool:
    return isinstance(error, api.SipCallError) and error.sip_status_code is not None


def _code_of(error: api.ServerError) -> str:
    """The code; livekit-server refuses a key in plain text, which the SDK takes for "unknown"."""
    refused = error.status == HTTPStatus.UNAUTHORIZED
    return api.ServerErrorCode.UNAUTHENTICATED if refused else error.code


def has_no_sip(error: BaseException) -> bool:
    """Whether the server says that its SIP API is not connected: it has no Redis."""
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
