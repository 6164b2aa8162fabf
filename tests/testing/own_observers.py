"""Journals and hooks as an application writes them, each with one thing wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from warm_transfer.journal import MemoryJournal
from warm_transfer.ports import StateChange, StateHook
from warm_transfer.testing.contracts import JournalContract, StateHookContract

__all__ = ["BROKEN", "KeepsEverything", "Notes"]


class KeepsEverything(JournalContract):
    def make_journal(self) -> Any:
        return MemoryJournal()

    def read_back(self, journal: Any) -> Iterable[Mapping[str, Any]]:
        kept: list[dict[str, Any]] = journal.lines
        return kept


class Kept(MemoryJournal):
    """A journal of the application's own."""


class IsAwaited(Kept):
    async def write(self, line: Mapping[str, object]) -> None:  # type: ignore[override]  # the fault
        super().write(line)


class WantsAnOutcome(Kept):
    def write(self, line: Mapping[str, object]) -> None:
        super().write(line)
        assert line["deadline_s"] is not None


class TakesThePayloadOut(Kept):
    def write(self, line: Any) -> None:
        super().write(line)
        line.pop("payload")


class WaitsForTheDisk(Kept):
    def write(self, line: Mapping[str, object]) -> None:
        super().write(line)
        time.sleep(0.06)


class KeepsChangesOnly(Kept):
    def write(self, line: Mapping[str, object]) -> None:
        if line["before"] != line["after"]:
            super().write(line)


class RoundsTheTimes(Kept):
    def write(self, line: Mapping[str, object]) -> None:
        super().write({**line, "t_s": round(float(str(line["t_s"])))})


def kept_by(journal: type[Kept]) -> type[JournalContract]:
    class Contract(KeepsEverything):
        def make_journal(self) -> Any:
            return journal()

    Contract.__name__ = journal.__name__
    return Contract


class Notes(StateHookContract):
    def make_hook(self) -> StateHook:
        return [].append  # type: ignore[return-value]  # any function will do


class ReadsTheOutcome(Notes):
    def make_hook(self) -> StateHook:
        def hook(change: StateChange) -> None:
            assert change.outcome is not None

        return hook


class PostsAndWaits(Notes):
    def make_hook(self) -> StateHook:
        def hook(change: StateChange) -> None:
            del change
            time.sleep(0.06)

        return hook


class WaitsForAnAnswer(Notes):
    def make_hook(self) -> StateHook:
        async def hook(change: StateChange) -> None:
            del change
            await asyncio.sleep(30.0)

        return hook


class LeavesATask(Notes):
    def make_hook(self) -> StateHook:
        tasks: list[asyncio.Task[None]] = []

        def hook(change: StateChange) -> None:
            tasks.append(asyncio.create_task(asyncio.sleep(1e6), name=f"{change.after} told"))

        return hook


#: Each broken suite with the clause that names what is wrong.
BROKEN: dict[type[JournalContract | StateHookContract], str] = {
    kept_by(IsAwaited): "write_is_a_plain_function",
    kept_by(WantsAnOutcome): "write_raises_nothing",
    kept_by(TakesThePayloadOut): "write_leaves_the_line_as_it_is",
    kept_by(WaitsForTheDisk): "write_returns_at_once",
    kept_by(KeepsChangesOnly): "every_line_is_kept_in_order",
    kept_by(RoundsTheTimes): "every_line_is_kept_in_order",
    ReadsTheOutcome: "it_takes_every_change",
    PostsAndWaits: "it_returns_at_once",
    WaitsForAnAnswer: "it_ends_in_time",
    LeavesATask: "nothing_is_left",
}
