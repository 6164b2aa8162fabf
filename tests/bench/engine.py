"""One event through the core and the journal, beside what `transitions` and a dictionary take."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from transitions import Machine
from transitions.extensions.asyncio import AsyncMachine

from tests.bench.figures import in_turns, ratio, spread
from warm_transfer.events import Event
from warm_transfer.journal import MemoryJournal, replay, to_line
from warm_transfer.policy import Plan, Strategy, TransferPolicy
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.scenario import SCENARIOS, run
from warm_transfer.transfer import Transfer

__all__ = ["engine"]

ROUNDS = 30
TRANSFERS = 60
KEPT = 500
PLAN = Plan(strategies=(Strategy("relay"),))
POLICY = TransferPolicy()

Word = list[tuple[Event, float]]


def _word() -> Word:
    """The events of a whole merged call, with their times."""
    journal = MemoryJournal()
    run(SCENARIOS["merged"], journal=journal)
    return [(step.event, step.at_s) for step in replay(journal.lines)]


def _per_event_us(once: Callable[[], None], events: int) -> float:
    begun_ns = time.perf_counter_ns()
    for _ in range(TRANSFERS):
        once()
    return (time.perf_counter_ns() - begun_ns) / TRANSFERS / events / 1000


def _core(word: Word, *, journal: bool) -> Callable[[], None]:
    def once() -> None:
        transfer = Transfer("bench", policy=POLICY, plan=PLAN)
        for event, at_s in word:
            step = transfer.receive(event, at_s)
            if journal:
                json.dumps(to_line(step, transfer, 0.0), separators=(",", ":"))

    return once


def _moves(word: Word) -> list[tuple[str, str, str]]:
    """The same moves for machines that know no guards: each row once, by source and event."""
    transfer = Transfer("bench", policy=POLICY, plan=PLAN)
    steps = [transfer.receive(event, at_s) for event, at_s in word]
    moves = {(s.event.name.value, s.before.value): s.after.value for s in steps if s.row}
    return [(event, source, target) for (event, source), target in moves.items()]


class _Model:
    state: str


def _machine(cls: type[Any], word: Word) -> tuple[Any, Any]:
    model = _Model()
    machine = cls(
        model,
        states=[state.value for state in State],
        initial=State.IDLE.value,
        auto_transitions=False,
        ignore_invalid_triggers=True,
    )
    for event, source, target in _moves(word):
        machine.add_transition(event, source, target)
    return machine, model


def _bare(word: Word) -> Callable[[], None]:
    machine, model = _machine(Machine, word)
    names = [event.name.value for event, _ in word]

    def once() -> None:
        machine.set_state(State.IDLE.value, model)
        for name in names:
            model.trigger(name)

    return once


def _asynchronous(word: Word, runner: asyncio.Runner) -> Callable[[], None]:
    machine, model = _machine(AsyncMachine, word)
    names = [event.name.value for event, _ in word]

    async def all_of_them() -> None:
        for name in names:
            await model.trigger(name)

    def once() -> None:
        machine.set_state(State.IDLE.value, model)
        runner.run(all_of_them())

    return once


def _dictionary(word: Word) -> Callable[[], None]:
    table = {(source, event): target for event, source, target in _moves(word)}
    names = [event.name.value for event, _ in word]

    def once() -> None:
        state = State.IDLE.value
        for name in names:
            state = table.get((state, name), state)

    return once


def _kept_bytes(word: Word) -> int:
    """What one transfer in its merged call keeps, the shared machine apart."""
    until = next(
        number for number, (event, _) in enumerate(word) if event.name.value == "MERGE_CONFIRMED"
    )
    _core(word, journal=False)()
    gc.collect()
    tracemalloc.start()
    kept = []
    for _ in range(KEPT):
        transfer = Transfer("bench", policy=POLICY, plan=PLAN)
        for event, at_s in word[: until + 1]:
            transfer.receive(event, at_s)
        kept.append(transfer)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size // len(kept)


def engine(rounds: int = ROUNDS) -> dict[str, Any]:
    """Microseconds for one event, and the ratio of ours to each; bytes for one transfer."""
    logging.getLogger("transitions").setLevel(logging.WARNING)
    word = _word()
    with asyncio.Runner() as runner:
        measured = _measure(word, runner, rounds)
    ours = measured["core_and_journal"]
    return {
        "events": len(word),
        "rows": len(TABLE.rows),
        "event_us": {name: spread(values, 2) for name, values in measured.items()},
        "core_and_journal_by": {name: ratio(ours, values) for name, values in measured.items()},
        "bytes_per_transfer": _kept_bytes(word),
    }


def _measure(word: Word, runner: asyncio.Runner, rounds: int) -> dict[str, list[float]]:
    kinds = {
        "core": _core(word, journal=False),
        "core_and_journal": _core(word, journal=True),
        "transitions": _bare(word),
        "transitions_async": _asynchronous(word, runner),
        "dictionary": _dictionary(word),
    }
    return in_turns(
        {name: lambda once=once: _per_event_us(once, len(word)) for name, once in kinds.items()},  # type: ignore[misc]  # the lambda's default binds each
        rounds,
    )
