from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.formats import render
from fsm_diagrams.sources import load

ROOT = Path(__file__).parents[2]
TARGET = "warm_transfer.table:TABLE"


def _run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-m", "fsm_diagrams", *arguments],
        cwd=cwd,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def _page(tmp_path: Path, target: str = TARGET) -> Path:
    path = tmp_path / "page.md"
    path.write_text(f"<!-- fsm-diagrams: render {target} -->\n<!-- /fsm-diagrams -->\n")
    return path


def test_the_module_runs_as_a_command() -> None:
    done = _run("render", TARGET, "--format", "mermaid")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == render(load(TARGET), "mermaid")


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


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", "no_such_package:X"),
        ("render", "warm_transfer.table:TABEL"),
        ("render", "warm_transfer.table:BACK"),
        ("render", TARGET, "--format", "gif"),
        ("render", TARGET, "--format", "matrix", "--view", "full"),
        ("check", "no_such_file.md"),
        (),
    ],
)
def test_an_error_exits_with_2_and_a_message_and_no_traceback(arguments: tuple[str, ...]) -> None:
    done = _run(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


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


def test_targets_beside_the_user_import_and_the_path_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.py").write_text("from warm_transfer.table import TABLE\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    before = list(sys.path)
    assert main(["render", "beside:TABLE"]) == 0
    assert sys.path == before


def test_our_own_documents_are_up_to_date() -> None:
    assert main(["check", str(ROOT / "docs" / "states.md")]) == 0
