"""A whole run: every strategy one after another, and the figures of all."""

from __future__ import annotations

import asyncio
import os
import platform
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.live.errors import CannotRun
from tests.live.server import VERSION, Say, running_server
from tests.live.voices import write_music
from tests.live.worker import hurry
from tests.merges.bench import Bench, running_agent
from tests.merges.calls import Call, make_call, make_pair
from tests.merges.delays import spread
from tests.merges.pairs import cpu_pct
from tests.merges.strategies import NAMES, why_not
from tests.merges.trouble import killed_agent, restarts

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "merges"

COMPARE_EVERY = 5
"""After so many merges the same room and the naive relay are measured once, in the same run."""
LEAKS = ("briefing_at_caller", "caller_at_human", "music_at_human", "human_at_caller")
FIGURES = (
    "merges",
    "leaks",
    "gap_ms",
    "one_way_ms",
    "same_room_ms",
    "naive_relay_ms",
    "cpu_pct",
    "restart",
    "agent_killed",
)


async def run(
    strategies: Sequence[str],
    merges: int,
    say: Say,
    *,
    relays: Sequence[int],
    trouble: bool,
    keep: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Run the strategies.

    Args:
        strategies: their names.
        merges: how many calls each.
        say: told how it goes.
        relays: for how many relays in one process the CPU is measured.
        trouble: whether the server is restarted and the agent killed.
        keep: is given the figures so far, so that a run that dies has not been for nothing.

    Returns:
        The figures, ready to be written.
    """
    _go_on_sigterm()
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_music(FOLDER / "music.wav")
    found: dict[str, Any] = {}
    faults: list[str] = []
    async with running_server(say, FOLDER / "server.log") as server:
        # The build of a server has no hurry.
        hurry()
        for name in strategies:
            async with running_agent(server, FOLDER) as agent:
                bench = Bench(server, agent, FOLDER)
                found[name] = await _one(bench, name, merges, say, faults)
            keep(_result(found, faults))
            if trouble:
                found[name]["agent_killed"] = await killed_agent(say, bench, name)
                if not os.environ.get("LIVEKIT_URL"):
                    found[name]["restart"] = await restarts(say, bench, name)
                keep(_result(found, faults))
            # Last, because a machine that cannot carry so many may end the run.
            if name == "relay" and relays:
                found[name]["cpu_pct"] = await _cpu(bench, "relay", relays, say)
                found[name]["naive_cpu_pct"] = await _cpu(bench, "naive", relays, say)
                # What the rooms alone take: connections, and the decoding of what is subscribed.
                found[name]["joined_cpu_pct"] = await _cpu(bench, "none", relays, say)
                keep(_result(found, faults))
    return _result(found, faults)


def _go_on_sigterm() -> None:
    """Stop what was started also on SIGTERM, which the SDK sends itself when its core panics."""
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)


def _result(found: dict[str, Any], faults: Sequence[str]) -> dict[str, Any]:
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}",
        "server": VERSION,
        "strategies": {name: found.get(name) or _not_run(name) for name in NAMES},
        "faults": list(faults),
    }


def _not_run(name: str) -> dict[str, Any]:
    reason = why_not(name) or "it was not asked for"
    return {**dict.fromkeys(FIGURES), "not_run": reason}


async def _one(bench: Bench, name: str, merges: int, say: Say, faults: list[str]) -> dict[str, Any]:
    calls: list[Call] = []
    same: list[float] = []
    naive: list[float] = []
    for number in range(1, merges + 1):
        call = await make_call(bench, name)
        calls.append(call)
        faults += [f"{name} {number}: {each}" for each in _faults(call)]
        say(f"{name} {number}: {call.result}, gap {call.gap_ms() or 0:.0f} ms")
        if number % COMPARE_EVERY == 0 or number == merges:
            same += await make_pair(bench, "same_room")
            naive += await make_pair(bench, "naive")
    leaks = {each: sum(call.leaks()[each] for call in calls) for each in LEAKS}
    faults += [f"{name}: {count} frames of {each}" for each, count in leaks.items() if count]
    gaps = [gap for call in calls if (gap := call.gap_ms()) is not None]
    one_way = [delay for call in calls for delay in call.one_way_ms()]
    return {
        "merges": sum(call.result == "merged" for call in calls),
        "leaks": leaks,
        "gap_ms": spread(gaps),
        "one_way_ms": spread(one_way),
        "same_room_ms": spread(same),
        "naive_relay_ms": spread(naive),
        "cpu_pct": None,
        "restart": None,
        "agent_killed": None,
    }


def _faults(call: Call) -> list[str]:
    found = list(call.faults)
    if call.result != "merged":
        found.append(f"ended as {call.result}")
    if call.result == "merged" and call.gap_ms() is None:
        found.append("they did not hear each other")
    if not call.closed:
        found.append("something was left")
    return found


async def _cpu(bench: Bench, kind: str, relays: Sequence[int], say: Say) -> dict[str, float | None]:
    """The share of a core of each relay; None from the number on that the machine cannot carry."""
    shares: dict[str, float | None] = dict.fromkeys(map(str, relays))
    # In processes of their own, so that what one has left behind costs the next one nothing.
    for count in relays:
        async with running_agent(bench.server, bench.output) as agent:
            at = Bench(bench.server, agent, bench.output)
            try:
                shares[str(count)] = await cpu_pct(at, kind, count)
            except (TimeoutError, CannotRun) as error:
                say(f"{kind}: {count} in one process: {type(error).__name__}")
                break
        say(f"{kind}: {count} in one process take {shares[str(count)]} % of a core each")
    return shares
