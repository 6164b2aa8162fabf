from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fsm_diagrams.__main__ import main
from fsm_diagrams.model import State
from fsm_diagrams.saved import to_json
from tests.fsm_diagrams.machines import door


def test_nothing_found_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["findings", "warm_transfer.table:TABLE"]) == 0
    assert capsys.readouterr().out == "Findings in warm transfer: none.\n"


def test_what_is_found_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "door.json"
    lonely = replace(door(), states=(*door().states, State("lonely")), ignored=(), impossible=())
    path.write_text(to_json(lonely), encoding="utf-8")
    assert main(["findings", str(path)]) == 1
    assert capsys.readouterr().out == (
        "Findings in door: 3 findings.\n\n"
        "Unreachable state:\n  lonely: no row leads there\n\n"
        "Waiting state without a clock:\n  open: the machine starts in it, and no row starts a "
        "clock\n\n"
        "Event never handled:\n  KNOCKED: no state has a row for it\n"
    )


def test_what_is_no_machine_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["findings", "nowhere:X"]) == 2
    assert "there is no module 'nowhere'" in capsys.readouterr().err
