from __future__ import annotations

from collections import Counter

from hypothesis import given, settings

from fsm_diagrams.collapse import boxes, collapsed
from fsm_diagrams.formats import FORMATS, render
from fsm_diagrams.from_table import from_table
from fsm_diagrams.from_transitions import from_transitions
from fsm_diagrams.model import Edge, Group, Kind, Machine, State
from fsm_diagrams.plain_svg import plain_svg
from fsm_diagrams.views import View, picture
from tests.fsm_diagrams.drawn import machines
from tests.fsm_diagrams.foreign import coffee, matter, regions
from tests.fsm_diagrams.machines import door
from warm_transfer.table import TABLE

OURS = from_table(TABLE)


def _ends(machine: Machine) -> list[tuple[str, str, str]]:
    return [(edge.source, edge.event, edge.target) for edge in machine.edges]


def test_our_table_is_one_box_and_its_outcomes() -> None:
    small = collapsed(OURS)
    (group,) = OURS.groups
    first, *others = small.states
    assert first.text == "no outcome yet: idle, holding, dialing, briefing, merging"
    assert first.kind is Kind.WAITING
    assert not first.final
    assert [s.name for s in others] == [s.name for s in OURS.states if s.name not in group.states]
    assert small.initial == (first.name,)
    within = [e for e in OURS.edges if {e.source, e.target} <= {*group.states} and not e.internal]
    assert len(within) == 5
    assert {e.id for e in OURS.edges} - {e.id for e in small.edges} == {e.id for e in within}


def test_the_overview_counts_what_is_within_a_box() -> None:
    notes = " ".join(picture(OURS, View.OVERVIEW).notes)
    assert "5 rows within a box, " in notes
    assert "A box with a colon stands for all states named in it" in notes
    assert "within a box" not in " ".join(picture(OURS, View.STATES).notes)


def test_a_state_with_others_inside_is_a_box_as_well() -> None:
    small = collapsed(from_transitions(coffee()))
    assert [state.text for state in small.states] == [
        "standing",
        "walking",
        "caffeinated: dithering, running",
    ]
    assert not [state for state in small.states if state.parent or state.initial]
    assert ("caffeinated", "relax", "standing") in _ends(small)
    assert not [edge for edge in small.edges if edge.source == edge.target]
    both = collapsed(from_transitions(regions()))
    assert _ends(both) == [("off", "plug", "on"), ("on", "pull", "off")]


def test_a_box_has_the_colour_of_what_is_inside_it() -> None:
    inner = [State(name, parent="a", kind=Kind.WAITING) for name in ("b", "c")]
    (box,) = collapsed(Machine.of("", [State("a"), *inner], [], ["a"], [])).states
    assert box.kind is Kind.WAITING


def test_a_machine_without_boxes_is_as_it_was() -> None:
    flat = from_transitions(matter())
    assert _ends(collapsed(flat)) == _ends(flat)
    assert ("solid", "shake", "solid") in _ends(collapsed(flat))
    assert picture(flat, View.OVERVIEW).notes == picture(flat, View.STATES).notes


def test_a_box_tells_the_first_line_of_a_state_and_else_how_many_there_are() -> None:
    states = [State("a", label="a\nentry / ring"), State("b", kind=Kind.WAITING, final=True)]
    few = Machine.of("", states, [], ["a"], [], groups=[Group("b", "both", ("a", "b"))])
    (box,) = collapsed(few).states
    assert box.text == "both: a, b"
    # Of two kinds that are as many it is the first; and the name is one that no state has.
    assert (box.name, box.kind, box.final) == ("b'", Kind.ORDINARY, False)
    names = tuple(f"state_{number}" for number in range(20))
    many = Machine.of(
        "", [State(name, final=True) for name in names], [], [], [], groups=[Group("g", "g", names)]
    )
    assert [(it.text, it.final) for it in collapsed(many).states] == [("g: 20 states", True)]


def test_a_group_that_overlaps_another_or_is_nested_is_no_box() -> None:
    states = [State("a"), State("b"), State("c", parent="b")]
    groups = [Group("1", "1", ("a",)), Group("2", "2", ("a", "b")), Group("3", "3", ("c",))]
    machine = Machine.of("", states, [], [], [], groups=groups)
    assert [group.name for group in boxes(machine)] == ["1"]
    assert [state.text for state in collapsed(machine).states] == ["1: a", "b: c"]


def test_a_legend_tells_the_colours_of_the_boxes_alone() -> None:
    assert "not waiting" not in plain_svg(OURS, View.OVERVIEW)
    assert "not waiting" in plain_svg(OURS, View.STATES)


@given(machines())
@settings(max_examples=100, deadline=None)
def test_every_row_between_boxes_is_drawn_once(machine: Machine) -> None:
    drawing = picture(machine, View.OVERVIEW)
    seen = Counter(
        edge.id for arrow in drawing.arrows for line in arrow.lines for edge in line.edges
    )
    assert seen == Counter(edge.id for edge in drawing.machine.edges if not edge.internal)
    assert len(drawing.machine.states) <= len(machine.children(None))
    rows = {edge.id: edge for edge in machine.edges}
    for edge in drawing.machine.edges:
        was = rows[edge.id]
        assert (edge.event, edge.guard, edge.internal) == (was.event, was.guard, was.internal)
    for name, known in FORMATS.items():
        if known.has_views and name not in {"svg", "png"}:
            assert render(machine, name, View.OVERVIEW)


def test_a_row_to_itself_is_kept_outside_of_boxes() -> None:
    machine = door(extra=(Edge("gone", "PUSHED", "gone"), Edge("open", "BURNT", "open")))
    assert _ends(collapsed(machine)).count(("gone", "PUSHED", "gone")) == 1
    loops = [e for e in collapsed(machine).edges if e.source == e.target and not e.internal]
    assert [edge.source for edge in loops] == ["gone"]
