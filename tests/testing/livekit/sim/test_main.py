from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from warm_transfer.table import TABLE
from warm_transfer.testing.livekit.sim import __main__ as command
from warm_transfer.testing.livekit.sim.counting import Tally
from warm_transfer.testing.livekit.sim.drawing import Drawn
from warm_transfer.testing.livekit.sim.farm import BATCH
from warm_transfer.testing.livekit.sim.progress import Progress
from warm_transfer.testing.livekit.sim.running import Ran, run_overheard

SAMPLE = 1000
"""As many as take some seconds; `make sim` plays more."""


def broken(drawn: Drawn, overheard: list[str], *, replayed: bool) -> Ran:
    ran = run_overheard(drawn, overheard, replayed=replayed)
    return replace(ran, problems=("9 nothing left: a shoe",)) if ran.seed == 3 else ran


def test_a_sample_has_no_violation_and_enough_of_each_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "build" / "sim.json"
    arguments = ["--n", str(SAMPLE), "--processes", "1", "--output", str(output)]

    assert command.main(arguments) == 0

    report = json.loads(output.read_text())
    assert report["violations"] == report["missed"] == []
    assert (report["n"], report["seed"], report["stopped"]) == (SAMPLE, 0, False)
    assert report["table"] == TABLE.version
    assert report["seconds"] > 0
    out, err = capsys.readouterr()
    assert "0 violations" in out
    assert f"{SAMPLE:,} of {SAMPLE:,}" in err


def test_one_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--n", "1", "--seed", "12"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Drawn(seed=12, scenario=Scenario(")
    assert json.loads(lines[1])["event"] == "TRANSFER_REQUESTED"
    assert lines[-1].startswith("seed 12: ")


def test_a_violation_is_an_exit_of_one_with_the_command_that_plays_it_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warm_transfer.testing.livekit.sim.farm.run_overheard", broken)
    output = tmp_path / "sim.json"

    assert command.main(["--n", "5", "--processes", "1", "--output", str(output)]) == 1

    assert "9 nothing left: a shoe\n  make sim N=1 SEED=3\n" in capsys.readouterr().out
    assert json.loads(output.read_text())["violations"][0]["seed"] == 3


def test_too_few_of_a_kind_is_an_exit_of_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def play_none(*_: object, told: object, **__: object) -> Tally:
        told(Tally(n=1000))  # type: ignore[operator]  # a function
        return Tally(n=1000)

    monkeypatch.setattr(command, "play_many", play_none)
    assert command.main(["--n", "1000", "--output", str(tmp_path / "sim.json")]) == 1
    assert "TOO FEW: merged: 0 of 1000" in capsys.readouterr().out


def test_ctrl_c_ends_with_what_there_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = Progress.show

    def stop(self: Progress, tally: Tally, seconds: float) -> None:
        show(self, tally, seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "show", stop)
    output = tmp_path / "sim.json"
    arguments = ["--n", str(3 * BATCH), "--processes", "1", "--output", str(output)]

    assert command.main(arguments) == 0

    report = json.loads(output.read_text())
    assert (report["n"], report["asked"], report["stopped"]) == (BATCH, 3 * BATCH, True)
    assert f"{BATCH} transfers" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--n", "0"], ["--n", "many"], ["--seed", "x"], ["--what"]])
def test_what_cannot_be_met_is_an_exit_of_two(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(wrong) == 2
    assert "usage" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_an_exit_of_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert command.main(["--n", "2", "--output", str(tmp_path / "file" / "sim.json")]) == 2
    assert "sim: " in capsys.readouterr().err
