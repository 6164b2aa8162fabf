from __future__ import annotations

import pytest
from hypothesis import given, settings

from fsm_diagrams.from_table import from_table
from fsm_diagrams.model import Edge, Group, Machine, State
from fsm_diagrams.overlay import Look, Paint
from fsm_diagrams.plain_svg import BRIEF, WHOLE
from fsm_diagrams.scene import Box, Detail, Scene, scene
from fsm_diagrams.views import View
from tests.fsm_diagrams.drawn import machines
from tests.fsm_diagrams.foreign import big, documented
from tests.fsm_diagrams.geometry import (
    crossed_boxes,
    crossed_labels,
    crossed_titles,
    outside,
    overlapping,
)
from tests.fsm_diagrams.machines import door, hostile
from warm_transfer.table import TABLE

OURS = from_table(TABLE)


def _nest() -> Machine:
    """Two levels of nesting, with lines into, out of, up, down and within the boxes."""
    states = [
        State("a", initial=("b",)),
        State("b", parent="a", initial=("c",)),
        State("c", parent="b"),
        State("d", parent="b"),
        State("e", parent="a"),
        State("f"),
        State("g", parent="f"),
        State("f2"),
    ]
    pairs = ["ab", "cg", "gd", "da", "ac", "ce", "ef", "fg", "gf", "cc", "aa", "db"]
    edges = [Edge(pair[0], pair, pair[1]) for pair in pairs]
    edges += [Edge("f2", "home", "c"), Edge("d", "out", "f2")]
    return Machine.of("nest", states, [*pairs, "home", "out"], ["a"], edges)


MACHINES = [OURS, door(), hostile(), _nest(), *documented()]
DETAILS = [WHOLE, BRIEF]


def _drawn(machine: Machine, detail: Detail = WHOLE, paint: Paint | None = None) -> Scene:
    return scene(machine, View.FULL, detail, paint)


@pytest.mark.parametrize("detail", DETAILS)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_no_line_runs_through_a_label_or_a_box_and_nothing_overlaps(
    machine: Machine, detail: Detail
) -> None:
    drawn = _drawn(machine, detail)
    assert crossed_labels(drawn) == []
    assert crossed_boxes(drawn) == []
    assert crossed_titles(drawn) == []
    assert overlapping(drawn) == []
    assert outside(drawn) == []


@given(machines())
@settings(max_examples=100, deadline=None)
def test_neither_does_one_of_any_machine(machine: Machine) -> None:
    drawn = _drawn(machine)
    assert crossed_labels(drawn) == []
    assert crossed_boxes(drawn) == []
    assert crossed_titles(drawn) == []
    assert overlapping(drawn) == []
    assert outside(drawn) == []
    _has_everything(drawn, machine)


def test_neither_does_one_of_three_hundred_rows() -> None:
    drawn = _drawn(big(), BRIEF)
    assert crossed_labels(drawn) == []
    assert crossed_boxes(drawn) == []
    assert crossed_titles(drawn) == []
    assert overlapping(drawn) == []


@pytest.mark.parametrize("machine", [*MACHINES, big()], ids=lambda machine: machine.name)
def test_every_state_has_one_box_and_every_row_one_place(machine: Machine) -> None:
    _has_everything(_drawn(machine), machine)


def _has_everything(drawn: Scene, machine: Machine) -> None:
    states = sorted(box.index for box in drawn.boxes if box.role == "state")
    assert states == list(range(len(machine.states)))
    labels = [e.id for r in drawn.routes if r.label for said in r.label.lines for e in said.edges]
    inside = [e.id for box in drawn.boxes for said in box.inside for e in said.edges]
    assert set(labels) | set(inside) == {edge.id for edge in machine.edges}


def _box_of(drawn: Scene, name: str) -> Box:
    names = [state.name for state in drawn.picture.machine.states]
    return next(b for b in drawn.boxes if b.role == "state" and names[b.index] == name)


def _on_border(box: Box, point: tuple[int, int]) -> bool:
    (x, y), (left, top) = point, box.at
    return left <= x <= left + box.width and y in {top, top + box.height}


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_a_line_begins_and_ends_on_the_border_of_its_states(machine: Machine) -> None:
    drawn = _drawn(machine)
    for route in drawn.routes:
        if route.index < 0 or route.loop:
            continue
        arrow = drawn.picture.arrows[route.index]
        if not arrow.shared:
            assert _on_border(_box_of(drawn, arrow.source), route.points[0])
        assert _on_border(_box_of(drawn, arrow.target), route.points[-1])


def test_a_nested_state_lies_in_its_parent() -> None:
    drawn = _drawn(_nest())
    for state in drawn.picture.machine.states:
        if state.parent:
            inner, outer = _box_of(drawn, state.name), _box_of(drawn, state.parent)
            assert outer.at[0] < inner.at[0]
            assert outer.at[1] < inner.at[1]
            assert inner.at[0] + inner.width < outer.at[0] + outer.width
            assert inner.at[1] + inner.height < outer.at[1] + outer.height


def test_a_long_label_is_cut_only_where_the_page_tells_the_rest() -> None:
    brief = _drawn(OURS, BRIEF)
    cut = [r.label.lines[-1].text for r in brief.routes if r.label and len(r.label.lines) == 4]
    assert "+ 9 more" in cut
    whole = _drawn(OURS, WHOLE)
    texts = [said.text for r in whole.routes if r.label for said in r.label.lines]
    assert not [text for text in texts if text.startswith("+ ")]


def test_what_a_review_says_stands_beside_the_row() -> None:
    paint = Paint({"shut x BURNT": Look("uncovered", text="0 times")})
    drawn = _drawn(door(), WHOLE, paint)
    texts = [said.text for r in drawn.routes if r.label for said in r.label.lines]
    assert [text for text in texts if text.endswith("0 times")] == ["BURNT 0 times"]


def test_groups_that_cannot_be_boxes_are_drawn_without_one() -> None:
    states = [State("a"), State("b"), State("c"), State("d", parent="c")]
    edges = [Edge("a", "go", "c"), Edge("b", "go", "c"), Edge("d", "go", "a")]
    groups = [Group("one", "one", ("a", "b")), Group("two", "two", ("b", "d"))]
    machine = Machine.of("", states, ["go"], ["a"], edges, groups=groups)
    drawn = _drawn(machine)
    assert [box.index for box in drawn.boxes if box.role == "group"] == [0]
    assert len([box for box in drawn.boxes if box.role == "state"]) == 4
