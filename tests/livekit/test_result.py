from __future__ import annotations

import pytest
from livekit.agents.beta.workflows import WarmTransferResult as IncumbentResult
from livekit.agents.llm import ToolError

from warm_transfer.errors import TransferInProgress, WarmTransferError
from warm_transfer.livekit.phrases import ENGLISH, Phrases
from warm_transfer.livekit.result import SessionBusy, TransferFailed, WarmTransferResult
from warm_transfer.outcome import REASONS_OF, Reason, TransferOutcome
from warm_transfer.states import DELIVERED, State

UNMERGED = [
    (state, reason)
    for state in sorted(DELIVERED - {State.MERGED})
    for reason in sorted(REASONS_OF[state])
]


def outcome(state: State, reason: Reason, **facts: object) -> TransferOutcome:
    return TransferOutcome(result=state, reason=reason, transfer_id="t", **facts)  # type: ignore[arg-type]  # fields by name


def text(state: State, reason: Reason, **facts: object) -> str:
    """What leads; the explanation after it is that of the phrases."""
    message = TransferFailed(outcome(state, reason, **facts)).message
    lead, _, explanation = message.partition(f". {ENGLISH.explanations[reason]}")
    assert explanation == "" != message
    return lead


def test_a_result_is_one_of_livekit_agents_own_class() -> None:
    merged = outcome(State.MERGED, Reason.ACCEPTED)
    result = WarmTransferResult("human-1", merged)
    assert isinstance(result, IncumbentResult)
    assert result.human_agent_identity == "human-1"
    assert result.outcome is merged


def test_the_incumbents_words_lead() -> None:
    # livekit-agents 1.8.9, beta/workflows/warm_transfer.py: 230, 255, 260, 270.
    declined = text(State.DECLINED, Reason.DECLINED, words="in a meeting")
    assert declined == "human agent declined to connect: in a meeting"
    assert text(State.VOICEMAIL, Reason.VOICEMAIL) == "voicemail detected"
    for reason in (Reason.BUSY, Reason.NO_ANSWER, Reason.REJECTED, Reason.DIAL_UNCERTAIN):
        assert text(State.FAILED, reason).startswith("could not dial human agent")
    assert text(State.FAILED, Reason.HUMAN_LEFT).startswith("room closed")
    assert text(State.FAILED, Reason.CALLER_ROOM_LOST).startswith("room closed")
    assert "is cancelled" in text(State.CANCELLED, Reason.SESSION_CLOSED)


def test_the_explanation_follows_and_can_be_translated() -> None:
    busy = outcome(State.FAILED, Reason.BUSY)
    german = Phrases(explanations={**ENGLISH.explanations, Reason.BUSY: "Es ist besetzt."})
    message = TransferFailed(busy, german).message
    assert message == "could not dial human agent: busy. Es ist besetzt."


def test_words_that_end_a_sentence_get_no_second_full_stop() -> None:
    message = TransferFailed(outcome(State.DECLINED, Reason.DECLINED, words="Not now.")).message
    assert message.startswith("human agent declined to connect: Not now. You are talking")


def test_a_refusal_says_why_with_its_status() -> None:
    busy = text(State.FAILED, Reason.BUSY, sip_status=486, sip_phrase="Busy Here")
    assert busy == "could not dial human agent: busy, SIP 486 Busy Here"
    assert text(State.FAILED, Reason.BUSY, sip_status=486).endswith("SIP 486")
    assert text(State.FAILED, Reason.NO_ANSWER) == "could not dial human agent: no answer"


def test_a_decline_without_words_says_so() -> None:
    assert text(State.DECLINED, Reason.DECLINED).endswith("no reason given")


@pytest.mark.parametrize(("state", "reason"), UNMERGED)
def test_every_outcome_has_a_sentence_of_its_own(state: State, reason: Reason) -> None:
    words = text(state, reason)
    assert words
    assert "_" not in words
    if state is State.FAILED and reason not in (Reason.DECLINED, Reason.JOB_SHUTDOWN):
        others = {text(s, r) for s, r in UNMERGED if r is not reason}
        assert words not in others


def test_a_failure_is_a_tool_error_that_keeps_outcome_and_cause() -> None:
    cause = ConnectionResetError("reset")
    failed = outcome(State.FAILED, Reason.DIAL_UNCERTAIN, cause=cause)
    error = TransferFailed(failed)
    assert isinstance(error, ToolError)
    assert isinstance(error, WarmTransferError)
    assert str(error) == error.message
    assert error.outcome is failed
    assert error.__cause__ is cause


def test_a_busy_session_names_the_first_transfer_and_its_state_to_the_model() -> None:
    error = SessionBusy("abc", State.BRIEFING)
    assert isinstance(error, ToolError)
    assert isinstance(error, TransferInProgress)
    assert isinstance(error, WarmTransferError)
    assert "abc" in error.message
    assert "briefing" in error.message
    assert str(error) == error.message
    assert (error.transfer_id, error.state) == ("abc", "briefing")
