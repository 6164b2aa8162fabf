from __future__ import annotations

from dataclasses import replace

import pytest

from warm_transfer.effects import Do
from warm_transfer.errors import TableError
from warm_transfer.events import On
from warm_transfer.rows import Table
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing import conformance
from warm_transfer.testing.conformance import NotConforming, TableConformance, conform
from warm_transfer.testing.explorer import SCOPES, Report

SMALLEST = SCOPES[:1]


def without(state: State, event: On, effect: Do) -> Table:
    return TABLE.with_rows(
        replace(row, effects=tuple(each for each in row.effects if each is not effect))
        if (row.source, row.event) == (state, event)
        else row
        for row in TABLE.rows
    )


def test_a_table_that_breaks_an_invariant_is_named_with_the_shortest_way() -> None:
    class Forgetful(TableConformance):
        table = without(State.IDLE, On.TRANSFER_REQUESTED, Do.PLAY_HOLD_AUDIO)
        scopes = SMALLEST

    with pytest.raises(NotConforming) as caught:
        Forgetful().test_every_path_keeps_the_invariants()
    found = caught.value.found
    assert found is not None
    assert found.invariant == "the_held_caller_hears_music"
    text = str(caught.value)
    assert "the invariant: Once nothing is in flight, a held caller hears hold audio" in text
    assert f"with {SMALLEST[0].name}, the shortest way:\n    TRANSFER_REQUESTED" in text


def test_our_table_conforms_and_what_was_reached_is_told() -> None:
    (report,) = conform(TABLE, scopes=SMALLEST)
    assert report.violations == ()
    assert len(report.rows_taken) > len(TABLE.rows) / 2


def test_a_table_that_breaks_a_rule_is_not_walked() -> None:
    class Short(TableConformance):
        table = TABLE.with_rows(TABLE.rows[1:])

    with pytest.raises(TableError):
        Short().test_the_table_keeps_the_rules()
    with pytest.raises(TableError):
        conform(Short.table)


def test_a_row_that_no_path_takes_is_told_when_all_were_walked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = frozenset(row.id for row in TABLE.rows[1:])

    def walk(**options: object) -> Report:
        del options
        return report

    report = Report.__new__(Report)
    object.__setattr__(report, "rows_taken", taken)
    object.__setattr__(report, "violations", ())
    monkeypatch.setattr(conformance, "explore", walk)
    conform(TABLE, scopes=SMALLEST)
    with pytest.raises(NotConforming) as caught:
        conform(TABLE)
    assert caught.value.missed == (TABLE.rows[0].id,)
    assert TABLE.rows[0].id in str(caught.value)


def test_ours_is_what_is_walked_unless_another_is_given() -> None:
    assert TableConformance.table is TABLE
    assert TableConformance.scopes is SCOPES
    TableConformance().test_the_table_keeps_the_rules()
