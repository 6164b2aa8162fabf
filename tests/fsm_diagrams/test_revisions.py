from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fsm_diagrams import revisions
from fsm_diagrams.errors import TargetError
from fsm_diagrams.revisions import load_at
from fsm_diagrams.saved import to_json
from tests.fsm_diagrams.machines import door

SOURCE = """
print("imported")
from fsm_diagrams.model import Edge, Machine, State
M = Machine.of("made", [State("a"), State("b")], ["E"], ["a"], [Edge("a", "E", "%s")])
"""


def _git(where: Path, *words: str) -> None:
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    subprocess.run(  # noqa: S603 - git with our own words
        ["git", *who, *words],  # noqa: S607 - whichever git there is
        cwd=where,
        check=True,
        capture_output=True,
        env=os.environ | quiet,
    )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two revisions of a module in a package and of a saved machine, and one more on disk."""
    place = tmp_path / "work" / "lib"
    place.mkdir(parents=True)
    _git(place.parent, "init", "-q")
    for target in ("a", "b"):
        (place / "revised.py").write_text(SOURCE % target)
        (place / "saved.json").write_text(to_json(door()).replace("door", f"door {target}"))
        _git(place, "add", "-A")
        _git(place, "commit", "-q", "-m", target)
    (place / "revised.py").write_text("raise SystemExit('the work tree was read')")
    monkeypatch.chdir(place)
    return place


def test_a_target_is_read_as_it_was(repository: Path) -> None:
    assert load_at("HEAD", "revised:M").edges[0].target == "b"
    assert load_at("HEAD~1", "revised:M").edges[0].target == "a"
    assert "work tree" in (repository / "revised.py").read_text()
    assert "revised" not in sys.modules


@pytest.mark.usefixtures("repository")
def test_a_saved_machine_is_read_as_it_was() -> None:
    assert load_at("HEAD~1", "saved.json").name == "door a"
    assert load_at("HEAD", "saved.json").name == "door b"


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("revision", "target", "said"),
    [
        ("nowhere", "revised:M", "has no such revision"),
        ("--all", "revised:M", "has no such revision"),
        ("HEAD", "revised:N", "revised:N at HEAD: module 'revised' has no 'N'"),
        ("HEAD", "unheard_of:M", "there is no module 'unheard_of'"),
        ("HEAD", "tests.fsm_diagrams.elsewhere:M", "at HEAD: there is no module"),
        ("HEAD", "none.json", "git show: path 'lib/none.json' does not exist"),
        ("HEAD", "../../outside.json", "the file is not in the repository"),
    ],
)
def test_what_cannot_be_read_there_is_an_error(revision: str, target: str, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        load_at(revision, target)


@pytest.mark.usefixtures("repository")
def test_a_target_from_elsewhere_is_not_taken_for_that_of_the_revision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (away / "foreign_here.py").write_text(SOURCE % "a")
    monkeypatch.setenv("PYTHONPATH", str(away))
    with pytest.raises(TargetError, match=r"was imported from .* not in the repository"):
        load_at("HEAD", "foreign_here:M")


def test_outside_a_repository_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(TargetError, match="git rev-parse: not a git repository"):
        load_at("HEAD", "revised:M")


def test_without_git_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(TargetError, match="needs git"):
        load_at("HEAD", "revised:M")


@pytest.mark.usefixtures("repository")
def test_what_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revisions, "LIMIT_S", 0.0)
    with pytest.raises(TargetError, match="took more than 0 s"):
        load_at("HEAD", "revised:M")
