from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from warm_transfer.errors import JournalError
from warm_transfer.events import On
from warm_transfer.journal import FileJournal
from warm_transfer.rows import Table
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.regressions import DecidesOtherwise, journals, regression
from warm_transfer.testing.scenario import SCENARIOS, run


def kept(folder: Path, *names: str) -> Path:
    path = folder / "kept.jsonl"
    journal = FileJournal(path)
    for name in names:
        for line in run(SCENARIOS[name]).journal:
            journal.write({**line, "transfer": name})
    journal.close()
    return path


def turned(event: On) -> Table:
    """Our table, where a refusal or a decline ends as something else."""
    return TABLE.with_rows(
        replace(row, target=State.DECLINED if row.target is State.FAILED else State.FAILED)
        if row.event is event and row.source in (State.DIALING, State.BRIEFING)
        else row
        for row in TABLE.rows
    )


def test_our_table_decides_as_recorded(tmp_path: Path) -> None:
    assert regression(kept(tmp_path, "merged", "busy", "decline")) == 3


def test_another_table_that_decides_the_same_here_is_as_good(tmp_path: Path) -> None:
    other = turned(On.CONSULT_DECLINED)
    assert other.version != TABLE.version
    assert regression(kept(tmp_path, "merged", "busy"), table=other) == 2


def test_the_first_line_that_differs_is_named(tmp_path: Path) -> None:
    path = kept(tmp_path, "merged", "busy", "decline")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    number = next(n for n, line in enumerate(lines, 1) if line["event"] == "CONSULT_DECLINED")
    with pytest.raises(DecidesOtherwise) as caught:
        regression(path, table=turned(On.CONSULT_DECLINED))
    assert (caught.value.number, caught.value.problem) == (
        number,
        "went briefing to declined, now briefing to failed",
    )
    text = str(caught.value)
    assert text.startswith(f"{path}:{number}: went briefing to declined, now briefing to failed\n")
    assert "CONSULT_DECLINED in briefing" in text
    assert TABLE.version in text


def test_the_first_line_of_several_transfers_is_the_first_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "two.jsonl"
    lines = kept(tmp_path, "decline").read_text(encoding="utf-8").splitlines(keepends=True)
    first, second = lines, [line.replace('"decline"', '"second"') for line in lines]
    # The second begins first, and is decided last.
    path.write_text("".join([second[0], *first, *second[1:]]), encoding="utf-8")
    with pytest.raises(DecidesOtherwise) as caught:
        regression(path, table=turned(On.CONSULT_DECLINED))
    assert caught.value.line["transfer"] == "decline"


def test_a_journal_that_cannot_be_replayed_is_no_difference(tmp_path: Path) -> None:
    path = kept(tmp_path, "busy")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[1:]))
    with pytest.raises(JournalError, match="is step 2 of transfer"):
        regression(path)
    path.write_text("")
    with pytest.raises(JournalError, match="holds no transfer"):
        regression(path)


def test_a_folder_gives_its_journals_and_an_empty_one_is_an_error(tmp_path: Path) -> None:
    path = kept(tmp_path / "a" / "b", "busy")
    assert journals(tmp_path) == [path]
    (tmp_path / "empty").mkdir()
    with pytest.raises(JournalError, match="holds no journal"):
        journals(tmp_path / "empty")
