"""The effects in flight, and the order in which they begin, which is the runner's."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from warm_transfer.effects import AFTER, OVERTAKES, RELEASES, Do

__all__ = ["REPEATED", "Flight", "Flights", "Phase", "late_by", "launch", "overtook"]


class Phase(IntEnum):
    """How far an effect in flight has come."""

    WAITING = 0
    """Not begun: something it comes after is in flight."""
    RUNNING = 1
    HALFWAY = 2
    """It has done its work, or part of it, and has not returned: the caller's input is off; the
    phone has been answered; the briefing is silent; the legs are joined; the rooms were seen
    joined."""
    BEHIND = 3
    """A release that ran while its start was in flight, and will run again."""
    REPEATING = 4
    """That second run."""
    LIMBO = 5
    """It has returned without knowing, and what it asked for may still come about."""


class Flight(NamedTuple):
    """One effect in flight."""

    id: int
    name: Do
    phase: Phase


Flights = tuple[Flight, ...]

REPEATED = frozenset(OVERTAKES)
"""Releases that run again when a start that they overtook has returned."""

EARLY = frozenset(
    {
        Do.HOLD_CALLER,
        Do.PLAY_HOLD_AUDIO,
        Do.OPEN_CONSULT,
        Do.DIAL_CONSULT,
        Do.START_BRIEFING,
        Do.PREPARE_MERGE,
    }
)
"""The starts that normally have returned when the legs are joined."""

_NONE: frozenset[Do] = frozenset()
_ONE_AT_A_TIME = RELEASES | {Do.LOOK_AT_ROOMS}
_OUT = frozenset({Phase.LIMBO})
_RETURNED = frozenset({Phase.BEHIND, Phase.REPEATING, Phase.LIMBO})


def launch(effects: tuple[tuple[int, Do], ...], flights: Flights) -> tuple[Flights, tuple[Do, ...]]:
    """Start the effects of a step, in order, and what has waited for nothing else.

    Returns the flights, and what has begun.
    """
    if effects:
        overtaken = frozenset().union(*(OVERTAKES.get(name, _NONE) for _, name in effects))
        # A second release of the same thing does the work of the first; a second look too.
        replaced = _ONE_AT_A_TIME & {name for _, name in effects}
        flights = (
            *(
                each
                for each in flights
                if each.name not in replaced
                and not (each.phase is Phase.WAITING and each.name in overtaken)
            ),
            *(Flight(number, name, Phase.WAITING) for number, name in effects),
        )
    begun, now = [], []
    for each in flights:
        phase = each.phase
        if phase is Phase.WAITING and not _waits(each, flights):
            phase = Phase.RUNNING
            begun.append(each.name)
        elif phase is Phase.BEHIND and not overtook(each, flights):
            phase = Phase.REPEATING
        now.append(each if phase is each.phase else Flight(each.id, each.name, phase))
    return tuple(now), tuple(begun)


def _waits(flight: Flight, flights: Flights) -> bool:
    """Whether something it comes after is in flight; of its own release, the repetition too."""
    after = AFTER.get(flight.name, _NONE)
    return any(
        each.id < flight.id
        and each.name in after
        and each.phase
        not in (_OUT if flight.name in OVERTAKES.get(each.name, _NONE) else _RETURNED)
        for each in flights
    )


def overtook(flight: Flight, flights: Flights) -> bool:
    """Whether a start that a release overtook is still in flight."""
    starts = OVERTAKES[flight.name]
    return any(
        each.id < flight.id and each.name in starts and each.phase is not Phase.LIMBO
        for each in flights
    )


def late_by(flights: Flights) -> int:
    """How many effects from before the merge are still under way.

    The closing of a silent briefing counts beside another one only: it is on every path.
    """
    early = sum(each.name in EARLY and each.phase is not Phase.WAITING for each in flights)
    closing = any(e.name is Do.STOP_BRIEFING and e.phase is not Phase.RUNNING for e in flights)
    return early + (closing and early > 0)
