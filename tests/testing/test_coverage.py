from __future__ import annotations

from dataclasses import replace

from warm_transfer.journal import MemoryJournal
from warm_transfer.ports import StateChange
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.coverage import Coverage, recorded
from warm_transfer.testing.scenario import SCENARIOS, run


def counted(*names: str) -> Coverage:
    coverage = Coverage()
    with recorded(coverage.take):
        for name in names:
            run(SCENARIOS[name])
    return coverage


def test_rows_and_pairs_are_those_of_the_journal() -> None:
    journal = MemoryJournal()
    coverage = Coverage()
    with recorded(coverage.take):
        run(SCENARIOS["merged"], journal=journal)
    rows = {line["row"] for line in journal.lines if line["handling"] == "row"}
    assert coverage.rows == rows
    assert coverage.transfers == 1
    assert coverage.percent == 100 * len(rows) / len(TABLE.rows)
    assert set(coverage.missed) == {row.id for row in TABLE.rows} - rows
    assert ("briefing", "CONSULT_ACCEPTED") in coverage.pairs


def test_nothing_is_counted_before_and_after() -> None:
    coverage = counted("busy")
    run(SCENARIOS["merged"])
    assert "dialing x CONSULT_REFUSED" in coverage.rows
    assert "briefing x CONSULT_ACCEPTED" not in coverage.rows


def test_hooks_are_told_beside_those_of_the_application() -> None:
    mine: list[StateChange] = []
    theirs: list[StateChange] = []
    with recorded(lambda _: None, mine.append):
        run(SCENARIOS["busy"], on_state_change=theirs.append)
    assert mine == theirs
    assert mine[-1].after is State.FAILED


def test_processes_are_added_up() -> None:
    both, one = counted("merged", "busy"), counted("merged")
    one.add(counted("busy").dump())
    assert one.dump() == both.dump()


def test_steps_of_another_table_are_counted_apart() -> None:
    journal = MemoryJournal()
    run(SCENARIOS["busy"], journal=journal)
    coverage = Coverage(replace(TABLE, rows=TABLE.rows[1:]))
    for line in journal.lines:
        coverage.take(line)
    assert (coverage.foreign, coverage.rows, coverage.transfers) == (len(journal.lines), set(), 0)
    assert "steps of another table are not counted" in "\n".join(coverage.summary())


def test_stale_and_unexpected_steps_reach_no_pair() -> None:
    journal = MemoryJournal()
    run(SCENARIOS["busy"], journal=journal)
    coverage = Coverage()
    for handling in ("stale", "unexpected"):
        coverage.take({**journal.lines[1], "handling": handling})
    assert coverage.pairs == set()


def test_the_summary_names_what_is_missing_when_asked() -> None:
    coverage = counted("busy")
    plain, whole = list(coverage.summary()), list(coverage.summary(missing=True))
    assert whole[: len(plain)] == plain
    assert whole[len(plain) :] == [f"not taken: {row}" for row in coverage.missed]
    assert plain[0] == f"1 transfers through table {TABLE.version}"
