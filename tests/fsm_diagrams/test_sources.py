from __future__ import annotations

import sys
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


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "foreign_machines.py").write_text(
        "from transitions import Machine\n"
        "STATES = ['a', 'b']\n"
        "def make(): return Machine(states=STATES, initial='a', transitions=[['go', 'a', 'b']])\n"
        "MACHINE = make()\n"
        "class Model:\n"
        "    def __init__(self):\n"
        "        self.machine = Machine(model=self, states=STATES, initial='a',\n"
        "                               transitions=[['go', 'a', 'b']])\n"
        "MODEL = Model()\n"
        "class Own(Machine):\n"
        "    def __init__(self):\n"
        "        super().__init__(states=STATES, initial='a', transitions=[['go', 'a', 'b']])\n"
        "class Needs:\n"
        "    def __init__(self, line): pass\n"
        "def fails(): raise RuntimeError('no line')\n"
        "def misspelt():\n"
        "    return Machine(states=['a'], initial='a', transitions=[['go', 'a', 'x']])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "foreign_machines", raising=False)
    return "foreign_machines"


@pytest.mark.parametrize("name", ["MACHINE", "make", "Model", "MODEL", "MODEL.machine", "Own"])
def test_a_machine_of_transitions_its_model_class_or_factory_is_a_target(
    name: str, foreign: str
) -> None:
    machine = load(f"{foreign}:{name}")
    assert [(edge.source, edge.event, edge.target) for edge in machine.edges] == [("a", "go", "b")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Needs", r"foreign_machines:Needs: takes arguments \(line\); name a machine"),
        ("fails", "foreign_machines:fails: makes no machine: RuntimeError: no line"),
        ("misspelt", "foreign_machines:misspelt: row 'a x go' goes to the state 'x'"),
        ("STATES", "foreign_machines:STATES: a list is no machine"),
    ],
)
def test_what_makes_no_machine_is_told(name: str, said: str, foreign: str) -> None:
    with pytest.raises(TargetError, match=said):
        load(f"{foreign}:{name}")


@pytest.mark.parametrize(
    ("data", "said"),
    [(None, "cannot be read: No such file"), (b"\xff", "cannot be read"), (b"{", ":1: is no JSON")],
)
def test_a_saved_machine_that_cannot_be_read_is_told(
    data: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "saved.json"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(TargetError, match=f"saved.json.*{said}"):
        load(str(path))


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
