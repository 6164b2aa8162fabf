"""The contracts of who only looks on: a journal, and a hook for changes of state."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from warm_transfer.journal import MemoryJournal
from warm_transfer.ports import Journal, StateChange, StateHook
from warm_transfer.testing.clauses import Findings
from warm_transfer.testing.contract import Contract
from warm_transfer.testing.scenario import SCENARIOS, play

__all__ = ["JournalContract", "StateHookContract"]

_BLOCKS_S = 0.05
"""A call that takes longer than this in real time, and not once by accident, blocks the call."""

_USUAL = ("merged", "decline", "busy", "caller-leaves-briefing")


class _Pace:
    """How long calls take in real time."""

    def __init__(self) -> None:
        self._took_s: list[float] = []

    def took(self, seconds: float) -> None:
        self._took_s.append(seconds)

    @property
    def typical_s(self) -> float:
        """What half of them take at most; one that the machine has delayed does not count."""
        return sorted(self._took_s)[len(self._took_s) // 2] if self._took_s else 0.0


class _Scenarios(Contract[str]):
    """Plays whole transfers, by the name of their scenario."""

    def usual(self) -> Sequence[str]:
        """A few of different shape."""
        return _USUAL

    def drawn(self, st: Any) -> Any:
        """Any of the catalogue."""
        return st.sampled_from(sorted(SCENARIOS))


class JournalContract(_Scenarios):
    """Derive from it, and say how to make your journal and how to read it back."""

    CLAUSES: ClassVar[Mapping[str, str]] = {
        "write_is_a_plain_function": "`write` is no coroutine function: nobody awaits it.",
        "write_raises_nothing": "`write` raises nothing: an error is a line that is lost.",
        "write_leaves_the_line_as_it_is": "`write` does not change the line: others get it too.",
        "write_returns_at_once": (
            "`write` does not wait for a disk or a network: sound stops while it does."
        ),
        "every_line_is_kept_in_order": "What is read back is every line, in order, as it was.",
    }

    def make_journal(self) -> Journal:
        """A fresh journal."""
        raise NotImplementedError

    def read_back(self, journal: Any) -> Iterable[Mapping[str, Any]]:
        """Everything that was written to it, oldest first."""
        raise NotImplementedError

    async def play(self, plan: str, findings: Findings) -> None:
        """Play a transfer with the journal, and read it back."""
        journal = self.make_journal()
        watched = _WatchedJournal(journal, findings)
        await play(SCENARIOS[plan], journal=watched)
        pace_s = watched.pace.typical_s
        slow = f"it typically takes {pace_s:.3f} s"
        findings.check(pace_s < _BLOCKS_S, "write_returns_at_once", slow)
        found = [dict(each) for each in self.read_back(journal)]
        wanted = watched.kept.lines
        clause = "every_line_is_kept_in_order"
        findings.check(found == wanted, clause, _difference(wanted, found))


def _difference(wanted: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> str:
    for number, (one, other) in enumerate(zip(wanted, found, strict=False), 1):
        wrong = [key for key in one if one[key] != other.get(key)]
        if wrong:
            key = wrong[0]
            return f"line {number}: `{key}` was {one[key]!r}, now {other.get(key)!r}"
    return f"{len(wanted)} lines were written, {len(found)} are read back"


class _WatchedJournal:
    def __init__(self, journal: Journal, findings: Findings) -> None:
        self._journal = journal
        self._check = findings.check
        self.kept = MemoryJournal()
        self.pace = _Pace()

    def write(self, line: Mapping[str, object]) -> None:
        """Write one line, and look at what becomes of it."""
        self.kept.write(line)
        before, began_s = dict(line), time.perf_counter()
        try:
            # A coroutine function would fit as well, and its line be lost.
            write: Any = self._journal.write
            given = write(line)
        except Exception as error:  # noqa: BLE001 - code under test may raise anything
            self._check(False, "write_raises_nothing", f"it raised {error!r}")
            return
        self.pace.took(time.perf_counter() - began_s)
        if inspect.iscoroutine(given):
            given.close()
            self._check(False, "write_is_a_plain_function", "it returns a coroutine")
        changed = [key for key in before if dict(line).get(key) != before[key]]
        self._check(not changed, "write_leaves_the_line_as_it_is", f"it changed {changed}")


class StateHookContract(_Scenarios):
    """Derive from it, and say how to make your hook for `on_state_change=`."""

    CLAUSES: ClassVar[Mapping[str, str]] = {
        "it_takes_every_change": (
            "Whatever the change, with and without an outcome, it raises nothing."
        ),
        "it_returns_at_once": (
            "The function itself does not wait for a disk or a network: sound stops while it does."
        ),
        "it_ends_in_time": "A coroutine function ends within `TransferPolicy.hook_timeout_s`.",
        "nothing_is_left": "When the transfer is over, nothing that the hook has begun runs on.",
    }

    def make_hook(self) -> StateHook:
        """A fresh hook."""
        raise NotImplementedError

    async def play(self, plan: str, findings: Findings) -> None:
        """Play a transfer with the hook."""
        hook, pace = self.make_hook(), _Pace()

        async def awaited(work: Any, change: StateChange) -> None:
            try:
                await work
            except asyncio.CancelledError:
                # The transfer gives it up then.
                findings.check(False, "it_ends_in_time", f"not at {change.after}")
                raise
            except Exception as error:  # noqa: BLE001 - code under test may raise anything
                findings.check(False, "it_takes_every_change", f"{change.after}: {error!r}")

        def watched(change: StateChange) -> object:
            began_s = time.perf_counter()
            try:
                work = hook(change)
            except Exception as error:  # noqa: BLE001 - as above
                findings.check(False, "it_takes_every_change", f"{change.after}: {error!r}")
                return None
            pace.took(time.perf_counter() - began_s)
            return awaited(work, change) if inspect.isawaitable(work) else None

        before = asyncio.all_tasks()
        result = await play(SCENARIOS[plan], on_state_change=watched)
        slow = f"it typically takes {pace.typical_s:.3f} s"
        findings.check(pace.typical_s < _BLOCKS_S, "it_returns_at_once", slow)
        mine = {each.get_name() for each in asyncio.all_tasks() - before}
        left = sorted(each for each in mine if not each.startswith("sim:"))
        findings.check(not left, "nothing_is_left", f"tasks run on: {', '.join(left)}")
        assert result.closed, "a hook cannot touch the transfer"
