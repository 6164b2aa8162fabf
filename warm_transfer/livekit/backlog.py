"""The frames that wait for the event loop: the newest of them, how many were dropped, how late."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["Backlog"]


class Backlog:
    """A bounded queue that drops its oldest frame, and knows how long each one has waited.

    Args:
        capacity: how many frames may wait.
        clock: gives the time in seconds.
    """

    def __init__(self, capacity: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._frames: deque[tuple[float, Any]] = deque(maxlen=capacity)
        self._there = asyncio.Event()
        self._arrived_s: deque[float] = deque()
        self.dropped = 0
        """How many frames had to go."""
        self._dropped_lag_s = 0.0
        self.lag_s = 0.0
        """How long the last frame has waited, or one that had to go just before it: after a stall
        only the newest are left, and they have hardly waited."""

    def arrived(self) -> None:
        """Note that a frame is there that will be put in later; may be called in any thread."""
        self._arrived_s.append(self._clock())

    def put(self, frame: Any) -> None:
        """Take a frame, or None for the end; beyond the capacity the oldest goes."""
        now_s = self._clock()
        arrived_s = self._arrived_s.popleft() if self._arrived_s else now_s
        if len(self._frames) == self._frames.maxlen:
            self.dropped += 1
            self._dropped_lag_s = max(self._dropped_lag_s, now_s - self._frames[0][0])
        self._frames.append((arrived_s, frame))
        self._there.set()

    async def get(self) -> Any:
        """Wait for a frame, and give the oldest that is left."""
        while not self._frames:
            self._there.clear()
            await self._there.wait()
        arrived_s, frame = self._frames.popleft()
        self.lag_s = max(self._clock() - arrived_s, self._dropped_lag_s)
        self._dropped_lag_s = 0.0
        return frame
