"""More and more transfers at once in one agent process on a real server, until it is full.

Each has a human in the briefing and a caller who hears music. Callers and phones are WebRTC
participants in this process, the driver, who murmur; a SIP service would take their place.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.live.control import Control
from tests.live.errors import CannotRun
from tests.live.people import Stage
from tests.live.phone import Phone
from tests.live.pilots import Pilot
from tests.live.scenarios import Scenario
from tests.live.server import Server, running_server
from tests.live.voices import write_music
from tests.merges.bench import Bench, running_agent
from tests.merges.carriers import CALLER
from tests.merges.pairs import Murmur
from warm_transfer.outcome import Reason
from warm_transfer.states import State

__all__ = ["FULL_PCT", "cpu_s", "load", "until_full"]

FULL_PCT = 90
"""Of all cores: so much is full."""
RING_S = 1.0
BRIEFED_WITHIN_S = 20.0
"""Each call, from its beginning."""
SETTLE_S = 4.0
MEASURED_S = 8.0
GONE_S = 20.0
ENDED_WITHIN_S = 45.0
"""All of them; where the SDK's native part has panicked, its calls never return."""
FOR_LONG: dict[str, float] = {
    "ring_timeout_s": 60.0,
    "decision_timeout_s": 240.0,
    "hold_limit_s": 300.0,
    "call_limit_s": 600.0,
}
BUILD = Path(__file__).resolve().parents[2] / "build"

Share = dict[str, Any]
"""What one count took: ``calls``, ``briefed``, and percent of a core by process."""


