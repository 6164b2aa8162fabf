"""Promises about a step: in a merged call."""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import FINAL, State
from warm_transfer.testing.invariants.known import MERGE_REPORTS, Moment, StepInvariant
from warm_transfer.transfer import Handling

__all__ = ["MERGED_CALLS"]

AGENT_GOES = (On.JOB_SHUTTING_DOWN, On.CALLER_ROOM_LOST, On.AGENT_HEARD_OUT)
"""The events with which the agent is gone, or goes, from a merged call."""

HUMAN_GONE = frozenset({On.CONSULT_HUNG_UP, On.MERGE_BROKE, On.MERGE_FAILED, On.MERGE_UNCERTAIN})
"""The events that count as the human's leaving when they end a merged call."""

MAY_END = HUMAN_GONE | {
    On.CALLER_HUNG_UP,
    On.CALLER_ROOM_LOST,
    On.JOB_SHUTTING_DOWN,
    On.DEADLINE_PASSED,
    On.AGENT_HEARD_OUT,
}
"""The events that may end a merged call that does not need what they tell of."""


def _is_old(moment: Moment) -> bool:
    """Whether it is a report of a merge or look older than the one that settled the merge."""
    number = moment.step.event.effect
    return number is not None and number <= moment.known.settled


def a_broken_merge_is_repaired_once(moment: Moment) -> Iterator[str]:
    """The first break of a merged call is repaired, the second counts as the human's leaving."""
    if moment.step.before is not State.MERGED or moment.on is not On.MERGE_BROKE:
        return
    if _is_old(moment):
        # The same break, told twice.
        return
    if moment.known.repairs and not moment.ends:
        yield "a second break is not taken for the end"
    if not moment.known.repairs and Do.MERGE_LEGS not in moment.done:
        yield "the first break is not repaired"


def a_settled_merge_is_not_undone_by_an_older_report(moment: Moment) -> Iterator[str]:
    """A report of a merge or look older than the one that settled the merge changes nothing."""
    if moment.on in MERGE_REPORTS and _is_old(moment) and (moment.leaves or moment.done):
        yield f"{moment.on} leads to {moment.step.after} and starts {list(moment.done)}"


def nobody_is_returned_to_an_agent_who_has_gone(moment: Moment) -> Iterator[str]:
    """After the session has closed a merged caller is not given back to it."""
    returned = moment.step.after is State.RETURNED or Do.RESUME_CALLER in moment.done
    if returned and moment.known.agent_gone and moment.step.before is State.MERGED:
        yield "returns the caller to a closed session"


def the_policy_says_what_follows_the_human(moment: Moment) -> Iterator[str]:
    """When the human is gone from a merged call, the policy decides whether the caller returns."""
    if not moment.ends or moment.step.before is not State.MERGED:
        return
    if moment.on in HUMAN_GONE or (moment.on is On.CONSULT_ROOM_LOST and moment.relayed):
        returns = moment.policy.on_human_left == "return" and not moment.known.agent_gone
        if (moment.step.after is State.RETURNED) != returns:
            yield f"{moment.on} leads to {moment.step.after}"
    elif moment.step.after is State.RETURNED:
        yield f"{moment.on} returns the caller"


def the_humans_leaving_is_followed(moment: Moment) -> Iterator[str]:
    """A human who leaves a call ends it, unless a merge is under way, which is looked at."""
    if moment.on is not On.CONSULT_HUNG_UP or moment.ends:
        return
    if moment.step.before not in FINAL | {State.MERGING}:
        yield f"leads to {moment.step.after}"


def a_merged_call_outlives_what_it_does_not_need(moment: Moment) -> Iterator[str]:
    """A merged call ends only when somebody leaves, the sound is lost, or its time is up."""
    if moment.step.before is not State.MERGED:
        return
    agent_goes = moment.on in AGENT_GOES
    sound_lost = moment.on is On.CONSULT_ROOM_LOST and moment.relayed
    if moment.leaves and moment.on not in MAY_END and not sound_lost:
        yield f"{moment.on} leads to {moment.step.after}"
    done = [name for name in moment.done if name is not Do.LEAVE_CALL]
    if moment.ends and agent_goes and not moment.needs_agent and done:
        yield f"{moment.on} starts {', '.join(done)} in a call that needs no agent"


def a_call_that_ends_is_ended_for_all(moment: Moment) -> Iterator[str]:
    """The end of a merged call closes the caller's room, unless the call lives on without us."""
    ended = moment.leaves and moment.step.after is State.ENDED
    lives_on = moment.on in AGENT_GOES and not moment.needs_agent
    if ended and not lives_on and Do.END_CALL not in moment.done:
        yield "leaves the caller's room behind"


def the_policy_says_whether_the_agent_leaves(moment: Moment) -> Iterator[str]:
    """By policy an agent is heard out and leaves where the server joins the legs, nowhere else."""
    leaves = moment.policy.after_merge == "leave" and moment.carrier is Carrier.SERVER
    merges = moment.leaves and moment.step.after is State.MERGED
    heard_out, going = Do.AWAIT_LAST_WORDS in moment.done, Do.LEAVE_CALL in moment.done
    if (heard_out or going) and not leaves:
        yield f"{moment.on} makes an agent leave that is to stay"
    if merges and leaves and not heard_out:
        yield "an agent that is to leave stays"
    mended = moment.known.broken and moment.on is On.MERGE_CONFIRMED
    taken = moment.step.handling is Handling.ROW and moment.step.before is State.MERGED
    if taken and mended and leaves and not heard_out:
        yield "an agent that is to leave stays after a repair"
    if taken and moment.on is On.AGENT_HEARD_OUT and leaves and going == moment.needs_agent:
        yield "leaves silence behind" if going else "has said its last words and stays"


def the_agent_leaves_after_the_outcome(moment: Moment) -> Iterator[str]:
    """An agent leaves when the outcome is out and its last words have been said, not before."""
    if Do.LEAVE_CALL in moment.done and not moment.known.outcomes:
        yield "leaves before the outcome"
    if Do.LEAVE_CALL in moment.done and moment.on is not On.AGENT_HEARD_OUT:
        yield f"{moment.on} makes the agent leave"


MERGED_CALLS: tuple[StepInvariant, ...] = (
    a_broken_merge_is_repaired_once,
    a_settled_merge_is_not_undone_by_an_older_report,
    nobody_is_returned_to_an_agent_who_has_gone,
    the_policy_says_what_follows_the_human,
    the_humans_leaving_is_followed,
    a_merged_call_outlives_what_it_does_not_need,
    a_call_that_ends_is_ended_for_all,
    the_policy_says_whether_the_agent_leaves,
    the_agent_leaves_after_the_outcome,
)
"""What a merged call outlives, what ends it, and for whom."""
