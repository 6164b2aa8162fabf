"""A virtual clock for asyncio: an event loop whose time jumps to the next timer.

Nothing waits in real time, so a transfer of minutes takes milliseconds, and the same run gives the
same times. Three ways to use it:

* ``clock.run(coroutine)`` runs one coroutine;
* ``asyncio.Runner(loop_factory=VirtualClockLoop)``, or ``clock.runner()``, runs several;
* with pytest-asyncio, ``pytest_asyncio_loop_factories`` in a ``conftest.py`` returns
  ``{"virtual": VirtualClockLoop}``.

Sockets, threads and subprocesses do not work inside: nothing would wait for them. When nothing is
ready and no timer runs, a real loop would wait for ever; this one raises `Deadlock`, which says
who waits where.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from pathlib import PurePath
from types import CoroutineType, FrameType, GeneratorType
from typing import Any, TypeVar

from warm_transfer.errors import WarmTransferError

__all__ = ["Deadlock", "VirtualClockLoop", "run", "runner"]

T = TypeVar("T")


class Deadlock(WarmTransferError, RuntimeError):
    """Nothing is ready and no timer runs: every task waits for another."""

    def __init__(self, at_s: float, waiting: tuple[str, ...]) -> None:
        super().__init__(at_s, waiting)
        self.at_s = at_s
        self.waiting = waiting

    def __str__(self) -> str:
        tasks = "".join(f"\n  {each}" for each in self.waiting) or " nobody"
        return f"deadlock at {self.at_s:g} s, waiting:{tasks}"


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting for files, moves the clock by the time that would have been waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.loop: asyncio.AbstractEventLoop | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            assert self.loop is not None
            raise Deadlock(self.now_s, _who_waits(self.loop))
        self.now_s += timeout
        return []


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """A selector event loop on a virtual clock that starts at 0.0."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._jumping.loop = self

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._jumping.now_s


def runner() -> asyncio.Runner:
    """Return a runner on a fresh virtual clock, to be used as a context manager."""
    return asyncio.Runner(loop_factory=VirtualClockLoop)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a fresh virtual clock and return its result.

    Raises:
        Deadlock: everybody waits for somebody.
    """
    with runner() as on_virtual_clock:
        return on_virtual_clock.run(main)


def _who_waits(loop: asyncio.AbstractEventLoop) -> tuple[str, ...]:
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    return tuple(f"{task.get_name()}: {_where(task.get_coro())}" for task in tasks)


def _where(awaited: object) -> str:
    """The chain of awaits, from the outermost to the line that waits."""
    names: list[str] = []
    frame: FrameType | None = None
    while True:
        if isinstance(awaited, CoroutineType):
            names.append(awaited.__qualname__)
            frame, awaited = awaited.cr_frame or frame, awaited.cr_await
        elif isinstance(awaited, GeneratorType):
            names.append(awaited.__qualname__)
            frame, awaited = awaited.gi_frame or frame, awaited.gi_yieldfrom
        else:
            break
    line = f" at {PurePath(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else ""
    return " > ".join(names) + line
