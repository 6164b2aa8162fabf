from __future__ import annotations

from dataclasses import replace

from fsm_diagrams.from_transitions import from_transitions
from fsm_diagrams.inspection import Flaw, findings
from fsm_diagrams.model import Edge, Ignored, Kind, Machine, Reason, State
from fsm_diagrams.sources import load
from tests.fsm_diagrams import foreign

A, B, END = State("a"), State("b"), State("end", final=True)


def _machine(*rows: Edge, states: tuple[State, ...] = (A, B, END)) -> Machine:
    return Machine.of("m", states, ["E", "F"], ["a"], rows)


def _found(machine: Machine) -> set[tuple[Flaw, str]]:
    return {(it.flaw, it.where) for it in findings(machine)}


GOOD = (Edge("a", "E", "b"), Edge("b", "F", "end"))


def test_nothing_is_wrong_with_our_table() -> None:
    assert findings(load("warm_transfer.table:TABLE")) == ()


def test_nothing_is_wrong_with_the_machines_of_the_documentation() -> None:
    assert findings(from_transitions(foreign.matter())) == ()
    assert findings(from_transitions(foreign.coffee())) == ()
    assert findings(from_transitions(foreign.regions())) == ()
    assert findings(_machine(*GOOD)) == ()


def test_a_state_that_nothing_leads_to() -> None:
    lost = (*GOOD, Edge("lost", "E", "end"), Edge("lost", "F", "lost"))
    assert _found(_machine(*lost, states=(A, B, END, State("lost")))) == {
        (Flaw.UNREACHABLE, "lost")
    }
    behind = findings(
        _machine(*lost, Edge("lost", "F", "far"), states=(A, B, END, State("lost"), State("far")))
    )
    assert behind[1].why == "only from lost"


def test_a_row_that_is_never_taken_reaches_nothing() -> None:
    rows = (Edge("a", "E", "end"), Edge("a", "F", "end"), Edge("a", "E", "b", guard="g"))
    assert (Flaw.UNREACHABLE, "b") in _found(_machine(*rows, Edge("b", "E", "end")))


def test_states_without_a_way_to_the_end_are_traps() -> None:
    rows = (*GOOD, Edge("a", "F", "x"), Edge("x", "E", "y"), Edge("y", "E", "x"))
    states = (A, B, END, State("x"), State("y"))
    assert _found(_machine(*rows, states=states)) == {(Flaw.TRAP, "x"), (Flaw.TRAP, "y")}


def test_without_final_states_only_a_dead_end_is_a_trap() -> None:
    ring = (Edge("a", "E", "b"), Edge("b", "E", "a"), Edge("a", "F", "x"))
    assert _found(_machine(*ring, states=(A, B, State("x")))) == {(Flaw.TRAP, "x")}


def test_a_row_out_of_a_final_state() -> None:
    assert _found(_machine(*GOOD, Edge("end", "E", "a", id="back"))) == {(Flaw.LEFT, "back")}
    stays = Edge("end", "E", "end", internal=True)
    assert _found(_machine(*GOOD, stays)) == set()


def test_a_row_behind_one_without_a_condition() -> None:
    late = Edge("a", "E", "end", guard="g", id="late")
    assert _found(_machine(*GOOD, late)) == {(Flaw.SHADOWED, "late")}
    first = Machine.of("m", [A, B, END], ["E", "F"], ["a"], [late, *GOOD])
    assert _found(first) == set()


def test_the_same_condition_twice() -> None:
    one = Edge("a", "F", "b", guard="g", id="one")
    again, other = replace(one, id="again"), replace(one, target="end", id="other")
    assert _found(_machine(*GOOD, one, again)) == {(Flaw.SHADOWED, "again")}
    assert _found(_machine(*GOOD, one, other)) == {(Flaw.NONDETERMINISTIC, "other")}


def test_two_rows_without_a_condition() -> None:
    rows = (*GOOD, Edge("b", "F", "a", id="other"))
    assert _found(_machine(*rows)) == {(Flaw.NONDETERMINISTIC, "other")}


def test_a_waiting_state_that_is_entered_without_a_clock() -> None:
    waiting = (A, State("b", kind=Kind.WAITING), END)
    assert _found(_machine(*GOOD, states=waiting)) == {(Flaw.NO_CLOCK, "b")}
    clocked = (replace(GOOD[0], clock="c"), GOOD[1])
    assert _found(_machine(*clocked, states=waiting)) == set()
    first = (State("a", kind=Kind.WAITING), B, END)
    assert _found(_machine(*GOOD, states=first)) == {(Flaw.NO_CLOCK, "a")}


def test_an_event_without_a_row() -> None:
    assert _found(_machine(GOOD[0], Edge("b", "E", "end"))) == {(Flaw.UNHANDLED, "F")}


def test_a_pair_that_a_total_machine_forgets() -> None:
    machine = Machine.of(
        "m",
        [A, B, END],
        ["E", "F"],
        ["a"],
        GOOD,
        ignored=[Ignored("a", "F", "r"), Ignored("b", "E", "r")],
        impossible=[("end", "E")],
        reasons=[Reason("r", "because")],
    )
    assert _found(machine) == {(Flaw.UNDECIDED, "end x F")}


def test_a_finding_says_what_where_and_why() -> None:
    (found,) = findings(_machine(*GOOD, Edge("end", "E", "a", id="back")))
    assert found.text == "final state is left: back: leads to a"
