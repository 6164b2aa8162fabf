"""Hooks for state changes: any number, sync or async, never able to touch the transfer."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Sequence

from warm_transfer.logs import BoundLog
from warm_transfer.ports import StateChange, StateHook

__all__ = ["Hooks"]


class Hooks:
    """Calls the hooks of one transfer, each in a turn of its own, in order.

    A hook that raises is logged. A hook that hangs is given up after `timeout_s` and logged. One
    that does not even let itself be cancelled is left behind after as long again, and logged.
    """

    def __init__(self, hooks: Sequence[StateHook], *, timeout_s: float, log: BoundLog) -> None:
        self._hooks = tuple(hooks)
        self._timeout_s = timeout_s
        self._log = log
        self._running: set[asyncio.Task[None]] = set()

    def tell(self, change: StateChange) -> None:
        """Tell every hook of a change; returns before any of them runs."""
        for hook in self._hooks:
            asyncio.get_running_loop().call_soon(self._call, hook, change)

    async def wait_quiet(self) -> None:
        """Return when no hook is running. Bounded, because every hook is."""
        # One turn, so that hooks told of in this turn have been called.
        await asyncio.sleep(0)
        if self._running:
            _, left = await asyncio.wait(self._running, timeout=2 * self._timeout_s)
            if left:
                self._log.error("hooks left behind", count=len(left))

    def _call(self, hook: StateHook, change: StateChange) -> None:
        try:
            result = hook(change)
        except Exception:  # noqa: BLE001 - a hook is foreign code: what it raises ends here
            self._log.exception("hook failed", after=change.after.value)
            return
        if inspect.isawaitable(result):
            task = asyncio.ensure_future(self._finish(result, change))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            if inspect.iscoroutine(result):
                # Cancelled before its first step it would complain that nobody awaited it.
                task.add_done_callback(lambda _task: result.close())

    async def _finish(self, result: Awaitable[object], change: StateChange) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await result
        except TimeoutError:
            self._log.warning("hook timed out", after=change.after.value, limit_s=self._timeout_s)
        except Exception:  # noqa: BLE001 - as above
            self._log.exception("hook failed", after=change.after.value)
