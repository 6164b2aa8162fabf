from __future__ import annotations

import json
from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.saved import to_json
from tests.fsm_diagrams.machines import door
from tests.fsm_diagrams.test_tracing import transfer_journal

LINE = {"event": "BURNT", "before": "open", "after": "gone"}


@pytest.fixture
def journal(tmp_path: Path) -> str:
    return str(transfer_journal(tmp_path / "t.jsonl"))


def _plain(tmp_path: Path, *lines: dict[str, str]) -> str:
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_a_journal_of_a_transfer_needs_no_target(
    journal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", journal]) == 0
    text = capsys.readouterr().out
    assert text.startswith("sequenceDiagram\n    title warm transfer, t-1\n    actor p_caller")
    assert "1.500 s CONSULT_REFUSED (486, Busy Here)" in text


@pytest.mark.parametrize("name", ["path", "dot", "html"])
def test_the_path_is_drawn_in_every_format(
    journal: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", journal, "--format", name]) == 0
    text = capsys.readouterr().out
    assert "CONSULT_REFUSED" in text
    assert "SESSION_CLOSED" not in text


def test_a_plain_journal_is_told_without_a_target_and_drawn_with_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _plain(tmp_path, LINE)
    assert main(["trace", run]) == 0
    assert "p_world->>p_machine: BURNT" in capsys.readouterr().out
    assert main(["trace", run, "--format", "path"]) == 2
    assert "a path needs --target" in capsys.readouterr().err
    (tmp_path / "door.json").write_text(to_json(door()), encoding="utf-8")
    target = str(tmp_path / "door.json")
    assert main(["trace", run, "--target", target, "--format", "path"]) == 0
    assert "step" in capsys.readouterr().out


def test_of_several_transfers_one_has_to_be_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = _plain(tmp_path, LINE | {"transfer": "a"}, LINE | {"transfer": "b", "event": "WET"})
    assert main(["trace", run]) == 2
    assert (
        "run.jsonl: it holds 2 transfers; choose with --transfer: a, b" in capsys.readouterr().err
    )
    assert main(["trace", run, "--transfer", "b"]) == 0
    text = capsys.readouterr().out
    assert "WET" in text
    assert "BURNT" not in text
    assert main(["trace", run, "--transfer", "c"]) == 2


def test_a_broken_journal_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", str(tmp_path / "none.jsonl")]) == 2
    assert "No such file" in capsys.readouterr().err
    assert main(["trace", _plain(tmp_path, {"event": "x"})]) == 2
    assert "run.jsonl:1: has no usable `before`" in capsys.readouterr().err
