"""The simulated server's time: latencies that a seed varies, and news that keep their order."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import TypeVarTuple

from warm_transfer.testing.livekit.server import Member

__all__ = ["Timeline"]

Args = TypeVarTuple("Args")


class Timeline:
    """When things happen.

    Make it inside a running event loop, normally that of `warm_transfer.testing.clock`.

    Args:
        seed: with a seed every latency varies by a factor between 0.5 and 2, the same way each
            time; without one they are as in `latency`.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        self._random = None if seed is None else random.Random(seed)  # noqa: S311 - to be replayed
        self._counts: Counter[str] = Counter()

    @property
    def now_s(self) -> float:
        """The virtual time in seconds."""
        return self.loop.time()

    def lag(self, seconds: float) -> float:
        """A latency, with this world's variation."""
        if self._random is None:
            return seconds
        return seconds * self._random.uniform(0.5, 2.0)

    async def wait(self, seconds: float) -> None:
        """Let a latency pass."""
        await asyncio.sleep(self.lag(seconds))

    def after(
        self, seconds: float, what: Callable[[*Args], object], *args: *Args
    ) -> asyncio.TimerHandle:
        """Do something when a latency has passed."""
        return self.loop.call_later(self.lag(seconds), what, *args)

    def tell(
        self, member: Member, seconds: float, what: Callable[[*Args], object], *args: *Args
    ) -> None:
        """Send news to a member's connection: later, but never in another order than sent."""
        # Timers of the same instant run in no order of their own, so each gets an instant.
        at_s = max(self.now_s + self.lag(seconds), member.told_until_s + 1e-6)
        member.told_until_s = at_s
        self.loop.call_at(at_s, what, *args)

    def number(self, prefix: str) -> str:
        """A fresh id, counted, so that every run has the same ones."""
        self._counts[prefix] += 1
        return f"{prefix}{self._counts[prefix]}"

    def shuffle(self, members: list[Member]) -> None:
        """Put into any order what the real server does in no order of its own."""
        if self._random is not None:
            self._random.shuffle(members)
