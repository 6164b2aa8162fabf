"""The effects of a transfer: what is to be done, in the imperative, with the object last.

An effect is data. The core returns it, the runner orders it, an adapter executes it and reports
with an event. The order between effects is data too and stands here: what an effect waits for,
and which start a release overtakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from warm_transfer.events import On

__all__ = ["AFTER", "FAILURE", "OVERTAKES", "RELEASES", "TIMEOUT", "Do", "Effect"]


class Do(StrEnum):
    """The name of an effect."""

    HOLD_CALLER = "HOLD_CALLER"
    """Caller input off, at once and synchronously; output off when the last speech has ended."""
    PLAY_HOLD_AUDIO = "PLAY_HOLD_AUDIO"
    STOP_HOLD_AUDIO = "STOP_HOLD_AUDIO"
    """Silent at once and synchronously; then its track is taken away."""
    OPEN_CONSULT = "OPEN_CONSULT"
    """Make the consult room, join it, start the consult session with its input off."""
    CLOSE_CONSULT = "CLOSE_CONSULT"
    """Close the consult session, delete the consult room, leave it."""
    DIAL_CONSULT = "DIAL_CONSULT"
    START_BRIEFING = "START_BRIEFING"
    STOP_BRIEFING = "STOP_BRIEFING"
    """Silence the consult agent for good, so that no tail of it can cross."""
    PREPARE_MERGE = "PREPARE_MERGE"
    """Get the first merge strategy ready while the human is briefed; nothing is heard of it."""
    MERGE_LEGS = "MERGE_LEGS"
    UNMERGE_LEGS = "UNMERGE_LEGS"
    """Undo a merge, and what was prepared for it."""
    LOOK_AT_ROOMS = "LOOK_AT_ROOMS"
    """Settle an uncertain merge by looking where the legs are."""
    NOTIFY_CONSULT = "NOTIFY_CONSULT"
    """Say one fixed sentence to the human, if anybody has spoken yet."""
    HANG_UP_CONSULT = "HANG_UP_CONSULT"
    """Take the human's leg down, wherever it is, ringing or answered."""
    DELIVER_OUTCOME = "DELIVER_OUTCOME"
    RESUME_CALLER = "RESUME_CALLER"
    """Caller input and output exactly as they were, once the agent is back."""
    RESUME_OUTPUT = "RESUME_OUTPUT"
    """Caller output as it was, input stays off: the agent may speak but not listen."""
    AWAIT_LAST_WORDS = "AWAIT_LAST_WORDS"
    """Hear out what the agent still says into the merged call, before it leaves."""
    LEAVE_CALL = "LEAVE_CALL"
    """Close the caller's session, leave the caller's room, end the job; the others stay."""
    END_CALL = "END_CALL"
    """Delete the caller's room: the call is over."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect to be executed."""

    id: int
    """Unique in the transfer, rising."""
    name: Do
    attempt: int
    """The dial attempt it belongs to, counted from 1."""
    strategy: str | None = None
    """For the effects of a merge: the name of the merge strategy to use."""


RELEASES = frozenset(
    {
        Do.STOP_HOLD_AUDIO,
        Do.CLOSE_CONSULT,
        Do.HANG_UP_CONSULT,
        Do.UNMERGE_LEGS,
        Do.RESUME_CALLER,
        Do.RESUME_OUTPUT,
        Do.LEAVE_CALL,
        Do.END_CALL,
    }
)
"""Effects that give something back: safe to repeat, retried, never a reason to change course."""

