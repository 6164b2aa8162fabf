from __future__ import annotations

from enum import Enum
from functools import partial
from typing import Any

import pytest
from transitions import Machine
from transitions.extensions import (
    GraphMachine,
    HierarchicalGraphMachine,
    HierarchicalMachine,
    LockedHierarchicalMachine,
    LockedMachine,
)
from transitions.extensions.asyncio import AsyncMachine, HierarchicalAsyncMachine
from transitions.extensions.nesting import NestedState
from transitions.extensions.states import Tags, Timeout, add_state_features

from fsm_diagrams.errors import ModelError, TargetError
from fsm_diagrams.from_transitions import as_transitions, from_transitions
from fsm_diagrams.model import Edge, Kind
from fsm_diagrams.saved import to_json
from tests.fsm_diagrams.foreign import coffee, matter, regions
from tests.fsm_diagrams.processes import printed


def _rows(machine: Any) -> list[tuple[str, str, str]]:
    return [(edge.source, edge.event, edge.target) for edge in from_transitions(machine).edges]


def test_a_flat_machine_is_read_row_by_row() -> None:
    machine = from_transitions(matter())
    assert machine.name == "matter"
    assert [state.name for state in machine.states] == ["solid", "liquid", "gas", "plasma"]
    assert machine.initial == ("liquid",)
    assert machine.events == ("melt", "evaporate", "sublimate", "ionize", "shake", "freeze")
    rows = {(edge.source, edge.event, edge.guard): edge for edge in machine.edges}
    assert rows["solid", "melt", ""].effects == ("before make_hissing_noises",)
    assert rows["liquid", "evaporate", "is_hot"].target == "gas"
    stays = rows["liquid", "evaporate", "not is_hot"]
    assert (stays.target, stays.internal) == ("liquid", True)
    again = rows["solid", "shake", ""]
    assert (again.target, again.internal) == ("solid", False)
    assert {source for source, event, _ in rows if event == "freeze"} == set(machine.state_named)
    assert len(rows) == len(machine.edges) == 11


def test_nested_states_keep_their_parents_and_initial_children() -> None:
    machine = from_transitions(coffee())
    inner = machine.state_named["caffeinated_dithering"]
    assert (inner.parent, inner.text) == ("caffeinated", "dithering")
    assert machine.state_named["caffeinated"].initial == ("caffeinated_dithering",)
    assert ("caffeinated_dithering", "walk", "caffeinated_running") in _rows(coffee())
    assert ("caffeinated", "relax", "standing") in _rows(coffee())


def test_parallel_regions_start_together_and_rows_inside_are_told_in_full() -> None:
    machine = from_transitions(regions())
    assert machine.state_named["on"].initial == ("on_light", "on_sound")
    assert machine.state_named["on_sound"].initial == ("on_sound_silent",)
    assert machine.state_named["on_sound_broken"].final
    assert ("on_light_dark", "press", "on_light_bright") in _rows(regions())
    assert machine.events == ("plug", "pull", "press", "crash")


@pytest.mark.parametrize("machine_class", [LockedMachine, AsyncMachine, GraphMachine])
def test_every_flat_class_gives_the_same_machine(machine_class: type[Any]) -> None:
    options = {"graph_engine": "mermaid"} if machine_class is GraphMachine else {}
    assert from_transitions(matter(machine_class, **options)) == from_transitions(matter())


@pytest.mark.parametrize("made", [coffee, regions])
@pytest.mark.parametrize(
    "machine_class",
    [LockedHierarchicalMachine, HierarchicalAsyncMachine, HierarchicalGraphMachine],
)
def test_every_nested_class_gives_the_same_machine(made: Any, machine_class: type[Any]) -> None:
    options = {"graph_engine": "mermaid"} if machine_class is HierarchicalGraphMachine else {}
    assert from_transitions(made(machine_class, **options)) == from_transitions(made())


def test_a_row_around_a_state_is_asked_after_the_row_inside_it() -> None:
    inside: Any = {"name": "a", "children": ["b"], "transitions": [["go", "b", "b"]]}
    machine = HierarchicalMachine(states=[inside], initial="a", transitions=[["go", "a_b", "a"]])
    assert _rows(machine) == [("a_b", "go", "a_b"), ("a_b", "go", "a")]


def test_automatic_transitions_are_left_out_and_those_of_the_same_name_are_not() -> None:
    assert _rows(Machine(states=["a", "b"], initial="a")) == []
    machine = Machine(states=["a", "b"], initial="a")
    machine.add_transition("to_b", "a", "b", conditions="ready")
    assert _rows(machine) == [("a", "to_b", "b")]
    machine = Machine(
        states=["a", "b"], initial="a", transitions=[["to_b", "a", "b"]], auto_transitions=False
    )
    assert _rows(machine) == [("a", "to_b", "b")]


def test_automatic_transitions_of_another_attribute_are_left_out() -> None:
    machine = Machine(
        states=["a", "b"], initial="a", model_attribute="mood", after_state_change="tell"
    )
    assert from_transitions(machine).events == ()
    assert _rows(machine) == []


def test_ordered_transitions_are_rows() -> None:
    machine = Machine(states=["a", "b", "c"], initial="a", ordered_transitions=True)
    assert _rows(machine) == [
        ("a", "next_state", "b"),
        ("b", "next_state", "c"),
        ("c", "next_state", "a"),
    ]


class Light(Enum):
    RED = 1
    GREEN = 2


def test_enum_states_are_told_by_their_names() -> None:
    rows: Any = [["go", Light.RED, Light.GREEN]]
    machine = Machine(states=Light, initial=Light.RED, transitions=rows)
    assert _rows(machine) == [("RED", "go", "GREEN")]
    assert from_transitions(machine).initial == ("RED",)


