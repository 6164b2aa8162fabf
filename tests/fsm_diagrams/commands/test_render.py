from __future__ import annotations

from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.formats import render
from fsm_diagrams.sources import load

TARGET = "warm_transfer.table:TABLE"


def test_a_drawing_goes_to_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["render", TARGET, "--format", "matrix"]) == 0
    assert capsysbinary.readouterr().out == render(load(TARGET), "matrix").encode()


def test_a_drawing_goes_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "table.json"
    assert main(["render", TARGET, "--format", "json", "-o", str(path)]) == 0
    assert capsys.readouterr().out == ""
    assert load(str(path)) == load(TARGET)


def test_a_saved_machine_draws_the_same_picture(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    path.write_text(render(load(TARGET), "json"), encoding="utf-8")
    assert render(load(str(path))) == render(load(TARGET))


def test_a_file_that_cannot_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", TARGET, "-o", str(tmp_path / "none" / "x.mmd")]) == 2
    assert "cannot be written: No such file" in capsys.readouterr().err