AFTER: Mapping[Do, frozenset[Do]] = {
    # A session that is not there yet cannot speak; the decision deadline bounds the wait.
    Do.START_BRIEFING: frozenset({Do.OPEN_CONSULT}),
    # What is prepared is prepared in both rooms.
    Do.PREPARE_MERGE: frozenset({Do.OPEN_CONSULT}),
    # BRIEFING_STOPPED orders it behind the briefing, whose session may still be closing.
    Do.MERGE_LEGS: frozenset({Do.OPEN_CONSULT, Do.PREPARE_MERGE, Do.UNMERGE_LEGS}),
    # A look during an unmerge would find the legs that are about to be parted.
    Do.LOOK_AT_ROOMS: frozenset({Do.UNMERGE_LEGS}),
    # The notice is bounded by `notice_limit_s`, so the leg is gone within it.
    Do.HANG_UP_CONSULT: frozenset({Do.NOTIFY_CONSULT}),
    # Taking a track out of a room that is being deleted does not return.
    Do.CLOSE_CONSULT: frozenset({Do.NOTIFY_CONSULT, Do.UNMERGE_LEGS}),
    Do.END_CALL: frozenset({Do.UNMERGE_LEGS}),
    # The caller gets the agent back when the agent is there. The music is silent since the stop
    # began; nobody waits until its track is gone.
    Do.RESUME_CALLER: frozenset({Do.DELIVER_OUTCOME, Do.UNMERGE_LEGS}),
    Do.RESUME_OUTPUT: frozenset({Do.DELIVER_OUTCOME}),
    # Before its output is back the agent cannot say anything.
    Do.AWAIT_LAST_WORDS: frozenset({Do.DELIVER_OUTCOME, Do.RESUME_OUTPUT}),
    # With the agent goes its job, and what that has to tell or to give back.
    Do.LEAVE_CALL: frozenset(
        {Do.DELIVER_OUTCOME, Do.RESUME_OUTPUT, Do.STOP_HOLD_AUDIO, Do.CLOSE_CONSULT}
    ),
}
"""An effect starts when those of these that are in flight have returned."""

OVERTAKES: Mapping[Do, frozenset[Do]] = {
    Do.STOP_HOLD_AUDIO: frozenset({Do.PLAY_HOLD_AUDIO}),
    Do.HANG_UP_CONSULT: frozenset({Do.DIAL_CONSULT}),
    Do.CLOSE_CONSULT: frozenset({Do.OPEN_CONSULT, Do.START_BRIEFING, Do.STOP_BRIEFING}),
    Do.STOP_BRIEFING: frozenset({Do.START_BRIEFING}),
    Do.UNMERGE_LEGS: frozenset({Do.PREPARE_MERGE, Do.MERGE_LEGS, Do.LOOK_AT_ROOMS}),
    Do.RESUME_CALLER: frozenset({Do.HOLD_CALLER}),
    Do.RESUME_OUTPUT: frozenset({Do.HOLD_CALLER}),
}
"""A release does not wait for a start in flight; it runs at once and again when that returns.

Cancelling a dial in its first milliseconds finds no leg yet: only the second time is a proof.
"""

FAILURE: Mapping[Do, On | None] = {
    Do.HOLD_CALLER: On.CALLER_HOLD_FAILED,
    Do.PLAY_HOLD_AUDIO: On.HOLD_AUDIO_FAILED,
    Do.OPEN_CONSULT: On.CONSULT_OPEN_FAILED,
    # Whatever went wrong, the phone may be ringing: an unknown outcome is never "refused".
    Do.DIAL_CONSULT: On.DIAL_UNCERTAIN,
    Do.START_BRIEFING: On.BRIEFING_FAILED,
    Do.STOP_BRIEFING: On.BRIEFING_FAILED,
    # The merge makes up for what was not prepared, or fails of it.
    Do.PREPARE_MERGE: None,
    Do.MERGE_LEGS: On.MERGE_FAILED,
    Do.LOOK_AT_ROOMS: On.MERGE_FAILED,
    # Who cannot be heard out is not waited for.
    Do.AWAIT_LAST_WORDS: On.AGENT_HEARD_OUT,
    # A notice is a courtesy, and the outcome has its own way out.
    Do.NOTIFY_CONSULT: None,
    Do.DELIVER_OUTCOME: None,
    **dict.fromkeys(sorted(RELEASES), On.RELEASE_FAILED),
}
"""The event the runner posts when an effect fails in a way its adapter did not foresee."""

TIMEOUT: Mapping[Do, On | None] = {**FAILURE, Do.MERGE_LEGS: On.MERGE_UNCERTAIN}
"""The same for an effect that does not return within its limit: a merge may have happened."""
