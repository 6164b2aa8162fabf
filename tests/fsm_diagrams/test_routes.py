from __future__ import annotations

import itertools

import pytest

from fsm_diagrams import routes
from fsm_diagrams.errors import ModelError
from fsm_diagrams.from_transitions import from_transitions
from fsm_diagrams.model import Edge, Machine, State
from fsm_diagrams.routes import paths
from fsm_diagrams.sources import load
from tests.fsm_diagrams.foreign import matter, regions
from tests.fsm_diagrams.machines import door


def _dense(size: int, *, way_out: str) -> Machine:
    """Every state leads to every other; one of them to the end."""
    names = [f"s{number}" for number in range(size)]
    rows = [Edge(a, f"to {b}", b) for a, b in itertools.permutations(names, 2)]
    rows.append(Edge(way_out, "end", "end"))
    states = [*map(State, names), State("end", final=True)]
    return Machine.of("dense", states, [*(f"to {n}" for n in names), "end"], ["s0"], rows)


def test_every_simple_path_to_every_final_state_of_our_table() -> None:
    found = {each.to: each for each in paths(load("warm_transfer.table:TABLE"))}
    assert all(each.complete for each in found.values())
    assert [route.states for route in found["ended"].routes] == [
        ("idle", "holding", "dialing", "briefing", "merging", "merged", "ended")
    ]
    assert [len(route.states) for route in found["abandoned"].routes] == [2, 3, 4, 5, 6]


def test_by_row_each_row_is_a_path_of_its_own() -> None:
    by_state = paths(door())
    assert [route.states for route in by_state[0].routes] == [
        ("open", "gone"),
        ("open", "shut", "gone"),
    ]
    by_row = paths(load("warm_transfer.table:TABLE"), to=["merged"], rows=True)
    assert len(by_row[0].routes) == 2 * 4
    assert all(len(hop.rows) == 1 for route in by_row[0].routes for hop in route.hops)


def test_the_number_of_paths_in_a_dense_machine_is_what_counting_gives() -> None:
    (found,) = paths(_dense(5, way_out="s4"), limit=1000)
    # An order of any of the three states between the first and the last.
    assert len(found.routes) == sum(len(list(itertools.permutations("abc", n))) for n in range(4))
    assert found.complete


def test_what_is_over_the_limit_is_cut_off_and_said() -> None:
    (found,) = paths(_dense(7, way_out="s6"), limit=10)
    assert (len(found.routes), found.complete) == (10, False)
    lengths = [len(route.hops) for route in found.routes]
    assert lengths == sorted(lengths)


def test_a_search_without_end_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "EFFORT", 500)
    (found,) = paths(_dense(30, way_out="s0"))
    assert [route.states for route in found.routes] == [("s0", "end")]
    assert not found.complete


def test_a_state_may_be_asked_for() -> None:
    (found,) = paths(from_transitions(regions()), to=["on_sound_broken"])
    assert found.routes[0].states == (
        "off",
        "on_light_dark + on_sound_silent",
        "on_light_bright + on_sound_loud",
        "on_light_bright + on_sound_broken",
    )
    (start,) = paths(door(), to=["open"])
    assert [route.states for route in start.routes] == [("open",)]


def test_what_is_not_reached_has_no_path() -> None:
    lone = Machine.of("m", [State("a"), State("b", final=True)], ["E"], ["a"], [])
    (found,) = paths(lone)
    assert (found.routes, found.complete) == ((), True)


def test_without_final_states_the_dead_ends_are_the_ends() -> None:
    machine = Machine.of("m", [State("a"), State("b")], ["E"], ["a"], [Edge("a", "E", "b")])
    assert [each.to for each in paths(machine)] == ["b"]


def test_a_machine_without_an_end_needs_to_be_told_where_to() -> None:
    with pytest.raises(ModelError, match="'matter' has no final state; say where to go"):
        paths(from_transitions(matter()))
    with pytest.raises(ModelError, match="has no state 'nowhere'"):
        paths(door(), to=["nowhere"])
