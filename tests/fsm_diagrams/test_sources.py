from __future__ import annotations

from pathlib import Path

import pytest

from fsm_diagrams.errors import TargetError
from fsm_diagrams.from_table import from_table
from fsm_diagrams.sources import load
from warm_transfer.table import TABLE


def test_a_table_is_loaded_by_name() -> None:
    assert load("warm_transfer.table:TABLE") == from_table(TABLE)


def test_a_machine_of_ones_own_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_machine.py").write_text(
        "from fsm_diagrams import Machine, State\n"
        "class Holder:\n"
        "    machine = Machine.of('own', [State('a')], [], ['a'], [])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert load("own_machine:Holder.machine").name == "own"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("warm_transfer.table", "write package.module:object"),
        ("warm_transfer.table:", "write package.module:object"),
        (":TABLE", "write package.module:object"),
        ("no_such_package.table:TABLE", "no module 'no_such_package'"),
        ("warm_transfer.no_such:TABLE", "no module 'warm_transfer.no_such'"),
        ("warm_transfer.table:TABEL", "did you mean 'TABLE'"),
        ("warm_transfer.table:TABLE.rowz", "has no 'rowz'"),
        ("warm_transfer.table:BACK", "a tuple is no machine"),
        (".table:TABLE", "is no target"),
    ],
)
def test_what_is_wrong_with_a_target_is_said(target: str, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        load(target)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_dependency", "needs 'no_such_dependency'"),
        ("raise RuntimeError('broken table')", "RuntimeError: broken table"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("def", "SyntaxError"),
    ],
)
def test_a_module_that_fails_while_it_is_imported_is_no_crash(
    source: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fails_on_import.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TargetError, match=said):
        load("fails_on_import:X")