class _MurmuringPhone(Phone):
    """A phone that answers and murmurs, and hears what it is told."""

    def __init__(self, server: Server, stage: Stage, scenario: Scenario) -> None:
        super().__init__(server, stage, scenario, mute=False)
        self._murmur = Murmur(Pilot.HUMAN)

    async def dial(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ring for a moment, and answer."""
        await self._murmur.join(self._server, request["room"], request["identity"])
        await self._murmur.local.set_attributes({"sip.callStatus": "ringing"})
        await asyncio.sleep(self._scenario.ring_s)
        await self._murmur.local.set_attributes({"sip.callStatus": "active"})
        self._murmur.murmur(deaf=False)
        return {"answered": True}

    async def hang_up(self) -> None:
        """Nothing: the leg is taken away with its room, and the driver's end at the end."""

    async def aclose(self) -> None:
        """Put the phone away."""
        await self._murmur.leave()


@dataclass(slots=True)
class _Call:
    """A call in the briefing."""

    stage: Stage = field(default_factory=Stage)
    caller: Murmur = field(default_factory=lambda: Murmur(Pilot.CALLER))
    phone: _MurmuringPhone | None = None
    control: Control | None = None

    @property
    def briefed(self) -> bool:
        return State.BRIEFING in self.stage.states

    async def begin(self, bench: Bench) -> None:
        """Have a caller join, and the agent transfer them."""
        self.phone = _MurmuringPhone(bench.server, self.stage, _SCENARIO)
        self.control = Control(self.phone, self.stage)
        url, room = await self.control.start(), bench.room()
        await self.caller.join(bench.server, room, CALLER)
        self.caller.murmur(deaf=False)
        bench.agent.send(
            "call",
            room=room,
            merge="relay",
            control=url,
            music=str(bench.output / "music.wav"),
            journal=str(bench.output / f"{room}.jsonl"),
            briefing_s=FOR_LONG["call_limit_s"],
            limit_s=GONE_S,
            policy=FOR_LONG,
        )

    async def end(self) -> None:
        """Hang up, and wait for the transfer to be over."""
        await self.caller.leave()
        if self.control is not None:
            await self.control.wait_for("closed", GONE_S)
        if self.phone is not None:
            await self.phone.aclose()
        if self.control is not None:
            await self.control.aclose()


_SCENARIO = Scenario(
    name="load",
    result=State.ABANDONED,
    reason=Reason.CALLER_LEFT,
    caller=(),
    ring_s=RING_S,
)


def load(
    say: Callable[[str], None],
    keep: Callable[[list[Share]], None],
    counts: Iterable[int],
) -> list[Share]:
    """Measure each count until the machine is full.

    Raises:
        CannotRun: there is no server of our own.
    """
    return asyncio.run(_on_a_server(say, keep, counts))


async def _on_a_server(
    say: Callable[[str], None], keep: Callable[[list[Share]], None], counts: Iterable[int]
) -> list[Share]:
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    output = BUILD / "bench" / "load"
    output.mkdir(parents=True, exist_ok=True)
    write_music(output / "music.wav")
    async with running_server(say, output / "server.log") as server:
        if server.process is None:
            raise CannotRun("what a server takes is seen only on one of our own: unset LIVEKIT_URL")

        async def measure(count: int) -> Share:
            # A process of its own each, so that what one has left costs the next one nothing.
            async with running_agent(server, output) as agent:
                return await _measure(Bench(server, agent, output), count)

        return await until_full(measure, counts, say, keep)


async def until_full(
    measure: Callable[[int], Awaitable[Share]],
    counts: Iterable[int],
    say: Callable[[str], None],
    keep: Callable[[list[Share]], None],
    *,
    cores: int = os.cpu_count() or 1,
) -> list[Share]:
    """Measure more and more, until the cores are full or a call does not come up."""
    found: list[Share] = []
    for count in counts:
        share = await measure(count)
        found.append(share)
        keep(found)
        say(f"{count} at once: {share}")
        full = share["sum_pct"] >= FULL_PCT * cores
        if full or share["briefed"] < count:
            break
    return found


async def _measure(bench: Bench, count: int) -> Share:
    assert bench.server.process is not None
    processes = {
        "server": bench.server.process.pid,
        "agent": bench.agent.process.pid,
        "driver": os.getpid(),
    }
    async with _briefed(bench, count) as calls:
        begun_s, spent = time.monotonic(), _spent(processes)
        await asyncio.sleep(MEASURED_S)
        lasted_s, now = time.monotonic() - begun_s, _spent(processes)
        pct = {f"{name}_pct": _pct(now[name] - spent[name], lasted_s) for name in now}
        briefed = sum(call.briefed for call in calls)
    others = pct.pop("machine_pct") - sum(pct.values())
    return {
        "calls": count,
        "briefed": briefed,
        **pct,
        "sum_pct": round(sum(pct.values()), 1),
        # What else ran on the machine, so that one can see whether it was quiet.
        "others_pct": round(max(0.0, others), 1),
    }


@contextlib.asynccontextmanager
async def _briefed(bench: Bench, count: int) -> AsyncIterator[list[_Call]]:
    """Have so many calls in the briefing, one after the other, as far as they come up in time."""
    calls = [_Call() for _ in range(count)]
    try:
        with contextlib.suppress(TimeoutError):
            for call in calls:
                async with asyncio.timeout(BRIEFED_WITHIN_S):
                    await call.begin(bench)
                    while not call.briefed:  # noqa: ASYNC110 - a harness may poll
                        await asyncio.sleep(0.05)
            await asyncio.sleep(SETTLE_S)
        yield calls
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDED_WITHIN_S):
                await asyncio.gather(*(call.end() for call in calls), return_exceptions=True)


def _pct(spent_s: float, lasted_s: float) -> float:
    return round(100 * spent_s / lasted_s, 1)


def _spent(processes: Mapping[str, int]) -> dict[str, float]:
    spent = {name: cpu_s(pid) for name, pid in processes.items()}
    return {**spent, "machine": _machine_s()}


def cpu_s(pid: int) -> float:
    """The CPU time that a process and its threads have taken, in seconds (see proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _machine_s() -> float:
    """The CPU time of everything on the machine."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system = map(int, first[:3])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")
