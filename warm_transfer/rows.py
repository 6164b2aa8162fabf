"""What a row of a transition table is made of, and the table that holds the rows.

A row is data: source, event, target, effects, and, where one pair has several rows, a guard.
Guards come in families; a family answers with exactly one of its members, so the rows of a pair
are disjoint and exhaustive when they are exactly the members of one family.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.outcome import Reason
from warm_transfer.states import State

__all__ = [
    "FAMILIES",
    "Family",
    "Guard",
    "Ignored",
    "Keep",
    "Pair",
    "Row",
    "Table",
    "Wait",
]

Pair = tuple[State, On]
"""A state and an event."""


class Wait(StrEnum):
    """The clock of a state. How long it runs is the policy's business."""

    HOLD = "hold_timeout_s"
    RING = "ring_timeout_s"
    DECISION = "decision_timeout_s"
    MERGE = "merge_timeout_s"
    LOOK = "look_timeout_s"
    CALL = "call_limit_s"


class Guard(StrEnum):
    """The closed list of conditions a row may have."""

    # What is to become of a merge that did not come about.
    PENDING_CLOSED = "session closed meanwhile"
    PENDING_CANCELLED = "cancel pending"
    PENDING_DECLINED = "decline pending"
    PENDING_VOICEMAIL = "voicemail pending"
    HUMAN_GONE = "human gone"
    STRATEGY_LEFT = "another strategy left"
    NOTHING_LEFT = "no strategy left"
    NOT_LOOKED = "rooms not looked at yet"
    # How the sound of a merged call runs, and what the agent does then.
    RELAYED = "the agent carries the sound"
    BRIDGED = "a bridge carries the sound"
    DIRECT = "the sound runs without the agent"
    DIRECT_STAYS = "the sound runs without the agent, which stays"
    DIRECT_LEAVES = "the sound runs without the agent, which leaves"
    # Whether a merged call can go on without the agent.
    NEEDED = "the call needs the agent"
    NOT_NEEDED = "the call needs no agent"
    STAYS = "the agent stays"
    LEAVES = "the agent leaves"
    # What follows when the human is gone from a merged call.
    RETURNS = "caller returns to the agent"
    ENDS = "call ends"
    RELAYED_RETURNS = "relayed, caller returns to the agent"
    RELAYED_ENDS = "relayed, call ends"
    FIRST_BREAK = "first break"


class Family(StrEnum):
    """A question with exactly one answer, which the core finds from what it knows."""

    MERGE_FAILED = "merge failed"
    MERGE_DEADLINE = "merge deadline"
    AFTER_MERGE = "after the merge"
    AGENT_NEEDED = "agent needed"
    HEARD_OUT = "agent heard out"
    HUMAN_LEFT = "human left"
    CONSULT_LOST = "consult room lost"
    BROKE = "merge broke"


FAMILIES: Mapping[Family, tuple[Guard, ...]] = {
    Family.MERGE_FAILED: (
        Guard.PENDING_CLOSED,
        Guard.PENDING_CANCELLED,
        Guard.PENDING_DECLINED,
        Guard.PENDING_VOICEMAIL,
        Guard.HUMAN_GONE,
        Guard.STRATEGY_LEFT,
        Guard.NOTHING_LEFT,
    ),
    Family.MERGE_DEADLINE: (
        Guard.NOT_LOOKED,
        Guard.PENDING_CLOSED,
        Guard.PENDING_CANCELLED,
        Guard.PENDING_DECLINED,
        Guard.PENDING_VOICEMAIL,
        Guard.HUMAN_GONE,
        Guard.NOTHING_LEFT,
    ),
    Family.AFTER_MERGE: (
        Guard.RELAYED,
        Guard.BRIDGED,
        Guard.DIRECT_STAYS,
        Guard.DIRECT_LEAVES,
    ),
    Family.AGENT_NEEDED: (Guard.NEEDED, Guard.NOT_NEEDED),
    Family.HEARD_OUT: (Guard.STAYS, Guard.LEAVES),
    Family.HUMAN_LEFT: (Guard.RETURNS, Guard.ENDS),
    Family.CONSULT_LOST: (
        Guard.DIRECT,
        Guard.BRIDGED,
        Guard.RELAYED_RETURNS,
        Guard.RELAYED_ENDS,
    ),
    Family.BROKE: (Guard.FIRST_BREAK, Guard.RETURNS, Guard.ENDS),
}


