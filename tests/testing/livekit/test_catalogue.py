import pytest

from warm_transfer.outcome import REASONS_OF, Reason
from warm_transfer.states import FINAL, State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.catalogue import SCENARIOS
from warm_transfer.testing.livekit.play import play

EXPECTED: dict[str, tuple[State, Reason, State]] = {
    "merged": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "decline": (State.DECLINED, Reason.DECLINED, State.DECLINED),
    "voicemail": (State.VOICEMAIL, Reason.VOICEMAIL, State.VOICEMAIL),
    "no-answer": (State.FAILED, Reason.NO_ANSWER, State.FAILED),
    "busy": (State.FAILED, Reason.BUSY, State.FAILED),
    "declined-by-phone": (State.FAILED, Reason.DECLINED, State.FAILED),
    "rejected": (State.FAILED, Reason.REJECTED, State.FAILED),
    "invalid-destination": (State.FAILED, Reason.INVALID_DESTINATION, State.FAILED),
    "unreachable": (State.FAILED, Reason.UNREACHABLE, State.FAILED),
    "no-sip-service": (State.FAILED, Reason.UNREACHABLE, State.FAILED),
    "human-leaves-briefing": (State.FAILED, Reason.HUMAN_LEFT, State.FAILED),
    "no-decision": (State.FAILED, Reason.NO_DECISION, State.FAILED),
    "caller-leaves-dialing": (State.ABANDONED, Reason.CALLER_LEFT, State.ABANDONED),
    "caller-leaves-ringing": (State.ABANDONED, Reason.CALLER_LEFT, State.ABANDONED),
    "answer-crosses-cancel": (State.ABANDONED, Reason.CALLER_LEFT, State.ABANDONED),
    "caller-leaves-briefing": (State.ABANDONED, Reason.CALLER_LEFT, State.ABANDONED),
    "caller-leaves-merging": (State.ABANDONED, Reason.CALLER_LEFT, State.ABANDONED),
    "caller-leaves-merged": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "human-leaves-merged": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "human-leaves-returned": (State.MERGED, Reason.ACCEPTED, State.RETURNED),
    "human-leaves-direct": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "agent-leaves-after-merge": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "agent-left-call-limit": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "caller-leaves-before-agent": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "agent-stays-with-relay": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "agent-stays-after-fallback": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "observer-leaves": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "caller-room-lost": (State.FAILED, Reason.CALLER_ROOM_LOST, State.FAILED),
    "hold-limit": (State.FAILED, Reason.HOLD_LIMIT, State.FAILED),
    "hold-failed": (State.FAILED, Reason.HOLD_FAILED, State.FAILED),
    "consult-unavailable": (State.FAILED, Reason.CONSULT_UNAVAILABLE, State.FAILED),
    "dial-uncertain": (State.FAILED, Reason.DIAL_UNCERTAIN, State.FAILED),
    "briefing-failed": (State.FAILED, Reason.BRIEFING_FAILED, State.FAILED),
    "merge-failed": (State.FAILED, Reason.MERGE_FAILED, State.FAILED),
    "falls-to-relay": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "cancelled-while-falling": (State.CANCELLED, Reason.APP_CANCELLED, State.CANCELLED),
    "app-accepts": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "app-declines": (State.DECLINED, Reason.DECLINED, State.DECLINED),
    "app-cancelled": (State.CANCELLED, Reason.APP_CANCELLED, State.CANCELLED),
    "await-cancelled": (State.CANCELLED, Reason.APP_CANCELLED, State.CANCELLED),
    "session-closed": (State.CANCELLED, Reason.SESSION_CLOSED, State.CANCELLED),
    "session-closed-ringing": (State.CANCELLED, Reason.SESSION_CLOSED, State.CANCELLED),
    # The framework closes a job's session before it calls the job's shutdown callbacks.
    "job-shutdown": (State.CANCELLED, Reason.SESSION_CLOSED, State.CANCELLED),
    "sigterm": (State.CANCELLED, Reason.SESSION_CLOSED, State.CANCELLED),
    "sigterm-drains": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "sigterm-drain-timeout": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "job-shutdown-first": (State.CANCELLED, Reason.JOB_SHUTDOWN, State.CANCELLED),
    "job-shutdown-merging": (State.FAILED, Reason.JOB_SHUTDOWN, State.FAILED),
    "reconnect": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "server-restart": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "second-agent": (State.MERGED, Reason.ACCEPTED, State.ENDED),
    "long-last-words": (State.MERGED, Reason.ACCEPTED, State.ENDED),
}

#: In which order a deleted room's clients are told is not fixed (a Go map): either reason is right.
EITHER = {"consult-room-lost": {Reason.HUMAN_LEFT, Reason.CONSULT_UNAVAILABLE}}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_ends_as_it_says_and_leaves_nothing(name: str) -> None:
    result = clock.run(play(SCENARIOS[name]))
    assert result.outcome is not None
    assert result.closed
    assert result.state in FINAL
    assert len(result.host.outcomes) == 1
    assert not result.left, str(result.left)
    if name in EITHER:
        assert result.outcome.reason in EITHER[name]
    else:
        found = (result.outcome.result, result.outcome.reason, result.state)
        assert found == EXPECTED[name]


def test_the_catalogue_covers_every_reason_of_every_result() -> None:
    covered = {(result, reason) for result, reason, _ in EXPECTED.values()}
    wanted = {(result, reason) for result, reasons in REASONS_OF.items() for reason in reasons}
    assert wanted == covered


#: What the agent does in the merged call.
AFTER_MERGE = {
    "agent-leaves-after-merge": "leave",
    "agent-left-call-limit": "leave",
    "caller-leaves-before-agent": "leave",
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_outcome_says_what_the_agent_does(name: str) -> None:
    outcome = clock.run(play(SCENARIOS[name])).outcome
    assert outcome is not None
    expected = AFTER_MERGE.get(name, "silent") if outcome.merged else None
    assert outcome.after_merge == expected


def test_every_scenario_is_described_in_one_sentence() -> None:
    for scenario in SCENARIOS.values():
        assert scenario.description.endswith(".")
        assert scenario.description.count(".") == 1
