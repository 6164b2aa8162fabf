from __future__ import annotations

import json
from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.saved import to_json
from tests.fsm_diagrams.machines import door
from tests.fsm_diagrams.test_tracing import transfer_journal

TARGET = "warm_transfer.table:TABLE"


@pytest.fixture
def journal(tmp_path: Path) -> str:
    return str(transfer_journal(tmp_path / "t.jsonl"))


def test_what_a_journal_took_is_counted(journal: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cover", TARGET, journal, journal]) == 0
    out = capsys.readouterr().out
    assert "in 2 runs of 8 lines" in out
    assert "     2  dialing x CONSULT_REFUSED\n" in out
    assert "\n  merged x CALLER_HUNG_UP\n" in out


def test_too_little_exits_with_1_and_the_report_is_written(
    journal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cover", TARGET, journal, "--fail-under", "50"]) == 1
    seen = capsys.readouterr()
    assert seen.err.endswith("% of the rows were taken, less than 50 %\n")
    assert seen.out.startswith("Coverage of warm transfer: 3 of ")
    assert main(["cover", TARGET, journal, "--fail-under", "2"]) == 0


@pytest.mark.parametrize("name", ["flowchart", "dot", "html"])
def test_the_counts_stand_in_the_picture(
    journal: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture"
    assert main(["cover", TARGET, journal, "--format", name, "-o", str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert b"never" in path.read_bytes()
    assert b"1x" in path.read_bytes()


def test_another_machine_is_covered_by_a_plain_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine, run = tmp_path / "door.json", tmp_path / "run.jsonl"
    machine.write_text(to_json(door()), encoding="utf-8")
    run.write_text(json.dumps({"event": "BURNT", "before": "open", "after": "gone"}))
    assert main(["cover", str(machine), str(run), "--format", "markdown"]) == 0
    assert "1 of 4 rows taken (25.0 %)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"v":1', '"v":9'), "t.jsonl:1: is a journal line of version 9"),
        (("CALLER_HELD", "CALLER_FELT"), "t.jsonl:2: has the event 'CALLER_FELT'"),
        (('"table":"', '"table":"0'), "t.jsonl:1: is of version 0"),
        (('{"v":1,', ""), "t.jsonl:1: is not JSON"),
    ],
)
def test_a_broken_journal_and_one_of_another_table_exit_with_2(
    journal: str, change: tuple[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(journal)
    path.write_text(path.read_text().replace(*change))
    assert main(["cover", TARGET, journal]) == 2
    seen = capsys.readouterr()
    assert said in seen.err
    assert seen.out == ""


@pytest.mark.parametrize("share", ["101", "-1", "much", "nan"])
def test_a_share_that_is_none_is_refused(journal: str, share: str) -> None:
    with pytest.raises(SystemExit):
        main(["cover", TARGET, journal, f"--fail-under={share}"])
