"""The journal: the format of its lines, what is masked, reading, and replaying."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.lines import WAY_TO
from warm_transfer.errors import JournalError, UnexpectedEvent
from warm_transfer.events import CLOCKS, Event, Facts, On
from warm_transfer.journal import VERSION, FileJournal, MemoryJournal, read, replay, to_line
from warm_transfer.outcome import Reason
from warm_transfer.policy import Carrier, Plan, Strategy, TransferPolicy
from warm_transfer.rows import Row, Table
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.scenario import SCENARIOS, run
from warm_transfer.transfer import Step, Transfer

S = State

#: The first text that Hypothesis makes is slow, and so is a busy machine.
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NUMBER = "+15105550123"

KEYS = [
    "v",
    "table",
    "transfer",
    "seq",
    "t_s",
    "attempt",
    "event",
    "payload",
    "before",
    "after",
    "handling",
    "row",
    "effects",
    "deadline_s",
]


def lines_of(*events: Event | On, transfer: Transfer | None = None) -> list[dict[str, Any]]:
    """The journal of a core that is told these events, one a second from second 100 on."""
    transfer = transfer or Transfer("t1")
    journal = MemoryJournal()
    for at_s, each in enumerate(events, 100):
        event = each if isinstance(each, Event) else Event(each)
        journal.write(to_line(transfer.receive(event, at_s), transfer, 100))
    return journal.lines


def stored(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines as they come back from a file."""
    return [json.loads(json.dumps(line)) for line in lines]


# The format.


@pytest.mark.parametrize("name", list(WAY_TO[S.MERGED]))
def test_every_line_has_the_same_keys_in_the_same_order(name: On) -> None:
    way = WAY_TO[S.MERGED]
    line = lines_of(*way)[way.index(name)]
    assert list(line) == KEYS


def test_a_line_of_a_row_says_what_happened_and_what_follows() -> None:
    line = lines_of(On.TRANSFER_REQUESTED, On.CALLER_HELD)[1]
    assert line == {
        "v": 1,
        "table": TABLE.version,
        "transfer": "t1",
        "seq": 2,
        "t_s": 1,
        "attempt": 1,
        "event": "CALLER_HELD",
        "payload": {},
        "before": "holding",
        "after": "dialing",
        "handling": "row",
        "row": "holding x CALLER_HELD",
        "effects": [{"id": 7, "name": "DIAL_CONSULT"}],
        "deadline_s": 31,
    }


def test_a_line_of_an_ignored_event_gives_the_reason_in_place_of_the_row() -> None:
    line = lines_of(On.TRANSFER_REQUESTED, On.CONSULT_ACCEPTED)[1]
    assert (line["handling"], line["row"], line["effects"]) == ("ignored", "NOT_ANSWERED_YET", [])


def test_a_line_of_a_stale_event_has_no_row() -> None:
    line = lines_of(On.TRANSFER_REQUESTED, Event(On.CALLER_HELD, attempt=0))[1]
    assert (line["handling"], line["row"], line["effects"]) == ("stale", None, [])
    assert line["before"] == line["after"] == "holding"


def test_a_line_names_the_guard_that_chose_its_row() -> None:
    line = lines_of(*WAY_TO[S.MERGED])[-1]
    assert line["row"] == "merging x MERGE_CONFIRMED [RELAYED]"


def test_a_final_state_has_no_deadline() -> None:
    assert lines_of(On.TRANSFER_REQUESTED, On.APP_CANCELLED)[-1]["deadline_s"] is None


def test_the_request_carries_what_guards_depend_on() -> None:
    transfer = Transfer(
        "t1",
        policy=TransferPolicy(on_human_left="return"),
        plan=Plan(strategies=(Strategy("move"), Strategy("relay", Carrier.AGENT))),
    )
    line = lines_of(On.TRANSFER_REQUESTED, transfer=transfer)[0]
    assert line["payload"]["plan"] == {
        "strategies": [
            {"name": "move", "carrier": "server"},
            {"name": "relay", "carrier": "agent"},
        ],
        "on_human_left": "return",
        "after_merge": "silent",
    }


