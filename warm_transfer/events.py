"""The events of a transfer: what happened, in the past tense, with the subject first.

Adapters post events and nothing else; the table decides what an event means. An event that
reports for an effect (or for a clock) carries that effect's id, so that a late report of
something superseded can be told from news.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["ACCEPTANCES", "CLOCKS", "OVERTAKES_ACCEPTANCE", "Event", "Facts", "On"]


class On(StrEnum):
    """The name of an event."""

    # The application.
    TRANSFER_REQUESTED = "TRANSFER_REQUESTED"
    APP_ACCEPTED = "APP_ACCEPTED"
    APP_DECLINED = "APP_DECLINED"
    APP_CANCELLED = "APP_CANCELLED"
    SESSION_CLOSED = "SESSION_CLOSED"
    JOB_SHUTTING_DOWN = "JOB_SHUTTING_DOWN"
    # The caller.
    CALLER_HELD = "CALLER_HELD"
    CALLER_HOLD_FAILED = "CALLER_HOLD_FAILED"
    HOLD_AUDIO_FAILED = "HOLD_AUDIO_FAILED"
    CALLER_HUNG_UP = "CALLER_HUNG_UP"
    CALLER_ROOM_LOST = "CALLER_ROOM_LOST"
    # The consult leg and its room.
    CONSULT_OPENED = "CONSULT_OPENED"
    CONSULT_OPEN_FAILED = "CONSULT_OPEN_FAILED"
    CONSULT_RANG = "CONSULT_RANG"
    CONSULT_ANSWERED = "CONSULT_ANSWERED"
    CONSULT_REFUSED = "CONSULT_REFUSED"
    DIAL_UNCERTAIN = "DIAL_UNCERTAIN"
    CONSULT_ACCEPTED = "CONSULT_ACCEPTED"
    CONSULT_DECLINED = "CONSULT_DECLINED"
    VOICEMAIL_DETECTED = "VOICEMAIL_DETECTED"
    CONSULT_HUNG_UP = "CONSULT_HUNG_UP"
    CONSULT_ROOM_LOST = "CONSULT_ROOM_LOST"
    BRIEFING_STOPPED = "BRIEFING_STOPPED"
    BRIEFING_FAILED = "BRIEFING_FAILED"
    # The merge.
    MERGE_CONFIRMED = "MERGE_CONFIRMED"
    MERGE_FAILED = "MERGE_FAILED"
    MERGE_UNCERTAIN = "MERGE_UNCERTAIN"
    MERGE_BROKE = "MERGE_BROKE"
    # After the merge.
    AGENT_HEARD_OUT = "AGENT_HEARD_OUT"
    # Clocks and clean-up.
    DEADLINE_PASSED = "DEADLINE_PASSED"
    HOLD_LIMIT_PASSED = "HOLD_LIMIT_PASSED"
    RELEASE_FAILED = "RELEASE_FAILED"


CLOCKS = frozenset({On.DEADLINE_PASSED, On.HOLD_LIMIT_PASSED})
"""Events that only the runner makes, from the deadline the core names."""

ACCEPTANCES = frozenset({On.CONSULT_ACCEPTED, On.APP_ACCEPTED})
"""The only events after which the legs may be joined."""

OVERTAKES_ACCEPTANCE = frozenset(
    {
        On.APP_DECLINED,
        On.SESSION_CLOSED,
        On.JOB_SHUTTING_DOWN,
        On.CALLER_HUNG_UP,
        On.CALLER_ROOM_LOST,
        On.CONSULT_DECLINED,
        On.VOICEMAIL_DETECTED,
        On.CONSULT_HUNG_UP,
        On.CONSULT_ROOM_LOST,
    }
)
"""A decline or a departure that is already queued behind an acceptance wins over it.

A yes and a no in the same instant is a no: joining two people wrongly cannot be undone, asking
again can.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about an event beyond its name. Every field may be absent."""

    via: str | None = None
    """How an acceptance came: ``"tool"``, ``"app"``, or the application's own word."""
    words: str | None = None
    """What a person said, for example when declining. Personal data: masked in journals."""
    sip_status: int | None = None
    """The SIP response status (RFC 3261 section 21) that ended the dial."""
    sip_phrase: str | None = None
    """The reason phrase that came with `sip_status`."""
    api_code: str | None = None
    """The error code of the server's API (Twirp), such as ``"resource_exhausted"``."""
    disconnect_reason: str | None = None
    """LiveKit's ``DisconnectReason`` by name; unknown numbers are kept as text."""
    strategy: str | None = None
    """The merge strategy that reports."""
    effect_name: str | None = None
    """The effect that failed, for failures that several effects can have."""
    detail: str | None = None
    """A short sentence for a log reader. Never a phone number, a name or a transcript."""
    cause: BaseException | None = field(default=None, compare=False)
    """The exception behind it, kept as ``__cause__`` of the error the application sees."""


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    name: On
    facts: Facts = NO_FACTS
    attempt: int | None = None
    """The dial attempt it belongs to, counted from 1; None when it belongs to none."""
    effect: int | None = None
    """The id of the effect or clock it reports for; None for news of its own."""
