"""What any table of a transfer must satisfy, checked when the package is imported.

`transitions` accepts rows to undeclared states, shadowed rows and misspelt names; this module
does not. Each rule is one function that yields the row (or pair) at fault and what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from warm_transfer.effects import RELEASES, Do
from warm_transfer.errors import TableError
from warm_transfer.events import ACCEPTANCES, On
from warm_transfer.outcome import REASONS_OF, Reason
from warm_transfer.rows import FAMILIES, MAPPED, Guard, Row, Table
from warm_transfer.states import DELIVERED, FINAL, HELD, WAITING, State

__all__ = ["RULES", "check", "faults"]

Fault = tuple[str, str]
Rule = Callable[[Table], Iterator[Fault]]

#: What an effect acquires, and the effects that give it back.
ACQUIRED: Mapping[Do, frozenset[Do]] = {
    Do.HOLD_CALLER: frozenset({Do.RESUME_CALLER}),
    Do.PLAY_HOLD_AUDIO: frozenset({Do.STOP_HOLD_AUDIO}),
    Do.OPEN_CONSULT: frozenset({Do.CLOSE_CONSULT}),
    Do.DIAL_CONSULT: frozenset({Do.HANG_UP_CONSULT}),
    Do.PREPARE_MERGE: frozenset({Do.UNMERGE_LEGS}),
    Do.MERGE_LEGS: frozenset({Do.UNMERGE_LEGS}),
}

#: With nobody on the line, or no agent to go back to, the caller is not resumed.
NOBODY_TO_RESUME = frozenset(
    {
        Reason.CALLER_LEFT,
        Reason.CALLER_ROOM_LOST,
        Reason.SESSION_CLOSED,
        Reason.JOB_SHUTDOWN,
    }
)


def check(table: Table) -> None:
    """Check a table against every rule.

    Raises:
        TableError: the first rule broken; names the row or pair.
    """
    for where, problem in faults(table):
        raise TableError(where, problem)


def faults(table: Table) -> Iterator[Fault]:
    """Everything that is wrong with a table, as (row or pair, problem)."""
    for rule in RULES:
        yield from rule(table)


def every_pair_is_decided_once(table: Table) -> Iterator[Fault]:
    """Each (state, event) pair has rows, is ignored, or is impossible: exactly one of these."""
    for state in State:
        for event in On:
            pair = (state, event)
            ways = (pair in table.by_pair, pair in table.ignored, pair in table.impossible)
            if sum(ways) == 0:
                yield f"{state} x {event}", "is not decided: give it a row, or ignore it"
            elif sum(ways) > 1:
                yield f"{state} x {event}", "is decided twice (row, ignored, impossible)"


def rows_of_a_pair_are_disjoint_and_exhaustive(table: Table) -> Iterator[Fault]:
    """One row without a guard, or exactly the members of one guard family."""
    families = [frozenset(guards) for guards in FAMILIES.values()]
    for rows in table.by_pair.values():
        guards = [row.guard for row in rows]
        if guards == [None]:
            continue
        if None in guards:
            yield rows[guards.index(None)].id, "has no guard and shadows the pair's other rows"
        elif len(set(guards)) < len(guards):
            yield rows[-1].id, "stands twice"
        elif frozenset(guards) not in families:
            yield rows[0].id, "is not one of exactly the members of a guard family"


def every_state_is_reached(table: Table) -> Iterator[Fault]:
    """From the initial state, along the rows."""
    reached = {table.initial}
    while more := {row.target for row in table.rows if row.source in reached} - reached:
        reached |= more
    for state in State:
        if state not in reached:
            yield state, "is reached by no row"


def every_wait_is_bounded(table: Table) -> Iterator[Fault]:
    """A waiting state is entered with a clock, and its deadline leads out of it."""
    for row in table.rows:
        if row.target in WAITING and not row.stays and row.start is None:
            yield row.id, f"enters {row.target} without starting a clock"
        if row.target not in WAITING and row.start is not None:
            yield row.id, f"starts a clock in {row.target}, which waits for nothing"
        if row.stays and row.event is On.DEADLINE_PASSED and row.start is None:
            yield row.id, "stays after the deadline without a new clock"
    for state in sorted(WAITING):
        rows = table.by_pair.get((state, On.DEADLINE_PASSED), ())
        if all(row.stays for row in rows):
            yield f"{state} x {On.DEADLINE_PASSED}", "no row leads out when the clock runs out"
    for state in sorted(HELD):
        if (state, On.HOLD_LIMIT_PASSED) in table.impossible:
            yield f"{state} x {On.HOLD_LIMIT_PASSED}", "the caller is held; it can happen"


def final_states_only_compensate(table: Table) -> Iterator[Fault]:
    """A final state is never left, and its rows only give back."""
    for row in table.rows:
        if row.source not in FINAL:
            continue
        if not row.stays:
            yield row.id, f"leaves the final state {row.source}"
        for effect in row.effects:
            if effect not in RELEASES:
                yield row.id, f"{effect} is no release"


def an_outcome_is_delivered_once(table: Table) -> Iterator[Fault]:
    """DELIVER_OUTCOME and a fitting reason stand where an outcome is decided, nowhere else."""
    for row in table.rows:
        decides = row.target in DELIVERED and not row.stays
        if decides != (row.effects.count(Do.DELIVER_OUTCOME) == 1):
            yield row.id, "must deliver the outcome exactly where it is decided"
        if decides != (row.reason is not None):
            yield row.id, "must have a reason exactly where an outcome is decided"
        elif isinstance(row.reason, Reason) and row.reason not in REASONS_OF[row.target]:
            yield row.id, f"{row.reason} is no reason for {row.target}"
        if row.reason is MAPPED and row.target is not State.FAILED:
            yield row.id, "only a failure's reason is mapped from evidence"
        if decides and row.source is State.MERGED:
            yield row.id, "decides a second time"


def only_an_acceptance_leads_to_a_merge(table: Table) -> Iterator[Fault]:
    """`merging` is entered from `briefing` on an acceptance; only merging and merged join legs."""
    for row in table.rows:
        entered = row.target is State.MERGING and not row.stays
        if entered and (row.source is not State.BRIEFING or row.event not in ACCEPTANCES):
            yield row.id, "enters merging without an acceptance"
        if row.target is State.MERGED and not row.stays and row.event is not On.MERGE_CONFIRMED:
            yield row.id, "enters merged without a confirmed merge"
        joins = Do.MERGE_LEGS in row.effects
        if joins and not (row.stays and row.source in (State.MERGING, State.MERGED)):
            yield row.id, "joins the legs before they may be joined"


def one_dial_at_most(table: Table) -> Iterator[Fault]:
    """A dial happens on the way into `dialing` only."""
    for row in table.rows:
        entered = row.target is State.DIALING and not row.stays
        if entered != (Do.DIAL_CONSULT in row.effects):
            yield row.id, "must dial exactly when it enters dialing"


def everything_acquired_is_given_back(table: Table) -> Iterator[Fault]:
    """What any path to a row may have acquired is released by it when it ends the transfer."""
    holds = _may_hold(table)
    for row in table.rows:
        if row.stays or row.target not in FINAL:
            continue
        if _lives_on(row):
            continue
        for start in sorted(holds[row.source] | (set(row.effects) & set(ACQUIRED))):
            if not ACQUIRED[start] & set(row.effects) and not _excused(row, start):
                yield row.id, f"ends the transfer without giving back {start}"


def a_held_caller_is_resumed_in_order(table: Table) -> Iterator[Fault]:
    """Music off, outcome out, then the caller back; a notice comes before the hang-up."""
    order = (Do.STOP_HOLD_AUDIO, Do.DELIVER_OUTCOME, Do.RESUME_CALLER)
    for row in table.rows:
        for before, after in (
            *pairwise(order),
            (Do.NOTIFY_CONSULT, Do.HANG_UP_CONSULT),
        ):
            if {before, after} <= set(row.effects) and row.effects.index(
                before
            ) > row.effects.index(after):
                yield row.id, f"{after} comes before {before}"
        if row.target is State.MERGED and not row.stays and Do.RESUME_OUTPUT not in row.effects:
            yield row.id, "the merged caller's output stays off"
        if len(set(row.effects)) < len(row.effects):
            yield row.id, "names an effect twice"


def the_agent_leaves_only_what_needs_no_agent(table: Table) -> Iterator[Fault]:
    """LEAVE_CALL ends a merged call's transfer, where no agent is needed, and nowhere else."""
    for row in table.rows:
        if Do.LEAVE_CALL in row.effects and not (row.target is State.ENDED and _lives_on(row)):
            yield row.id, "leaves a call that may need the agent"
        if Do.AWAIT_LAST_WORDS in row.effects and row.guard is not Guard.DIRECT_LEAVES:
            yield row.id, "hears out an agent that does not leave"