def test_the_payload_says_which_effect_and_attempt_an_event_reports_for() -> None:
    line = lines_of(On.TRANSFER_REQUESTED, Event(On.CALLER_HELD, attempt=1, effect=2))[1]
    assert line["payload"] == {"of": 2, "attempt": 1}


# What is masked.


def test_what_a_person_said_is_counted_and_not_kept() -> None:
    told = Facts(words="my name is Alice, ring me at home", via="tool")
    (line,) = lines_of(Event(On.APP_CANCELLED, told))
    assert line["payload"] == {"via": "tool", "words": "<33 characters>"}


def test_a_cause_is_kept_by_the_name_of_its_type() -> None:
    (line,) = lines_of(Event(On.APP_CANCELLED, Facts(cause=OSError(f"no route to {NUMBER}"))))
    assert line["payload"] == {"cause": "OSError"}


@pytest.mark.parametrize(
    "name", [each.name for each in fields(Facts) if each.name not in ("cause", "sip_status")]
)
def test_no_fact_carries_a_number_into_the_journal(name: str) -> None:
    values: dict[str, Any] = {name: f"call {NUMBER} or sip:alice@example.com"}
    facts = Facts(**values)
    text = json.dumps(lines_of(Event(On.APP_CANCELLED, facts)))
    assert "0123" not in text
    assert "555" not in text
    assert "alice" not in text


def test_facts_that_are_absent_are_left_out() -> None:
    (line,) = lines_of(Event(On.APP_CANCELLED, Facts(sip_status=486, sip_phrase="Busy Here")))
    assert line["payload"] == {"sip_status": 486, "sip_phrase": "Busy Here"}


# The file.


def test_a_file_journal_appends_one_whole_line_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "journal.jsonl"
    journal = FileJournal(path)
    lines = lines_of(*WAY_TO[S.MERGED])
    for number, line in enumerate(lines, 1):
        journal.write(line)
        # Without closing: a process that is killed here leaves whole lines.
        text = path.read_text(encoding="utf-8")
        assert text.endswith("\n")
        assert text.count("\n") == number
    journal.close()
    assert read(path) == stored(lines)


def test_a_file_journal_goes_on_behind_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for name in ("one", "two"):
        journal = FileJournal(str(path))
        (line,) = lines_of(On.APP_CANCELLED, transfer=Transfer(name))
        journal.write(line)
        journal.close()
    assert [line["transfer"] for line in read(path)] == ["one", "two"]


def test_a_value_that_is_no_json_leaves_no_half_line(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal.jsonl")
    with pytest.raises(TypeError):
        journal.write({"v": 1, "payload": object()})
    journal.close()
    assert journal.path.read_text(encoding="utf-8") == ""


def test_a_journal_that_cannot_be_opened_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(JournalError, match=r"file/journal.jsonl: cannot be written: \w+"):
        FileJournal(tmp_path / "file" / "journal.jsonl")
    with pytest.raises(JournalError, match="cannot be written"):
        FileJournal(tmp_path)


# Reading.


def test_a_missing_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"nowhere.jsonl: No such file"):
        read(tmp_path / "nowhere.jsonl")


