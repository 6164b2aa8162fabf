"""The states of a transfer: participles while something is awaited, outcomes once it is decided.

One set of names for the engine, the journal, the diagrams and the documents. The order is the
order of the happy path, then the ways out, and every generated table and picture keeps it.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["DELIVERED", "FINAL", "HELD", "WAITING", "State"]


class State(StrEnum):
    """Where a transfer stands."""

    IDLE = "idle"
    """Nothing has been asked yet; the caller talks to the agent."""
    HOLDING = "holding"
    """The caller's input is going off; output follows when the agent's last speech has ended."""
    DIALING = "dialing"
    """The INVITE is out; ringing is part of it."""
    BRIEFING = "briefing"
    """The human has answered, is told what it is about, and decides."""
    MERGING = "merging"
    """The human said yes and the legs are being joined: the commit point."""
    MERGED = "merged"
    """Caller and human talk; the outcome has been delivered."""
    ENDED = "ended"
    """After `MERGED`: the call is over and cleaned up."""
    RETURNED = "returned"
    """After `MERGED`: the human left and the caller is with the agent again."""
    DECLINED = "declined"
    """The human or the application said no; the caller is with the agent again."""
    VOICEMAIL = "voicemail"
    """A machine answered; the caller is with the agent again."""
    FAILED = "failed"
    """It did not work; the reason says why."""
    CANCELLED = "cancelled"
    """The application cancelled, or the session or the job closed."""
    ABANDONED = "abandoned"
    """The caller hung up before the merge."""


HELD = frozenset({State.HOLDING, State.DIALING, State.BRIEFING, State.MERGING})
"""The states in which the caller is on hold."""

WAITING = HELD | {State.MERGED}
"""The states that wait for something and therefore carry a clock."""

FINAL = frozenset(
    {
        State.ENDED,
        State.RETURNED,
        State.DECLINED,
        State.VOICEMAIL,
        State.FAILED,
        State.CANCELLED,
        State.ABANDONED,
    }
)
"""The states that change no more; a row there only compensates for something late."""

DELIVERED = frozenset(
    {
        State.MERGED,
        State.DECLINED,
        State.VOICEMAIL,
        State.FAILED,
        State.CANCELLED,
        State.ABANDONED,
    }
)
"""The states whose entry delivers the outcome, exactly once in a transfer."""
