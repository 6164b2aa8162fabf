"""For any machine, every text parses again and holds exactly its states and rows."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings

from fsm_diagrams.formats import render
from fsm_diagrams.model import Machine
from fsm_diagrams.saved import from_json
from fsm_diagrams.views import View
from tests.fsm_diagrams.drawn import corpus, machines
from tests.fsm_diagrams.foreign import big, documented
from tests.fsm_diagrams.judges import dot_sees, mermaid_sees
from tests.fsm_diagrams.machines import hostile, lost
from tests.fsm_diagrams.reading import (
    Seen,
    expected,
    plain,
    read_dot,
    read_flowchart,
    read_state_diagram,
)
from tests.sources import ROOT

READERS: dict[str, Callable[[str], Seen]] = {
    "mermaid": read_state_diagram,
    "flowchart": read_flowchart,
    "dot": read_dot,
}
KNOWN = [*documented(), hostile(), lost()]
DRAWN = 250
"""How many machines the real judges see besides: the same ones in every run."""
_NO_HTML = str.maketrans({"<": "\u2039", ">": "\u203a", "&": "\uff06"})
"""What stands in a title of Mermaid for what HTML would escape."""


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("machine", [*KNOWN, big()], ids=lambda machine: ascii(machine.name[:8]))
def test_a_text_holds_exactly_the_states_and_rows_of_a_known_machine(
    machine: Machine, name: str
) -> None:
    assert READERS[name](render(machine, name, View.FULL)) == expected(machine)


@settings(max_examples=300, deadline=None)
@given(machine=machines())
def test_every_text_holds_exactly_the_states_and_rows_of_any_machine(machine: Machine) -> None:
    for name, read in READERS.items():
        assert read(render(machine, name, View.FULL)) == expected(machine), name


@settings(max_examples=300, deadline=None)
@given(machine=machines())
def test_saved_json_holds_exactly_any_machine(machine: Machine) -> None:
    text = render(machine, "json")
    assert from_json(text, "x.json") == machine
    found = json.loads(text)
    assert [state["name"] for state in found["states"]] == [s.name for s in machine.states]
    rows = [(row["source"], row["event"], row["target"]) for row in found["edges"]]
    assert rows == [(edge.source, edge.event, edge.target) for edge in machine.edges]


@pytest.fixture(scope="module")
def many() -> list[Machine]:
    found = [*KNOWN, *corpus(DRAWN)]
    assert len(found) == len(KNOWN) + DRAWN
    return found


def _digest(drawn: list[Machine]) -> str:
    return hashlib.sha256(ascii(drawn).encode()).hexdigest()


def test_the_same_machines_are_drawn_whatever_else_is_loaded() -> None:
    code = (
        "import sys, fsm_diagrams.__main__, warm_transfer.table;"
        "from tests.fsm_diagrams import test_any_machine as it;"
        "sys.stdout.write(it._digest(it.corpus(it.DRAWN)))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == _digest(corpus(DRAWN))


def test_real_graphviz_sees_exactly_the_nodes_and_edges_of_many_machines(
    many: list[Machine],
) -> None:
    texts = [render(machine, "dot", View.FULL) for machine in many]
    for machine, drawn in zip(many, dot_sees(texts), strict=True):
        objects = drawn.get("objects", [])
        kinds = Counter(each.get("id", "").partition("-")[0] for each in objects)
        assert kinds["state"] == len(machine.states)
        seen = expected(machine)
        arrows = sum(seen.rows.values())
        assert kinds["arrow"] == arrows
        assert len(drawn.get("edges", [])) == 2 * arrows + sum(seen.starts.values())


@pytest.mark.parametrize("name", ["mermaid", "flowchart"])
def test_real_mermaid_draws_exactly_the_states_and_arrows_of_many_machines(
    name: str, many: list[Machine]
) -> None:
    texts = [render(machine, name, View.FULL) for machine in many]
    for machine, drawn in zip(many, mermaid_sees(texts), strict=True):
        assert "error" not in drawn, (drawn, render(machine, name, View.FULL))
        seen = expected(machine)
        found = Counter(plain("".join(node)) for node in drawn["nodes"])
        found.update(plain(box).removesuffix("(final)") for box in drawn["boxes"])
        wanted: Counter[str] = Counter()
        for (text, _), count in seen.states.items():
            wanted[text] += count
        missing = wanted - found
        assert not missing, (found, render(machine, name, View.FULL))
        labels = Counter(plain(label) for label in drawn["labels"])
        told: Counter[str] = Counter()
        for (_, said, _), count in seen.rows.items():
            told[said] += count if said else 0
        assert labels == +told
        assert plain("".join(drawn["titles"])) == plain(machine.name.translate(_NO_HTML))
        starts = sum(seen.starts.values())
        ends = sum(state.final for state in machine.states) if name == "mermaid" else 0
        assert drawn["paths"] == sum(seen.rows.values()) + starts + ends