def test_a_directory_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="directory"):
        read(tmp_path)


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b"\x80"])
def test_a_binary_file_is_no_journal(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(raw)
    with pytest.raises(JournalError, match=r"journal.jsonl: is no text file"):
        read(path)


def test_an_impossible_path_is_no_journal() -> None:
    with pytest.raises(JournalError):
        read("no\0where")


def test_an_empty_journal_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text("", encoding="utf-8")
    assert read(path) == []


GOOD = stored(lines_of(On.TRANSFER_REQUESTED))[0]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        (json.dumps(GOOD)[:40], "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is no journal line of version 1"),
        ("null", "is no journal line of version 1"),
        ("{}", "is no journal line of version 1"),
        (json.dumps({**GOOD, "v": 2}), "is no journal line of version 1"),
        (json.dumps({"v": 1}), "has no usable `table`"),
        (json.dumps({**GOOD, "seq": "1"}), "has no usable `seq`"),
        (json.dumps({**GOOD, "seq": True}), "has no usable `seq`"),
        (json.dumps({**GOOD, "t_s": None}), "has no usable `t_s`"),
        (json.dumps({**GOOD, "t_s": float("nan")}), "has no usable `t_s`"),
        (json.dumps({**GOOD, "t_s": float("inf")}), "has no usable `t_s`"),
        (json.dumps({**GOOD, "t_s": 10**400}), "has no usable `t_s`"),
        (json.dumps({**GOOD, "payload": []}), "has no usable `payload`"),
        (json.dumps({**GOOD, "payload": {"of": "2"}}), "has no usable `payload`"),
        (json.dumps({**GOOD, "payload": {"sip_status": "486"}}), "has no usable `payload`"),
        (json.dumps({**GOOD, "payload": {"api_code": []}}), "has no usable `payload`"),
        (json.dumps({**GOOD, "payload": {"detail": None}}), "has no usable `payload`"),
        (json.dumps({**GOOD, "payload": {"plan": 1}}), "has no usable `payload`"),
        (json.dumps({**GOOD, "effects": {}}), "has no usable `effects`"),
        (json.dumps({**GOOD, "effects": ["DIAL_CONSULT"]}), "has no usable `effects`"),
        (json.dumps({**GOOD, "effects": [{"id": 1}]}), "has no usable `effects`"),
        (json.dumps({**GOOD, "row": 1}), "has no usable `row`"),
        (json.dumps({**GOOD, "deadline_s": "never"}), "has no usable `deadline_s`"),
    ],
)
def test_a_line_that_is_no_journal_line_is_named_by_file_and_line(
    tmp_path: Path, raw: str, problem: str
) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(f"{json.dumps(GOOD)}\n{raw}\n", encoding="utf-8")
    with pytest.raises(JournalError) as caught:
        read(path)
    assert str(caught.value) == f"{path}:2: {problem}"


@pytest.mark.parametrize("value", ["text", 3, 0.5, None, True, [1], {"a": 1}])
def test_fields_that_a_later_version_adds_are_ignored(tmp_path: Path, value: object) -> None:
    path = tmp_path / "journal.jsonl"
    line = {**GOOD, "later": value, "payload": {**GOOD["payload"], "later": value}}
    path.write_text(json.dumps(line), encoding="utf-8")
    assert what(replay(read(path))) == what(replay([GOOD]))