class Keep(StrEnum):
    """What a row makes the core remember."""

    PENDING = "the first cancel or decline that had to wait for the merge"
    SESSION_GONE = "there is no agent to go back to"
    HUMAN_GONE = "the human's leg left while the legs were being joined"
    LOOKED = "the rooms have been looked at"
    NEXT_STRATEGY = "the next merge strategy is in use"
    BROKE = "the merge broke once"
    DOUBTED = "it is not known whether the merged call still stands"
    REPAIRED = "the broken or doubted merge stands again"
    SETTLED = "the merge is known; reports of older merge effects are stale"


class Ignored(StrEnum):
    """The closed list of reasons for which an event may be ignored."""

    ALREADY_KNOWN = "a repeated or late delivery of something that has been taken"
    NOT_ASKED_YET = "no transfer has been asked for"
    NOT_ANSWERED_YET = "nobody has answered, so nobody can have said this"
    ALREADY_DECIDED = "the outcome is delivered and does not change"
    IN_HAND = "what it asks for is under way"
    MERGE_CLOCK_BOUNDS = "the merge clock bounds this state more tightly"
    COURTESY_ONLY = "a side effect failed that the transfer does not depend on"
    RELEASE_REPEATS = "a release that overtook its start runs again when the start returns"


class _Mapped(StrEnum):
    MAPPED = "mapped from the evidence"


MAPPED = _Mapped.MAPPED
"""In place of a reason: `outcome.reason_of_refusal` finds it in the event's facts."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: in `source`, on `event` (and `guard`), go to `target` and do `effects`."""

    source: State
    event: On
    target: State
    effects: tuple[Do, ...] = ()
    guard: Guard | None = None
    start: Wait | None = None
    """The clock that starts with this row; None keeps the running one (or has none)."""
    reason: Reason | _Mapped | None = None
    """The reason of the outcome this row delivers."""
    keep: tuple[Keep, ...] = ()

    @property
    def stays(self) -> bool:
        """Whether the row leaves the state as it is."""
        return self.source is self.target

    @property
    def id(self) -> str:
        """A name for the row that is stable while its pair and guard are."""
        guard = f" [{self.guard.name}]" if self.guard else ""
        return f"{self.source} x {self.event}{guard}"


@dataclass(frozen=True, eq=False)
class Table:
    """A transition table: rows, ignored pairs with their reason, and impossible pairs.

    `table_rules.check` says whether it keeps the rules. Tables are compared by `version`.
    """

    rows: tuple[Row, ...]
    ignored: Mapping[Pair, Ignored]
    impossible: frozenset[Pair]
    initial: State = State.IDLE
    name: str = "warm transfer"

    @cached_property
    def by_pair(self) -> Mapping[Pair, tuple[Row, ...]]:
        """The rows of each pair that has any, in table order."""
        found: dict[Pair, list[Row]] = {}
        for row in self.rows:
            found.setdefault((row.source, row.event), []).append(row)
        return {pair: tuple(rows) for pair, rows in found.items()}

    @cached_property
    def family_of(self) -> Mapping[Pair, Family]:
        """The guard family of each pair that has several rows."""
        members = {frozenset(guards): family for family, guards in FAMILIES.items()}
        return {
            pair: members[guards]
            for pair, rows in self.by_pair.items()
            if (guards := frozenset(row.guard for row in rows if row.guard)) in members
        }

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of the SHA-256 of the table in canonical form."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def canonical(self) -> dict[str, object]:
        """The whole table as plain JSON values, in an order that does not depend on the source."""
        return {
            "initial": self.initial.value,
            "rows": sorted(_plain(row) for row in self.rows),
            "ignored": sorted([s.value, e.value, why.name] for (s, e), why in self.ignored.items()),
            "impossible": sorted([s.value, e.value] for s, e in self.impossible),
        }

    def with_rows(self, rows: Iterable[Row]) -> Table:
        """The same table with other rows; used to try changes and mutants."""
        return Table(tuple(rows), self.ignored, self.impossible, self.initial, self.name)


def _plain(row: Row) -> list[str]:
    return [
        row.source.value,
        row.event.value,
        row.guard.name if row.guard else "",
        row.target.value,
        " ".join(effect.value for effect in row.effects),
        row.start.name if row.start else "",
        row.reason.name if row.reason else "",
        " ".join(keep.name for keep in row.keep),
    ]
