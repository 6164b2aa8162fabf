"""What is there before a transfer, and what is there too much after it."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from dataclasses import dataclass

from livekit import rtc

__all__ = ["Snapshot"]

OWN_TASKS = ("live ", "job_shutdown_callback")
"""Tasks of the harness itself; the job's shutdown waits for its findings."""


def _tasks() -> dict[int, str]:
    found: dict[int, str] = {}
    for task in asyncio.all_tasks():
        if task.done() or task.get_name().startswith(OWN_TASKS):
            continue
        coroutine = task.get_coro()
        name = getattr(coroutine, "__qualname__", repr(coroutine))
        found[id(task)] = f"{task.get_name()} ({name})"
    return found


def _rooms() -> dict[int, rtc.Room]:
    rooms = (thing for thing in gc.get_objects() if isinstance(thing, rtc.Room))
    return {id(room): room for room in rooms if room.isconnected()}


def _tracks(rooms: dict[int, rtc.Room]) -> dict[int, str]:
    return {
        id(publication): f"{publication.name or publication.sid} in {room.name}"
        for room in rooms.values()
        for publication in room.local_participant.track_publications.values()
    }


def _threads() -> dict[int, str]:
    """Name the threads, but for two kinds that belong to nobody's transfer.

    A thread of the native SDK counts as a dummy once it has called into Python, and the loop's
    default executor keeps its threads for later.
    """
    return {
        thread.ident or 0: thread.name
        for thread in threading.enumerate()
        if not thread.name.startswith(("Dummy-", "asyncio_"))
    }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The tasks, rooms, tracks and threads of this process."""

    tasks: dict[int, str]
    rooms: dict[int, str]
    tracks: dict[int, str]
    threads: dict[int, str]

    @classmethod
    def take(cls) -> Snapshot:
        """Look at what there is now."""
        rooms = _rooms()
        return cls(
            tasks=_tasks(),
            rooms={key: room.name for key, room in rooms.items()},
            tracks=_tracks(rooms),
            threads=_threads(),
        )

    def left(self) -> dict[str, list[str]]:
        """Name what has come since and is still there."""
        now = Snapshot.take()
        return {
            kind: sorted(name for key, name in getattr(now, kind).items() if key not in known)
            for kind, known in (
                ("tasks", self.tasks),
                ("rooms", self.rooms),
                ("tracks", self.tracks),
                ("threads", self.threads),
            )
        }

    async def left_after(self, settle_s: float) -> dict[str, list[str]]:
        """Name what is left, giving what is on its way out a moment to go."""
        end_s = time.monotonic() + settle_s
        while True:
            left = self.left()
            if not any(left.values()) or time.monotonic() > end_s:
                return left
            await asyncio.sleep(0.2)
