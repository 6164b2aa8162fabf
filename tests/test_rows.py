from dataclasses import replace

import pytest

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import TransferPolicy
from warm_transfer.rows import FAMILIES, Family, Guard, Keep, Row, Table, Wait
from warm_transfer.states import State
from warm_transfer.table import TABLE


def test_every_family_has_members_and_no_two_are_the_same_set() -> None:
    assert set(FAMILIES) == set(Family)
    sets = [frozenset(guards) for guards in FAMILIES.values()]
    assert len(set(sets)) == len(sets)
    assert all(len(set(guards)) == len(guards) > 1 for guards in FAMILIES.values())


def test_every_guard_belongs_to_a_family() -> None:
    assert frozenset().union(*FAMILIES.values()) == set(Guard)


def test_every_clock_is_a_limit_of_the_policy() -> None:
    for wait in Wait:
        assert getattr(TransferPolicy(), wait.value) > 0


def test_every_mark_and_every_clock_is_used_by_a_row() -> None:
    assert {keep for row in TABLE.rows for keep in row.keep} == set(Keep)
    assert {row.start for row in TABLE.rows if row.start} == set(Wait)


def test_a_table_with_other_rows_is_otherwise_the_same() -> None:
    table = replace(TABLE, initial=State.HOLDING, name="one's own")
    other = table.with_rows(TABLE.rows[:1])
    assert other.rows == TABLE.rows[:1]
    assert replace(other, rows=TABLE.rows).canonical() == table.canonical()
    assert (other.name, other.initial) == (table.name, table.initial)


def test_a_rows_id_names_its_pair_and_guard() -> None:
    row = Row(State.MERGED, On.MERGE_BROKE, State.MERGED, guard=Guard.FIRST_BREAK)
    assert row.id == "merged x MERGE_BROKE [FIRST_BREAK]"
    assert replace(row, guard=None).id == "merged x MERGE_BROKE"
    assert row.stays


def test_row_ids_are_unique() -> None:
    ids = [row.id for row in TABLE.rows]
    assert len(set(ids)) == len(ids)


def test_the_rows_of_a_pair_are_found_in_table_order() -> None:
    rows = TABLE.by_pair[State.MERGED, On.MERGE_BROKE]
    assert [row.guard for row in rows] == list(FAMILIES[Family.BROKE])
    assert TABLE.family_of[State.MERGED, On.MERGE_BROKE] is Family.BROKE


def test_a_version_is_short_and_stays() -> None:
    assert len(TABLE.version) == 12
    assert TABLE.version == TABLE.with_rows(TABLE.rows).version


def test_a_version_does_not_depend_on_the_order_of_the_source() -> None:
    assert TABLE.with_rows(reversed(TABLE.rows)).version == TABLE.version


@pytest.mark.parametrize("index", range(len(TABLE.rows)))
def test_a_changed_row_changes_the_version(index: int) -> None:
    rows = list(TABLE.rows)
    row = rows[index]
    effects = row.effects[1:] if row.effects else (Do.END_CALL,)
    rows[index] = replace(row, effects=effects)
    assert TABLE.with_rows(rows).version != TABLE.version


def test_an_ignored_or_impossible_pair_counts_for_the_version() -> None:
    pair = next(iter(TABLE.ignored))
    fewer = {each: why for each, why in TABLE.ignored.items() if each != pair}
    assert Table(TABLE.rows, fewer, TABLE.impossible).version != TABLE.version
    assert Table(TABLE.rows, TABLE.ignored, frozenset()).version != TABLE.version
