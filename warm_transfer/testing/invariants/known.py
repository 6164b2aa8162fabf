"""One step with what the steps before it have told, independently of what the core remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from warm_transfer.effects import Do
from warm_transfer.events import ACCEPTANCES, On
from warm_transfer.outcome import Reason
from warm_transfer.policy import Carrier, TransferPolicy
from warm_transfer.states import FINAL, State
from warm_transfer.transfer import Handling, Step

__all__ = ["ASKED_WHILE_MERGING", "MERGE_REPORTS", "Known", "Moment", "StepInvariant", "learn"]

#: What keeps a cancel or decline until the merge is known.
ASKED_WHILE_MERGING = {
    On.APP_CANCELLED: (State.CANCELLED, Reason.APP_CANCELLED),
    On.CONSULT_DECLINED: (State.DECLINED, Reason.DECLINED),
    On.APP_DECLINED: (State.DECLINED, Reason.DECLINED),
    On.VOICEMAIL_DETECTED: (State.VOICEMAIL, Reason.VOICEMAIL),
}

MERGE_REPORTS = frozenset({On.MERGE_CONFIRMED, On.MERGE_FAILED, On.MERGE_UNCERTAIN})


class Known(NamedTuple):
    """What the steps so far have told, independently of what the core remembers."""

    requested: bool = False
    answered: bool = False
    accepted: bool = False
    asked: On | None = None
    """The first cancel or decline that came while merging."""
    agent_gone: bool = False
    """The session closed while merging or merged."""
    human_left: bool = False
    """The consult leg left while merging."""
    tried: tuple[str, ...] = ()
    """The merge strategies tried while merging, in order."""
    repairs: int = 0
    broken: bool = False
    """The merged call's merge broke, or its bridge lost its room for us, and nothing has told
    since that it stands."""
    dials: int = 0
    stops: int = 0
    outcomes: int = 0
    settled: int = 0
    """The newest effect when the merge was last settled; reports up to it are history."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One step, and what was known before it."""

    step: Step
    known: Known
    policy: TransferPolicy
    carrier: Carrier
    """Who carries the sound of the strategy in use."""
    on: On = field(init=False)
    """The event."""
    done: tuple[Do, ...] = field(init=False)
    """The effects the step starts."""
    leaves: bool = field(init=False)
    """Whether the state changes."""
    ends: bool = field(init=False)
    """Whether the transfer ends here."""

    def __post_init__(self) -> None:
        # Every invariant asks for them, of every step of every walk.
        step, say = self.step, partial(object.__setattr__, self)
        say("on", step.event.name)
        say("done", tuple([effect.name for effect in step.effects]))
        say("leaves", step.before is not step.after)
        say("ends", step.before is not step.after and step.after in FINAL)

    @property
    def relayed(self) -> bool:
        """Whether the agent carries the sound."""
        return self.carrier is Carrier.AGENT

    @property
    def needs_agent(self) -> bool:
        """Whether a merged call would fall silent without the agent."""
        return self.relayed or self.known.broken


def learn(moment: Moment) -> Known:
    """What is known after a step. In a final state only what still matters is kept."""
    known, step = moment.known, moment.step
    if step.handling is not Handling.ROW:
        return known
    if step.after in FINAL:
        outcomes = known.outcomes + (step.outcome is not None)
        return Known(requested=known.requested, outcomes=outcomes, settled=known.settled)
    if moment.leaves and step.after is State.MERGED:
        first = min((effect.id for effect in step.effects), default=1)
        return Known(
            requested=True,
            answered=known.answered,
            accepted=known.accepted,
            agent_gone=known.agent_gone,
            dials=known.dials,
            stops=known.stops,
            outcomes=known.outcomes + (step.outcome is not None),
            settled=first - 1,
        )
    return _learn_more(moment, known)


def _learn_more(moment: Moment, known: Known) -> Known:
    """The same for a step that neither merges nor ends."""
    step = moment.step
    on, done = moment.on, moment.done
    merging = step.before is State.MERGING
    tried = known.tried
    repairs = known.repairs
    for effect in step.effects:
        if effect.name is Do.MERGE_LEGS and merging:
            tried = (*tried, effect.strategy or "")
        elif effect.name is Do.MERGE_LEGS:
            repairs += 1
    merged = step.before is State.MERGED
    doubtful = on is On.CONSULT_ROOM_LOST and moment.carrier is Carrier.BRIDGE
    broken = known.broken or (merged and (on is On.MERGE_BROKE or doubtful))
    settled = known.settled
    if merged and on is On.MERGE_CONFIRMED:
        broken, settled = False, max(settled, step.event.effect or 0)
    asked = known.asked
    if merging and step.after is State.MERGING and on in ASKED_WHILE_MERGING:
        asked = asked or on
    return Known(
        requested=known.requested or on is On.TRANSFER_REQUESTED,
        answered=known.answered or on is On.CONSULT_ANSWERED,
        accepted=known.accepted or on in ACCEPTANCES,
        asked=asked,
        agent_gone=known.agent_gone or on is On.SESSION_CLOSED,
        human_left=known.human_left or (merging and on is On.CONSULT_HUNG_UP),
        tried=tried,
        repairs=repairs,
        broken=broken,
        dials=known.dials + done.count(Do.DIAL_CONSULT),
        stops=known.stops + done.count(Do.STOP_BRIEFING),
        outcomes=known.outcomes + (step.outcome is not None),
        settled=settled,
    )


StepInvariant = Callable[[Moment], Iterator[str]]
"""Looks at one step and yields what is wrong with it."""
