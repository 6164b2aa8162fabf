"""What the pages about diagrams show is what the commands say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagrams.console import differences, renewed

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_example_of_the_page_comes_out_as_it_stands_there(tmp_path: Path) -> None:
    assert differences((DOCS / "diagrams.md").read_text(encoding="utf-8"), tmp_path) == []


def test_the_page_shows_every_command_of_its_own() -> None:
    text = (DOCS / "diagrams.md").read_text(encoding="utf-8")
    for command in ("render", "html", "check"):
        assert f"$ fsm-diagrams {command} " in text
    for code in (1, 2):
        assert f"(exit code {code})" in text


@pytest.mark.parametrize(
    ("said", "now"),
    [("", "hello\n"), ("hullo\n", "hello\n"), ("h...\n", "hello\n")],
)
def test_an_output_that_differs_is_found_and_renewed(tmp_path: Path, said: str, now: str) -> None:
    page = f"```console\n$ echo hello\n{said}```\n"
    assert differences(page, tmp_path) == [("echo hello", said, now)]
    assert renewed(page, tmp_path) == f"```console\n$ echo hello\n{now}```\n"


def test_dots_stand_for_any_lines_but_not_for_others(tmp_path: Path) -> None:
    page = "```console\n$ seq 9\n1\n...\n9\n```\n"
    assert differences(page, tmp_path) == []
    assert differences(page.replace("\n9\n", "\n8\n"), tmp_path) != []


def test_a_file_of_the_page_is_there_for_its_commands(tmp_path: Path) -> None:
    page = "```python\n# it.py\nX = 1\n```\n\n```console\n$ cat it.py\n# it.py\nX = 1\n```\n"
    assert differences(page, tmp_path) == []


def test_an_exit_code_is_part_of_the_output(tmp_path: Path) -> None:
    page = "```console\n$ false\n(exit code 1)\n$ true\n```\n"
    assert differences(page, tmp_path) == []
