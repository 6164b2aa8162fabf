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
import sys
import weakref
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context, copy_context
from heapq import heappop, heappush
from pathlib import PurePath
from types import CoroutineType, FrameType, GeneratorType
from typing import Any, TypeVar, TypeVarTuple

from warm_transfer.errors import WarmTransferError

__all__ = ["Deadlock", "VirtualClockLoop", "run", "runner", "tasks"]

T = TypeVar("T")
Args = TypeVarTuple("Args")

_SAME_S = 1e-9
"""Timers this close together are due in the same turn, as in asyncio on most systems."""


class Deadlock(WarmTransferError, RuntimeError):
    """Nothing is ready and no timer runs: every task waits for another."""

    def __init__(self, at_s: float, waiting: tuple[str, ...]) -> None:
        super().__init__(at_s, waiting)
        self.at_s = at_s
        self.waiting = waiting

    def __str__(self) -> str:
        tasks = "".join(f"\n  {each}" for each in self.waiting) or " nobody"
        return f"deadlock at {self.at_s:g} s, waiting:{tasks}"


class _Due:
    """Something to be run, soon or at a time: what ``call_soon`` and ``call_at`` return."""

    __slots__ = ("args", "at_s", "callback", "context")

    def __init__(
        self, at_s: float, callback: Any, args: tuple[Any, ...], context: Context | None
    ) -> None:
        self.at_s = at_s
        self.callback = callback
        """None when it has been cancelled."""
        self.args = args
        self.context = copy_context() if context is None else context

    def __repr__(self) -> str:
        return f"<due at {self.at_s:g} s: {self.callback!r}>"

    def cancel(self) -> None:
        """Do not run it."""
        # What it would have been run with may be the only way back to much else.
        self.callback, self.args = None, ()

    def cancelled(self) -> bool:
        """Whether it is not to be run."""
        return self.callback is None

    def when(self) -> float:
        """When it is due."""
        return self.at_s


class VirtualClockLoop(asyncio.BaseEventLoop):
    """An event loop on a virtual clock that starts at 0.0: timers, and nothing else to wait for.

    What is due at the same time runs in the order in which it was asked for.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        self._running = self._stopped = self._shut = False
        # Each is a handle to asyncio, which asks for no more of one than `_Due` has.
        self._soon: deque[Any] = deque()
        self._timers: list[tuple[float, int, Any]] = []
        self._made: set[weakref.ref[asyncio.Task[Any]]] = set()
        self._count = 0
        super().__init__()

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now_s

    def timers(self) -> tuple[asyncio.TimerHandle, ...]:
        """The timers that will still run, the next one first."""
        return tuple(due for _, _, due in sorted(self._timers) if not due.cancelled())

    def tasks(self) -> set[asyncio.Task[Any]]:
        """The tasks that are not done, without a look at those of other loops."""
        made = [task() for task in tuple(self._made)]
        return {task for task in made if task is not None and not task.done()}

    def create_task(
        self,
        coro: Any,
        *,
        name: object = None,
        context: Context | None = None,
        **new: Any,
    ) -> asyncio.Task[Any]:
        """Make a task, as asyncio does, and note it."""
        task = super().create_task(coro, name=name, context=context, **new)
        self._made.add(weakref.ref(task, self._made.discard))
        return task

    def stall(self, seconds: float) -> None:
        """Let time pass in which nothing runs, as when something keeps the loop busy."""
        self._now_s += seconds

    def call_soon(
        self, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        """Run something in the next turn."""
        if self._shut:
            raise RuntimeError("Event loop is closed")
        due: Any = _Due(self._now_s, callback, args, context)
        self._soon.append(due)
        return due  # type: ignore[no-any-return] # see `_soon`

    def call_soon_threadsafe(
        self, callback: Callable[[*Args], object], *args: *Args, context: Context | None = None
    ) -> asyncio.Handle:
        """Do the same: there is no other thread."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run something so many seconds from now."""
        return self._at(self._now_s + delay, callback, args, context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Args], object],
        *args: *Args,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run something at a time."""
        return self._at(when, callback, args, context)

    def _at(
        self, when: float, callback: Any, args: tuple[Any, ...], context: Context | None
    ) -> asyncio.TimerHandle:
        if self._shut:
            raise RuntimeError("Event loop is closed")
        due: Any = _Due(when, callback, args, context)
        self._count += 1
        heappush(self._timers, (when, self._count, due))
        return due  # type: ignore[no-any-return] # see `_soon`

    def is_running(self) -> bool:
        """Whether it runs."""
        return self._running

    def stop(self) -> None:
        """Return from `run_forever` at the end of this turn."""
        self._stopped = True

    def run_forever(self) -> None:
        """Run turn after turn until stopped.

        Raises:
            Deadlock: there is nothing left to run.
        """
        if self._shut:
            raise RuntimeError("Event loop is closed")
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(finalizer=self._finish)
        asyncio._set_running_loop(self)  # noqa: SLF001 - exported for those who make loops
        self._running = True
        try:
            self._turn_until_stopped()
        finally:
            self._running = self._stopped = False
            asyncio._set_running_loop(None)  # noqa: SLF001 - as above
            sys.set_asyncgen_hooks(*hooks)

    def close(self) -> None:
        """Forget what is not due yet."""
        self._shut = True
        self._soon.clear()
        self._timers.clear()
        super().close()

    def _turn_until_stopped(self) -> None:
        soon, timers = self._soon, self._timers
        while not self._stopped:
            while timers and timers[0][2].callback is None:
                heappop(timers)
            if timers:
                if not soon or timers[0][0] <= self._now_s + _SAME_S:
                    self._fetch_due()
            elif not soon:
                raise Deadlock(self._now_s, _who_waits(self))
            # What is asked for in this turn is run in the next.
            for _ in range(len(soon)):
                due = soon.popleft()
                callback = due.callback
                if callback is not None:
                    try:
                        due.context.run(callback, *due.args)
                    except Exception as error:  # noqa: BLE001 - it has nobody else to tell
                        told = f"Exception in callback {callback}"
                        self.call_exception_handler({"message": told, "exception": error})

    def _fetch_due(self) -> None:
        """Put the timers that are due with what runs soon; let time pass when nothing does."""
        soon, timers = self._soon, self._timers
        if not soon and timers[0][0] > self._now_s:
            self._now_s = timers[0][0]
        until_s = self._now_s + _SAME_S
        while timers and timers[0][0] <= until_s:
            soon.append(heappop(timers)[2])

    def _finish(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._shut:
            self.call_soon(self.create_task, generator.aclose())


def runner() -> asyncio.Runner:
    """Return a runner on a fresh virtual clock, to be used as a context manager."""
    return asyncio.Runner(loop_factory=VirtualClockLoop)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a fresh virtual clock and return its result.

    Raises:
        Deadlock: everybody waits for somebody.
    """
    # A runner would look after Ctrl-C as well, which takes as long as a short test.
    loop = VirtualClockLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        _end(loop)


def tasks() -> set[asyncio.Task[Any]]:
    """As ``asyncio.all_tasks()``; quicker on a virtual clock, where many loops come and go."""
    loop = asyncio.get_running_loop()
    return loop.tasks() if isinstance(loop, VirtualClockLoop) else asyncio.all_tasks(loop)


def _end(loop: VirtualClockLoop) -> None:
    """Cancel what still runs, and close the loop."""
    try:
        rest = loop.tasks()
        for task in rest:
            task.cancel()
        if rest:
            loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _who_waits(loop: VirtualClockLoop) -> tuple[str, ...]:
    tasks = sorted(loop.tasks(), key=lambda task: task.get_name())
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
