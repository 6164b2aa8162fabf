"""Who an event comes from and whom an effect is for: where a sequence diagram draws its arrow.

The agent is the process this library runs in, with the application and its clocks; the server is
LiveKit with the telephone network behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from warm_transfer.effects import Do
from warm_transfer.events import On

__all__ = ["FROM", "TO", "Lifeline"]


class Lifeline(StrEnum):
    """One line of the diagram, in the order in which they stand."""

    CALLER = "caller"
    AGENT = "agent"
    HUMAN = "human"
    SERVER = "server"


FROM: Mapping[On, Lifeline] = {
    On.TRANSFER_REQUESTED: Lifeline.AGENT,
    On.APP_ACCEPTED: Lifeline.AGENT,
    On.APP_DECLINED: Lifeline.AGENT,
    On.APP_CANCELLED: Lifeline.AGENT,
    On.SESSION_CLOSED: Lifeline.AGENT,
    On.JOB_SHUTTING_DOWN: Lifeline.AGENT,
    On.CALLER_HELD: Lifeline.AGENT,
    On.CALLER_HOLD_FAILED: Lifeline.AGENT,
    On.HOLD_AUDIO_FAILED: Lifeline.AGENT,
    On.CALLER_HUNG_UP: Lifeline.CALLER,
    On.CALLER_ROOM_LOST: Lifeline.SERVER,
    On.CONSULT_OPENED: Lifeline.SERVER,
    On.CONSULT_OPEN_FAILED: Lifeline.SERVER,
    On.CONSULT_RANG: Lifeline.SERVER,
    On.CONSULT_ANSWERED: Lifeline.HUMAN,
    On.CONSULT_REFUSED: Lifeline.SERVER,
    On.DIAL_UNCERTAIN: Lifeline.SERVER,
    On.CONSULT_ACCEPTED: Lifeline.HUMAN,
    On.CONSULT_DECLINED: Lifeline.HUMAN,
    On.VOICEMAIL_DETECTED: Lifeline.HUMAN,
    On.CONSULT_HUNG_UP: Lifeline.HUMAN,
    On.CONSULT_ROOM_LOST: Lifeline.SERVER,
    On.BRIEFING_STOPPED: Lifeline.AGENT,
    On.BRIEFING_FAILED: Lifeline.AGENT,
    On.MERGE_CONFIRMED: Lifeline.SERVER,
    On.MERGE_FAILED: Lifeline.SERVER,
    On.MERGE_UNCERTAIN: Lifeline.SERVER,
    On.MERGE_BROKE: Lifeline.SERVER,
    On.AGENT_HEARD_OUT: Lifeline.AGENT,
    On.DEADLINE_PASSED: Lifeline.AGENT,
    On.HOLD_LIMIT_PASSED: Lifeline.AGENT,
    On.RELEASE_FAILED: Lifeline.SERVER,
}
"""Who an event is news of; the agent is told it."""

TO: Mapping[Do, Lifeline] = {
    Do.HOLD_CALLER: Lifeline.CALLER,
    Do.PLAY_HOLD_AUDIO: Lifeline.CALLER,
    Do.STOP_HOLD_AUDIO: Lifeline.CALLER,
    Do.OPEN_CONSULT: Lifeline.SERVER,
    Do.CLOSE_CONSULT: Lifeline.SERVER,
    Do.DIAL_CONSULT: Lifeline.SERVER,
    Do.START_BRIEFING: Lifeline.HUMAN,
    Do.STOP_BRIEFING: Lifeline.HUMAN,
    Do.PREPARE_MERGE: Lifeline.SERVER,
    Do.MERGE_LEGS: Lifeline.SERVER,
    Do.UNMERGE_LEGS: Lifeline.SERVER,
    Do.LOOK_AT_ROOMS: Lifeline.SERVER,
    Do.NOTIFY_CONSULT: Lifeline.HUMAN,
    Do.HANG_UP_CONSULT: Lifeline.HUMAN,
    Do.DELIVER_OUTCOME: Lifeline.AGENT,
    Do.RESUME_CALLER: Lifeline.CALLER,
    Do.RESUME_OUTPUT: Lifeline.CALLER,
    Do.AWAIT_LAST_WORDS: Lifeline.CALLER,
    Do.LEAVE_CALL: Lifeline.CALLER,
    Do.END_CALL: Lifeline.SERVER,
}
"""Whom an effect is for; the agent starts it."""
