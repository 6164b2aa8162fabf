from __future__ import annotations

import pytest

from fsm_diagrams.errors import ModelError
from fsm_diagrams.model import Edge, Group, Ignored, Machine, State
from tests.fsm_diagrams.machines import door


def test_rows_stand_in_the_order_of_states_then_events() -> None:
    assert [edge.id for edge in door().edges] == [
        "open x PUSHED [no wind]",
        "open x PUSHED [wind]",
        "open x BURNT",
        "shut x BURNT",
    ]


def test_the_order_in_which_rows_are_given_does_not_matter_between_pairs() -> None:
    machine = door()
    by_pair = sorted(machine.edges, key=lambda edge: edge.pair, reverse=True)
    again = Machine.of(
        machine.name,
        machine.states,
        machine.events,
        machine.initial,
        by_pair,
        ignored=machine.ignored,
        impossible=machine.impossible,
        reasons=machine.reasons,
        groups=machine.groups,
    )
    assert again == machine


def test_rows_of_one_pair_keep_the_order_in_which_their_guards_are_asked() -> None:
    first, second = Edge("a", "E", "a", "z", id="1"), Edge("a", "E", "a", "b", id="2")
    machine = Machine.of("", [State("a")], ["E"], ["a"], [first, second])
    assert machine.by_pair["a", "E"] == (first, second)


@pytest.mark.parametrize(
    ("edge", "named"),
    [
        (Edge("attic", "BURNT", "gone", id="r"), "'attic'"),
        (Edge("open", "EATEN", "gone", id="r"), "'EATEN'"),
        (Edge("open", "BURNT", "attic", id="r"), "'attic'"),
    ],
)
def test_a_row_that_names_what_is_not_declared_is_named(edge: Edge, named: str) -> None:
    with pytest.raises(ModelError, match=f"row 'r' .*{named}"):
        door(extra=(edge,))


def test_names_are_unique() -> None:
    with pytest.raises(ModelError, match="state 'a' is declared twice"):
        Machine.of("", [State("a"), State("a")], [], [], [])


def test_groups_parents_and_reasons_must_exist() -> None:
    with pytest.raises(ModelError, match="group 'g' holds the state 'b'"):
        Machine.of("", [State("a")], [], [], [], groups=[Group("g", "g", ("b",))])
    with pytest.raises(ModelError, match="'a' is nested in the state 'b'"):
        Machine.of("", [State("a", parent="b")], [], [], [])
    with pytest.raises(ModelError, match="reason 'why'"):
        Machine.of("", [State("a")], ["E"], [], [], ignored=[Ignored("a", "E", "why")])


def test_rows_without_an_id_get_one_that_nobody_else_has() -> None:
    rows = [Edge("a", "E", "a", guard="g"), Edge("a", "E", "a"), Edge("a", "E", "a")]
    machine = Machine.of("", [State("a")], ["E"], ["a"], [*rows, Edge("a", "E", "a", id="a x E")])
    assert [edge.id for edge in machine.edges] == ["a x E [g]", "a x E (2)", "a x E (3)", "a x E"]


def test_two_rows_with_the_same_id_are_refused() -> None:
    twice = [Edge("a", "E", "a", id="r"), Edge("a", "E", "a", id="r")]
    with pytest.raises(ModelError, match="row 'r' is declared twice"):
        Machine.of("", [State("a")], ["E"], ["a"], twice)


@pytest.mark.parametrize("parent", ["a", "b"])
def test_a_state_inside_itself_is_refused(parent: str) -> None:
    with pytest.raises(ModelError, match="'a' is nested in itself"):
        Machine.of("", [State("a", parent=parent), State("b", parent="a")], [], [], [])


def test_a_text_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(ModelError, match=r"'\\ud800' cannot be written"):
        Machine.of("", [State("a", label="\ud800")], [], [], [])
