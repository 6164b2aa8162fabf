from __future__ import annotations

from dataclasses import replace

from fsm_diagrams.differences import Change, diff
from fsm_diagrams.model import Edge, Group, Ignored, Kind, Machine, State
from fsm_diagrams.sources import load
from tests.fsm_diagrams.machines import door, hostile


def _changed(name: str, **fields: object) -> Machine:
    edges = [replace(e, **fields) if e.id == name else e for e in door().edges]  # type: ignore[arg-type] # any field
    return replace(door(), edges=tuple(edges))


def _without(name: str) -> Machine:
    return replace(door(), edges=tuple(e for e in door().edges if e.id != name))


def test_a_machine_is_the_same_as_itself_whatever_its_version() -> None:
    for machine in (door(), hostile(), load("warm_transfer.table:TABLE")):
        found = diff(machine, replace(machine, version="other"))
        assert found.same
        assert not found.witnesses


def test_a_row_that_comes_or_goes_is_one_change() -> None:
    gone = diff(door(), _without("shut x BURNT"))
    assert [(row.change, row.row.id) for row in gone.rows] == [(Change.REMOVED, "shut x BURNT")]
    came = diff(_without("shut x BURNT"), door())
    assert [(row.change, row.row.id) for row in came.rows] == [(Change.ADDED, "shut x BURNT")]
    assert [(each.pair, each.old, each.new) for each in came.pairs] == [
        (("shut", "BURNT"), "unhandled", "handled")
    ]


def test_another_target_is_a_retargeted_row() -> None:
    (row,) = diff(door(), _changed("open x BURNT", target="shut")).rows
    assert row.change is Change.RETARGETED
    assert row.what == (("target", "gone", "shut"),)


def test_a_row_that_now_stays_is_retargeted_too() -> None:
    old = _changed("open x PUSHED [wind]", internal=False)
    (row,) = diff(old, door()).rows
    assert (row.change, row.what) == (Change.RETARGETED, (("stays", "no", "yes"),))


def test_each_field_that_differs_is_named() -> None:
    new = _changed(
        "open x BURNT", effects=("CRY", "RUN"), clock="c", reason="heat", notes=("seen",)
    )
    (row,) = diff(door(), new).rows
    assert row.change is Change.CHANGED
    assert row.what == (
        ("effects", "", "CRY, RUN"),
        ("clock", "", "c"),
        ("reason", "fire", "heat"),
        ("notes", "", "seen"),
    )


def test_another_condition_is_a_change_and_not_two_rows() -> None:
    new = _changed("open x PUSHED [no wind]", guard="calm", id="other")
    (row,) = diff(door(), new).rows
    assert (row.change, row.what) == (Change.CHANGED, (("condition", "no wind", "calm"),))


def test_a_row_in_place_of_another_is_matched_when_there_is_no_doubt() -> None:
    new = _changed("open x BURNT", target="shut", guard="dry")
    (row,) = diff(door(), new).rows
    assert row.change is Change.RETARGETED
    assert [name for name, _, _ in row.what] == ["target", "condition"]


def test_rows_with_nothing_in_common_are_not_matched() -> None:
    def made(*rows: Edge) -> Machine:
        return Machine.of("m", [State(name) for name in "abcde"], ["E"], ["a"], rows)

    old = made(Edge("a", "E", "b", guard="x"), Edge("a", "E", "c", guard="y"))
    new = made(Edge("a", "E", "d", guard="z"), Edge("a", "E", "e", guard="w"))
    found = diff(old, new)
    assert (len(found.of(Change.REMOVED)), len(found.of(Change.ADDED))) == (2, 2)


def test_another_order_of_the_rows_of_a_pair_is_a_difference() -> None:
    rows = door().edges
    turned = tuple(sorted(rows, key=lambda row: (row.pair, row.guard), reverse=True))
    new = Machine.of("door", door().states, door().events, door().initial, turned)
    found = diff(replace(new, edges=rows), new)
    assert (found.rows, found.reordered) == ((), (("open", "PUSHED"),))
    assert not found.same


def test_what_becomes_of_a_pair_is_told() -> None:
    old = door()
    new = replace(
        old, ignored=(Ignored("shut", "KNOCKED", "useless"),), impossible=(("open", "KNOCKED"),)
    )
    assert {each.pair: (each.old, each.new) for each in diff(old, new).pairs} == {
        ("open", "KNOCKED"): ("ignored (useless)", "impossible"),
        ("shut", "KNOCKED"): ("unhandled", "ignored (useless)"),
        ("gone", "KNOCKED"): ("impossible", "unhandled"),
    }


def test_a_nested_state_counts_as_handling_what_the_state_around_it_handles() -> None:
    states = [State("on", initial=("low",)), State("low", parent="on"), State("off", final=True)]
    outer, inner = Edge("on", "E", "off"), Edge("low", "E", "off")
    old = Machine.of("m", states, ["E"], ["on"], [outer])
    new = Machine.of("m", states, ["E"], ["on"], [outer, inner])
    assert diff(old, new).pairs == ()


def test_everything_else_that_differs_is_told_once() -> None:
    old = door()
    states = (State("shut", label="closed"), *old.states[:1], *old.states[2:], State("new"))
    new = replace(
        old,
        name="gate",
        states=states,
        events=("BURNT", "PUSHED", "KNOCKED", "RUNG"),
        initial=("shut",),
        groups=(Group("there", "here", ("open",)),),
    )
    assert [(each.what, each.old, each.new) for each in diff(old, new).others] == [
        ("state shut", "label none", "label closed"),
        ("state new", "not there", "new"),
        ("event RUNG", "not there", "new"),
        ("group there", "label still there; states open, shut", "label here; states open"),
        ("name", "door", "gate"),
        ("start", "open", "shut"),
        ("order of the states", "open, shut, gone", "shut, open, gone"),
        ("order of the events", "PUSHED, BURNT, KNOCKED", "BURNT, PUSHED, KNOCKED"),
    ]


def test_no_field_of_a_machine_can_differ_unseen() -> None:
    old = door()
    others = {
        "name": "x",
        "states": (replace(old.states[0], kind=Kind.OVER), *old.states[1:]),
        "events": (*old.events, "x"),
        "initial": ("shut",),
        "edges": old.edges[1:],
        "ignored": (),
        "impossible": (),
        "reasons": (replace(old.reasons[0], text="x"),),
        "groups": (),
    }
    assert set(others) | {"version"} == set(old.__dataclass_fields__)
    for name, value in others.items():
        assert not diff(old, replace(old, **{name: value})).same, name  # type: ignore[arg-type] # any field


def test_what_came_and_what_went_are_mirror_images() -> None:
    old = load("warm_transfer.table:TABLE")
    new = replace(old, edges=tuple(old.edges[::2]))
    there, back = diff(old, new), diff(new, old)
    assert len(there.of(Change.REMOVED)) == len(old.edges) // 2
    assert [r.row for r in there.of(Change.REMOVED)] == [r.row for r in back.of(Change.ADDED)]
