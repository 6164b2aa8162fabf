from __future__ import annotations

from dataclasses import replace

from fsm_diagrams.from_table import OWN_TARGET, as_table, from_table, lifelines
from fsm_diagrams.model import Kind
from fsm_diagrams.sources import load
from tests.fsm_diagrams.machines import door
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.states import FINAL, State
from warm_transfer.table import TABLE


def test_every_row_of_the_table_becomes_one_edge() -> None:
    machine = from_table(TABLE)
    assert sorted(edge.id for edge in machine.edges) == sorted(row.id for row in TABLE.rows)
    assert len({edge.id for edge in machine.edges}) == len(machine.edges)


def test_an_edge_says_what_its_row_says() -> None:
    edges = {edge.id: edge for edge in from_table(TABLE).edges}
    for row in TABLE.rows:
        edge = edges[row.id]
        assert (edge.source, edge.event, edge.target) == (row.source, row.event, row.target)
        assert edge.effects == row.effects
        assert edge.guard == (row.guard or "")
        assert edge.clock == (row.start or "")
        assert edge.reason == (row.reason or "")
        assert edge.notes == row.keep
        assert edge.internal == row.stays


def test_every_pair_is_a_row_or_ignored_or_impossible() -> None:
    machine = from_table(TABLE)
    decided = machine.by_pair.keys() | machine.why_ignored.keys() | set(machine.impossible)
    assert decided == {(state.value, event.value) for state in State for event in On}


def test_the_order_of_rows_and_pairs_in_the_source_does_not_matter() -> None:
    turned = list(TABLE.rows)
    turned.reverse()
    table = replace(TABLE, rows=tuple(turned), ignored=dict(reversed(list(TABLE.ignored.items()))))
    assert from_table(table) == from_table(TABLE)


def test_final_states_and_outcomes_keep_their_meaning() -> None:
    states = from_table(TABLE).state_named
    assert {name for name, state in states.items() if state.final} == {s.value for s in FINAL}
    assert states["idle"].kind is Kind.ORDINARY
    assert states["merging"].kind is Kind.WAITING
    assert states["merged"].kind is Kind.SUCCESS
    assert states["voicemail"].kind is Kind.FAILURE
    assert states["ended"].kind is Kind.OVER


def test_only_a_table_is_a_table() -> None:
    assert as_table(TABLE) is TABLE
    assert as_table(TABLE.rows) is None


def test_our_table_says_who_takes_part_and_other_machines_do_not() -> None:
    machine = load(OWN_TARGET)
    assert machine == from_table(TABLE)
    found = lifelines(machine)
    assert found is not None
    assert found.own in found.names
    assert set(found.events) == set(On)
    assert set(found.effects) == set(Do)
    assert {*found.events.values(), *found.effects.values(), *found.people} <= set(found.names)
    assert lifelines(door()) is None
