from __future__ import annotations

from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.html import html
from fsm_diagrams.sources import load

TARGET = "warm_transfer.table:TABLE"


def test_a_page_is_written_to_standard_output(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["html", TARGET]) == 0
    assert capsysbinary.readouterr().out == html(load(TARGET)).encode()


def test_a_page_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.html"
    assert main(["html", TARGET, "-o", str(path)]) == 0
    assert path.read_bytes() == html(load(TARGET)).encode()
    assert capsys.readouterr().out == ""


def test_a_journal_that_cannot_be_read_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["html", TARGET, "--journal", str(tmp_path / "none.jsonl")]) == 2
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n")
    assert main(["html", TARGET, "--journal", str(broken)]) == 2
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "none.jsonl" in seen.err
    assert "broken.jsonl:1" in seen.err


def test_a_file_that_cannot_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["html", TARGET, "-o", str(tmp_path / "none" / "page.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
