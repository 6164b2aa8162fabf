"""``python -m warm_transfer.testing.explorer``."""

import json
from pathlib import Path

import pytest

from tests.testing.explorer.tables import SILENT, SMALL
from warm_transfer.cli import main as warm_transfer
from warm_transfer.journal import read, replay
from warm_transfer.testing.explorer import __main__ as command


@pytest.fixture
def one_scope(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(command, "SCOPES", (SMALL,))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "build" / "explore.json"


def explore(*argv: str) -> int:
    return command.main(["--processes", "1", *argv])


def test_the_totals_are_written_and_shown(
    one_scope: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # One scope alone does not take every row, and that is said.
    assert explore() == 1
    totals = json.loads(one_scope.read_text())
    assert totals["violations"] == []
    assert totals["configurations"] > 20_000
    assert any("BRIDGED" in each for each in totals["missed"])
    out = capsys.readouterr().out
    assert f"1/1  {SMALL.name}" in out
    assert "row not taken: " in out
    assert "violations                 0" in out


def test_a_violation_names_its_journal_which_can_be_replayed(
    one_scope: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explore("--table", "tests.testing.explorer.tables:SILENT") == 1
    (*_, found) = json.loads(one_scope.read_text())["violations"]
    assert found["invariant"] == "the_held_caller_hears_music"
    assert found["scope"] == SMALL.name
    assert found["path"][0] == "TRANSFER_REQUESTED"
    assert found["journal"] == "build/explore/the_held_caller_hears_music.jsonl"
    assert len(list(replay(read(found["journal"]), SILENT))) > 1
    capsys.readouterr()
    assert warm_transfer(["demo", "--replay", found["journal"]]) == 1
    out, err = capsys.readouterr()
    assert "TRANSFER_REQUESTED" in out
    assert "breaks the_held_caller_hears_music" in out
    assert f"recorded with another table ({SILENT.version})" in out
    assert err == ""


@pytest.mark.parametrize("name", ["nowhere:TABLE", "warm_transfer.table:NOTHING", "json:dumps", ""])
def test_a_table_that_is_not_there_is_said(
    name: str, one_scope: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert explore("--table", name) == 2
    assert capsys.readouterr().err.startswith("explorer: ")
    assert not one_scope.exists()


def test_a_table_that_breaks_a_rule_cannot_be_walked(
    one_scope: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = SILENT.with_rows(SILENT.rows[1:])
    monkeypatch.setattr("tests.testing.explorer.tables.SILENT", broken)
    assert explore("--table", "tests.testing.explorer.tables:SILENT") == 2
    assert "is not decided" in capsys.readouterr().err
    assert not one_scope.exists()
