from __future__ import annotations

import re

from fsm_diagrams.from_table import from_table
from fsm_diagrams.matrix import matrix
from tests.fsm_diagrams.machines import HOSTILE, door, hostile
from warm_transfer.events import On
from warm_transfer.rows import Row
from warm_transfer.states import State
from warm_transfer.table import TABLE

Cells = dict[tuple[str, str], str]


def _cells(text: str) -> Cells:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    split = [re.split(r" ?(?<!\\)\| ?", line)[1:-1] for line in lines]
    heads = [head.split("<br>") for head in split[0]]
    assert all(len(cells) == len(heads) for cells in split)
    return {
        (state, row[0]): cell
        for row in split[2:]
        for states, cell in zip(heads[1:], row[1:], strict=True)
        for state in states
    }


def test_every_pair_has_exactly_one_cell() -> None:
    cells = _cells(matrix(from_table(TABLE)))
    assert cells.keys() == {(state.value, event.value) for state in State for event in On}


def test_every_row_of_the_table_stands_once_in_its_cell() -> None:
    text = matrix(from_table(TABLE))
    marks = dict(re.findall(r"([a-z]\d*): ([^;\n]+)", text.rpartition("condition of a row: ")[2]))

    def told(cell: str) -> list[tuple[str, str]]:
        found = [
            re.match(r"(?:(\w+): )?(?:\*\*(\w+)\*\*|stays)", line) for line in cell.split("<br>")
        ]
        return [(marks[one[1]] if one[1] else "", one[2] or "stays") for one in found if one]

    def expected(rows: tuple[Row, ...]) -> list[tuple[str, str]]:
        return [(row.guard or "", "stays" if row.stays else row.target) for row in rows]

    cells = _cells(text)
    for pair, rows in TABLE.by_pair.items():
        assert sorted(told(cells[pair])) == sorted(expected(rows)), pair
    assert sum(len(told(cell)) for cell in cells.values()) == len(TABLE.rows)


def test_ignored_and_impossible_pairs_say_so() -> None:
    cells = _cells(matrix(from_table(TABLE)))
    for pair, why in TABLE.ignored.items():
        assert cells[pair] == f"*{why.name.lower().replace('_', ' ')}*"
    for pair in TABLE.impossible:
        assert cells[pair] == "\N{EN DASH}"


def test_every_reason_in_a_cell_is_in_the_legend() -> None:
    text = matrix(from_table(TABLE))
    for why in set(TABLE.ignored.values()):
        assert f"*: ignored, {why.value}\n" in text


def test_states_that_decide_alike_share_a_column() -> None:
    head = matrix(from_table(TABLE)).splitlines()[0]
    assert "| declined<br>voicemail<br>failed<br>cancelled<br>abandoned |" in head
    assert "| merging | merged |" in head


def test_a_pair_nobody_decided_is_empty_and_the_legend_says_so() -> None:
    text = matrix(door())
    assert _cells(text)["shut", "KNOCKED"] == ""
    assert "- empty: not handled" in text
    assert "not handled" not in matrix(from_table(TABLE))


def test_hostile_names_keep_the_table_whole() -> None:
    lines = [line for line in matrix(hostile()).splitlines() if line.startswith("|")]
    assert len(lines) == len(HOSTILE) + 2
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(HOSTILE) + 2}
