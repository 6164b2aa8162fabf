"""Many held callers in one process of the simulated world: memory, CPU at rest, release."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.engine import Engine
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.play import CALLER, DESTINATION, TRUNK, Stage
from warm_transfer.testing.scenario import scenario

__all__ = ["scale"]

COUNTS = (10, 100, 1000, 10_000)
REST_S = 5.0
QUIET_PCT = 1.0
QUIET_S = 10
READY_S = 60.0
BATCH = 200
RUN_S = 900.0
POLICY = TransferPolicy(ring_timeout_s=70.0, hold_limit_s=3600.0, decision_timeout_s=3600.0)
"""Held for long: no clock runs out while it is looked at."""
HELD = "human answers after 1 s, says nothing"


def _resident() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not tell the resident memory")


async def _hold(number: int) -> tuple[Stage, Engine]:
    stage = Stage(scenario(HELD))
    await stage.set_up()
    engine = Engine(
        host=stage.host,
        sdk=stage.sdk,
        caller_room=stage.room,
        caller_identity=CALLER,
        dial=DialOptions(destination=DESTINATION, trunk_id=TRUNK),
        policy=POLICY,
        merge="relay",
        transfer_id=f"bench-{number}",
    )
    engine.start()
    return stage, engine


async def _measure(count: int, rest_s: float, quiet_s: int) -> dict[str, Any]:
    """Hold so many, look at the process at rest, and cancel all of them at once."""
    await _hold_and_release(1)
    gc.collect()
    before = _resident()
    held: list[tuple[Stage, Engine]] = []
    for first in range(0, count, BATCH):
        held += await _briefed(range(first, min(first + BATCH, count)))
    await _settle(quiet_s)
    gc.collect()
    memory = (_resident() - before) // count
    begun_s, spent_s = time.monotonic(), time.process_time()
    await asyncio.sleep(rest_s)
    rest = (time.process_time() - spent_s) / (time.monotonic() - begun_s)
    collecting = _Collecting()
    begun_s, spent_s = time.monotonic(), time.process_time()
    with collecting:
        for _, engine in held:
            engine.cancel("released")
        await asyncio.gather(*(engine.wait_closed() for _, engine in held))
    return {
        "held": count,
        "bytes_each": memory,
        "cpu_at_rest_pct": round(100 * rest, 2),
        "release_s": round(time.monotonic() - begun_s, 3),
        "release_cpu_s": round(time.process_time() - spent_s, 3),
        # The collector looks through all that is held, each time; the more, the longer.
        "release_gc_s": round(collecting.spent_s, 3),
        "left": sum(bool(stage.world.left()) for stage, _ in held),
    }


class _Collecting:
    """Adds up the CPU time of the garbage collector; a context manager."""

    def __init__(self) -> None:
        self.spent_s = self._begun_s = 0.0

    def __enter__(self) -> None:
        gc.callbacks.append(self._told)

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._told)

    def _told(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._begun_s = time.process_time()
        else:
            self.spent_s += time.process_time() - self._begun_s


async def _briefed(numbers: range) -> list[tuple[Stage, Engine]]:
    """So many at once, as a process that is not too late for its own limits can take."""
    held = await asyncio.gather(*(_hold(number) for number in numbers))
    async with asyncio.timeout(READY_S):
        while any(engine.state is not State.BRIEFING for _, engine in held):  # noqa: ASYNC110 - a harness may poll
            await asyncio.sleep(0.05)
    return held


async def _settle(quiet_s: int) -> None:
    """Return when the process has no more to do at once; or later, when it always has."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_S):
            been_s = 0
            # The first words of a briefing take some seconds, and nothing else happens meanwhile.
            while been_s < quiet_s:
                spent_s = time.process_time()
                await asyncio.sleep(1.0)
                busy_pct = 100 * (time.process_time() - spent_s)
                been_s = been_s + 1 if busy_pct <= QUIET_PCT else 0


async def _hold_and_release(count: int) -> None:
    """The first ones load what is loaded once."""
    for number in range(count):
        _, engine = await _hold(number)
        await asyncio.sleep(0.5)
        engine.cancel("warm")
        await engine.wait_closed()


def scale(
    counts: tuple[int, ...] = COUNTS, rest_s: float = REST_S, quiet_s: int = QUIET_S
) -> list[dict[str, Any]]:
    """Each count in a process of its own, so that none inherits memory.

    Args:
        counts: how many callers are held.
        rest_s: how long the process is looked at while nothing happens, in seconds.
        quiet_s: for how many seconds it has to be quiet before.
    """
    found = []
    for count in counts:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "tests.bench.scale", *map(str, (count, rest_s, quiet_s))],
            check=True,
            capture_output=True,
            text=True,
            timeout=RUN_S,
        )
        found.append(json.loads(done.stdout))
    return found


if __name__ == "__main__":
    asked, looked_s, before_s = sys.argv[1:]
    measured = asyncio.run(_measure(int(asked), float(looked_s), int(before_s)))
    print(json.dumps(measured))  # noqa: T201 - how the parent is told
