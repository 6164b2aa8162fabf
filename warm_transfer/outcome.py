"""How a transfer ended: one result, one reason, and the facts behind them.

The mapping from what SIP and LiveKit report to a reason is one table with a default, because new
codes keep appearing. Sources: RFC 3261 section 21 for the codes; ``livekit/sip.go`` of
livekit/protocol for how the server turns them into API error codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from warm_transfer.events import Facts
from warm_transfer.states import State

__all__ = ["REASONS_OF", "Reason", "TransferOutcome", "reason_of_refusal"]


class Reason(StrEnum):
    """Why the outcome is what it is."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    VOICEMAIL = "voicemail"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    INVALID_DESTINATION = "invalid_destination"
    UNREACHABLE = "unreachable"
    HUMAN_LEFT = "human_left"
    NO_DECISION = "no_decision"
    CALLER_LEFT = "caller_left"
    CALLER_ROOM_LOST = "caller_room_lost"
    HOLD_LIMIT = "hold_limit"
    HOLD_FAILED = "hold_failed"
    CONSULT_UNAVAILABLE = "consult_unavailable"
    DIAL_UNCERTAIN = "dial_uncertain"
    BRIEFING_FAILED = "briefing_failed"
    MERGE_FAILED = "merge_failed"
    APP_CANCELLED = "app_cancelled"
    SESSION_CLOSED = "session_closed"
    JOB_SHUTDOWN = "job_shutdown"


REFUSALS = frozenset(
    {
        Reason.NO_ANSWER,
        Reason.BUSY,
        Reason.REJECTED,
        Reason.INVALID_DESTINATION,
        Reason.UNREACHABLE,
        # A screening service or a human can refuse with a decline (603, 607).
        Reason.DECLINED,
    }
)
"""What `reason_of_refusal` can answer."""

REASONS_OF: Mapping[State, frozenset[Reason]] = {
    State.MERGED: frozenset({Reason.ACCEPTED}),
    State.DECLINED: frozenset({Reason.DECLINED}),
    State.VOICEMAIL: frozenset({Reason.VOICEMAIL}),
    State.ABANDONED: frozenset({Reason.CALLER_LEFT}),
    State.CANCELLED: frozenset({Reason.APP_CANCELLED, Reason.SESSION_CLOSED, Reason.JOB_SHUTDOWN}),
    State.FAILED: REFUSALS
    | {
        Reason.HUMAN_LEFT,
        Reason.NO_DECISION,
        Reason.CALLER_ROOM_LOST,
        Reason.HOLD_LIMIT,
        Reason.HOLD_FAILED,
        Reason.CONSULT_UNAVAILABLE,
        Reason.DIAL_UNCERTAIN,
        Reason.BRIEFING_FAILED,
        Reason.MERGE_FAILED,
        Reason.JOB_SHUTDOWN,
    },
}
"""The reasons each result can have."""

_BY_SIP_STATUS: Mapping[int, Reason] = {
    404: Reason.INVALID_DESTINATION,  # Not Found
    408: Reason.NO_ANSWER,  # Request Timeout
    410: Reason.INVALID_DESTINATION,  # Gone
    416: Reason.INVALID_DESTINATION,  # Unsupported URI Scheme
    480: Reason.NO_ANSWER,  # Temporarily Unavailable: a phone that is off or does not pick up
    484: Reason.INVALID_DESTINATION,  # Address Incomplete
    485: Reason.INVALID_DESTINATION,  # Ambiguous
    486: Reason.BUSY,  # Busy Here
    487: Reason.NO_ANSWER,  # Request Terminated: we stopped ringing
    504: Reason.UNREACHABLE,  # Server Time-out
    600: Reason.BUSY,  # Busy Everywhere
    603: Reason.DECLINED,  # Decline
    604: Reason.INVALID_DESTINATION,  # Does Not Exist Anywhere
    607: Reason.DECLINED,  # Unwanted (RFC 8197)
    608: Reason.REJECTED,  # Rejected by an intermediary (RFC 8688)
}

_BY_SIP_CLASS: Mapping[int, Reason] = {
    3: Reason.UNREACHABLE,  # a redirect that nobody followed
    4: Reason.REJECTED,
    5: Reason.UNREACHABLE,
    6: Reason.REJECTED,
}

_BY_API_CODE: Mapping[str, Reason] = {
    # The server's own ring timeout: "sip request timed out", without a SIP status.
    "canceled": Reason.NO_ANSWER,
    "deadline_exceeded": Reason.NO_ANSWER,
    "not_found": Reason.REJECTED,  # the trunk id is unknown
    "permission_denied": Reason.REJECTED,
    "unauthenticated": Reason.REJECTED,
    "invalid_argument": Reason.INVALID_DESTINATION,
    "unavailable": Reason.UNREACHABLE,  # no SIP service, or its CPU limit
    "failed_precondition": Reason.UNREACHABLE,
}

_BY_DISCONNECT: Mapping[str, Reason] = {
    "USER_UNAVAILABLE": Reason.NO_ANSWER,
    "USER_REJECTED": Reason.BUSY,
    "SIP_TRUNK_FAILURE": Reason.UNREACHABLE,
    "CLIENT_INITIATED": Reason.UNREACHABLE,  # 503 looks like a hang-up that never was active
}


def reason_of_refusal(facts: Facts) -> Reason:
    """Say why a dial was refused, from the best evidence there is.

    The SIP status counts first, because the API code alone misleads (busy arrives as
    ``resource_exhausted``, the code of a rate limit), then the API code, then the reason with
    which the leg left the room. What is not known yet counts as `Reason.UNREACHABLE`.
    """
    status = facts.sip_status
    if status is not None:
        by_class = _BY_SIP_CLASS.get(status // 100, Reason.UNREACHABLE)
        return _BY_SIP_STATUS.get(status, by_class)
    by_leg = _BY_DISCONNECT.get(facts.disconnect_reason or "", Reason.UNREACHABLE)
    return _BY_API_CODE.get(facts.api_code or "", by_leg)


_NO_SECONDS: Mapping[State, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferOutcome:
    """How a transfer ended, delivered exactly once."""

    result: State
    """The state in which the outcome was delivered."""
    reason: Reason
    """Why."""
    transfer_id: str
    """The id under which journal and logs speak of this transfer."""
    attempt: int = 1
    """The dial attempt that decided, counted from 1."""
    sip_status: int | None = None
    """The SIP response status that ended the dial, if there was one."""
    sip_phrase: str | None = None
    """Its reason phrase."""
    api_code: str | None = None
    """The server's API error code, if there was one."""
    disconnect_reason: str | None = None
    """LiveKit's reason for a departure, by name."""
    words: str | None = None
    """What the human said when declining. Personal data."""
    detail: str | None = None
    """A short sentence for a log reader, if there is more to say."""
    strategy: str | None = None
    """The merge strategy that was used, or tried last."""
    after_merge: str | None = None
    """What the agent does in the merged call, ``"silent"`` or ``"leave"``; None unless merged.
    With a relay it stays, whatever `TransferPolicy.after_merge` says."""
    seconds: Mapping[State, float] = field(default_factory=lambda: _NO_SECONDS)
    """Seconds spent in each state up to the outcome."""
    time_to_human_s: float | None = None
    """Seconds from the request to the merge; None unless merged."""
    cause: BaseException | None = field(default=None, compare=False)
    """The exception behind a failure, if there was one."""

    @property
    def merged(self) -> bool:
        """Whether caller and human were joined."""
        return self.result is State.MERGED
