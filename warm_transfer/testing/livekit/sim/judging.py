"""Judges a transfer that was played: the audit of the world, and the promises about each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from warm_transfer.errors import JournalError
from warm_transfer.journal import replay
from warm_transfer.policy import Carrier, TransferPolicy
from warm_transfer.rows import Keep
from warm_transfer.testing.invariants import STEPS, Known, Moment, learn
from warm_transfer.testing.livekit.audit import audit_world
from warm_transfer.testing.livekit.play import Result
from warm_transfer.transfer import Step

__all__ = ["judge", "judge_replay"]


def judge(
    result: Result, policy: TransferPolicy, taken: Sequence[Step] | None = None
) -> tuple[str, ...]:
    """Everything that is wrong with a transfer, in words; empty when nothing is.

    Args:
        result: what came of it.
        policy: the limits that it had.
        taken: the steps that it took, which spares the replay; with None the core takes them once
            more from the journal.
    """
    lines = result.journal
    if taken is None:
        return (*audit_world(result, policy), *judge_replay(result, policy))
    return (
        *audit_world(result, policy),
        *_untold(taken, lines),
        *_broken_steps(taken, lines, policy),
    )


def judge_replay(result: Result, policy: TransferPolicy) -> tuple[str, ...]:
    """What is wrong with the steps when the core takes them once more from the journal."""
    return tuple(_broken_steps(replay(result.journal), result.journal, policy))


def _untold(taken: Sequence[Step], lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Where the journal is not of these steps."""
    told = [(line["seq"], line["before"], line["after"]) for line in lines]
    if told != [(step.seq, step.before, step.after) for step in taken]:
        yield "11 the journal tells every step: it tells others"


def _broken_steps(
    steps: Iterable[Step], lines: Sequence[Mapping[str, Any]], policy: TransferPolicy
) -> Iterator[str]:
    carriers = _carriers(lines)
    known, tried = Known(), 0
    try:
        for step in steps:
            moment = Moment(step, known, policy, carriers[min(tried, len(carriers) - 1)])
            for promise in STEPS:
                for wrong in promise(moment):
                    yield f"{promise.__name__}: step {step.seq} {wrong}"
            known = learn(moment)
            tried += step.row is not None and Keep.NEXT_STRATEGY in step.row.keep
    except JournalError as error:
        yield f"11 the journal replays: {error}"


def _carriers(lines: Sequence[Mapping[str, Any]]) -> list[Carrier]:
    plans = (line["payload"]["plan"] for line in lines if "plan" in line["payload"])
    named = [each["carrier"] for plan in plans for each in plan["strategies"]]
    return [Carrier(each) for each in named] or [Carrier.AGENT]
