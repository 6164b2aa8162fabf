from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from tests.bench import __main__ as command
from tests.live.errors import CannotRun


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "build" / "bench.json"
    monkeypatch.setattr(command, "OUTPUT", path)
    return path


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_the_parts_that_are_asked_for_are_measured_and_written(
    output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--only", "engine", "--rounds", "1"]) == 0
    found = read(output)
    assert found.keys() == {"setting", "taken", "engine", "goals"}
    assert found["setting"].keys() == {"date", "agents", "server", "python", "cores"}
    assert found["taken"]["engine"].keys() == {"at", "load_before"}
    assert "engine" in capsys.readouterr().out


def test_what_was_measured_before_stays(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def part(options: Namespace, *_: object) -> Any:
        return {"runs": options.runs}

    monkeypatch.setattr(command, "PARTS", {"engine": part, "load": part})
    assert command.main(["--only", "engine", "--runs", "3"]) == 0
    assert command.main(["--only", "load", "--runs", "4"]) == 0
    found = read(output)
    assert (found["engine"], found["load"]) == ({"runs": 3}, {"runs": 4})
    assert found["taken"].keys() == {"engine", "load"}


def test_a_part_that_dies_has_not_been_for_nothing(
    output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def part(_options: object, _say: object, keep: Any) -> Any:
        keep(["the first"])
        raise CannotRun("no server")

    monkeypatch.setattr(command, "PARTS", {"load": part})
    assert command.main(["--only", "load"]) == 2
    assert capsys.readouterr().err == "error: no server\n"
    assert read(output)["load"] == ["the first"]


def test_a_goal_that_is_missed_is_told_and_is_no_failure(
    output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def part(*_: object) -> Any:
        return {"goals_ms": {"it": 40}, "over_python_ms": {"it": {"p50": 41.0}}}

    monkeypatch.setattr(command, "PARTS", {"imports": part})
    assert command.main(["--only", "imports"]) == 0
    assert "MISSED import it, over bare Python: 41.0 ms, goal at most 40 ms" in (
        capsys.readouterr().out
    )
    assert [goal["met"] for goal in read(output)["goals"]] == [False]


def test_an_unknown_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--only", "nonsense"])
    assert caught.value.code == 2
    assert "unknown part 'nonsense': the known ones are engine, " in capsys.readouterr().err


def test_kinds_that_are_measured_alone_are_dated_by_themselves(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "PARTS", {"real": lambda *_: {"figures": []}})
    assert command.main(["--only", "real"]) == 0
    assert command.main(["--only", "real", "--kinds", "ours,ours_default"]) == 0
    assert read(output)["taken"].keys() == {"real", "real (ours and ours_default)"}


def test_an_unknown_kind_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--kinds", "nonsense"])
    assert caught.value.code == 2
    assert "unknown kind 'nonsense': the known ones are incumbent, " in capsys.readouterr().err
