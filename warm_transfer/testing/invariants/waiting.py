"""Promises about a step: from the request to the yes."""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.states import FINAL, HELD, State
from warm_transfer.testing.invariants.known import Moment, StepInvariant
from warm_transfer.transfer import Handling

__all__ = ["WAITS"]

BEFORE_MERGING = HELD - {State.MERGING}

DIAL_REPORTS = frozenset(
    {On.CONSULT_RANG, On.CONSULT_REFUSED, On.DIAL_UNCERTAIN, On.CONSULT_ANSWERED}
)

GOES = {
    On.CALLER_HUNG_UP: State.ABANDONED,
    On.CALLER_ROOM_LOST: State.FAILED,
    On.JOB_SHUTTING_DOWN: State.CANCELLED,
}
"""Who is gone, and how a transfer ends by it that is not merged."""

IN_THE_HUMANS_NAME = frozenset(
    {On.CONSULT_ACCEPTED, On.CONSULT_DECLINED, On.VOICEMAIL_DETECTED, On.APP_ACCEPTED}
)

SAID = {On.CONSULT_DECLINED: State.DECLINED, On.VOICEMAIL_DETECTED: State.VOICEMAIL}
"""What the human says, or what answers in their place, and the outcome it is."""

WISHES = {
    On.APP_CANCELLED: State.CANCELLED,
    On.APP_DECLINED: State.DECLINED,
    On.SESSION_CLOSED: State.CANCELLED,
    On.HOLD_LIMIT_PASSED: State.FAILED,
    On.CONSULT_ROOM_LOST: State.FAILED,
    On.CONSULT_OPEN_FAILED: State.FAILED,
    On.CALLER_HOLD_FAILED: State.FAILED,
    On.BRIEFING_FAILED: State.FAILED,
}
"""What ends the waiting before the merge, and how."""


def a_transfer_is_asked_for_once(moment: Moment) -> Iterator[str]:
    """A second request changes nothing."""
    again = moment.on is On.TRANSFER_REQUESTED and moment.known.requested
    if again and (moment.leaves or moment.done):
        yield f"leads to {moment.step.after} and starts {list(moment.done)}"


def nothing_is_done_before_it_is_asked(moment: Moment) -> Iterator[str]:
    """Before the request nothing has been taken, so nothing is taken or given back."""
    if moment.step.before is State.IDLE and moment.on is not On.TRANSFER_REQUESTED:
        extra = set(moment.done) - {Do.DELIVER_OUTCOME}
        if extra or moment.step.after not in FINAL | {State.IDLE}:
            yield f"{moment.on} leads to {moment.step.after} and starts {sorted(extra)}"
        if moment.ends and moment.on in (On.APP_ACCEPTED, On.APP_DECLINED):
            yield f"{moment.on} answers what was never asked"


def a_merge_follows_a_yes(moment: Moment) -> Iterator[str]:
    """Legs are joined only after the human answered and the human or the application said yes."""
    known = moment.known
    if Do.MERGE_LEGS in moment.done and not (known.answered and known.accepted):
        yield "joins the legs before the yes"
    if moment.leaves and moment.step.after is State.MERGED and not known.accepted:
        yield "merged before the yes"


def a_merge_is_prepared_when_the_human_answers(moment: Moment) -> Iterator[str]:
    """The first strategy is got ready when somebody has answered, once, and no other one is."""
    answered = moment.leaves and moment.step.after is State.BRIEFING
    prepared = [each.strategy for each in moment.step.effects if each.name is Do.PREPARE_MERGE]
    if answered != bool(prepared):
        yield f"{moment.on} prepares {prepared or 'nothing'}"


def nobody_decides_before_the_answer(moment: Moment) -> Iterator[str]:
    """What is said in the human's name before anybody answered decides nothing."""
    if moment.on in IN_THE_HUMANS_NAME and not moment.known.answered and moment.leaves:
        yield f"{moment.on} leads to {moment.step.after}, but nobody has answered"


