"""A path as it can be told and played: through a fresh transfer, event by event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from warm_transfer.errors import UnexpectedEvent
from warm_transfer.events import CLOCKS, NO_FACTS, Event, Facts, On
from warm_transfer.testing.explorer.cores import Cores, Taken
from warm_transfer.testing.explorer.memory import GAP, OLD_CLOCK
from warm_transfer.testing.explorer.scopes import Scope
from warm_transfer.testing.model import Move
from warm_transfer.transfer import Step, Transfer

__all__ = ["Counterexample", "Played", "play"]

_PACE_S = 0.1
"""Between two events of a played path, where no clock has to run out."""


class Played(NamedTuple):
    """A path, played."""

    transfer: Transfer
    events: list[Event]
    """What the core has seen."""
    at_s: list[float]
    """When, for each event."""

    @property
    def refused(self) -> On | None:
        """The last event, if the table calls it impossible."""
        last = self.events[-1].name if self.events else None
        return (
            last if last and (self.transfer.state, last) in self.transfer.table.impossible else None
        )


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The shortest way to break an invariant."""

    invariant: str
    problem: str
    scope: str
    path: tuple[str, ...]
    """What happens, in order; what the core does not see stands in brackets."""
    events: tuple[Event, ...]
    """What the core sees, to be played through a fresh `Transfer`. A detail says what the core
    does not see after it."""
    at_s: tuple[float, ...]
    """When, for each event."""
    where: Scope
    """The policy and the plan."""

    @staticmethod
    def of(
        invariant: str, problem: str, scope: Scope, path: Sequence[Move], played: Played
    ) -> Counterexample:
        """The counterexample that a played path is."""
        told = tuple(_told(each) for each in path)
        events = _with_details(played, path, f"breaks {invariant}: {problem}")
        return Counterexample(
            invariant, problem, scope.name, told, tuple(events), tuple(played.at_s), scope
        )

    def __str__(self) -> str:
        steps = "\n    ".join(self.path)
        return f"{self.invariant} ({self.scope}): {self.problem}\n    {steps}"


def _told(move: Move) -> str:
    if move.event is None:
        return f"[{move.what}]"
    return move.event.value if move.what == "news" else f"{move.event} ({move.what})"


def _with_details(played: Played, path: Sequence[Move], last: str) -> list[Event]:
    """The events, each with what happens behind it unseen, and the last one with what it breaks."""
    behind: list[list[str]] = [[] for _ in played.events]
    number = -1
    for move in path:
        if move.event is not None:
            number += 1
        elif number >= 0:
            behind[number].append(f"then {move.what}")
    if played.refused and len(behind) > 1:
        # No step takes it, so the one before it has to tell.
        behind[-2].append(f"then {played.refused}, which {last}")
    elif behind:
        behind[-1].append(last)
    return [
        Event(each.name, Facts(detail="; ".join(notes)), effect=each.effect) if notes else each
        for each, notes in zip(played.events, behind, strict=True)
    ]


def play(cores: Cores, path: Iterable[Move]) -> Played:
    """Play a path through a fresh transfer, with the ids it gives itself.

    An event that the table calls impossible is the last one, and the transfer has not taken it.
    """
    fresh = cores.scope.fresh("replayed", cores.table)
    played = Played(fresh, [], [])
    real: dict[int, int] = {}
    number, now_s = cores.first, 0.0
    for move in path:
        if move.event is None:
            continue
        event, now_s = _event(fresh, move, real, now_s)
        played.events.append(event)
        played.at_s.append(now_s)
        taken = cores.take(number, move.event, move.effect)
        try:
            step = fresh.receive(event, now_s)
        except UnexpectedEvent:
            break
        real = _real_ids(real, taken, step)
        number = taken.node
        now_s += _PACE_S
    return played


def _event(
    transfer: Transfer, move: Move, real: dict[int, int], now_s: float
) -> tuple[Event, float]:
    """The event of a move with the real id, and when it happens."""
    assert move.event is not None
    if move.event not in CLOCKS:
        effect = None if move.effect is None else real.get(move.effect)
        return Event(move.event, NO_FACTS, effect=effect), now_s
    memory: dict[str, Any] = vars(transfer)
    clock = memory["_state_clock" if move.event is On.DEADLINE_PASSED else "_hold_clock"]
    if move.effect == OLD_CLOCK or clock is None:
        # No clock ever has this id.
        return Event(move.event, NO_FACTS, effect=0), now_s
    return Event(move.event, NO_FACTS, effect=clock.id), max(now_s, clock.at_s)


def _real_ids(real: dict[int, int], taken: Taken, step: Step) -> dict[int, int]:
    """The real ids of the renumbered ones, after a step."""
    for (canonical, _name), effect in zip(taken.effects, step.effects, strict=True):
        real[canonical] = effect.id
    if not taken.kept:
        return real
    return {(index + 1) * GAP: real[old] for index, old in enumerate(taken.kept) if old in real}
