"""One call for all scopes."""

from collections.abc import Mapping

import pytest

from tests.testing.explorer.tables import SILENT, SMALL, changed
from warm_transfer.errors import TableError
from warm_transfer.events import On
from warm_transfer.rows import Ignored, Table
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import explore
from warm_transfer.testing.explorer.exploring import parts_of


def test_a_table_that_breaks_a_rule_is_refused() -> None:
    with pytest.raises(TableError, match="idle x TRANSFER_REQUESTED"):
        explore(changed("idle x TRANSFER_REQUESTED", start=None), [SMALL])


def test_a_table_of_ones_own_is_walked_as_ours_is() -> None:
    # Ringing is of no interest to this application: a pair less with a row, one more ignored.
    pair = (State.DIALING, On.CONSULT_RANG)
    rows = tuple(row for row in TABLE.rows if (row.source, row.event) != pair)
    ignored = {**TABLE.ignored, pair: Ignored.COURTESY_ONLY}
    report = explore(Table(rows, ignored, TABLE.impossible), [SMALL])
    assert report.violations == ()
    assert pair in report.pairs_ignored
    assert report.rows_total == len(TABLE.rows) - 1


def test_another_process_finds_the_same() -> None:
    def found(processes: int) -> Mapping[str, object]:
        report = explore(SILENT, [SMALL], stop_at=1, processes=processes)
        return {"edges": report.edges, "violations": [str(each) for each in report.violations]}

    assert found(2) == found(1)


def test_the_parts_come_with_their_scopes() -> None:
    ((name, part),) = parts_of(SILENT, [SMALL], stop_at=1)
    assert name == SMALL.name
    assert len(part.found) == 1
