"""A plan of faults: the n-th call of a method of the seam goes wrong in a given way.

Every method of the simulated SDK runs through `Faults.call` under a name such as
``"room.delete_room"``. The calls are counted, so that a first run without faults tells how many
there are, and each of them can then be made to fail in turn.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from warm_transfer.errors import InvalidArgument

__all__ = ["Fault", "Faults", "How"]

T = TypeVar("T")


class How(StrEnum):
    """In which way a call goes wrong."""

    FAILS = "fails"
    """Raises the error; nothing was done."""
    FAILS_AFTER = "fails_after"
    """Does its work, then raises the error: the answer was lost."""
    HANGS = "hangs"
    """Never returns; nothing was done."""
    HANGS_AFTER = "hangs_after"
    """Does its work, then never returns."""
    LATE = "late"
    """Does its work and returns `Fault.seconds` later."""
    TWICE = "twice"
    """Does its work twice: a request that was replayed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault."""

    how: How
    error: Exception | None = None
    """What is raised; a ``ConnectionError`` unless given."""
    seconds: float = 10.0
    """How late, for `How.LATE`."""


class Faults:
    """Counts the calls of the seam and lets the planned ones go wrong.

    Args:
        plan: the fault for a call, by the method's name and the number of the call from 1 on;
            number 0 means every call.
    """

    def __init__(self, plan: Mapping[tuple[str, int], Fault] | None = None) -> None:
        self.plan = dict(plan or {})
        self.calls: Counter[str] = Counter()
        self.met: list[tuple[str, int, Fault]] = []
        """The faults that have happened."""
        self.on_met: Callable[[str, Fault], None] | None = None
        """Told of each as it happens."""
        for name, number in self.plan:
            if number < 0:
                raise InvalidArgument("plan", f"has call {number} of {name}", "count from 1")

    async def call(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Run one call of the seam, with its fault if one is planned."""
        fault = self._next(name)
        if fault is None:
            return await work()
        if fault.how is How.FAILS:
            raise self._error(name, fault)
        if fault.how is not How.HANGS:
            result = await work()
            if fault.how is How.FAILS_AFTER:
                raise self._error(name, fault)
            if fault.how is How.TWICE:
                return await work()
            if fault.how is How.LATE:
                await asyncio.sleep(fault.seconds)
                return result
        await asyncio.get_running_loop().create_future()
        raise AssertionError("unreachable")

    def call_now(self, name: str, work: Callable[[], T]) -> T:
        """Run one synchronous call of the seam; it cannot hang or be late."""
        fault = self._next(name)
        if fault is None:
            return work()
        if fault.how in (How.FAILS, How.HANGS):
            raise self._error(name, fault)
        result = work()
        if fault.how in (How.FAILS_AFTER, How.HANGS_AFTER):
            raise self._error(name, fault)
        return work() if fault.how is How.TWICE else result

    def _next(self, name: str) -> Fault | None:
        self.calls[name] += 1
        number = self.calls[name]
        fault = self.plan.get((name, number)) or self.plan.get((name, 0))
        if fault is not None:
            self.met.append((name, number, fault))
            if self.on_met is not None:
                self.on_met(name, fault)
        return fault

    @staticmethod
    def _error(name: str, fault: Fault) -> Exception:
        return fault.error or ConnectionError(f"planned fault in {name}")
