from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.testing.own_observers import Kept, Notes, kept_by
from warm_transfer.journal import FileJournal, read
from warm_transfer.testing.clauses import BrokenClause
from warm_transfer.testing.contracts import JournalContract


class TestMemory(JournalContract):
    def make_journal(self) -> Kept:
        return Kept()

    def read_back(self, journal: Any) -> Iterable[Mapping[str, Any]]:
        lines: list[dict[str, Any]] = journal.lines
        return lines


class TestHook(Notes):
    """A hook that takes note."""


def test_our_own_file_keeps_the_contract(tmp_path: Path) -> None:
    class Files(JournalContract):
        files = 0

        def make_journal(self) -> FileJournal:
            self.files += 1
            return FileJournal(tmp_path / f"{self.files}.jsonl")

        def read_back(self, journal: Any) -> Iterable[Mapping[str, Any]]:
            journal.close()
            return read(journal.path)

    Files().test_every_clause_holds()


def test_the_first_line_that_differs_is_told() -> None:
    class Forgetful(Kept):
        def write(self, line: Mapping[str, object]) -> None:
            if len(self.lines) < 3:
                super().write(line)

    with pytest.raises(BrokenClause, match=r"\d+ lines were written, 3 are read back"):
        kept_by(Forgetful)().check("merged")
