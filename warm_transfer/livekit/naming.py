"""What a leg and a room may be called and carry, checked before anything is dialled.

The limits are those of livekit-server (``pkg/config/config.go``, ``DefaultConfig.Limit``), which
counts bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

from warm_transfer.dialable import is_plain
from warm_transfer.errors import InvalidArgument

__all__ = [
    "TAKEN_PREFIXES",
    "check_attributes",
    "check_identity",
    "check_name",
    "check_room_name",
]

_NAME_BYTES_MAX = 256
_KEY_BYTES_MAX = 256
_ATTRIBUTES_BYTES_MAX = 60_000
"""Of the server's 64,000; the rest is for what livekit-sip and we add."""

TAKEN_PREFIXES = ("sip.", "lk.", "wt.")
"""Attributes read as facts about the leg: ``sip.callStatus`` tells that the human has answered."""

_REMEDY = f"give up to {_NAME_BYTES_MAX} bytes of UTF-8, none of them a control character"


def check_name(value: object) -> str:
    """The display name of the human's leg; may be empty.

    Raises:
        InvalidArgument: it is no string, too long, or has control characters.
    """
    return _check("participant_name", value, empty=True)


def check_identity(value: object) -> str:
    """The identity of the human's leg.

    Raises:
        InvalidArgument: it is no string, empty, too long, or has control characters.
    """
    return _check("human_identity", value)


def check_room_name(value: object) -> str:
    """The name of the consult room.

    Raises:
        InvalidArgument: it is no string, empty, too long, or has control characters.
    """
    return _check("room_name", value)


def check_attributes(value: object) -> dict[str, str]:
    """Participant attributes of the human's leg.

    Raises:
        InvalidArgument: they are no mapping of strings, too large, have control characters, or
            names that begin with ``sip.``, ``lk.`` or ``wt.``.
    """
    argument = "participant_attributes"
    if not isinstance(value, Mapping):
        raise InvalidArgument(argument, f"is {type(value).__name__}", "give a mapping")
    for key, text in value.items():
        if not isinstance(key, str) or not 0 < _bytes(key) <= _KEY_BYTES_MAX:
            raise InvalidArgument(argument, "has a name that cannot be used", _REMEDY)
        if key.startswith(TAKEN_PREFIXES):
            remedy = f"use a name that does not begin with {', '.join(TAKEN_PREFIXES)}"
            raise InvalidArgument(argument, f"has {key!r}, which is read as a fact", remedy)
        if not isinstance(text, str) or not is_plain(text):
            remedy = "give a string without control characters"
            raise InvalidArgument(argument, f"has an unusable value for {key!r}", remedy)
    size = sum(_bytes(key) + _bytes(text) for key, text in value.items())
    if size > _ATTRIBUTES_BYTES_MAX:
        remedy = f"give at most {_ATTRIBUTES_BYTES_MAX} bytes in all, names and values"
        raise InvalidArgument(argument, f"is {size} bytes", remedy)
    return dict(value)


def _check(argument: str, value: object, *, empty: bool = False) -> str:
    if not isinstance(value, str):
        raise InvalidArgument(argument, f"is {type(value).__name__}", "give a string")
    if not value and not empty:
        raise InvalidArgument(argument, "is empty", _REMEDY)
    if not is_plain(value):
        raise InvalidArgument(argument, "has control characters", _REMEDY)
    if _bytes(value) > _NAME_BYTES_MAX:
        raise InvalidArgument(argument, f"is {_bytes(value)} bytes", _REMEDY)
    return value


def _bytes(text: str) -> int:
    """How long a text is for the server; a text that has no UTF-8 is too long for anything."""
    return len(text.encode()) if is_plain(text) else _ATTRIBUTES_BYTES_MAX + 1
