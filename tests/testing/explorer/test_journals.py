"""A counterexample becomes a journal that can be replayed."""

import json
from pathlib import Path

import pytest

from tests.testing.explorer.tables import SILENT, SMALL
from warm_transfer.errors import JournalError
from warm_transfer.events import On
from warm_transfer.journal import read, replay
from warm_transfer.rows import Table
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import Counterexample, explore
from warm_transfer.testing.explorer.journals import lines_of, write


@pytest.fixture(scope="module")
def found() -> Counterexample:
    (found,) = explore(SILENT, [SMALL], stop_at=1).violations
    return found


def test_the_table_it_came_from_replays_it(found: Counterexample, tmp_path: Path) -> None:
    path = write(found, SILENT, tmp_path / "found.jsonl")
    assert path is not None
    lines = read(path)
    steps = list(replay(lines, SILENT))
    assert [step.event.name for step in steps] == [event.name for event in found.events]
    assert steps[-1].after is State.BRIEFING
    assert found.invariant in lines[-1]["payload"]["detail"]
    assert {line["transfer"] for line in lines} == {found.invariant}


def test_another_table_does_not(found: Counterexample) -> None:
    lines = json.loads(json.dumps(lines_of(found, SILENT)))
    with pytest.raises(JournalError, match=f"is of table {SILENT.version}, not {TABLE.version}"):
        list(replay(lines, TABLE))


def test_an_older_journal_of_that_name_goes(found: Counterexample, tmp_path: Path) -> None:
    path = tmp_path / "found.jsonl"
    assert write(found, SILENT, path) == write(found, SILENT, path) == path
    assert len(read(path)) == len(found.events)


def impossible(pair: tuple[State, On]) -> Table:
    """Our table, with one pair called impossible."""
    rows = tuple(row for row in TABLE.rows if (row.source, row.event) != pair)
    return Table(rows, TABLE.ignored, TABLE.impossible | {pair})


def test_an_impossible_event_ends_the_journal_before_it() -> None:
    table = impossible((State.DIALING, On.CONSULT_RANG))
    (found,) = explore(table, [SMALL], stop_at=1).violations
    lines = lines_of(found, table)
    assert len(lines) == len(found.events) - 1
    assert lines[-1]["after"] == "dialing"
    assert "CONSULT_RANG" in str(lines[-1]["payload"])


def test_what_no_event_has_led_to_has_no_journal(tmp_path: Path) -> None:
    table = impossible((State.IDLE, On.CALLER_HUNG_UP))
    (found,) = explore(table, [SMALL], stop_at=1).violations
    assert write(found, table, tmp_path / "none.jsonl") is None
    assert list(tmp_path.iterdir()) == []
