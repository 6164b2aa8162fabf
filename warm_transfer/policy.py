"""Every limit of a transfer, in seconds, checked when the policy is made.

No wait in the library is without one of these. A number here has a precedent or a reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Literal

from warm_transfer.errors import InvalidArgument
from warm_transfer.headers import check_allowed

__all__ = ["Carrier", "Plan", "Strategy", "TransferPolicy"]

RING_TIMEOUT_MAX_S = 70.0
"""The server gives a dial up after 80 s (livekit ``pkg/service/sip.go``); we must be first."""

DECISION_TIMEOUT_S = 120.0
"""Unless the policy says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPolicy:
    """The limits and choices of a transfer.

    Raises:
        InvalidArgument: a limit is not a positive number, too large, or contradicts another.
    """

    hold_timeout_s: float = 5.0
    """To take the caller's input off. Normally done in the same turn."""
    ring_timeout_s: float = 30.0
    """From the INVITE to an answer. Four rings in the US are 24 s; livekit-api pins 30 s.
    At most 70: the server drops the request at 80."""
    decision_timeout_s: float = DECISION_TIMEOUT_S
    """From the answer to the human's yes or no. Silence counts as no. Whoever gives it more gives
    `hold_limit_s` more as well."""
    consent_timeout_s: float = 3.0
    """To judge whether the human's words are a yes. Unjudged, they are none: a model that needs
    longer for one word is no model for a conversation."""
    merge_timeout_s: float = 10.0
    """From the yes to both hearing each other, for each merge strategy."""
    look_timeout_s: float = 2.0
    """To settle an uncertain merge by looking at the rooms."""
    call_limit_s: float = 4 * 3600.0
    """How long a merged call may last; also ``max_call_duration`` of the human's leg, because
    the server's own default is 24 h."""
    hold_limit_s: float = 300.0
    """How long the caller may be held in all, over dialing and briefing."""
    notice_limit_s: float = 5.0
    """From the decision to the human's leg being gone, the fixed notice included."""
    speech_limit_s: float = 20.0
    """How long the agent's last words before the hold may take."""
    hold_lead_s: float = 0.3
    """How long joining the consult room waits at most for the hold audio to be on its way to the
    caller: both keep the same processor busy, and the phone is not answered yet."""
    open_timeout_s: float = 15.0
    """To make and join the consult room and start the consult session."""
    api_timeout_s: float = 5.0
    """For one request to the server that is not a dial."""
    dial_margin_s: float = 5.0
    """What the dialling request may take longer than ringing and key tones together."""
    release_timeout_s: float = 8.0
    """For one try of a release. A worker is killed about 10 s after SIGTERM."""
    release_attempts_max: int = 6
    """How often a release is tried before it is journalled as an orphan risk."""
    release_pause_s: float = 0.25
    """Before a release is tried again, doubling each time: six tries spread over 7.75 s, and
    livekit-server is back from a restart within 5 to 6."""
    refusal_grace_s: float = 0.5
    """How long a leg that left unanswered waits for the API to say why."""
    reconnect_grace_s: float = 5.0
    """After the agent's own reconnect: how long a missing participant has to come back."""
    rejoin_grace_s: float = 1.0
    """How long one who left without a reason, as in a full reconnect of theirs, has to come
    back. With a reason they have hung up, and that counts at once."""
    hook_timeout_s: float = 5.0
    """How long one state-change hook may take before it is given up."""
    relay_stall_s: float = 0.1
    """How late the relay may come for a frame before it warns that the event loop is stalled. It
    keeps 0.1 s of sound, whatever this is, and drops what is older."""
    token_ttl_s: float = 120.0
    """How long the token for the consult room admits; a connected client is refreshed."""
    on_human_left: Literal["end_call", "return"] = "end_call"
    """When the human leaves a merged call: end the caller's call too, or give the caller back."""
    after_merge: Literal["silent", "leave"] = "silent"
    """What the agent does in a merged call: stay, deaf but able to speak; or leave for good once
    its last words are out. Then nobody ends the call for the other one when one hangs up. It can
    only leave where the sound runs without it: with a relay it stays."""
    leave_quiet_s: float = 1.0
    """How long an agent that leaves must have been quiet before it goes, so that the application
    gets round to its last words after the await."""
    leave_timeout_s: float = 10.0
    """How long those last words may take in all, from the agent being back; then it goes."""
    allow_star_codes: bool = False
    """Whether ``*`` and ``#`` may be dialled (feature codes of a PBX)."""
    allowed_headers: frozenset[str] = frozenset()
    """SIP header names that may be sent beside ``X-*``, ``User-to-User`` and ``Diversion``. Those
    that set up or route the dialog, such as ``From``, are refused."""

    def __post_init__(self) -> None:
        for name in _SECONDS:
            _check_seconds(name, getattr(self, name))
        for name in _COUNTS:
            _check_count(name, getattr(self, name))
        if not isinstance(self.allow_star_codes, bool):
            found = f"is {self.allow_star_codes!r}"
            raise InvalidArgument("allow_star_codes", found, "give True or False")
        object.__setattr__(self, "allowed_headers", check_allowed(self.allowed_headers))
        self._check_choices()
        self._check_relations()

    def _check_choices(self) -> None:
        if self.on_human_left not in ("end_call", "return"):
            raise InvalidArgument(
                "on_human_left", f"is {self.on_human_left!r}", 'give "end_call" or "return"'
            )
        if self.after_merge not in ("silent", "leave"):
            raise InvalidArgument(
                "after_merge", f"is {self.after_merge!r}", 'give "silent" or "leave"'
            )
        if (self.after_merge, self.on_human_left) == ("leave", "return"):
            raise InvalidArgument(
                "after_merge",
                'is "leave", but `on_human_left` is "return"',
                "give one of them up: an agent that has left cannot take the caller back",
            )

    def _check_relations(self) -> None:
        if self.leave_timeout_s < self.leave_quiet_s:
            raise InvalidArgument(
                "leave_timeout_s",
                f"is {self.leave_timeout_s:g} s, less than `leave_quiet_s`",
                f"give at least {self.leave_quiet_s:g} s",
            )
        if self.ring_timeout_s > RING_TIMEOUT_MAX_S:
            raise InvalidArgument(
                "ring_timeout_s",
                f"is {self.ring_timeout_s:g} s",
                f"give at most {RING_TIMEOUT_MAX_S:g} s, the server drops a dial at 80 s",
            )
        if self.hold_limit_s < self.ring_timeout_s:
            raise InvalidArgument(
                "hold_limit_s",
                f"is {self.hold_limit_s:g} s, less than `ring_timeout_s`",
                f"give at least {self.ring_timeout_s:g} s",
            )
        # A hold limit may be shortened alone, and then comes first; a decision that is given more
        # time alone would not get it.
        if self.decision_timeout_s > max(self.hold_limit_s, DECISION_TIMEOUT_S):
            raise InvalidArgument(
                "decision_timeout_s",
                f"is {self.decision_timeout_s:g} s, more than `hold_limit_s`, which ends it",
                f"give at most {self.hold_limit_s:g} s, or more to `hold_limit_s` as well",
            )
        if self.call_limit_s < self.decision_timeout_s:
            raise InvalidArgument(
                "call_limit_s",
                f"is {self.call_limit_s:g} s, less than `decision_timeout_s`",
                "give more: it also bounds the human's leg, which begins with the briefing",
            )


