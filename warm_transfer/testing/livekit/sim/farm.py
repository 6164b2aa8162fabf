"""Plays many transfers, in several processes, and counts them."""

from __future__ import annotations

import functools
import gc
import inspect
import multiprocessing
import signal
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from multiprocessing.pool import Pool
from typing import Any

from livekit.agents.llm import FunctionTool, RawFunctionTool, tool_context
from livekit.agents.voice import agent

from warm_transfer.testing.livekit.sim.counting import JUDGED_FROM, Tally
from warm_transfer.testing.livekit.sim.drawing import draw
from warm_transfer.testing.livekit.sim.running import overhearing, run_overheard

__all__ = ["play_many", "tools_of", "workers"]

BATCH = 100
"""How many transfers a process plays before it tells."""
ONE_REPLAYED_IN = 8
"""Among many, one journal in so many is replayed, beside those of what has something wrong."""


def play_many(
    seed: int, n: int, *, processes: int = 1, told: Callable[[Tally], None] | None = None
) -> Tally:
    """Play the transfers of `n` seeds, counted from `seed` on.

    Args:
        seed: the first.
        n: how many.
        processes: in how many processes.
        told: told of the whole tally after each batch. What it raises, ``KeyboardInterrupt`` for
            example, ends all, and comes through.
    """
    tally = Tally()
    batches = [range(first, min(first + BATCH, seed + n)) for first in range(seed, seed + n, BATCH)]
    # Among few every journal can be replayed.
    one_in = 1 if n < JUDGED_FROM else ONE_REPLAYED_IN
    with _playing(processes if len(batches) > 1 else 1, one_in) as play:
        for each in play(batches):
            tally.add(each)
            if told is not None:
                told(tally)
    return tally


@contextmanager
def _playing(processes: int, one_in: int) -> Iterator[Callable[[list[range]], Iterator[Tally]]]:
    play = functools.partial(_play_batch, one_replayed_in=one_in)
    if processes == 1:
        yield lambda batches: map(play, batches)
        return
    with workers(processes) as pool:
        yield lambda batches: pool.imap_unordered(play, batches)


@contextmanager
def workers(processes: int) -> Iterator[Pool]:
    """Processes that play transfers and do nothing else; what goes on at the end is ended."""
    # A process with the SDK's native threads cannot be forked.
    pool = multiprocessing.get_context("spawn").Pool(processes, initializer=_begin)
    try:
        yield pool
    finally:
        pool.terminate()
        pool.join()


def _begin() -> None:
    """Prepare a process that does nothing else."""
    # Ctrl-C is for the process that has started this one, and ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What has been imported is not looked through again and again.
    gc.collect()
    gc.freeze()
    for module in (agent, tool_context):
        vars(module)["find_function_tools"] = tools_of
    # A transfer makes as many objects as are usually looked through twenty times.
    gc.set_threshold(5_000)


def tools_of(holder: Any) -> list[Any]:
    """What the SDK finds by looking at every attribute of each agent anew, a twentieth of the time.

    All agents of a class have the same tools, so they are looked for once.
    """
    return [getattr(holder, name) for name in _names_of_tools(holder.__class__)]


@functools.cache
def _names_of_tools(of: Hashable) -> tuple[str, ...]:
    tools = (FunctionTool, RawFunctionTool)
    found = {name: each for name, each in inspect.getmembers(of) if isinstance(each, tools)}
    for each in found.values():
        # The SDK asks for it anew whenever it binds the tool to an agent.
        function = inspect.unwrap(each)
        vars(function)["__signature__"] = inspect.signature(function)
    return tuple(found)


def _play_batch(seeds: range, one_replayed_in: int = ONE_REPLAYED_IN) -> Tally:
    tally = Tally()
    with overhearing() as overheard:
        for seed in seeds:
            replayed = seed % one_replayed_in == 0
            tally.count(run_overheard(draw(seed), overheard, replayed=replayed))
    return tally
