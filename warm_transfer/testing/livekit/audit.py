"""The invariants of a whole simulated transfer: what must be true of it however it went.

`audit` looks at the journal, the hearing log, the phones, the switches and what is left, and says
which invariant is broken. The numbers are those of the design's list. What is heard is judged in
`audit_sound`, and how long things take in `audit_times`; to most times a transfer is held only when
nothing went wrong around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from warm_transfer.effects import Do
from warm_transfer.errors import JournalError
from warm_transfer.events import ACCEPTANCES
from warm_transfer.journal import replay
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import HELD, State
from warm_transfer.testing.livekit.audit_sound import SOUNDS
from warm_transfer.testing.livekit.audit_times import NOBODY_THERE, TIMES
from warm_transfer.testing.livekit.course import Course, course_of
from warm_transfer.testing.livekit.play import AGENT, CALLER_ROOM, Result

__all__ = ["audit", "audit_world"]


def audit(result: Result, policy: TransferPolicy | None = None) -> tuple[str, ...]:
    """Every broken invariant, in words; empty when all hold.

    Args:
        result: what came of the transfer.
        policy: the limits that it had; None for the default ones.
    """
    return (*audit_world(result, policy or TransferPolicy()), *_replays(result))


def audit_world(result: Result, policy: TransferPolicy) -> tuple[str, ...]:
    """The same without the replay of the journal, for those who replay it themselves."""
    course = course_of(result, policy)
    return tuple(problem for check in _CHECKS for problem in check(course))


def _one_outcome(course: Course) -> Iterator[str]:
    found = len(course.result.host.outcomes)
    if found != 1:
        yield f"1 one outcome: {found} were delivered"
    if not course.result.closed:
        yield "6 every run ends: the transfer never closed"


def _caller_is_given_back(course: Course) -> Iterator[str]:
    result = course.result
    session, outcome = result.host.session, result.outcome
    if outcome is None or session.closed or outcome.reason in NOBODY_THERE:
        return
    wanted_input = result.state is State.RETURNED or not outcome.merged
    if session.input.audio_enabled != wanted_input:
        yield f"2 input as it was: audio is {session.input.audio_enabled} in {result.state}"
    if not all(session.output.all().values()):
        yield f"2 output as it was: {session.output.all()} in {result.state}"


def _caller_is_heard_by_nobody_while_held(course: Course) -> Iterator[str]:
    result = course.result
    changes = [each for each in result.host.session.input.log if each[1] == "input.audio"]
    for (from_s, state), (to_s, _) in pairwise((*result.states, (float("inf"), result.state))):
        if state not in HELD:
            continue
        before = [on for at_s, _, on in changes if at_s <= from_s]
        # In `holding` it is still to be switched off.
        if state is not State.HOLDING and (not before or before[-1]):
            yield f"2 input off while held: it was on in {state} from {from_s:.3f} on"
        for at_s, switch, on in changes:
            if on and from_s <= at_s < to_s:
                yield f"2 input off while held: {switch} went on at {at_s:.3f}"


def _merged_by_acceptance(course: Course) -> Iterator[str]:
    if course.merged_s is None:
        return
    lines = course.result.journal
    if not any(line["event"] in ACCEPTANCES and line["handling"] == "row" for line in lines):
        yield "4 merged only after an acceptance: there was none"


def _human_is_released(course: Course) -> Iterator[str]:
    for call in course.result.sdk.switchboard.calls:
        if call.busy:
            yield f"5 no phone for nobody: it is still {call.busy}"


def _one_dial(course: Course) -> Iterator[str]:
    # A request that the network replays is one request; the server then ends the first leg.
    dials = len({id(call.request) for call in course.result.sdk.switchboard.calls})
    if dials > 1:
        yield f"7 at most one dial: there were {dials}"


def _nothing_left(course: Course) -> Iterator[str]:
    if course.result.left:
        yield f"9 nothing left: {course.result.left}"


def _leaves_only_what_goes_on(course: Course) -> Iterator[str]:
    result = course.result
    left_s, outcome = result.host.job_ended_s, result.outcome
    if outcome is None:
        return
    if left_s is None:
        if Do.LEAVE_CALL in course.effects:
            yield "12 the agent leaves: it was to, and its job goes on"
        return
    if outcome.after_merge != "leave":
        yield f"12 the agent stays: it left although it was to be {outcome.after_merge}"
    if result.host.delivered_s is None or result.host.delivered_s >= left_s:
        yield "12 the agent leaves last: the outcome came later"
    if result.world.member(CALLER_ROOM, AGENT) is not None:
        yield "12 the agent leaves: it is still in the call"


def _replays(result: Result) -> Iterator[str]:
    try:
        for _ in replay(result.journal):
            pass
    except JournalError as error:
        yield f"11 the journal replays: {error}"


_CHECKS: tuple[Callable[[Course], Iterator[str]], ...] = (
    _one_outcome,
    _caller_is_given_back,
    _caller_is_heard_by_nobody_while_held,
    _merged_by_acceptance,
    _human_is_released,
    _one_dial,
    _nothing_left,
    _leaves_only_what_goes_on,
    *SOUNDS,
    *TIMES,
)
