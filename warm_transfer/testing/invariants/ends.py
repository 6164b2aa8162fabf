"""Promises about a step: the outcome, the end, and what comes after it."""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.effects import RELEASES, Do
from warm_transfer.events import On
from warm_transfer.outcome import REASONS_OF
from warm_transfer.states import DELIVERED, FINAL, State
from warm_transfer.testing.invariants.known import Moment, StepInvariant

__all__ = ["ENDS"]

UNDONE_BY = {
    On.CONSULT_OPENED: {Do.CLOSE_CONSULT},
    On.CONSULT_ANSWERED: {Do.HANG_UP_CONSULT},
    On.MERGE_CONFIRMED: {Do.UNMERGE_LEGS, Do.HANG_UP_CONSULT},
}
"""What may come about after the end, and what takes it down."""


def one_outcome_is_delivered_once(moment: Moment) -> Iterator[str]:
    """Every transfer has exactly one outcome; it is delivered in the step that decides it."""
    delivers = moment.done.count(Do.DELIVER_OUTCOME)
    decides = moment.step.outcome is not None
    if delivers != decides:
        yield f"decides {decides}, delivers {delivers} times"
    if decides and moment.known.outcomes:
        yield "a second outcome"
    if moment.ends and not moment.known.outcomes and not decides:
        yield "ends without an outcome"


def the_result_is_the_state_and_the_reason_fits(moment: Moment) -> Iterator[str]:
    """An outcome's result is the state in which it was delivered, with a reason of that state."""
    outcome = moment.step.outcome
    if outcome is None:
        return
    if outcome.result is not moment.step.after or outcome.result not in DELIVERED:
        yield f"{outcome.result} delivered in {moment.step.after}"
    elif outcome.reason not in REASONS_OF[outcome.result]:
        yield f"{outcome.reason} is no reason for {outcome.result}"


def final_states_do_not_change(moment: Moment) -> Iterator[str]:
    """After the end nothing starts but releases, and no state follows."""
    if moment.step.before in FINAL:
        if moment.leaves:
            yield f"{moment.step.before} becomes {moment.step.after}"
        if not set(moment.done) <= RELEASES:
            yield f"starts {', '.join(moment.done)}"


def after_the_end_only_a_late_start_is_answered(moment: Moment) -> Iterator[str]:
    """After the end nothing is given back twice; only what came about late is taken down."""
    late = moment.on in UNDONE_BY
    # Whatever a merge needed has come about before it: there a late report is a repeated one.
    late &= moment.step.before not in (State.ENDED, State.RETURNED)
    if moment.step.before in FINAL and moment.done and not late:
        yield f"{moment.on} starts {', '.join(moment.done)}"


def a_late_start_is_compensated(moment: Moment) -> Iterator[str]:
    """After the end a late answer, room or merge is taken down by the step that learns of it."""
    undo = UNDONE_BY.get(moment.on)
    after_merged = moment.step.before in (State.ENDED, State.RETURNED)
    if moment.step.before not in FINAL or undo is None:
        return
    if after_merged:
        return  # what ended the call has taken the legs down, and repeats it when a merge returns
    if not undo <= set(moment.done):
        yield f"{moment.on} is followed by {list(moment.done)} only"


ENDS: tuple[StepInvariant, ...] = (
    one_outcome_is_delivered_once,
    the_result_is_the_state_and_the_reason_fits,
    final_states_do_not_change,
    after_the_end_only_a_late_start_is_answered,
    a_late_start_is_compensated,
)
"""How a transfer ends, and that it does so once."""
