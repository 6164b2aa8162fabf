"""The names of SIP headers: what is one, and which an application must leave alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeGuard

from warm_transfer.errors import InvalidArgument

__all__ = ["NEVER_ALLOWED", "check_allowed", "is_header_name"]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!%*_+`'~.\-]{1,64}", re.ASCII)
"""A token of RFC 3261 section 25.1."""

NEVER_ALLOWED = frozenset(
    [
        "accept",
        "accept-contact",
        "allow",
        "allow-events",
        "authorization",
        "call-id",
        "contact",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "cseq",
        "event",
        "expires",
        "from",
        "geolocation-routing",
        "identity",
        "identity-info",
        "join",
        "max-forwards",
        "min-expires",
        "min-se",
        "p-asserted-identity",
        "p-preferred-identity",
        "path",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-require",
        "rack",
        "record-route",
        "refer-to",
        "referred-by",
        "reject-contact",
        "replaces",
        "request-disposition",
        "require",
        "route",
        "rseq",
        "security-client",
        "security-server",
        "security-verify",
        "service-route",
        "session-expires",
        "subscription-state",
        "supported",
        "target-dialog",
        "to",
        "unsupported",
        "via",
        "www-authenticate",
        "a",
        "b",
        "c",
        "d",
        "e",
        "f",
        "i",
        "j",
        "k",
        "l",
        "m",
        "n",
        "o",
        "r",
        "s",
        "t",
        "u",
        "v",
        "x",
        "y",
    ]
)
"""Headers that set up or route the dialog; a policy cannot allow them either."""


def is_header_name(value: object) -> TypeGuard[str]:
    """Whether a value can be the name of a header."""
    return isinstance(value, str) and _HEADER_NAME.fullmatch(value) is not None


def check_allowed(value: object) -> frozenset[str]:
    """The headers that a policy allows beside those that always are.

    Raises:
        InvalidArgument: it is no set of names, or one of them cannot be allowed.
    """
    argument = "allowed_headers"
    if isinstance(value, str) or not isinstance(value, frozenset | set | tuple | list):
        raise InvalidArgument(argument, f"is {value!r}", "give a set of header names")
    names: Iterable[object] = value
    for name in names:
        if not is_header_name(name):
            remedy = "give names of up to 64 letters, digits and -"
            raise InvalidArgument(argument, f"has {name!r}, which is no header name", remedy)
        if name.lower() in NEVER_ALLOWED:
            remedy = "give others: it sets up or routes the dialog"
            raise InvalidArgument(argument, f"has {name!r}, which no policy can allow", remedy)
    return frozenset(value)