_NAMES = tuple(each.name for each in fields(TransferPolicy))
_SECONDS = tuple(name for name in _NAMES if name.endswith("_s"))
_COUNTS = tuple(name for name in _NAMES if name.endswith("_max"))
_NUMBERS = (int, float)


def _check_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, _NUMBERS):
        raise InvalidArgument(name, f"is {value!r}", "give a number of seconds")
    if not math.isfinite(value) or value <= 0:
        raise InvalidArgument(name, f"is {value!r}", "give a number of seconds above 0")


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgument(name, f"is {value!r}", "give a whole number from 1 on")


class Carrier(StrEnum):
    """Who carries the sound between the legs of a merged call, and so what has to stay."""

    AGENT = "agent"
    """The agent, from room to room: both rooms and the agent have to stay."""
    BRIDGE = "bridge"
    """The SIP service, by a call to itself: both rooms have to stay, and the agent watches."""
    SERVER = "server"
    """The server, in one room: the consult room is not needed, and the agent may leave."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """What the core has to know about a merge strategy."""

    name: str
    carrier: Carrier = Carrier.SERVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one transfer may do, decided before anything is dialled."""

    strategies: tuple[Strategy, ...] = (Strategy("relay", Carrier.AGENT),)
    """Merge strategies in the order in which they are tried."""
    dtmf_s: float = 0.0
    """Seconds that the key tones after the answer take; they belong to dialing."""

    def __post_init__(self) -> None:
        if not self.strategies:
            raise InvalidArgument("merge", "names no strategy", 'give one, such as "relay"')
        if not math.isfinite(self.dtmf_s) or self.dtmf_s < 0:
            raise InvalidArgument("dtmf_s", f"is {self.dtmf_s!r}", "give seconds from 0 on")
