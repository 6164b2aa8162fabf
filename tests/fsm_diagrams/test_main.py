from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fsm_diagrams.__main__ import COMMANDS, main
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


def test_the_module_runs_as_a_command() -> None:
    done = _run("render", TARGET, "--format", "mermaid")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == render(load(TARGET), "mermaid")


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


def test_targets_beside_the_user_import_and_the_path_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.py").write_text("from warm_transfer.table import TABLE\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    before = list(sys.path)
    assert main(["render", "beside:TABLE"]) == 0
    assert sys.path == before


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([name, "--help"])
    assert COMMANDS[name].capitalize() in " ".join(capsys.readouterr().out.split())


def test_only_the_command_that_is_asked_for_is_loaded() -> None:
    code = (
        "import sys\nfrom fsm_diagrams.__main__ import COMMANDS, main\n"
        "main(['check', 'no_such_file.md'])\n"
        "print([name for name in sys.modules if name.startswith('fsm_diagrams.commands.')])"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout == "['fsm_diagrams.commands.check']\n"


def test_our_own_documents_are_up_to_date() -> None:
    assert main(["check", str(ROOT / "docs" / "states.md")]) == 0
