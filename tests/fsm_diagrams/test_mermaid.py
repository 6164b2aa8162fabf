from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fsm_diagrams.from_table import from_table
from fsm_diagrams.mermaid import mermaid
from fsm_diagrams.model import Kind, Machine, State
from fsm_diagrams.views import View, picture
from tests.fsm_diagrams.machines import HOSTILE, door, hostile
from warm_transfer.states import FINAL
from warm_transfer.states import State as Name
from warm_transfer.table import TABLE


def _draw(machine: Machine, view: View = View.FULL) -> str:
    return mermaid(picture(machine, view))


@pytest.mark.parametrize("view", View)
def test_the_same_table_gives_the_same_bytes(view: View) -> None:
    turned = list(TABLE.rows)
    turned.reverse()
    again = replace(TABLE, rows=tuple(turned))
    assert _draw(from_table(again), view) == _draw(from_table(TABLE), view)


def test_every_row_of_the_table_can_be_read_back_from_the_full_diagram() -> None:
    text = _draw(from_table(TABLE)).replace("#160;", " ")
    members = {"idle", "holding", "dialing", "briefing", "merging"}
    found: list[tuple[str, str, str, str]] = []
    for source, target, lines in re.findall(r"^    (\w+) --> (\w+) : (.+)$", text, re.MULTILINE):
        for line in lines.split("<br>"):
            event, guard, only = _parse(line)
            if source != "any_undecided":
                found.append((source, event, guard, target))
            elif only.startswith("not "):
                out = only.removeprefix("not ")
                found += [(state, event, guard, target) for state in members - {out}]
            else:
                states = only.split(", ") if only else members
                found += [(state, event, guard, target) for state in states]
    for state, line in re.findall(r"^ +(\w+) : (.+)$", text, re.MULTILINE):
        event, guard, _ = _parse(line)
        found.append((state, event, guard, state))
    rows = [(row.source, row.event, row.guard or "", row.target) for row in TABLE.rows]
    assert sorted(found) == sorted((str(s), str(e), str(g), str(t)) for s, e, g, t in rows)


def _parse(line: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"(\w+)(?: \[(.+?)\])?(?: \((.+)\))?", line)
    assert found, line
    return found[1], found[2] or "", found[3] or ""


def test_the_start_and_every_end_are_marked() -> None:
    text = _draw(from_table(TABLE), View.STATES)
    assert "    [*] --> idle\n" in text
    for state in Name:
        assert (f"    {state} --> [*]\n" in text) == (state in FINAL)


def test_outcomes_have_classes_and_the_legend_shows_each_class() -> None:
    text = _draw(from_table(TABLE), View.STATES)
    assert "    class merged,legend_success success\n" in text
    assert "    class declined,voicemail,failed,cancelled,abandoned,legend_failure failure" in text
    for kind in Kind:
        assert f"classDef {kind} " in text


def test_a_kind_that_does_not_occur_is_not_in_the_legend() -> None:
    assert "legend_success" not in _draw(door())


def test_what_is_left_out_is_said_in_the_diagram_itself() -> None:
    assert "%% Left out: 1 row" in _draw(door(), View.STATES)


def test_a_state_has_one_line_and_more_of_its_label_stands_inside() -> None:
    text = _draw(Machine.of("m", [State("a", "_x_\nentry / __init__")], [], ["a"], []))
    assert '    state "#95;x#95;" as a\n    a : entry #47; #95;#95;init#95;#95;\n' in text


def test_hostile_names_are_only_ever_labels() -> None:
    text = _draw(hostile())
    arrow = r"    (\w+|\[\*\]) --> \w+(?: : \S+)?"
    arrows = [line for line in text.splitlines() if "-->" in line]
    assert len(arrows) == len(HOSTILE) + 1
    for line in arrows:
        assert re.fullmatch(arrow, line), line
    assert "```" not in text
    assert "<!--" not in text


def test_nested_states_stand_in_their_parent() -> None:
    machine = Machine.of(
        "",
        [State("outer", initial=("inner",)), State("inner", parent="outer")],
        [],
        ["outer"],
        [],
    )
    assert '    state "outer" as outer {\n        inner\n        [*] --> inner\n    }\n' in _draw(
        machine
    )
