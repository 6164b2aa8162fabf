"""Lets everybody act when it is their time: so long after a step of the transfer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from warm_transfer.testing.livekit.when import ANCHORS, When

__all__ = ["Prompter"]


class Prompter:
    """Reads the journal as it is written, and starts what was to happen after each step.

    Args:
        acts: what happens when; each once.
    """

    def __init__(self, acts: Iterable[tuple[When, Callable[[Any], Any]]]) -> None:
        self._waiting = list(acts)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.engine: Any = None
        """What each act is given."""
        self.lines: list[Mapping[str, Any]] = []
        """Every line, in order."""

    def take(self, line: Mapping[str, Any]) -> None:
        """Take one journal line."""
        self.lines.append(line)
        entered = line["after"] if line["before"] != line["after"] else None
        for each in tuple(self._waiting):
            when, act = each
            events, states = ANCHORS[when.of]
            if line["event"] in events or entered in states:
                self._waiting.remove(each)
                self._loop.call_later(when.after_s, self._act, act)

    def _act(self, act: Callable[[Any], Any]) -> None:
        doing = act(self.engine)
        if isinstance(doing, Coroutine):
            task = self._loop.create_task(doing, name="sim: act")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
