from __future__ import annotations

from fsm_diagrams.from_table import from_table
from fsm_diagrams.views import Picture, View, picture
from tests.fsm_diagrams.machines import door
from warm_transfer.states import FINAL
from warm_transfer.table import TABLE


def _drawn(drawing: Picture) -> list[str]:
    lines = [line for arrow in drawing.arrows for line in arrow.lines]
    lines += [line for inside in drawing.inside.values() for line in inside]
    return [edge.id for line in lines for edge in line.edges]


def test_every_row_of_the_table_stands_once_in_the_full_picture() -> None:
    assert sorted(_drawn(picture(from_table(TABLE), View.FULL))) == sorted(
        row.id for row in TABLE.rows
    )


def test_every_row_that_moves_stands_once_between_the_states() -> None:
    assert sorted(_drawn(picture(from_table(TABLE), View.STATES))) == sorted(
        row.id for row in TABLE.rows if not row.stays
    )


def test_a_line_of_the_full_picture_tells_exactly_the_states_of_its_rows() -> None:
    drawing = picture(from_table(TABLE), View.FULL)
    members = set(drawing.groups[0].states)
    shared = [line for arrow in drawing.arrows if arrow.shared for line in arrow.lines]
    assert shared
    for line in shared:
        if line.only.startswith("not "):
            told = members - {line.only.removeprefix("not ")}
        else:
            told = set(line.only.split(", ")) if line.only else members
        assert told == {edge.source for edge in line.edges}
        assert {(edge.event, edge.guard) for edge in line.edges} == {(line.event, line.guard)}


def test_there_is_one_arrow_from_a_source_to_a_target() -> None:
    for view in View:
        ends = [(a.shared, a.source, a.target) for a in picture(from_table(TABLE), view).arrows]
        assert len(set(ends)) == len(ends)


def test_the_happy_path_comes_first() -> None:
    arrows = picture(from_table(TABLE), View.STATES).arrows
    path = ["idle", "holding", "dialing", "briefing", "merging", "merged", "ended"]
    assert [arrow.source for arrow in arrows[:6]] == path[:-1]
    assert [arrow.target for arrow in arrows[:6]] == path[1:]


def test_what_is_left_out_is_counted() -> None:
    text = " ".join(picture(from_table(TABLE), View.STATES).notes)
    late = sum(row.stays and row.source in FINAL for row in TABLE.rows)
    early = sum(row.stays and row.source not in FINAL for row in TABLE.rows)
    assert f"{early} rows that keep a state" in text
    assert f"{late} rows for what comes late" in text


def test_states_of_a_group_share_an_arrow_only_where_several_lead_to_the_target() -> None:
    drawing = picture(door(), View.FULL)
    assert [(a.source, a.target) for a in drawing.arrows if a.shared] == [("there", "gone")]
    assert [(a.source, a.target) for a in drawing.arrows if not a.shared] == [("open", "shut")]
    assert [line.text for line in drawing.inside["open"]] == ["PUSHED [wind]"]
