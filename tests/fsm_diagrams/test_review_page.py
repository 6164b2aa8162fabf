"""The commands of ``docs/diagrams-review.md`` say what the page says they say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import textwrap
from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.inspection import Flaw
from tests.diagrams.console import put_command
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


@pytest.fixture
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository with the old shop, and the new one in the work tree."""
    monkeypatch.chdir(tmp_path)
    shop = re.findall(r"<!-- shop.py -->\n```\w+\n(.+?)```", PAGE, re.DOTALL)[0]
    (tmp_path / "shop.py").write_text(f"{shop}\nSHOP = OLD\n", encoding="utf-8")
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (("init", "-q"), ("add", "shop.py"), (*who, "commit", "-q", "-m", "old")):
        subprocess.run(["git", *words], check=True, timeout=60)  # noqa: S603, S607
    (tmp_path / "shop.py").write_text(f"{shop}\nSHOP = NEW\n", encoding="utf-8")


@pytest.mark.usefixtures("_repository")
@pytest.mark.parametrize(
    ("target", "base", "code", "changed"),
    [
        ("shop:SHOP", "HEAD", 0, "changed=1\n"),
        ("shop:OLD", "HEAD", 0, "changed=0\n"),
        ("shop:SHOP", "no-such-revision", 2, ""),
    ],
)
def test_the_workflow_writes_a_comment_where_something_has_changed(
    tmp_path: Path, target: str, base: str, code: int, changed: str
) -> None:
    (script,) = re.findall(r"id: compare\n.+?run: \|\n(.+?)\n      - if", PAGE, re.DOTALL)
    put_command(tmp_path)
    variables = {"TARGET": target, "BASE": base, "GITHUB_OUTPUT": str(tmp_path / "output")}
    done = subprocess.run(  # noqa: S603 - the script of our own page, as GitHub runs it
        ["/bin/bash", "-e", "-o", "pipefail", "-c", textwrap.dedent(script)],
        env=os.environ | variables | {"PATH": f"{tmp_path / '.bin'}:{os.environ['PATH']}"},
        check=False,
        timeout=60,
    )
    assert done.returncode == code
    output, comment = tmp_path / "output", (tmp_path / "comment.md").read_text(encoding="utf-8")
    assert (output.read_text() if output.exists() else "") == changed
    assert ("### Changes of shop" in comment) is (code == 0)
    assert ("\n```mermaid\n" in comment) is (changed == "changed=1\n")
    assert comment.count("```") == (2 if changed == "changed=1\n" else 0)


def test_the_hooks_run_commands_that_there_are() -> None:
    entries = re.findall(r"entry: fsm-diagrams (.+)", HOOKS)
    assert entries == ["check", "check --write"]
    assert main([*entries[0].split(), str(ROOT / "docs" / "states.md")]) == 0
