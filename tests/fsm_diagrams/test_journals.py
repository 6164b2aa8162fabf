from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fsm_diagrams.errors import JournalError
from fsm_diagrams.journals import read_journal, transfers
from fsm_diagrams.model import Edge, Machine, State
from fsm_diagrams.sources import load
from tests.fsm_diagrams.machines import door
from warm_transfer import Event, On, Transfer
from warm_transfer.journal import FileJournal, to_line

GENERIC = (
    {"event": "KNOCKED", "before": "open", "after": "open"},
    {"event": "PUSHED", "before": "open", "after": "open", "guard": "wind"},
    {"event": "PUSHED", "before": "open", "after": "shut"},
    {"event": "BURNT", "before": "shut", "after": "gone"},
)


def _write(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "run.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def _nested(*extra: Edge) -> Machine:
    return Machine.of(
        "nested",
        [
            State("off"),
            State("on", initial=("on_low",)),
            State("on_low", parent="on"),
            State("on_high", parent="on"),
        ],
        ["press", "more"],
        ["off"],
        [
            Edge("off", "press", "on", id="go"),
            Edge("on", "press", "off", id="stop"),
            Edge("on_low", "more", "on_high", id="more"),
            *extra,
        ],
    )


def test_the_least_a_line_can_say_is_enough(tmp_path: Path) -> None:
    lines = read_journal(_write(tmp_path, *GENERIC), door())
    assert [line.row for line in lines] == [
        "",
        "open x PUSHED [wind]",
        "open x PUSHED [no wind]",
        "shut x BURNT",
    ]
    assert [line.handling for line in lines] == ["ignored", "row", "row", "row"]
    assert [line.seq for line in lines] == [1, 2, 3, 4]
    assert {line.t_s for line in lines} == {None}


def test_a_journal_of_a_transfer_is_read_as_it_was_written(tmp_path: Path) -> None:
    transfer = Transfer("t-1")
    journal = FileJournal(tmp_path / "transfer.jsonl")
    for at_s, name in enumerate([On.TRANSFER_REQUESTED, On.CALLER_HELD, On.CALLER_HELD]):
        journal.write(to_line(transfer.receive(Event(name), at_s), transfer, 0.0))
    journal.close()
    lines = read_journal(journal.path, load("warm_transfer.table:TABLE"))
    assert [line.row for line in lines] == [
        "idle x TRANSFER_REQUESTED",
        "holding x CALLER_HELD",
        "",
    ]
    assert [line.t_s for line in lines] == [0.0, 1.0, 2.0]
    assert lines[2].handling == "ignored"
    assert lines[2].why == "ALREADY_KNOWN"
    assert "DIAL_CONSULT" in lines[1].effects
    assert {line.transfer for line in lines} == {"t-1"}


def test_a_row_of_the_state_around_is_found(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        {"event": "press", "before": "off", "after": "on_low"},
        {"event": "more", "before": "on_low", "after": "on_high"},
        {"event": "press", "before": "on_high", "after": "off"},
    )
    assert [line.row for line in read_journal(path, _nested())] == ["go", "more", "stop"]


@pytest.mark.parametrize(
    ("guard", "said"),
    [("", {}), ("is_low", {"guard": "is_low"}), ("is_low", {"row": "low"})],
)
def test_a_row_of_the_state_itself_comes_before_one_of_the_state_around(
    tmp_path: Path, guard: str, said: dict[str, str]
) -> None:
    path = _write(tmp_path, {"event": "press", "before": "on_low", "after": "off"} | said)
    (line,) = read_journal(path, _nested(Edge("on_low", "press", "off", guard=guard, id="low")))
    assert line.row == "low"


def test_a_condition_leaves_it_open_which_of_the_two_was_taken(tmp_path: Path) -> None:
    machine = _nested(Edge("on_low", "press", "off", guard="is_low", id="low"))
    path = _write(tmp_path, {"event": "press", "before": "on_low", "after": "off"})
    with pytest.raises(JournalError, match="2 rows lead from on_low on press to off"):
        read_journal(path, machine)
    path = _write(tmp_path, {"event": "press", "before": "on_low", "after": "off", "row": "stop"})
    assert [line.row for line in read_journal(path, machine)] == ["stop"]


def test_without_a_machine_no_row_is_looked_up(tmp_path: Path) -> None:
    lines = read_journal(_write(tmp_path, *GENERIC))
    assert {line.row for line in lines} == {""}
    assert [line.handling for line in lines] == ["ignored", "ignored", "row", "row"]


def test_parallel_states_are_lists(tmp_path: Path) -> None:
    path = _write(tmp_path, {"event": "E", "before": ["a", "b"], "after": ["a", "c"]})
    (line,) = read_journal(path)
    assert (line.before, line.after) == ("a + b", "a + c")


def test_the_lines_of_several_runs_are_told_apart(tmp_path: Path) -> None:
    first: dict[str, Any] = {"event": "PUSHED", "before": "open", "after": "shut"}
    path = _write(
        tmp_path,
        first | {"transfer": "a"},
        first | {"transfer": "b"},
        {"transfer": "a", "event": "BURNT", "before": "shut", "after": "gone"},
    )
    runs = transfers(read_journal(path, door()))
    assert {name: [line.event for line in run] for name, run in runs.items()} == {
        "a": ["PUSHED", "BURNT"],
        "b": ["PUSHED"],
    }


OPEN = {"before": "open", "after": "open"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "has no lines"),
        (("{",), ":1: is not JSON"),
        (("[]",), ":1: is no JSON object"),
        (("[" * 100_000,), ":1: is not JSON"),
        ((GENERIC[0], '{"event": "KNO'), ":2: is not JSON"),
        (({"v": 2},), "version 2, and only 1 is known"),
        ((OPEN,), "no usable `event`"),
        ((OPEN | {"event": 1},), "no usable `event`"),
        (({"event": "KNOCKED", "before": "open"},), "no usable `after`"),
        (({"event": "KNOCKED", "before": [], "after": "open"},), "no usable `before`"),
        ((OPEN | {"event": "SUNG"},), "the event 'SUNG', which 'door' does not know"),
        (({"event": "KNOCKED", "before": "ajar", "after": "open"},), "the state 'ajar'"),
        ((OPEN | {"event": "KNOCKED", "row": "x"},), "the row 'x', which 'door' has not"),
        ((OPEN | {"event": "KNOCKED", "row": "shut x BURNT"},), "does not fit its row"),
        ((OPEN | {"event": "PUSHED", "guard": "rain"},), "no row leads .* under 'rain'"),
        (({"event": "KNOCKED", "before": "open", "after": "shut"},), "no row leads"),
        (({"event": "PUSHED", "before": "open", "after": "shut", "handling": "stale"},), "yet"),
        ((OPEN | {"event": "KNOCKED", "handling": "eaten"},), "handling 'eaten'"),
        ((OPEN | {"event": "KNOCKED", "table": "0123"},), "is of version 0123"),
        ((OPEN | {"event": "KNOCKED", "seq": "1"},), "no usable `seq`"),
        ((OPEN | {"event": "KNOCKED", "t_s": "1"},), "no usable `t_s`"),
        ((OPEN | {"event": "KNOCKED", "t_s": 1e12},), "no usable `t_s`"),
        ((OPEN | {"event": "KNOCKED", "effects": [1]},), "no usable `effects`"),
        ((OPEN | {"event": "KNOCKED", "payload": 1},), "no usable `payload`"),
        ((GENERIC[2], GENERIC[2]), ":2: begins in open, but line 1 .* ended in shut"),
        ((GENERIC[0] | {"seq": 1}, GENERIC[0] | {"seq": 3}), ":2: is step 3 .* 2 was to come"),
    ],
)
def test_what_is_broken_is_named_by_its_line(
    tmp_path: Path, lines: tuple[object, ...], said: str
) -> None:
    machine = replace(door(), version="abcd")
    with pytest.raises(JournalError, match=said):
        read_journal(_write(tmp_path, *lines), machine)


def test_rows_that_the_ends_do_not_tell_apart_have_to_be_named(tmp_path: Path) -> None:
    twin = Edge("open", "BURNT", "gone", guard="no rain", id="twin")
    path = _write(tmp_path, {"event": "BURNT", "before": "open", "after": "gone"})
    with pytest.raises(JournalError, match="2 rows lead from open on BURNT to gone"):
        read_journal(path, door(extra=(twin,)))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        read_journal(tmp_path / "none.jsonl")
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    with pytest.raises(JournalError, match="is no text file"):
        read_journal(tmp_path / "latin")