RULES: tuple[Rule, ...] = (
    every_pair_is_decided_once,
    rows_of_a_pair_are_disjoint_and_exhaustive,
    every_state_is_reached,
    every_wait_is_bounded,
    final_states_only_compensate,
    an_outcome_is_delivered_once,
    only_an_acceptance_leads_to_a_merge,
    one_dial_at_most,
    everything_acquired_is_given_back,
    a_held_caller_is_resumed_in_order,
    the_agent_leaves_only_what_needs_no_agent,
)


def _may_hold(table: Table) -> dict[State, set[Do]]:
    """What may be acquired and not given back when a state is entered, over all paths."""
    holds: dict[State, set[Do]] = {state: set() for state in State}
    changed = True
    while changed:
        changed = False
        for row in table.rows:
            held = holds[row.source] | (set(row.effects) & set(ACQUIRED))
            held = {start for start in held if not ACQUIRED[start] & set(row.effects)}
            if row.target is State.MERGED and not row.stays:
                # The hold is over; what the caller lacks then is input, and that is the intent.
                held -= {Do.HOLD_CALLER}
            if not held <= holds[row.target]:
                holds[row.target] |= held
                changed = True
    return holds


def _excused(row: Row, start: Do) -> bool:
    """A caller who is gone, or whose call ends, is not taken off hold."""
    return start is Do.HOLD_CALLER and row.reason in NOBODY_TO_RESUME


def _lives_on(row: Row) -> bool:
    """A merged call that does not need the agent is left to itself when the agent goes."""
    return row.source is State.MERGED and row.guard in (Guard.NOT_NEEDED, Guard.LEAVES)
