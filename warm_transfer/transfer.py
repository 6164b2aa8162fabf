"""The pure core of one transfer: events and times go in, steps come out.

The core decides; it does nothing else. It reads no clock, starts no task, logs nothing and knows
no LiveKit. Its whole interface is `Transfer.receive` and the deadline it names:

1. Give it an event and the time at which the event was posted.
2. Journal the step it returns, then start the step's effects in order.
3. Wait for the next event or for `Transfer.deadline`, whichever is first.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from warm_transfer.effects import Do, Effect
from warm_transfer.errors import UnexpectedEvent
from warm_transfer.events import CLOCKS, Event, Facts, On
from warm_transfer.machine import TableMachine
from warm_transfer.outcome import Reason, TransferOutcome, reason_of_refusal
from warm_transfer.policy import Carrier, Plan, Strategy, TransferPolicy
from warm_transfer.rows import Family, Guard, Ignored, Keep, Row, Table, Wait
from warm_transfer.states import DELIVERED, FINAL, HELD, State
from warm_transfer.table import TABLE

__all__ = ["Deadline", "Handling", "Step", "Transfer"]


class Handling(StrEnum):
    """What became of an event."""

    ROW = "row"
    IGNORED = "ignored"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Deadline:
    """The next clock to run out, and the event to post when it does."""

    at_s: float
    event: Event


@dataclass(frozen=True, slots=True)
class Step:
    """What one event did."""

    seq: int
    """Counted from 1, without gaps."""
    at_s: float
    """The time of the event, on the clock of whoever drives the core."""
    event: Event
    before: State
    after: State
    handling: Handling
    row: Row | None
    """The row taken; None when ignored or stale."""
    ignored: Ignored | None
    """Why it was ignored; None otherwise."""
    effects: tuple[Effect, ...]
    attempt: int
    deadline: Deadline | None
    outcome: TransferOutcome | None
    """The outcome this step delivers, if it does."""


@dataclass(slots=True)
class _Clock:
    id: int
    at_s: float


#: A report of the key effect is superseded by a newer effect of any of these names.
_SUPERSEDED_BY: Mapping[Do, frozenset[Do]] = {
    Do.OPEN_CONSULT: frozenset(),
    Do.START_BRIEFING: frozenset({Do.STOP_BRIEFING}),
    Do.STOP_BRIEFING: frozenset({Do.STOP_BRIEFING}),
    Do.DIAL_CONSULT: frozenset({Do.DIAL_CONSULT}),
    Do.MERGE_LEGS: frozenset({Do.MERGE_LEGS}),
    Do.LOOK_AT_ROOMS: frozenset({Do.MERGE_LEGS, Do.LOOK_AT_ROOMS}),
    Do.AWAIT_LAST_WORDS: frozenset({Do.AWAIT_LAST_WORDS}),
}

#: A report of the key's name is overtaken when one of these effects has started since.
_FOLLOWED_BY: Mapping[On, frozenset[Do]] = {
    On.BRIEFING_STOPPED: frozenset({Do.MERGE_LEGS}),
    On.MERGE_UNCERTAIN: frozenset({Do.LOOK_AT_ROOMS}),
    # Something happened since the legs were joined: what the look finds counts.
    On.MERGE_CONFIRMED: frozenset({Do.LOOK_AT_ROOMS}),
}

#: The events after which only one thing can still be wanted of a pending merge.
_PENDING: Mapping[On, Guard] = {
    On.APP_CANCELLED: Guard.PENDING_CANCELLED,
    On.CONSULT_DECLINED: Guard.PENDING_DECLINED,
    On.APP_DECLINED: Guard.PENDING_DECLINED,
    On.VOICEMAIL_DETECTED: Guard.PENDING_VOICEMAIL,
}

_MERGE_REPORTS = frozenset({On.MERGE_CONFIRMED, On.MERGE_FAILED, On.MERGE_UNCERTAIN})


class Transfer:
    """One transfer's state and memory.

    Args:
        transfer_id: the id under which journal and logs speak of it.
        policy: the limits.
        plan: the merge strategies and the time of the key tones.
        table: another table than ours, for tests and conformance runs.

    Raises:
        TableError: the table breaks a rule.
    """

    def __init__(
        self,
        transfer_id: str,
        *,
        policy: TransferPolicy | None = None,
        plan: Plan | None = None,
        table: Table = TABLE,
    ) -> None:
        self.id = transfer_id
        self.policy = policy or TransferPolicy()
        self.plan = plan or Plan()
        self.table = table
        self.attempt = 1
        self.outcome: TransferOutcome | None = None
        self._machine = TableMachine.of(table)
        self._slot = self._machine.new_slot()
        self._ids = itertools.count(1)
        self._seq = 0
        self._names: dict[int, Do] = {}
        self._newest: dict[Do, int] = {}
        self._settled = 0
        self._state_clock: _Clock | None = None
        self._hold_clock: _Clock | None = None
        self._entered_s: float | None = None
        self._seconds: dict[State, float] = {}
        self._kept: set[Keep] = set()
        self._pending: tuple[Guard, Facts] | None = None
        self._strategy = 0

    @property
    def state(self) -> State:
        """Where the transfer stands."""
        return State(self._slot.state)

    @property
    def strategy(self) -> Strategy:
        """The merge strategy in use, or to be used first."""
        return self.plan.strategies[self._strategy]

    @property
    def deadline(self) -> Deadline | None:
        """The next clock to run out; None when nothing is waited for."""
        state, hold = self._state_clock, self._hold_clock
        # At the same instant the state's own clock is the better reason.
        if state is not None and (hold is None or state.at_s <= hold.at_s):
            return Deadline(state.at_s, Event(On.DEADLINE_PASSED, effect=state.id))
        if hold is not None:
            return Deadline(hold.at_s, Event(On.HOLD_LIMIT_PASSED, effect=hold.id))
        return None

    def receive(self, event: Event, now_s: float) -> Step:
        """Take one event and say what is to be done about it.

        Synchronous and free of side effects outside this object.

        Args:
            event: what happened.
            now_s: when it was posted, in seconds on any clock that never goes back.

        Raises:
            UnexpectedEvent: the table says the pair is impossible. Nothing has changed.
        """
        before = self.state
        if self._is_stale(event):
            return self._step(event, now_s, before, Handling.STALE)
        why = self.table.ignored.get((before, event.name))
        if why is not None:
            self._spend_clock(event)
            return self._step(event, now_s, before, Handling.IGNORED, ignored=why)
        row = self._machine.fire(self._slot, event.name, self._answer)
        if row is None:
            raise UnexpectedEvent(before, event.name)
        self._spend_clock(event)
        self._remember(row, event)
        self._count_seconds(before, now_s)
        self._set_clocks(row, now_s)
        effects = tuple(self._new_effect(name) for name in row.effects)
        outcome = self._decide(row, event) if row.reason is not None else None
        return self._step(event, now_s, before, Handling.ROW, row, None, effects, outcome)

    def _step(
        self,
        event: Event,
        now_s: float,
        before: State,
        handling: Handling,
        row: Row | None = None,
        ignored: Ignored | None = None,
        effects: tuple[Effect, ...] = (),
        outcome: TransferOutcome | None = None,
    ) -> Step:
        self._seq += 1
        return Step(
            seq=self._seq,
            at_s=now_s,
            event=event,
            before=before,
            after=self.state,
            handling=handling,
            row=row,
            ignored=ignored,
            effects=effects,
            attempt=self.attempt,
            deadline=self.deadline,
            outcome=outcome,
        )

    # What is stale, decided before the table is asked.

    def _is_stale(self, event: Event) -> bool:
        if event.attempt is not None and event.attempt < self.attempt:
            return True
        if event.name in CLOCKS:
            clock = self._clock_of(event.name)
            return event.effect is not None and (clock is None or clock.id != event.effect)
        if event.effect is None or event.effect not in self._names:
            return False
        if event.name in _MERGE_REPORTS and event.effect <= self._settled:
            return True
        if self.state in FINAL:
            # Nothing is superseded after the end: what comes about late must be taken down.
            return False
        rivals = _SUPERSEDED_BY.get(self._names[event.effect], frozenset())
        rivals |= _FOLLOWED_BY.get(event.name, frozenset())
        return any(self._newest.get(rival, 0) > event.effect for rival in rivals)

    def _clock_of(self, name: On) -> _Clock | None:
        return self._state_clock if name is On.DEADLINE_PASSED else self._hold_clock

    # What a guard's question is answered with.

    def _answer(self, family: Family) -> Guard:  # noqa: PLR0911 - one arm each
        match family:
            case Family.MERGE_FAILED:
                return self._merge_failed()
            case Family.MERGE_DEADLINE:
                return self._merge_deadline()
            case Family.AFTER_MERGE:
                return self._after_merge()
            case Family.AGENT_NEEDED:
                return Guard.NEEDED if self._agent_needed() else Guard.NOT_NEEDED
            case Family.HEARD_OUT:
                leaves = self._after_merge() is Guard.DIRECT_LEAVES and not self._agent_needed()
                return Guard.LEAVES if leaves else Guard.STAYS
            case Family.HUMAN_LEFT:
                return self._human_left()
            case Family.CONSULT_LOST:
                return self._consult_lost()
            case Family.BROKE:
                return self._human_left() if Keep.BROKE in self._kept else Guard.FIRST_BREAK

    def _merge_failed(self) -> Guard:
        if Keep.SESSION_GONE in self._kept:
            return Guard.PENDING_CLOSED
        if self._pending is not None:
            return self._pending[0]
        if Keep.HUMAN_GONE in self._kept:
            return Guard.HUMAN_GONE
        # What has not begun cannot be given up for the next, and the briefing may still be on.
        begun = Do.MERGE_LEGS in self._newest
        if begun and self._strategy + 1 < len(self.plan.strategies):
            return Guard.STRATEGY_LEFT
        return Guard.NOTHING_LEFT

    def _merge_deadline(self) -> Guard:
        if Keep.LOOKED not in self._kept:
            return Guard.NOT_LOOKED
        answer = self._merge_failed()
        return Guard.NOTHING_LEFT if answer is Guard.STRATEGY_LEFT else answer

    def _after_merge(self) -> Guard:
        match self.strategy.carrier:
            case Carrier.AGENT:
                return Guard.RELAYED
            case Carrier.BRIDGE:
                return Guard.BRIDGED
        leaves = self.policy.after_merge == "leave"
        return Guard.DIRECT_LEAVES if leaves else Guard.DIRECT_STAYS

    def _agent_needed(self) -> bool:
        broken = Keep.BROKE in self._kept and Keep.REPAIRED not in self._kept
        doubted = Keep.DOUBTED in self._kept
        return self.strategy.carrier is Carrier.AGENT or broken or doubted

    def _human_left(self) -> Guard:
        returns = self.policy.on_human_left == "return" and Keep.SESSION_GONE not in self._kept
        return Guard.RETURNS if returns else Guard.ENDS

    def _consult_lost(self) -> Guard:
        match self.strategy.carrier:
            case Carrier.SERVER:
                return Guard.DIRECT
            case Carrier.BRIDGE:
                return Guard.BRIDGED
        returns = self._human_left() is Guard.RETURNS
        return Guard.RELAYED_RETURNS if returns else Guard.RELAYED_ENDS

    # What a taken row changes.

    def _remember(self, row: Row, event: Event) -> None:
        for keep in row.keep:
            if keep is Keep.PENDING:
                self._pending = self._pending or (_PENDING[event.name], event.facts)
            elif keep is Keep.NEXT_STRATEGY:
                self._strategy += 1
                self._kept.discard(Keep.LOOKED)
            elif keep is Keep.SETTLED:
                # What counts is every merge effect up to now; later ones are a repair.
                self._settled = max(self._names, default=0)
            elif keep is Keep.BROKE:
                self._kept.discard(Keep.REPAIRED)
                self._kept.add(keep)
            elif keep is Keep.REPAIRED:
                self._kept.discard(Keep.DOUBTED)
                self._kept.add(keep)
            else:
                self._kept.add(keep)

    def _count_seconds(self, before: State, now_s: float) -> None:
        if self._entered_s is None:
            self._entered_s = now_s
        if self.state is not before:
            spent = now_s - self._entered_s
            self._seconds[before] = self._seconds.get(before, 0.0) + spent
            self._entered_s = now_s

    def _set_clocks(self, row: Row, now_s: float) -> None:
        if row.start is not None:
            self._state_clock = _Clock(next(self._ids), now_s + self._wait_s(row.start))
        elif row.target in FINAL:
            self._state_clock = None
        if row.source is State.IDLE and row.target in HELD:
            self._hold_clock = _Clock(next(self._ids), now_s + self.policy.hold_limit_s)
        elif row.target not in HELD:
            self._hold_clock = None

    def _wait_s(self, wait: Wait) -> float:
        seconds: float = getattr(self.policy, wait.value)
        return seconds + self.plan.dtmf_s if wait is Wait.RING else seconds

    def _spend_clock(self, event: Event) -> None:
        """A clock runs out once; a row may start it again."""
        if event.name is On.HOLD_LIMIT_PASSED:
            self._hold_clock = None
        elif event.name is On.DEADLINE_PASSED:
            self._state_clock = None

    def _new_effect(self, name: Do) -> Effect:
        effect = Effect(next(self._ids), name, self.attempt, self._strategy_for(name))
        self._names[effect.id] = name
        self._newest[name] = effect.id
        return effect

    def _strategy_for(self, name: Do) -> str | None:
        joined = name in (Do.PREPARE_MERGE, Do.MERGE_LEGS, Do.LOOK_AT_ROOMS)
        return self.strategy.name if joined else None

    def _decide(self, row: Row, event: Event) -> TransferOutcome:
        """The outcome, from the event that decided or from the one that had been pending."""
        facts = event.facts
        if self._pending is not None and row.guard is self._pending[0]:
            facts = replace(self._pending[1], cause=facts.cause)
        reason = row.reason if isinstance(row.reason, Reason) else reason_of_refusal(facts)
        assert row.target in DELIVERED
        merged = row.target is State.MERGED
        leaves = row.guard is Guard.DIRECT_LEAVES
        self.outcome = TransferOutcome(
            result=row.target,
            reason=reason,
            transfer_id=self.id,
            attempt=self.attempt,
            sip_status=facts.sip_status,
            sip_phrase=facts.sip_phrase,
            api_code=facts.api_code,
            disconnect_reason=facts.disconnect_reason,
            words=facts.words,
            detail=facts.detail,
            strategy=self.strategy.name if State.MERGING in self._seconds else None,
            after_merge=("leave" if leaves else "silent") if merged else None,
            seconds=MappingProxyType(dict(self._seconds)),
            time_to_human_s=sum(self._seconds.values()) if merged else None,
            cause=facts.cause,
        )
        return self.outcome
