"""What may be dialled and sent along: the engine is the validator.

The server passes destinations, caller ids and headers on to the wire as they are, so every value
is checked here before anything is dialled. A value comes back unchanged or not at all; nothing is
repaired silently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from warm_transfer.errors import InvalidArgument
from warm_transfer.headers import NEVER_ALLOWED, is_header_name
from warm_transfer.policy import TransferPolicy

__all__ = ["DTMF_PAUSE_S", "DTMF_TONE_S", "check_destination", "check_dtmf", "check_headers"]
__all__ += ["check_number", "dtmf_seconds", "is_plain", "number_from_environment"]

_NUMBER = re.compile(r"\+?[0-9]{2,15}", re.ASCII)
"""ITU-T E.164 allows 15 digits; two are the shortest extensions of a PBX."""

_STAR_NUMBER = re.compile(r"(?=[^*#]*[*#])[+]?[0-9*#]{2,32}", re.ASCII)
"""A feature code, with at least one star or hash: a number keeps to the limits of a number."""

#: A deliberately small part of RFC 3261 section 25.1: user, host, port, and plain parameters.
_SIP_URI = re.compile(
    r"sips?:(?:[A-Za-z0-9_.!~'()+\-]{1,128}@)?"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::[0-9]{1,5})?"
    r"(?:;transport=(?:udp|tcp|tls))?",
    re.ASCII,
)
_TEL_URI = re.compile(r"tel:\+?[0-9]{2,15}", re.ASCII)

_PLAIN = re.compile(r"[\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]*")
"""No control character, no line or paragraph separator, and no surrogate, which has no UTF-8."""
_HEADER_VALUE_MAX = 512
_ALWAYS_ALLOWED = frozenset({"user-to-user", "diversion"})

_DTMF = re.compile(r"[0-9A-Da-d*#wW]{0,64}", re.ASCII)
DTMF_TONE_S = 0.25
"""What one key tone takes, with the gap after it; livekit-sip sends 250 ms tones."""
DTMF_PAUSE_S = 0.5
"""What one ``w`` takes."""


def check_destination(value: object, policy: TransferPolicy) -> str:
    """A number of 2 to 15 digits, or a sip:, sips: or tel: URI.

    Raises:
        InvalidArgument: it is something else. The message does not repeat the number.
    """
    name = "sip_call_to"
    if value is None or value == "":
        raise InvalidArgument(name, "is missing", "give a phone number or a SIP URI")
    if not isinstance(value, str):
        raise InvalidArgument(name, f"is {type(value).__name__}", "give a string")
    if policy.allow_star_codes and _STAR_NUMBER.fullmatch(value):
        return value
    if any(shape.fullmatch(value) for shape in (_NUMBER, _SIP_URI, _TEL_URI)):
        return value
    if _STAR_NUMBER.fullmatch(value):
        remedy = "set `TransferPolicy(allow_star_codes=True)` to dial feature codes"
        raise InvalidArgument(name, "has * or #", remedy)
    raise InvalidArgument(
        name,
        "is no dialable address",
        "give 2 to 15 digits with an optional +, or a sip:, sips: or tel: URI without parameters",
    )


def check_number(value: object) -> str:
    """A caller id: digits with an optional plus, or empty for the trunk's own.

    Raises:
        InvalidArgument: it is something else.
    """
    if value == "":
        return ""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return value
    remedy = "give 2 to 15 digits with an optional +"
    raise InvalidArgument("sip_number", "is no caller id", remedy)


def number_from_environment(environ: Mapping[str, str]) -> str:
    """The caller id that is set for the process, empty for the trunk's own.

    Raises:
        InvalidArgument: it is no caller id; names the variable, for nobody gave `sip_number`.
    """
    variable = "LIVEKIT_SIP_NUMBER"
    try:
        return check_number(environ.get(variable, ""))
    except InvalidArgument as error:
        raise InvalidArgument(variable, error.problem, error.remedy) from None


def check_headers(value: object, policy: TransferPolicy) -> dict[str, str]:
    """SIP headers: ``X-*``, ``User-to-User``, ``Diversion`` and what the policy adds.

    Raises:
        InvalidArgument: a name is not allowed or a value has control characters.
    """
    if not isinstance(value, Mapping):
        raise InvalidArgument("sip_headers", f"is {type(value).__name__}", "give a mapping")
    allowed = _ALWAYS_ALLOWED | {name.lower() for name in policy.allowed_headers}
    for name, text in value.items():
        if not is_header_name(name):
            remedy = "use up to 64 letters, digits and -"
            raise InvalidArgument("sip_headers", "has a name that is no header name", remedy)
        low = name.lower()
        problem = f"has {_shown(name)}, which is not allowed"
        if low in NEVER_ALLOWED:
            remedy = "use X-*, User-to-User or Diversion: no policy can allow this one"
            raise InvalidArgument("sip_headers", problem, remedy)
        if not (low.startswith("x-") or low in allowed):
            remedy = "use X-*, User-to-User, Diversion, or add it to `allowed_headers`"
            raise InvalidArgument("sip_headers", problem, remedy)
        if not isinstance(text, str) or len(text) > _HEADER_VALUE_MAX or not is_plain(text):
            remedy = "give up to 512 characters, none of them a control character"
            problem = f"has an unusable value for {_shown(name)}"
            raise InvalidArgument("sip_headers", problem, remedy)
    return dict(value)


def is_plain(text: str) -> bool:
    """Whether a text has no control characters, and can be sent as UTF-8."""
    return _PLAIN.fullmatch(text) is not None


def _shown(name: str) -> str:
    """A header's name for a message; who swaps name and value does not see a number repeated."""
    return repr(re.sub(r"[0-9]{3,}", "***", name))


def check_dtmf(value: object) -> str:
    """Key tones: digits, A to D, ``*``, ``#`` and ``w`` for half a second of pause.

    Raises:
        InvalidArgument: it has something else, or more than 64 of them.
    """
    if isinstance(value, str) and _DTMF.fullmatch(value):
        return value
    remedy = "give up to 64 of 0-9, A-D, *, # and w (a pause of 0.5 s)"
    raise InvalidArgument("dtmf", "is no sequence of key tones", remedy)


def dtmf_seconds(tones: str) -> float:
    """How long key tones take to send, in seconds."""
    pauses = sum(tone in "wW" for tone in tones)
    return pauses * DTMF_PAUSE_S + (len(tones) - pauses) * DTMF_TONE_S
