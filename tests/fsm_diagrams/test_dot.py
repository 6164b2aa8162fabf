from __future__ import annotations

import re

import pytest

from fsm_diagrams.dot import dot
from fsm_diagrams.from_table import from_table
from fsm_diagrams.model import Edge, Group, Machine, State
from fsm_diagrams.overlay import COLOURS, Look, Paint
from fsm_diagrams.views import View, picture
from tests.fsm_diagrams.foreign import big, documented
from tests.fsm_diagrams.judges import dot_sees
from tests.fsm_diagrams.layout import Layout
from tests.fsm_diagrams.machines import door
from warm_transfer.table import TABLE

OURS = from_table(TABLE)
PICTURES = {
    "full": dot(picture(OURS, View.FULL)),
    "states": dot(picture(OURS, View.STATES)),
    "overview": dot(picture(OURS, View.OVERVIEW)),
    **{machine.name: dot(picture(machine, View.FULL)) for machine in (*documented(), big())},
}


@pytest.mark.parametrize("name", PICTURES)
def test_no_label_is_clipped_covered_or_crossed(name: str) -> None:
    layout = Layout(PICTURES[name])
    assert len([*layout.boxes("arrow")]) >= 5
    assert list(layout.faults()) == []


def test_the_judge_of_labels_sees_a_crossed_and_a_clipped_one() -> None:
    # A line straight up is as narrow as a box around it can be.
    upright = """digraph { layout=neato
        a [pos="0,0!" id="state-0"] b [pos="0,4!" id="state-1"]
        over [pos="0,2!" id="arrow-0" shape=box] a -> b }"""
    assert "crosses over" in " ".join(Layout(upright).faults())
    crossed = """digraph { layout=neato
        a [pos="0,0!" id="state-0"] b [pos="4,0!" id="state-1"]
        over [pos="2,0!" id="arrow-0" shape=box] beside [pos="2,0.2!" id="arrow-1" shape=box]
        a -> b }"""
    faults = " ".join(Layout(crossed).faults())
    assert "crosses over" in faults
    assert "over and beside cover each other" in faults


def test_graphviz_reads_a_name_of_brackets_only() -> None:
    states = [State(name, label=name) for name in ("]", "]]", "[]")]
    (seen,) = dot_sees([_drawn(Machine.of("]", states, [], [], []))])
    assert len(seen["objects"]) == 3


def _drawn(machine: Machine, paint: Paint | None = None) -> str:
    return dot(picture(machine, View.FULL, paint))


def test_kinds_finals_and_the_legend_are_visible() -> None:
    text = PICTURES["full"]
    assert len(re.findall("peripheries=2", text)) == sum(state.final for state in OURS.states)
    for words in ("outcome: success", "outcome: no success", "waiting, with a clock"):
        assert f">{words}</FONT>" in text
    assert "double border: final" in text


def test_only_a_big_picture_is_laid_out_with_less_care() -> None:
    assert "nslimit=1" in _drawn(big())
    assert [name for name, text in PICTURES.items() if "nslimit" in text] == ["big"]


def test_a_machine_of_one_kind_needs_no_legend() -> None:
    machine = Machine.of("", [State("a")], [], ["a"], [])
    assert "not waiting" not in _drawn(machine)
    assert "double border" not in _drawn(machine)


def test_regions_in_parallel_are_dashed() -> None:
    text = PICTURES["regions"]
    frames = re.findall(r"subgraph cluster_(\w+) \{\n\s+graph \[.*style=\"([\w,]+)\"", text)
    assert frames == [("on", "rounded"), ("on_light", "dashed,rounded"), ("on_sound", frames[2][1])]
    assert frames[2][1] == "dashed,rounded"


def test_a_review_paints_arrows_rows_and_states() -> None:
    machine = door()
    paint = Paint(
        edges={
            "shut x BURNT": Look("removed", dashed=True, text="gone"),
            "open x PUSHED [wind]": Look("added"),
        },
        states={"shut": Look("changed")},
        meaning={"removed": "no longer there", "added": "new", "changed": "other rows"},
        title="door, reviewed",
    )
    text = _drawn(machine, paint)
    removed, added, changed = (COLOURS[each] for each in ("removed", "added", "changed"))
    assert len(re.findall(f'color="{removed}" penwidth=2 style=dashed', text)) == 2
    assert f'<FONT COLOR="{removed}">BURNT (shut): gone</FONT>' in text
    assert f'<FONT COLOR="{added}">PUSHED [wind]</FONT>' in text
    assert re.search(f'shut \\[.*color="{changed}".* penwidth=3', text)
    for word in ("no longer there", "new", "other rows", "door, reviewed"):
        assert f"<B>{word}</B>" in text


def test_labels_wrap_and_the_later_lines_are_set_in() -> None:
    edge = Edge("a", "go", "a", guard="a condition that is told in many more words than fit")
    text = _drawn(Machine.of("", [State("a")], ["go"], ["a"], [edge]))
    assert '[a condition that is told in many more words than<BR ALIGN="LEFT"/>    fit]' in text


def test_letters_as_wide_as_high_get_the_room_that_they_need() -> None:
    def widths(name: str) -> list[float]:
        machine = Machine.of("", [State(name)], ["go", name], [name], [Edge(name, name, name)])
        text = _drawn(machine)
        assert ("shape=plaintext" in text) is ("shape=plain " not in text)
        return [float(each) for each in re.findall(r" width=([\d.]+) *(?:id|style)", text)]

    wide = "\N{HIRAGANA LETTER A}" * 10
    label, state = sorted(widths(wide))
    # Ten letters of 12 and of 10 points, in inches.
    assert state > 10 * 12 / 72
    assert label > 10 * 10 / 72
    assert max(widths("\N{GRINNING FACE}" * 10)) > 10 * 12 / 72
    assert not widths("größe")


def test_a_group_that_cannot_be_a_box_is_none() -> None:
    rows = [Edge(source, "E", "c") for source in ("a", "b")]
    states = [State("a"), State("b", parent="a"), State("c")]
    text = _drawn(Machine.of("", states, ["E"], [], rows, groups=[Group("g", "g", ("a", "b"))]))
    assert "these states" not in text
    assert len(re.findall('id="arrow-', text)) == 2
