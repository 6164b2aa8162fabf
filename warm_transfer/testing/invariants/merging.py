"""Promises about a step: while the legs are being joined."""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.effects import Do
from warm_transfer.events import ACCEPTANCES, On
from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing.invariants.known import (
    ASKED_WHILE_MERGING,
    MERGE_REPORTS,
    Moment,
    StepInvariant,
)
from warm_transfer.transfer import Handling

__all__ = ["MERGES"]

MAY_END = MERGE_REPORTS | {
    On.DEADLINE_PASSED,
    On.CALLER_HUNG_UP,
    On.CALLER_ROOM_LOST,
    On.JOB_SHUTTING_DOWN,
    On.CONSULT_OPEN_FAILED,
    On.BRIEFING_FAILED,
}


def only_the_merge_ends_the_merging(moment: Moment) -> Iterator[str]:
    """While merging, a wish waits until the merge is known; the caller's leaving does not."""
    if moment.step.before is not State.MERGING:
        return
    if moment.leaves and moment.on not in MAY_END:
        yield f"{moment.on} leads to {moment.step.after}"
    waits = moment.on in (*ASKED_WHILE_MERGING, On.SESSION_CLOSED, *ACCEPTANCES)
    if moment.done and waits:
        yield f"{moment.on} starts {', '.join(moment.done)}"


def what_was_asked_while_merging_is_followed(moment: Moment) -> Iterator[str]:
    """When the merge does not come about, the first that was asked meanwhile is the outcome."""
    known, outcome = moment.known, moment.step.outcome
    unmerged = moment.on in (On.MERGE_FAILED, On.DEADLINE_PASSED)
    if moment.step.before is not State.MERGING or not unmerged:
        return
    if outcome is None:
        unwanted = known.asked or known.agent_gone or known.human_left
        if unwanted and moment.on is On.MERGE_FAILED and Do.MERGE_LEGS in moment.done:
            yield "tries another merge that nobody wants any more"
        return
    got = (outcome.result, outcome.reason)
    if known.agent_gone:
        want = (State.CANCELLED, Reason.SESSION_CLOSED)
    elif known.asked is not None:
        want = ASKED_WHILE_MERGING[known.asked]
    elif known.human_left:
        want = (State.FAILED, Reason.HUMAN_LEFT)
    else:
        want = (State.FAILED, Reason.MERGE_FAILED)
    if got != want:
        yield f"{got[0]} ({got[1]}) instead of {want[0]} ({want[1]})"


def a_merge_that_fails_goes_on_or_ends(moment: Moment) -> Iterator[str]:
    """A failed merge ends in another strategy or with an outcome; an uncertain one is looked at."""
    if moment.step.handling is not Handling.ROW or moment.step.before is not State.MERGING:
        return
    goes_on = {Do.MERGE_LEGS, Do.UNMERGE_LEGS} <= set(moment.done)
    if moment.on is On.MERGE_FAILED and not moment.ends and not goes_on:
        yield "neither another strategy, with the old one undone, nor an outcome"
    look = (On.MERGE_UNCERTAIN, On.CONSULT_HUNG_UP, On.CONSULT_ROOM_LOST, On.MERGE_BROKE)
    looks = moment.on in look or (moment.on is On.DEADLINE_PASSED and not moment.ends)
    if looks and Do.LOOK_AT_ROOMS not in moment.done:
        yield f"{moment.on} is not settled by a look at the rooms"


def each_strategy_is_tried_once_with_its_whole_time(moment: Moment) -> Iterator[str]:
    """Every merge strategy is tried at most once, and each has the whole merge time."""
    if moment.step.before is not State.MERGING:
        return
    for effect in moment.step.effects:
        if effect.name is not Do.MERGE_LEGS:
            continue
        if (effect.strategy or "") in moment.known.tried:
            yield f"{effect.strategy} is tried again"
        deadline = moment.step.deadline
        if deadline is not None and deadline.event.name is On.HOLD_LIMIT_PASSED:
            # It ends no merge, and the merge's own clock runs behind it.
            continue
        whole = moment.step.at_s + moment.policy.merge_timeout_s
        if moment.known.tried and (deadline is None or deadline.at_s < whole):
            yield f"{effect.strategy} has less than {moment.policy.merge_timeout_s:g} s"


MERGES: tuple[StepInvariant, ...] = (
    only_the_merge_ends_the_merging,
    what_was_asked_while_merging_is_followed,
    a_merge_that_fails_goes_on_or_ends,
    each_strategy_is_tried_once_with_its_whole_time,
)
"""What may end a merge that is under way, and what follows from it."""
