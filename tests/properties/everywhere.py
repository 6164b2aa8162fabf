"""Runs a scenario once to count its points, then once for each point with something going wrong.

A *suspension point* is a place where a task of the transfer gives the loop its turn, or has been
made and not begun yet: there a cancellation can strike. A *fault position* is the n-th call of a
method of the seam.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from warm_transfer.livekit.preflight import forget
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.play import Result, Stage, play
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.scenario import SCENARIOS, Fault, How, Scenario

__all__ = ["BY_STRATEGY", "Found", "cancelled_everywhere", "failed_everywhere", "merged_by"]

_ROOTS = ("Runner.", "Hooks.")
"""Where the transfer's own tasks begin; tasks they make are the transfer's too."""

_OURS_TO_CALL = ("tool.",)
"""Calls that go the other way: a tool of the consult agent is called by the SDK."""


_MERGED = {
    "move": ("merged", "caller-leaves-merging", "human-leaves-merged"),
    "sip_bridge": ("merged", "caller-leaves-merging", "human-leaves-merged"),
    "shared_room": ("merged", "caller-leaves-merging", "human-leaves-returned"),
}
"""The scenarios that are played by each strategy in which the agent does not carry the sound."""


def merged_by(strategy: str, told: Scenario) -> Scenario:
    """The same transfer where another strategy than the relay comes first."""
    return replace(
        told,
        server=replace(told.server, moves=strategy == "move"),
        # A caller that is no phone is refused there.
        caller=replace(told.caller, by_phone=strategy == "shared_room"),
        # Alone, because the human is talked to elsewhere; the others fall to the relay.
        merge=(strategy,) if strategy == "shared_room" else (strategy, "relay"),
    )


BY_STRATEGY = {
    f"{name} by {strategy}": merged_by(strategy, SCENARIOS[name])
    for strategy, names in _MERGED.items()
    for name in names
}
"""Scenarios of transfers that merge otherwise than by the relay."""


@dataclass
class Found:
    """What came of trying every point."""

    tried: int = 0
    problems: list[str] = field(default_factory=list)


class _Watched(Coroutine[Any, Any, Any]):
    """A coroutine whose suspensions are counted."""

    def __init__(self, inner: Coroutine[Any, Any, Any], recorder: _Recorder) -> None:
        self._inner = inner
        self._recorder = recorder
        self.task: asyncio.Task[Any] | None = None

    def send(self, value: Any) -> Any:
        result = self._inner.send(value)
        self._recorder.suspended(self.task)
        return result

    def throw(self, *error: Any) -> Any:
        result = self._inner.throw(*error)
        self._recorder.suspended(self.task)
        return result

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self._inner.__await__())


class _Recorder:
    """Counts the suspension points of the transfer's tasks and cancels at one of them."""

    def __init__(self, strike_at: int = 0) -> None:
        self.points = 0
        self.struck: str | None = None
        self._strike_at = strike_at
        self._ours: set[asyncio.Task[Any]] = set()

    def make_task(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any
    ) -> asyncio.Task[Any]:
        """Make a task; one of the transfer's is watched (a loop's task factory)."""
        if not self._is_ours(coroutine):
            return asyncio.Task(coroutine, loop=loop, **options)
        watched = _Watched(coroutine, self)
        # Comes before the task's own first step, and when it has got its name.
        loop.call_soon(self._unbegun, watched)
        watched.task = asyncio.Task(watched, loop=loop, **options)
        self._ours.add(watched.task)
        return watched.task

    def suspended(self, task: asyncio.Task[Any] | None) -> None:
        """Take note of a suspension."""
        if task is not None and self._strikes(task):
            self.struck = task.get_name()
            asyncio.get_running_loop().call_soon(task.cancel)

    def _unbegun(self, watched: _Watched) -> None:
        task = watched.task
        if task is not None and self._strikes(task):
            self.struck = f"{task.get_name()}, unbegun"
            task.cancel()

    def _strikes(self, task: asyncio.Task[Any]) -> bool:
        # Tasks inside the simulated SDK stand for the SDK's own, which nobody can reach.
        if task.get_name().startswith("sim:"):
            return False
        self.points += 1
        return self.points == self._strike_at

    def _is_ours(self, coroutine: Any) -> bool:
        if getattr(coroutine, "__qualname__", "").startswith(_ROOTS):
            return True
        try:
            return asyncio.current_task() in self._ours
        except RuntimeError:
            return False


def _run(told: Scenario, recorder: _Recorder | None = None) -> Result:
    # What is found out about the server is looked up anew, so that each run makes the same calls.
    forget(SimSdk.url)
    with clock.runner() as runner:
        if recorder is not None:
            runner.get_loop().set_task_factory(recorder.make_task)
        return runner.run(_play(told))


async def _play(told: Scenario) -> Result:
    stage = Stage(told)
    if "sip_bridge" in told.merge:
        stage.world.trunks.set_up_bridge()
    return await play(told, stage=stage)


def cancelled_everywhere(told: Scenario) -> Found:
    """Cancel at every suspension point of every task of the transfer, one point a run."""
    counting = _Recorder()
    found = Found(problems=list(audit(_run(told, counting))))
    for point in range(1, counting.points + 1):
        recorder = _Recorder(point)
        result = _run(told, recorder)
        result.world.cancelled_s.append(result.began_s)
        problems = audit(result)
        assert recorder.struck is not None, "the same scenario has the same points"
        found.tried += 1
        for problem in problems:
            found.problems.append(f"cancelled at {point} ({recorder.struck}): {problem}")
    return found


def _positions(told: Scenario) -> Iterator[tuple[str, int]]:
    for name, calls in sorted(_run(told).world.faults.calls.items()):
        if not name.startswith(_OURS_TO_CALL):
            yield from ((name, number) for number in range(1, calls + 1))


def failed_everywhere(told: Scenario) -> Found:
    """Let every call of the seam go wrong in every way, one call a run."""
    found = Found()
    for name, number in _positions(told):
        for how in How:
            result = _run(replace(told, faults={**told.faults, (name, number): Fault(how)}))
            found.tried += 1
            for problem in audit(result):
                found.problems.append(f"{name} call {number} {how}: {problem}")
    return found
