from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.saved import to_json
from tests.fsm_diagrams.machines import door

TARGET = "warm_transfer.table:TABLE"


@pytest.fixture
def saved(tmp_path: Path) -> tuple[str, str]:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(to_json(door()), encoding="utf-8")
    new.write_text(to_json(replace(door(), edges=door().edges[1:])), encoding="utf-8")
    return str(old), str(new)


def test_the_same_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", TARGET, TARGET]) == 0
    assert capsys.readouterr().out == "Changes of warm transfer: none; both are the same machine.\n"


def test_a_difference_exits_with_1(
    saved: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *saved]) == 1
    assert "Rows removed:\n  open x PUSHED [no wind] -> shut\n" in capsys.readouterr().out
    assert main(["diff", *saved, "--format", "markdown"]) == 1
    assert capsys.readouterr().out.startswith("### Changes of door\n\n1 row removed")


@pytest.mark.parametrize("view", ["changes", "states", "full"])
def test_a_picture_shows_the_changes_or_more(
    saved: tuple[str, str], view: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *saved, "--format", "dot", "--view", view]) == 1
    drawn = capsys.readouterr().out
    assert "gone" in drawn
    assert ("BURNT" in drawn) is (view != "changes")


def test_a_picture_of_no_difference_is_the_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", TARGET, TARGET, "--format", "flowchart"]) == 0
    assert "warm transfer" in capsys.readouterr().out


def test_a_revision_of_our_own_table_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "--git", "HEAD", TARGET]) in {0, 1}
    assert capsys.readouterr().out.startswith("Changes of warm transfer: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((TARGET,), "diff needs two targets, or --git, and there are 1"),
        ((TARGET, TARGET, TARGET), "there are 3"),
        (("--git", "HEAD", TARGET, TARGET), "one target with --git, and there are 2"),
        (("--git", "no-such-revision", TARGET), "has no such revision"),
        ((TARGET, "nowhere:X"), "there is no module 'nowhere'"),
        ((TARGET, "none.json"), "none.json"),
    ],
)
def test_what_cannot_be_compared_exits_with_2(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *words]) == 2
    seen = capsys.readouterr()
    assert said in seen.err
    assert seen.out == ""
