from __future__ import annotations

import pytest

from fsm_diagrams.__main__ import main

TARGET = "warm_transfer.table:TABLE"


def test_the_paths_are_listed_by_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paths", TARGET]) == 0
    out = capsys.readouterr().out
    assert "To returned (1):\n  idle -> holding -> dialing -> briefing -> merging -> merged" in out


def test_the_paths_are_listed_by_row_and_what_is_cut_off_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["paths", TARGET, "--rows", "--to", "merged", "--limit", "3"]) == 0
    out = capsys.readouterr().out
    assert "3 paths. Cut off at the limit: there may be more to merged." in out
    assert "CONSULT_ACCEPTED -> merging" in out or "APP_ACCEPTED -> merging" in out


def test_markdown_is_for_a_pull_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paths", TARGET, "--to", "holding", "--format", "markdown"]) == 0
    assert capsys.readouterr().out.endswith("**To holding (1)**\n\n- idle -&gt; holding\n")


def test_a_state_that_is_not_there_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["paths", TARGET, "--to", "heaven"]) == 2
    assert "has no state 'heaven'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["paths", TARGET, "--limit", "0"])
