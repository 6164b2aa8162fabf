"""The commands of ``docs/diagrams-review.md`` say what the page says they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.inspection import Flaw
from tests.sources import ROOT

PAGE = (ROOT / "docs" / "diagrams-review.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"```console\n\$ fsm-diagrams ([^\n]+)\n((?:(?!```).)+)```\n\nIt exits with (\d)\.",
    PAGE,
    re.DOTALL,
)
HOOKS = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")


@pytest.fixture
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in re.findall(r"<!-- (\w+\.\w+) -->\n```\w+\n(.+?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize(("words", "said", "code"), EXAMPLES, ids=[each[0] for each in EXAMPLES])
def test_an_example_says_what_the_page_shows(
    words: str, said: str, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split(words)) == int(code)
    seen = capsys.readouterr()
    assert seen.out + seen.err == said


def test_every_review_command_has_an_example() -> None:
    commands = {words.split()[0] for words, _, _ in EXAMPLES}
    assert commands == {"diff", "cover", "trace", "paths", "findings"}


def test_every_finding_is_explained() -> None:
    assert re.findall(r"^\| ([a-z ]+) \| .+ \|$", PAGE.split("## Does anything")[1], re.MULTILINE)[
        1:
    ] == list(Flaw)


def test_the_hooks_run_commands_that_there_are() -> None:
    entries = re.findall(r"entry: fsm-diagrams (.+)", HOOKS)
    assert entries == ["check", "check --write"]
    assert main([*entries[0].split(), str(ROOT / "docs" / "states.md")]) == 0
