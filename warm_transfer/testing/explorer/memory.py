"""The core's memory: snapshots, and a form in which equal memories are equal.

Effect ids are only ever compared, so they are renumbered: those that matter are multiples of
`GAP`, in their order, and releases in flight lie between them.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from copy import copy
from typing import Any

from warm_transfer.effects import Do
from warm_transfer.policy import Carrier
from warm_transfer.rows import Keep
from warm_transfer.states import FINAL, State
from warm_transfer.testing.invariants import Known
from warm_transfer.testing.model import Flight, Flights
from warm_transfer.transfer import Transfer

__all__ = [
    "GAP",
    "HOLD_CLOCK",
    "OLD_CLOCK",
    "REPORTERS",
    "STATE_CLOCK",
    "canonical",
    "fork",
    "key",
    "renamed",
    "renumber",
    "rewind",
]

REPORTERS = {
    Do.HOLD_CALLER: 1,
    Do.PLAY_HOLD_AUDIO: 1,
    Do.OPEN_CONSULT: 1,
    Do.DIAL_CONSULT: 1,
    Do.START_BRIEFING: 1,
    Do.STOP_BRIEFING: 1,
    Do.MERGE_LEGS: 2,
    Do.LOOK_AT_ROOMS: 1,
    Do.AWAIT_LAST_WORDS: 2,
}
"""Effects that report by id, and how many of each can matter at once; of merges one more for each
strategy, and a repair."""

GAP = 100
"""Renumbered ids are multiples of this."""

STATE_CLOCK, HOLD_CLOCK, OLD_CLOCK = 10_001, 10_002, 10_000


def fork(transfer: Transfer) -> Transfer:
    """A transfer that goes its own way from here."""
    twin = object.__new__(Transfer)
    memory = vars(twin)
    memory.update(vars(transfer))
    for name in ("_slot", "_names", "_newest", "_seconds", "_kept"):
        memory[name] = copy(memory[name])
    following = next(memory["_ids"])
    vars(transfer)["_ids"] = itertools.count(following)
    memory["_ids"] = itertools.count(following)
    return twin


def renumber(memory: dict[str, Any]) -> list[int]:
    """Renumber the ids in a core's memory; the old ids that matter, in order."""
    names: dict[int, Do] = memory["_names"]
    kept: list[int] = []
    more = {Do.MERGE_LEGS: len(memory["plan"].strategies)}
    for name, number in REPORTERS.items():
        ids = sorted(each for each, its in names.items() if its is name)
        kept += ids[-number - more.get(name, 0) :]
    kept.sort()
    fresh = {old: (index + 1) * GAP for index, old in enumerate(kept)}
    memory["_names"] = {fresh[old]: names[old] for old in kept}
    newest: dict[Do, int] = memory["_newest"]
    memory["_newest"] = {name: fresh[old] for name, old in newest.items() if name in REPORTERS}
    memory["_settled"] = bisect_right(kept, memory["_settled"]) * GAP
    memory["_ids"] = itertools.count(len(kept) * GAP + GAP // 2)
    return kept


def rewind(memory: dict[str, Any], now_s: float) -> None:
    """Give the clocks their names and set those that have just started back to time zero."""
    for name, number in (("_state_clock", STATE_CLOCK), ("_hold_clock", HOLD_CLOCK)):
        clock = memory[name]
        if clock is not None and clock.id != number:
            clock = copy(clock)
            clock.id, clock.at_s = number, clock.at_s - now_s
            memory[name] = clock
    memory["_entered_s"] = 0.0
    memory["_seconds"] = dict.fromkeys(memory["_seconds"], 0.0)
    if State(memory["_slot"].state) in FINAL:
        # A final state asks no more questions.
        memory.update(_kept=set(), _pending=None, _strategy=0, _seconds={}, outcome=None)
    elif State(memory["_slot"].state) is State.MERGED:
        # Nor does a merged call ask how the merge came about.
        memory["_kept"] -= {Keep.HUMAN_GONE, Keep.LOOKED}
        memory["_pending"] = None


def key(memory: dict[str, Any], known: Known, carrier: Carrier) -> tuple[object, ...]:
    """What makes two memories the same."""
    clocks = [memory[name] and memory[name].at_s for name in ("_state_clock", "_hold_clock")]
    return (
        memory["_slot"].state,
        frozenset(memory["_kept"]),
        memory["_pending"] and memory["_pending"][0],
        memory["_strategy"],
        memory["_settled"],
        tuple(memory["_names"].items()),
        tuple(sorted(memory["_newest"].items())),
        tuple(clocks),
        known,
        carrier,
    )


def renamed(number: int, kept: tuple[int, ...]) -> int:
    """An id after renumbering; what is not kept stands behind the kept one before it."""
    place = bisect_left(kept, number)
    if place < len(kept) and kept[place] == number:
        return (place + 1) * GAP
    return place * GAP + 1 + number % (GAP - 1)


def canonical(flights: Flights) -> Flights:
    """Flights in order, with the ids of releases close behind the kept ones."""
    if all(each.id % GAP == 0 for each in flights):
        return flights
    tidy, last = [], 0
    for each in flights:
        number = each.id
        if number % GAP:
            number = max(last, number // GAP * GAP) + 1
        last = number
        tidy.append(each if number == each.id else Flight(number, each.name, each.phase))
    return tuple(tidy)
