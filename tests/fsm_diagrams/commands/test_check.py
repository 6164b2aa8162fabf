from __future__ import annotations

from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main

TARGET = "warm_transfer.table:TABLE"


def _page(tmp_path: Path, target: str = TARGET) -> Path:
    path = tmp_path / "page.md"
    path.write_text(f"<!-- fsm-diagrams: render {target} -->\n<!-- /fsm-diagrams -->\n")
    return path


def test_a_stale_document_exits_with_1_and_a_diff(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = _page(tmp_path)
    assert main(["check", str(page)]) == 1
    out = capsys.readouterr().out
    assert "+stateDiagram-v2" in out
    assert f"{page}: 1 of 1 blocks stale" in out


def test_writing_brings_a_document_up_to_date(tmp_path: Path) -> None:
    page = str(_page(tmp_path))
    assert main(["check", page, "--write"]) == 0
    assert main(["check", page]) == 0


def test_an_error_in_one_document_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(tmp_path / "none.md"), str(_page(tmp_path))]) == 2
    seen = capsys.readouterr()
    assert "none.md" in seen.err
    assert "1 of 1 blocks stale" in seen.out


def test_a_document_with_an_error_is_not_half_written(tmp_path: Path) -> None:
    page = _page(tmp_path)
    page.write_text(page.read_text() + _page(tmp_path, "nowhere:X").read_text())
    before = page.read_bytes()
    assert main(["check", str(page), "--write"]) == 2
    assert page.read_bytes() == before
