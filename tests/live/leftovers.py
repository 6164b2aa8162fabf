"""What is there before a transfer, and what is there too much after it.

Things are counted by name. By identity would be too strict: a session that goes on after a
transfer has rebuilt its pipeline, with new tasks of the same names.
"""

from __future__ import annotations

import asyncio
import gc
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass

from livekit import rtc

__all__ = ["Snapshot"]

OWN_TASKS = ("live ", "job_shutdown_callback")
"""Tasks of the harness itself; the job's shutdown waits for its findings."""


def _tasks() -> Counter[str]:
    found: Counter[str] = Counter()
    for task in asyncio.all_tasks():
        name = task.get_name()
        if task.done() or name.startswith(OWN_TASKS):
            continue
        coroutine = task.get_coro()
        where = getattr(coroutine, "__qualname__", repr(coroutine))
        found[where if re.fullmatch(r"Task-\d+", name) else f"{name} ({where})"] += 1
    return found


def _rooms() -> list[rtc.Room]:
    rooms = (thing for thing in gc.get_objects() if isinstance(thing, rtc.Room))
    return [room for room in rooms if room.isconnected()]


def _tracks(rooms: list[rtc.Room]) -> Counter[str]:
    return Counter(
        f"{publication.name or publication.sid} in {room.name}"
        for room in rooms
        for publication in room.local_participant.track_publications.values()
    )


def _threads() -> Counter[str]:
    """Name the threads, but for two kinds that belong to nobody's transfer.

    A thread of the native SDK counts as a dummy once it has called into Python, and the loop's
    default executor keeps its threads for later.
    """
    names = (thread.name for thread in threading.enumerate())
    return Counter(name for name in names if not name.startswith(("Dummy-", "asyncio_")))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The tasks, rooms, tracks and threads of this process."""

    kinds: dict[str, Counter[str]]

    @classmethod
    def take(cls) -> Snapshot:
        """Look at what there is now."""
        rooms = _rooms()
        return cls(
            {
                "tasks": _tasks(),
                "rooms": Counter(room.name for room in rooms),
                "tracks": _tracks(rooms),
                "threads": _threads(),
            }
        )

    def left(self) -> dict[str, list[str]]:
        """Name what there is more of than before."""
        # A player's file decoder ends its thread when its generator is collected; what only
        # waits for the collector is not left.
        gc.collect()
        now = Snapshot.take()
        return {
            kind: sorted((counted - self.kinds[kind]).elements())
            for kind, counted in now.kinds.items()
        }

    async def left_after(self, settle_s: float) -> dict[str, list[str]]:
        """Name what is left, giving what is on its way out a moment to go."""
        end_s = time.monotonic() + settle_s
        while True:
            left = self.left()
            if not any(left.values()) or time.monotonic() > end_s:
                return left
            await asyncio.sleep(0.2)
