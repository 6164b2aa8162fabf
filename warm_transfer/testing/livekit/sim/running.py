"""Plays one drawn transfer with the real runner and adapters, and judges it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from warm_transfer.livekit.preflight import forget
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.play import Result, play
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.sim.drawing import Drawn
from warm_transfer.testing.livekit.sim.judging import judge, judge_replay
from warm_transfer.testing.livekit.sim.troubles import Met, TroubledStage

__all__ = ["Ran", "overhearing", "run", "run_overheard"]

_FATAL = ("unexpected event", "outcome not taken", "journal failed", "failed to emit event")
"""What no fault excuses, although the transfer itself goes on."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a drawn transfer."""

    seed: int
    outcome: State | None
    """The result that was delivered."""
    reason: Reason | None
    final: State
    """The last state."""
    met: tuple[Met, ...]
    """The faults that have happened."""
    problems: tuple[str, ...]
    """The broken invariants, in words."""
    lines: tuple[Mapping[str, Any], ...]
    """The journal."""

    @property
    def journal(self) -> tuple[str, ...]:
        """Its lines as a journal file has them."""
        return tuple(json.dumps(line, separators=(",", ":")) for line in self.lines)


def run(drawn: Drawn) -> Ran:
    """Play a transfer on a fresh virtual clock; the same one gives the same journal."""
    with overhearing() as overheard:
        return run_overheard(drawn, overheard)


def run_overheard(drawn: Drawn, overheard: list[str], *, replayed: bool = True) -> Ran:
    """The same for many, under one `overhearing`; what is overheard is taken out.

    Args:
        drawn: the transfer.
        overheard: what `overhearing` gives.
        replayed: whether the journal is replayed, and judged once more, when nothing is wrong yet.
    """
    # What an earlier transfer has found out about the server would spare this one its look.
    forget(SimSdk.url)
    policy = TransferPolicy(**drawn.scenario.policy)
    stage, result = clock.run(_play(drawn, policy, overheard))
    problems = (*judge(result, policy, stage.steps), *overheard)
    if problems or replayed:
        problems = tuple(dict.fromkeys((*problems, *judge_replay(result, policy))))
    overheard.clear()
    outcome = result.outcome
    return Ran(
        drawn.seed,
        outcome.result if outcome is not None else None,
        outcome.reason if outcome is not None else None,
        result.state,
        tuple(stage.met),
        problems,
        tuple(result.journal),
    )


async def _play(
    drawn: Drawn, policy: TransferPolicy, overheard: list[str]
) -> tuple[TroubledStage, Result]:
    asyncio.get_running_loop().set_exception_handler(lambda _, told: overheard.append(_said(told)))
    stage = TroubledStage(drawn.scenario, drawn.troubles, seed=drawn.seed)
    if drawn.bridge:
        stage.world.trunks.set_up_bridge()
    name = f"drawn-{drawn.seed}"
    return stage, await play(drawn.scenario, policy=policy, stage=stage, transfer_id=name)


def _said(told: dict[str, Any]) -> str:
    return f"the loop was told: {told['message']}: {told.get('exception')!r}"


class _Ear(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if said.startswith(_FATAL):
            error = record.exc_info[1] if record.exc_info else getattr(record, "detail", "")
            self.heard.append(f"logged: {said}: {error}")


@contextmanager
def overhearing() -> Iterator[list[str]]:
    """Hear what the library and the SDK log as an error that nothing excuses, and nothing else."""
    ear = _Ear()
    loggers = [logging.getLogger(name) for name in ("warm_transfer", "livekit")]
    before = [(each.level, each.propagate) for each in loggers]
    for each in loggers:
        each.addHandler(ear)
        each.setLevel(logging.ERROR)
        each.propagate = False
    try:
        yield ear.heard
    finally:
        for each, (level, propagate) in zip(loggers, before, strict=True):
            each.removeHandler(ear)
            each.setLevel(level)
            each.propagate = propagate
