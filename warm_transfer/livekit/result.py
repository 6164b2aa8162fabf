"""What awaiting a transfer gives: a result when merged, a readable error otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from livekit.agents.beta.workflows import WarmTransferResult as _IncumbentResult
from livekit.agents.llm import ToolError

from warm_transfer.errors import CallerUnclear, TransferInProgress, WarmTransferError
from warm_transfer.livekit.phrases import ENGLISH, Phrases
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.states import State

__all__ = ["CallerMissing", "SessionBusy", "TransferFailed", "WarmTransferResult", "result_of"]


@dataclass
class WarmTransferResult(_IncumbentResult):
    """The result of a merged transfer; also a result of livekit-agents' own class."""

    outcome: TransferOutcome
    """How it ended."""


class TransferFailed(WarmTransferError, ToolError):
    """A transfer that ended without a merge. The text is for a model to read.

    It begins with the words livekit-agents' own class uses for the same case, and goes on with
    what has happened and what can be done now. ``__cause__`` is what went wrong, if something
    did: `warm_transfer.ServerUnusable` names the setting to look at.

    Args:
        outcome: how it ended.
        phrases: has the explanation for the model.
    """

    def __init__(self, outcome: TransferOutcome, phrases: Phrases = ENGLISH) -> None:
        lead = _text(outcome)
        stop = " " if lead.endswith(".") else ". "
        # The two parents take different arguments, so neither can call the other.
        ToolError.__init__(self, f"{lead}{stop}{phrases.explanations[outcome.reason]}")
        self.outcome = outcome
        self.__cause__ = outcome.cause


def result_of(
    outcome: TransferOutcome, human_identity: str, phrases: Phrases
) -> WarmTransferResult | TransferFailed:
    """What an outcome gives to who awaits: to be returned, or to be raised."""
    if outcome.merged:
        return WarmTransferResult(human_identity, outcome)
    return TransferFailed(outcome, phrases)


class CallerMissing(CallerUnclear, ToolError):
    """The session is linked to nobody; the answer tells a model that nobody can be transferred."""

    def __init__(self, found: int) -> None:
        # The two parents take different arguments, so neither can call the other.
        self.found = found
        ToolError.__init__(self, str(self))


class SessionBusy(TransferInProgress, ToolError):
    """A second transfer in the same session; the answer tells a model where the first stands."""

    def __init__(self, transfer_id: str, state: str) -> None:
        # The two parents take different arguments, so neither can call the other.
        self.transfer_id = transfer_id
        self.state = state
        ToolError.__init__(self, str(self))


_AFTER_ANSWER: dict[Reason, str] = {
    Reason.HUMAN_LEFT: "room closed: the human agent hung up",
    Reason.NO_DECISION: "human agent did not decide in time",
    Reason.CALLER_ROOM_LOST: "room closed: the caller's room was lost",
    Reason.HOLD_LIMIT: "the caller has been on hold for too long",
    Reason.HOLD_FAILED: "the caller could not be put on hold",
    Reason.BRIEFING_FAILED: "the conversation with the human agent failed",
    Reason.MERGE_FAILED: "the human agent could not be connected to the caller",
    Reason.APP_CANCELLED: "the transfer was cancelled",
    Reason.SESSION_CLOSED: "the transfer is cancelled: the session closed",
    Reason.JOB_SHUTDOWN: "the transfer is cancelled: the job is shutting down",
    Reason.CALLER_LEFT: "caller hung up before the transfer completed",
}


def _text(outcome: TransferOutcome) -> str:
    if outcome.result is State.DECLINED:
        return f"human agent declined to connect: {outcome.words or 'no reason given'}"
    if outcome.result is State.VOICEMAIL:
        return "voicemail detected"
    if outcome.reason in _AFTER_ANSWER:
        return _AFTER_ANSWER[outcome.reason]
    status = f", SIP {outcome.sip_status} {outcome.sip_phrase or ''}" if outcome.sip_status else ""
    return f"could not dial human agent: {outcome.reason.value.replace('_', ' ')}{status}".rstrip()