def test_an_enum_as_initial_child_is_found() -> None:
    machine = HierarchicalMachine(
        states=["a", {"name": "b", "children": Light, "initial": Light.GREEN}], initial="a"
    )
    assert from_transitions(machine).state_named["b"].initial == ("b_GREEN",)


def test_a_custom_separator_is_kept() -> None:
    class Dotted(NestedState):
        separator = "/"

    class DottedMachine(HierarchicalMachine):
        state_cls = Dotted

    machine = DottedMachine(
        states=[{"name": "a_b", "children": ["c_d"], "initial": "c_d"}],
        initial="a_b",
        transitions=[["go", "a_b/c_d", "a_b"]],
    )
    drawn = from_transitions(machine)
    assert drawn.name == "DottedMachine"
    assert drawn.state_named["a_b/c_d"].parent == "a_b"
    assert [(edge.source, edge.target) for edge in drawn.edges] == [("a_b/c_d", "a_b")]


def test_a_machine_used_inside_another_leads_out_of_it() -> None:
    count = HierarchicalMachine(
        states=["one", "two", "done"],
        initial="one",
        transitions=[["up", "one", "two"], ["end", "two", "done"]],
    )
    machine = HierarchicalMachine(
        states=["wait", {"name": "count", "children": count, "remap": {"done": "wait"}}],
        initial="wait",
    )
    assert _rows(machine) == [("count_one", "up", "count_two"), ("count_two", "end", "wait")]
    assert from_transitions(machine).state_named["count"].initial == ("count_one",)


def test_callbacks_are_told_in_the_order_in_which_they_run() -> None:
    class Owner:
        def method(self) -> None: ...

    machine = Machine(
        states=["a", "b"],
        initial="a",
        before_state_change="log",
        after_state_change=["count"],
        transitions=[
            {
                "trigger": "go",
                "source": "a",
                "dest": "b",
                "prepare": Owner().method,
                "conditions": [partial(print, Owner()), "ready"],
                "unless": lambda: False,
                "before": "pack",
                "after": ["greet", "sit"],
            }
        ],
    )
    (edge,) = from_transitions(machine).edges
    assert edge.guard == "print and ready and not <lambda>"
    told = ("prepare method", "before log", "before pack", "after greet", "after sit")
    assert edge.effects == (*told, "after count")


def test_tags_timeouts_and_callbacks_of_a_state_stand_in_its_label() -> None:
    @add_state_features(Tags, Timeout)
    class Rich(Machine):
        pass

    machine = Rich(
        states=[
            {"name": "a", "on_exit": "wave"},
            {"name": "b", "timeout": 5, "on_timeout": "give_up", "on_enter": ["sit", "rest"]},
            {"name": "c", "tags": ["accepted", "paid"], "final": True},
            {"name": "d", "final": True},
        ],
        initial="a",
        transitions=[["go", "a", "b"], ["go", "b", "c"], ["stay", "b", None], ["stop", "b", "d"]],
    )
    drawn = from_transitions(machine)
    assert drawn.state_named["a"].text == "a\nexit / wave"
    assert drawn.state_named["b"].text == "b\nafter 5 s / give_up\nentry / sit, rest"
    assert drawn.state_named["c"].text == "c\ntags: accepted, paid"
    kinds = [drawn.state_named[name].kind for name in "abcd"]
    assert kinds == [Kind.ORDINARY, Kind.WAITING, Kind.SUCCESS, Kind.OVER]
    assert [edge.clock for edge in drawn.edges] == ["5 s", "", "", ""]


def test_a_target_that_was_never_added_is_an_error_that_names_the_row() -> None:
    machine = Machine(states=["a"], initial="a", transitions=[["go", "a", "nowhere"]])
    with pytest.raises(ModelError, match="'a x go' goes to the state 'nowhere'"):
        from_transitions(machine)


def test_a_machine_without_an_initial_state_has_none() -> None:
    assert from_transitions(Machine(model=None, states=["a"], initial=None)).initial == ()


class Model:
    pass


def test_several_models_share_one_machine_and_each_leads_to_it() -> None:
    first, second = Model(), Model()
    machine = matter(model=[first, second])
    assert as_transitions(first) is as_transitions(second) is machine


def test_an_object_that_holds_a_machine_stands_for_it() -> None:
    holder = Model()
    holder.__dict__["engine"] = machine = Machine(model=None, states=["a"], initial="a")
    assert as_transitions(holder) is machine
    holder.__dict__["other"] = Machine(model=None, states=["a"], initial="a")
    with pytest.raises(TargetError, match="several machines; name one: engine, other"):
        as_transitions(holder)


def test_what_is_no_machine_is_none() -> None:
    assert as_transitions(Model()) is None
    assert as_transitions(Machine) is None


def test_reading_a_machine_does_not_change_it() -> None:
    model = Model()
    machine = regions(model=model)
    model.plug()  # type: ignore[attr-defined]  # the machine gave it this method
    before = to_json(from_transitions(machine))
    assert to_json(from_transitions(machine)) == before
    assert model.state == ["on_light_dark", "on_sound_silent"]  # type: ignore[attr-defined]


def test_other_processes_give_the_same_bytes() -> None:
    code = (
        "from tests.fsm_diagrams.foreign import documented\n"
        "from fsm_diagrams.saved import to_json\n"
        "print(*map(to_json, documented()), sep='', end='')"
    )

    assert printed(code, hash_seed=1) == printed(code, hash_seed=2) != ""


def test_an_edge_knows_no_more_than_its_row() -> None:
    assert from_transitions(coffee()).edges[0] == Edge(
        "standing", "walk", "walking", id="standing x walk"
    )