def the_briefing_is_over_before_the_legs_are_joined(moment: Moment) -> Iterator[str]:
    """The yes stops the briefing, once; when it is silent, and only then, the merge follows."""
    enters = moment.leaves and moment.step.after is State.MERGING
    if enters and Do.STOP_BRIEFING not in moment.done:
        yield "merging with the briefing on"
    if Do.STOP_BRIEFING in moment.done and moment.known.stops:
        yield "stops the briefing a second time"
    if Do.MERGE_LEGS in moment.done and not moment.known.stops:
        yield "joins the legs without having stopped the briefing"
    taken = moment.step.handling is Handling.ROW and moment.step.before is State.MERGING
    if taken and moment.on is On.BRIEFING_STOPPED and Do.MERGE_LEGS not in moment.done:
        yield "the briefing is silent and no merge follows"


def one_dial_at_most(moment: Moment) -> Iterator[str]:
    """A transfer dials once for each attempt, and never while another dial is out."""
    if moment.known.dials + moment.done.count(Do.DIAL_CONSULT) > 1:
        yield "dials a second time"


def a_dial_that_was_answered_has_said_all(moment: Moment) -> Iterator[str]:
    """After the answer a report of the dial changes nothing; the leg itself is the news."""
    if moment.on in DIAL_REPORTS and moment.known.answered and (moment.leaves or moment.done):
        yield f"{moment.on} leads to {moment.step.after} and starts {list(moment.done)}"


def whoever_leaves_ends_the_waiting(moment: Moment) -> Iterator[str]:
    """The caller's hang-up, a lost caller room and the job's end decide in the same step."""
    before = moment.step.before
    ends = GOES.get(moment.on)
    if ends is None or before in FINAL:
        return
    if moment.on is On.JOB_SHUTTING_DOWN and before is State.MERGING:
        ends = State.FAILED
    if moment.step.after is not (State.ENDED if before is State.MERGED else ends):
        yield f"{moment.on} in {before} leads to {moment.step.after}"


def what_the_human_says_is_the_outcome(moment: Moment) -> Iterator[str]:
    """While the human decides, a no is a decline and a machine is a voicemail."""
    after = SAID.get(moment.on)
    if moment.step.before is State.BRIEFING and after not in (None, moment.step.after):
        yield f"{moment.on} leads to {moment.step.after}"


def before_the_merge_every_wish_is_followed_at_once(moment: Moment) -> Iterator[str]:
    """Until the yes a cancel, a no, a close or a lost consult room ends the waiting at once."""
    ends = WISHES.get(moment.on)
    waiting = moment.step.before in BEFORE_MERGING
    news = waiting and moment.step.handling is not Handling.STALE
    if news and ends not in (None, moment.step.after):
        yield f"{moment.on} leads to {moment.step.after}"


def whoever_is_let_go_is_told(moment: Moment) -> Iterator[str]:
    """A human who has answered and is let go for another's reason hears a notice first."""
    own = (
        On.CONSULT_DECLINED,
        On.VOICEMAIL_DETECTED,
        On.CONSULT_HUNG_UP,
        On.CONSULT_OPEN_FAILED,
        On.CONSULT_ROOM_LOST,
    )
    let_go = moment.step.before is State.BRIEFING and moment.ends and moment.on not in own
    if let_go and Do.NOTIFY_CONSULT not in moment.done:
        yield f"{moment.on} hangs up without a word"


WAITS: tuple[StepInvariant, ...] = (
    a_transfer_is_asked_for_once,
    nothing_is_done_before_it_is_asked,
    a_merge_follows_a_yes,
    a_merge_is_prepared_when_the_human_answers,
    nobody_decides_before_the_answer,
    the_briefing_is_over_before_the_legs_are_joined,
    one_dial_at_most,
    a_dial_that_was_answered_has_said_all,
    whoever_leaves_ends_the_waiting,
    what_the_human_says_is_the_outcome,
    before_the_merge_every_wish_is_followed_at_once,
    whoever_is_let_go_is_told,
)
"""What is done and what is followed until the human has said yes, or not."""
