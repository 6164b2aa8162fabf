"""What an event does to the core, remembered."""

from dataclasses import replace

import pytest

from tests.testing.explorer.tables import SMALL, without
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.rows import Table
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import OutsideModel
from warm_transfer.testing.explorer.cores import Cores
from warm_transfer.testing.explorer.memory import STATE_CLOCK
from warm_transfer.transfer import Handling


def test_the_same_event_is_asked_once_and_leads_to_the_same_node() -> None:
    cores = Cores(SMALL, TABLE)
    taken = cores.take(cores.first, On.TRANSFER_REQUESTED, None)
    assert cores[taken.node].state is State.HOLDING
    assert [name for _, name in taken.effects] == [
        Do.HOLD_CALLER,
        Do.PLAY_HOLD_AUDIO,
        Do.OPEN_CONSULT,
    ]
    assert cores.take(cores.first, On.TRANSFER_REQUESTED, None) is taken
    again = cores.take(taken.node, On.CONSULT_OPENED, 300)
    assert (again.node, again.handling) == (taken.node, Handling.ROW)


def test_a_clock_that_runs_out_is_told_from_an_old_one() -> None:
    cores = Cores(SMALL, TABLE)
    holding = cores.take(cores.first, On.TRANSFER_REQUESTED, None).node
    ended = cores.take(holding, On.DEADLINE_PASSED, STATE_CLOCK)
    assert cores[ended.node].state is State.FAILED
    assert cores.take(holding, On.DEADLINE_PASSED, 10_000).handling is Handling.STALE


def test_an_impossible_pair_leads_nowhere_and_is_wrong() -> None:
    cores = Cores(SMALL, TABLE)
    taken = cores.take(cores.first, On.MERGE_BROKE, None)
    assert (taken.node, taken.handling) == (cores.first, None)
    assert taken.wrong[0][0] == "an_impossible_pair"


def test_a_core_that_waits_without_end_is_wrong_by_itself() -> None:
    rows = [
        replace(row, keep=()) if "NOT_LOOKED" in row.id else row  # looks for ever
        for row in TABLE.rows
    ]
    cores = Cores(SMALL, TABLE.with_rows(rows))
    number = cores.first
    for on in (On.TRANSFER_REQUESTED, On.CALLER_HELD, On.CONSULT_ANSWERED, On.APP_ACCEPTED):
        number = cores.take(number, on, None).node
    assert [name for name, _ in cores.wrong[number]] == ["the_clocks_alone_end_it"]


def test_another_table_asks_the_base_but_for_what_it_changes() -> None:
    base = Cores(SMALL, TABLE)
    holding = base.take(base.first, On.TRANSFER_REQUESTED, None).node
    base.take(holding, On.CALLER_HELD, None)
    broken: Table = without("idle x TRANSFER_REQUESTED", Do.PLAY_HOLD_AUDIO)
    other = Cores(SMALL, broken, base, (State.IDLE, On.TRANSFER_REQUESTED))
    assert other.first == base.first
    assert other.take(holding, On.CALLER_HELD, None) is base.take(holding, On.CALLER_HELD, None)
    changed = other.take(other.first, On.TRANSFER_REQUESTED, None)
    assert changed.node >= len(base)


def test_a_report_of_an_effect_that_was_lost_from_sight_is_refused() -> None:
    cores = Cores(SMALL, TABLE)
    holding = cores.take(cores.first, On.TRANSFER_REQUESTED, None).node
    with pytest.raises(OutsideModel, match="CALLER_HELD in holding"):
        cores.take(holding, On.CALLER_HELD, 101)
