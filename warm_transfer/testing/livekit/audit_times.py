"""The invariants about times: whoever is let go is let go soon, and no state outlasts its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from warm_transfer.effects import Do
from warm_transfer.outcome import Reason
from warm_transfer.states import FINAL, State
from warm_transfer.testing.livekit.course import Course
from warm_transfer.testing.livekit.phones import At, Call

__all__ = ["AGAIN_S", "BACK_S", "NOBODY_THERE", "RELEASE_S", "TIMES"]

RELEASE_S = 1.0
"""A phone that nobody wants any more is hung up within a second; one that has been answered, and is
told so, within a second of what that may take (`TransferPolicy.notice_limit_s`)."""

BACK_S = 1.0
"""How long after the decision the agent listens to the caller again, or may speak in the call."""

AGAIN_S = 1.3
"""For how long a bridge is taken down again whose request did not say what became of it."""

NOBODY_THERE = frozenset(
    {Reason.CALLER_LEFT, Reason.CALLER_ROOM_LOST, Reason.SESSION_CLOSED, Reason.JOB_SHUTDOWN}
)
"""The reasons for which nobody is there to be given back, or to be given back to."""

_OVER = (At.OVER, At.CANCELLED, At.REFUSED)


def _human_is_released_in_time(course: Course) -> Iterator[str]:
    end_s = course.over_s
    if not course.calm or end_s is None or Do.HANG_UP_CONSULT not in course.effects:
        return
    for call in course.result.sdk.switchboard.calls:
        allowed_s = _release_s(course, call, end_s)
        if allowed_s is None:
            continue
        over_s = next((at_s for at_s, seen in call.log if seen in _OVER and at_s >= end_s), None)
        if over_s is None or over_s > allowed_s:
            yield f"5 released in time: the phone was busy until {over_s}, and not {allowed_s:.3f}"


def _release_s(course: Course, call: Call, end_s: float) -> float | None:
    """Until when a call may last; None for one that never was, or was over before."""
    called_s, answered_s = call.when(At.CALLED), call.when(At.TALKING)
    if called_s is None or any(at_s < end_s and seen in _OVER for at_s, seen in call.log):
        return None
    told = course.merged_s is None and answered_s is not None and answered_s < end_s
    notice_s = course.policy.notice_limit_s if told else 0.0
    return max(called_s, end_s) + notice_s + RELEASE_S


def _caller_is_given_back_in_time(course: Course) -> Iterator[str]:
    result, end_s = course.result, course.over_s
    outcome = result.outcome
    if not course.calm or outcome is None:
        return
    if course.merged_s is not None and (end_s is None or end_s > course.merged_s + BACK_S):
        yield from _on_in_time(course, "output.audio", course.merged_s)
    if not course.given_back or end_s is None or outcome.reason in NOBODY_THERE:
        return
    if not result.host.session.closed:
        yield from _on_in_time(course, "input.audio", end_s)
        if course.merged_s is None:
            yield from _on_in_time(course, "output.audio", end_s)


def _on_in_time(course: Course, switch: str, from_s: float) -> Iterator[str]:
    """Whether a switch that had been switched off is on again soon after something."""
    session = course.result.host.session
    changes = [
        (at_s, on) for at_s, what, on in (*session.input.log, *session.output.log) if what == switch
    ]
    on_s = next((at_s for at_s, on in reversed(changes) if on), None)
    if changes and (on_s is None or on_s > from_s + _back_s(course)):
        yield f"6 given back in time: {switch} went on at {on_s}, and not after {from_s:.3f}"


def _back_s(course: Course) -> float:
    """How long that may take."""
    bridges = course.result.sdk.switchboard.bridges
    # The server says late that a leg which was taken out while it joined has come to nothing.
    if any(bridge.when(At.CALLED) is None for bridge in bridges):
        return course.policy.api_timeout_s + AGAIN_S + BACK_S
    return BACK_S


def _agent_leaves_in_time(course: Course) -> Iterator[str]:
    result, policy, outcome = course.result, course.policy, course.result.outcome
    if not course.calm or outcome is None or outcome.after_merge != "leave":
        return
    left_s, end_s = result.host.job_ended_s, course.over_s
    if left_s is not None and end_s is not None and left_s > end_s + RELEASE_S:
        yield f"12 the agent leaves in time: it left at {left_s:.3f}, and not at {end_s:.3f}"
    if result.seconds.get(State.MERGED, 0.0) > policy.leave_timeout_s + BACK_S:
        yield "12 the agent leaves in time: it stayed in the merged call"


def _no_state_outlasts_its_limit(course: Course) -> Iterator[str]:
    world, seconds = course.result.world, course.result.seconds
    # While the process stands still no clock can strike.
    late_s = sum(for_s for _, for_s in world.stalls_s) + BACK_S
    for state, limit_s in _limits(course):
        if seconds.get(state, 0.0) > limit_s + late_s:
            yield f"6 every run ends in time: {seconds[state]:.3f} s in {state}, not {limit_s:g}"


def _limits(course: Course) -> Iterator[tuple[State, float]]:
    policy = course.policy
    yield State.HOLDING, policy.hold_timeout_s
    yield State.DIALING, policy.ring_timeout_s
    yield State.BRIEFING, policy.decision_timeout_s
    tries = max(1, len(_strategies(course)))
    yield State.MERGING, tries * (policy.merge_timeout_s + policy.look_timeout_s)
    yield State.MERGED, policy.call_limit_s
    # A release goes on until the dialling request has ended, and is tried again after each pause.
    pauses_s = policy.release_pause_s * (2**policy.release_attempts_max - 1)
    releases_s = policy.release_attempts_max * policy.release_timeout_s + pauses_s
    dialled_s = policy.ring_timeout_s + 2 * policy.dial_margin_s
    for state in FINAL:
        yield state, policy.notice_limit_s + dialled_s + releases_s


def _strategies(course: Course) -> list[object]:
    plans = (line["payload"].get("plan") for line in course.result.journal)
    return next((plan["strategies"] for plan in plans if plan), [])


TIMES: tuple[Callable[[Course], Iterator[str]], ...] = (
    _human_is_released_in_time,
    _caller_is_given_back_in_time,
    _agent_leaves_in_time,
    _no_state_outlasts_its_limit,
)
"""The checks."""