@pytest.mark.parametrize("key", [key for key in KEYS if key != "v"])
def test_a_line_without_one_of_the_keys_is_named(tmp_path: Path, key: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps({k: v for k, v in GOOD.items() if k != key}), encoding="utf-8")
    with pytest.raises(JournalError, match=rf"journal.jsonl:1: has no usable `{key}`"):
        read(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@RELAXED
@given(st.dictionaries(st.sampled_from(KEYS), JSON), st.booleans())
def test_reading_and_replaying_junk_raises_nothing_but_our_own_error(
    tmp_path_factory: pytest.TempPathFactory, junk: dict[str, Any], whole: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.jsonl"
    line = {**GOOD, **junk, "v": VERSION} if whole else junk
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    try:
        for _ in replay(read(path)):
            pass
    except JournalError as error:
        assert str(error)  # noqa: PT017 - an error is allowed here, and no other


# Replaying.


def what(steps: Iterable[Step]) -> list[tuple[object, ...]]:
    return [
        (step.seq, step.before, step.after, step.handling, step.row, step.ignored, step.effects)
        for step in steps
    ]


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_the_journal_of_every_scenario_replays_to_the_same_outcome(name: str) -> None:
    journal = MemoryJournal()
    result = run(SCENARIOS[name], journal=journal)
    steps = list(replay(stored(journal.lines)))
    assert len(steps) == len(journal.lines)
    assert [step.after for step in steps] == [line["after"] for line in journal.lines]
    delivered = [step.outcome for step in steps if step.outcome is not None]
    assert len(delivered) == 1
    assert result.outcome is not None
    assert (delivered[0].result, delivered[0].reason) == (
        result.outcome.result,
        result.outcome.reason,
    )


def test_the_scenarios_end_for_every_reason_there_is() -> None:
    outcomes = [run(scenario).outcome for scenario in SCENARIOS.values()]
    assert {outcome.reason for outcome in outcomes if outcome} == set(Reason)


def test_the_plan_counts_also_when_something_came_before_the_request() -> None:
    transfer = Transfer("t1", plan=Plan(strategies=(Strategy("move"),)))
    lines = lines_of(On.APP_ACCEPTED, *WAY_TO[S.MERGED], transfer=transfer)
    assert lines[-1]["row"] == "merging x MERGE_CONFIRMED [DIRECT_STAYS]"
    assert [step.after for step in replay(stored(lines))][-1] is S.MERGED


def test_a_journal_of_another_table_is_refused() -> None:
    other = TABLE.with_rows(row for row in TABLE.rows if row is not TABLE.rows[-1])
    assert other.version != TABLE.version
    lines = lines_of(On.TRANSFER_REQUESTED, On.CALLER_HELD)
    with pytest.raises(JournalError) as caught:
        list(replay(lines, other))
    problem = f"is of table {TABLE.version}, not {other.version}"
    assert str(caught.value) == f"transfer t1, line 1: {problem}"


def test_the_step_that_a_changed_table_decides_differently_is_named() -> None:
    def changed(row: Row) -> Row:
        if (row.source, row.event) != (S.DIALING, On.CONSULT_REFUSED):
            return row
        return Row(row.source, row.event, S.CANCELLED, row.effects, reason=Reason.APP_CANCELLED)

    table = Table(
        tuple(changed(row) for row in TABLE.rows), TABLE.ignored, TABLE.impossible, TABLE.initial
    )
    events = (*WAY_TO[S.DIALING], On.CONSULT_REFUSED)
    lines = [{**line, "table": table.version} for line in lines_of(*events)]
    with pytest.raises(JournalError) as caught:
        list(replay(lines, table))
    problem = "went dialing to failed, now dialing to cancelled"
    assert str(caught.value) == f"transfer t1, line 3: {problem}"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"after": "briefing"}, "went holding to briefing, now holding to dialing"),
        ({"before": "idle"}, "went idle to dialing, now holding to dialing"),
        ({"handling": "stale"}, "was handled as stale, now row"),
        ({"row": "holding x CALLER"}, "took holding x CALLER, now holding x CALLER_HELD"),
        ({"effects": []}, "started other effects than now"),
        ({"effects": [{"id": 8, "name": "DIAL_CONSULT"}]}, "started other effects than now"),
        ({"seq": 3}, "is step 3 of the transfer, not 2"),
        ({"event": "CALLER_FELL"}, "cannot be replayed: 'CALLER_FELL' is not a valid On"),
        (
            {"event": "MERGE_CONFIRMED"},
            "cannot be replayed: MERGE_CONFIRMED cannot happen while holding",
        ),
        ({"table": "123456789abc"}, f"is of table 123456789abc, not {TABLE.version}"),
    ],
)
def test_the_first_line_that_differs_is_named(change: dict[str, Any], problem: str) -> None:
    lines = stored(lines_of(*WAY_TO[S.BRIEFING]))
    lines[1].update(change)
    steps = replay(lines)
    next(steps)
    with pytest.raises(JournalError) as caught:
        next(steps)
    assert str(caught.value) == f"transfer t1, line 2: {problem}"


def test_a_missing_line_is_found() -> None:
    lines = stored(lines_of(*WAY_TO[S.BRIEFING], On.CONSULT_RANG, On.CONSULT_RANG))
    del lines[3]
    with pytest.raises(JournalError, match="transfer t1, line 4: is step 5"):
        list(replay(lines))


