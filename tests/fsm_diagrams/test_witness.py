from __future__ import annotations

from dataclasses import replace

from fsm_diagrams.model import Edge, Machine, State
from fsm_diagrams.sources import load
from fsm_diagrams.walk import Walker
from fsm_diagrams.witness import Happening, Witness, witnesses
from tests.fsm_diagrams.foreign import big
from tests.fsm_diagrams.machines import door


def _changed(machine: Machine, name: str, **fields: object) -> Machine:
    edges = [replace(e, **fields) if e.id == name else e for e in machine.edges]  # type: ignore[arg-type] # any field
    return replace(machine, edges=tuple(edges))


def _by_kind(old: Machine, new: Machine) -> dict[str, Witness]:
    return {witness.kind: witness for witness in witnesses(old, new)}


def test_the_same_machine_shows_no_difference() -> None:
    assert list(witnesses(door(), door())) == []
    assert list(witnesses(door(), replace(door(), version="x"))) == []


def test_another_target_shows_at_once() -> None:
    found = _by_kind(door(), _changed(door(), "open x BURNT", target="shut"))
    assert [each.text for each in found["outcome"].events] == ["BURNT"]
    assert found["outcome"].old == "goes to gone; reason fire"
    assert found["outcome"].new == "goes to shut; reason fire"


def test_other_effects_show_and_end_in_no_other_outcome() -> None:
    found = _by_kind(door(), _changed(door(), "shut x BURNT", effects=("CRY",)))
    assert set(found) == {"behaviour"}
    assert [each.event for each in found["behaviour"].events] == ["PUSHED", "BURNT"]
    assert found["behaviour"].events[0].holding == ("no wind",)
    assert found["behaviour"].new == "goes to gone; does CRY"


def test_another_reason_is_another_outcome() -> None:
    found = _by_kind(door(), _changed(door(), "open x BURNT", reason="heat"))
    assert found["outcome"].new == "goes to gone; reason heat"


def test_a_row_that_is_gone_shows_what_becomes_of_its_event() -> None:
    gone = replace(door(), edges=tuple(e for e in door().edges if e.id != "shut x BURNT"))
    assert _by_kind(door(), gone)["outcome"].new == "stays in shut, where BURNT has no row"


def test_the_order_of_conditions_shows_when_both_hold() -> None:
    first, second = Edge("a", "E", "b", guard="x"), Edge("a", "E", "c", guard="y")
    states = [State("a"), State("b", final=True), State("c", final=True)]
    old = Machine.of("m", states, ["E"], ["a"], [first, second])
    new = Machine.of("m", states, ["E"], ["a"], [second, first])
    assert _by_kind(old, new)["outcome"].events == (Happening("E", ("x", "y"), asked=True),)


def test_a_condition_that_came_shows_when_it_does_not_hold() -> None:
    new = _changed(door(), "open x BURNT", guard="dry")
    found = _by_kind(door(), new)["outcome"]
    assert [each.text for each in found.events] == ["BURNT [no condition holds]"]
    assert found.new == "stays in open, where BURNT has no row whose condition holds"


def test_another_start_is_said() -> None:
    found = _by_kind(door(), replace(door(), initial=("shut",)))
    assert (found["behaviour"].old, found["behaviour"].new) == ("starts in open", "starts in shut")


def test_what_is_shown_happens_in_both_machines_and_nothing_shorter_shows_it() -> None:
    old = load("warm_transfer.table:TABLE")
    for edge in old.edges[::9]:
        new = replace(old, edges=tuple(each for each in old.edges if each is not edge))
        witness = _by_kind(old, new)["behaviour"]
        walkers = Walker(old), Walker(new)
        configs = walkers[0].start, walkers[1].start
        for index, each in enumerate(witness.events):
            holding = frozenset(each.holding)
            moves = [w.move(c, each.event, holding) for w, c in zip(walkers, configs, strict=True)]
            last = index == len(witness.events) - 1
            assert (moves[0].edges != moves[1].edges) is last
            configs = moves[0].after, moves[1].after
        assert edge in moves[0].edges


def test_a_big_machine_is_searched() -> None:
    new = _changed(big(), big().edges[-1].id, target="step_00")
    assert _by_kind(big(), new)["behaviour"].events
