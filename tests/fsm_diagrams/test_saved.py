from __future__ import annotations

import json

import pytest

from fsm_diagrams.errors import TargetError
from fsm_diagrams.from_table import from_table
from fsm_diagrams.model import Edge, Machine, State
from fsm_diagrams.saved import from_json, to_json
from tests.fsm_diagrams.machines import door, hostile
from tests.fsm_diagrams.processes import printed
from warm_transfer.table import TABLE


@pytest.mark.parametrize("machine", [door(), hostile(), from_table(TABLE)], ids=lambda m: m.name)
def test_what_is_saved_is_read_back_as_it_was(machine: Machine) -> None:
    text = to_json(machine)
    assert from_json(text, "x.json") == machine
    assert to_json(from_json(text, "x.json")) == text


def test_a_row_is_a_line() -> None:
    lines = [line.rstrip(",") for line in to_json(door()).splitlines()]
    for edge in door().edges:
        (line,) = [line for line in lines if f'"id": "{edge.id}"' in line]
        assert json.loads(line)["event"] == edge.event


def test_nested_states_keep_their_place() -> None:
    inner = State("in", parent="out")
    machine = Machine.of(
        "n", [State("out", initial=("in",)), inner], ["E"], ["out"], [Edge("in", "E", "out")]
    )
    assert from_json(to_json(machine), "x.json").states == machine.states


def test_another_process_writes_the_same_bytes() -> None:
    code = (
        "from fsm_diagrams import load\nfrom fsm_diagrams.saved import to_json\n"
        "print(to_json(load('warm_transfer.table:TABLE')), end='')"
    )
    assert printed(code) == to_json(from_table(TABLE))


GOOD = '{"fsm_diagrams": 1, "states": [{"name": "a"}], "events": ["E"], "initial": ["a"]'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{\n]", "^m.json:2: is no JSON"),
        ("[" * 100_000, "^m.json: is nested too deeply|^m.json:1"),
        ("[]", "is no saved machine"),
        ("{}", "is no saved machine"),
        ('{"fsm_diagrams": 2}', "is of version 2, and only 1 is known"),
        (GOOD + ', "rows": []}', "a machine has the unknown field 'rows'"),
        (GOOD + ', "edges": [{"source": "a", "event": "E"}]}', r"edges\[0\] has no 'target'"),
        (GOOD + ', "edges": [3]}', r"edges\[0\] is no object"),
        (GOOD + ', "edges": [{"colour": 1}]}', r"edges\[0\] has the unknown field 'colour'"),
        (GOOD + ', "edges": {}}', "edges is no list"),
        (GOOD + ', "impossible": [["a"]]}', r"impossible\[0\] is no pair"),
        (GOOD + ', "name": 3}', "name is no text"),
        (
            GOOD + ', "edges": [{"source": "a", "event": "E", "target": "b"}]}',
            "row '' goes to the state 'b', which is not declared|'a x E' goes to the state 'b'",
        ),
        ('{"fsm_diagrams": 1, "states": [{"name": "a", "kind": "x"}]}', r"states\[0\].kind is 'x'"),
        ('{"fsm_diagrams": 1, "states": [{"name": "a", "final": 1}]}', "neither true nor false"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(TargetError, match=said):
        from_json(text, "m.json")