SOUND = {
    "strategies": [{"name": "move", "carrier": "server"}],
    "on_human_left": "end_call",
    "after_merge": "silent",
}


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"strategies": []},
        {**SOUND, "strategies": []},
        {**SOUND, "strategies": [{"name": "move"}]},
        {**SOUND, "strategies": ["move"]},
        {**SOUND, "strategies": 3},
        {**SOUND, "on_human_left": "dance"},
        {**SOUND, "after_merge": "dance"},
        {**SOUND, "after_merge": "leave", "on_human_left": "return"},
        {name: value for name, value in SOUND.items() if name != "after_merge"},
    ],
)
def test_a_plan_that_cannot_be_used_is_said(plan: dict[str, Any]) -> None:
    line = {**GOOD, "payload": {"plan": plan}}
    with pytest.raises(JournalError, match="transfer t1: has no usable plan"):
        list(replay([line]))


# Any history.


TEXTS = st.none() | st.text(max_size=12) | st.sampled_from([NUMBER, "USER_REJECTED", "canceled"])
FACTS = st.builds(
    Facts,
    via=TEXTS,
    words=TEXTS,
    sip_status=st.none() | st.integers(100, 699),
    sip_phrase=TEXTS,
    api_code=TEXTS,
    disconnect_reason=TEXTS,
    strategy=TEXTS,
    effect_name=TEXTS,
    detail=TEXTS,
    cause=st.none() | st.builds(RuntimeError, st.just(NUMBER)),
)
PLANS = st.sampled_from(
    [
        Plan(),
        Plan(strategies=(Strategy("move"),)),
        Plan(strategies=(Strategy("move"), Strategy("relay", Carrier.AGENT))),
    ]
)
POLICIES = st.sampled_from(
    [
        TransferPolicy(on_human_left="end_call"),
        TransferPolicy(on_human_left="return"),
        TransferPolicy(after_merge="leave"),
    ]
)


@st.composite
def moves(draw: st.DrawFn) -> list[tuple[On | None, Facts, int | None, int | None, float]]:
    """A walk to some state, then anything: None is the clock that runs out next."""
    way = [(name, Facts(), None, None, 1.0) for name in WAY_TO[draw(st.sampled_from(list(WAY_TO)))]]
    name = st.none() | st.sampled_from([name for name in On if name not in CLOCKS])
    effect = st.none() | st.integers(0, 40)
    attempt = st.none() | st.integers(0, 2)
    waits = st.floats(0, 50)
    rest = draw(st.lists(st.tuples(name, FACTS, effect, attempt, waits), max_size=14))
    return [*way, *rest]


@RELAXED
@given(PLANS, POLICIES, moves())
@example(Plan(), TransferPolicy(), [])
def test_any_history_comes_back_from_its_journal(
    plan: Plan,
    policy: TransferPolicy,
    history: list[tuple[On | None, Facts, int | None, int | None, float]],
) -> None:
    transfer = Transfer("t1", policy=policy, plan=plan)
    now_s, began_s = 1000.0, None
    steps: list[Step] = []
    lines: list[dict[str, object]] = []
    for name, facts, effect, attempt, wait_s in history:
        now_s += wait_s
        event = _event(transfer, name, facts, effect, attempt)
        if event is None:
            continue
        try:
            step = transfer.receive(event, now_s)
        except UnexpectedEvent:
            # The runner journals no step for it either.
            continue
        began_s = now_s if began_s is None else began_s
        steps.append(step)
        lines.append(to_line(step, transfer, began_s))
    text = json.dumps(lines)
    assert NUMBER[2:] not in text
    assert all(list(line) == KEYS for line in lines)
    again = list(replay(json.loads(text)))
    assert what(again) == what(steps)
    assert _outcomes(again) == _outcomes(steps)


def _event(
    transfer: Transfer, name: On | None, facts: Facts, effect: int | None, attempt: int | None
) -> Event | None:
    if name is not None:
        return Event(name, facts, attempt=attempt, effect=effect)
    return transfer.deadline.event if transfer.deadline else None


def _outcomes(steps: Iterable[Step]) -> list[tuple[State, Reason]]:
    return [(step.outcome.result, step.outcome.reason) for step in steps if step.outcome]
