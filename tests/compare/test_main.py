from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.compare import __main__ as command
from tests.compare.rows import HELD, Row, hole_row
from tests.compare.verdict import Shown
from tests.holes.hole import Hole


def row(held: bool) -> Row:
    shown = {side: Shown(owed={HELD: side or held}, said="") for side in (True, False)}
    return hole_row("H1", "t", shown[True], shown[False])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "BUILD", tmp_path / "build")
    monkeypatch.setattr(command, "STORED", tmp_path / "comparison.json")
    monkeypatch.setattr(command, "PAGE", tmp_path / "comparison.md")
    return tmp_path


def stored(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "build" / "compare.json").read_text())["rows"]
    return rows


def test_an_unknown_row_is_one_sentence_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["--row", "nonsense"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: unknown row 'nonsense': the known ones are H1, ")
    assert said.endswith("accepted\n")


def test_a_row_is_played_on_both_sides_judged_and_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--row", "H7", "--row", "busy@simulated"]) in (0, 1)
    assert [(each["id"], each["place"]) for each in stored(folder)] == [
        ("H7", "simulated"),
        ("busy", "simulated"),
    ]
    assert stored(folder)[0]["incumbent"]["owed"] == {HELD: False}
    assert not (folder / "comparison.json").exists()
    assert "2 rows, behind in " in capsys.readouterr().out


def test_simulated_only_plays_nothing_on_the_real_server(folder: Path) -> None:
    command.main(["--row", "busy", "--simulated-only"])
    assert [each["place"] for each in stored(folder)] == ["simulated"]


def test_to_be_behind_fails_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def behind(_: Hole) -> Row:
        return row(held=False)

    def held(_: Hole) -> Row:
        return row(held=True)

    monkeypatch.setattr(command, "_play_hole", behind)
    assert command.main(["--row", "H1"]) == 1
    assert capsys.readouterr().out.endswith("1 rows, behind in H1\n")
    monkeypatch.setattr(command, "_play_hole", held)
    assert command.main(["--row", "H1"]) == 0
    assert stored(folder)[0]["verdict"] == "equal"


def test_a_row_can_be_put_into_the_documents(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(_: Hole) -> Row:
        return row(held=True)

    old = [hole_row("H2", "u", None, row(True).ours, reason="r").stored()]
    (folder / "comparison.json").write_text(json.dumps({"rows": old}))
    monkeypatch.setattr(command, "_play_hole", held)
    assert command.main(["--row", "H1", "--update"]) == 0
    new = json.loads((folder / "comparison.json").read_text())
    # A new row stands where the page has it, and one that was there is replaced.
    assert [each["verdict"] for each in new["rows"]] == ["equal", "not_drivable"]
    assert "| H1 | t |" in (folder / "comparison.md").read_text()
    (folder / "comparison.json").write_text(json.dumps({"rows": [row(False).stored(), *old]}))
    assert command.main(["--row", "H1", "--update"]) == 0
    assert json.loads((folder / "comparison.json").read_text()) == new
