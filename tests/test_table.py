"""Every pair of a state and an event: a row, ignored, or an error that changes nothing."""

import itertools

import pytest

from warm_transfer import table
from warm_transfer.effects import Do
from warm_transfer.errors import UnexpectedEvent
from warm_transfer.events import Event, On
from warm_transfer.outcome import REFUSALS, Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.rows import Guard, Ignored, Row
from warm_transfer.states import FINAL, HELD, State
from warm_transfer.table import BACK, OFF, TABLE
from warm_transfer.transfer import Handling, Transfer

PAIRS = [(state, event) for state in State for event in On]
IDS = [f"{state} x {event}" for state, event in PAIRS]


def words_of(state: State) -> list[On]:
    """A short way to a state with the default policy."""
    to_briefing = [On.TRANSFER_REQUESTED, On.CALLER_HELD, On.CONSULT_ANSWERED]
    to_merged = [*to_briefing, On.CONSULT_ACCEPTED, On.BRIEFING_STOPPED, On.MERGE_CONFIRMED]
    return {
        State.IDLE: [],
        State.HOLDING: to_briefing[:1],
        State.DIALING: to_briefing[:2],
        State.BRIEFING: to_briefing,
        State.MERGING: to_merged[:4],
        State.MERGED: to_merged,
        State.ENDED: [*to_merged, On.CALLER_HUNG_UP],
        State.RETURNED: [*to_merged, On.CONSULT_HUNG_UP],
        State.DECLINED: [*to_briefing, On.CONSULT_DECLINED],
        State.VOICEMAIL: [*to_briefing, On.VOICEMAIL_DETECTED],
        State.FAILED: [*to_briefing[:2], On.CONSULT_REFUSED],
        State.CANCELLED: [On.APP_CANCELLED],
        State.ABANDONED: [On.CALLER_HUNG_UP],
    }[state]


def transfer_in(state: State) -> Transfer:
    returns = TransferPolicy(on_human_left="return") if state is State.RETURNED else None
    transfer = Transfer("t", policy=returns)
    for on in words_of(state):
        transfer.receive(Event(on), 0.0)
    assert transfer.state is state
    return transfer


def memory_of(transfer: Transfer) -> dict[str, str]:
    memory = {name: repr(each) for name, each in vars(transfer).items() if name != "_machine"}
    return memory | {"_slot": transfer.state.value}


def test_there_are_thirteen_states_and_thirty_two_events() -> None:
    assert len(PAIRS) == 13 * 32
    sizes = (len(TABLE.by_pair), len(TABLE.ignored), len(TABLE.impossible))
    assert sum(sizes) == len(PAIRS)


@pytest.mark.parametrize("pair", PAIRS, ids=IDS)
def test_a_pair_is_a_row_or_ignored_or_raises_and_changes_nothing(pair: tuple[State, On]) -> None:
    state, on = pair
    transfer = transfer_in(state)
    before = memory_of(transfer)
    if pair in TABLE.impossible:
        with pytest.raises(UnexpectedEvent, match=f"{on} cannot happen while {state}"):
            transfer.receive(Event(on), 1.0)
        assert memory_of(transfer) == before
        return
    step = transfer.receive(Event(on), 1.0)
    assert step.before is state
    if pair in TABLE.ignored:
        assert step.handling is Handling.IGNORED
        assert step.ignored is TABLE.ignored[pair]
        assert (step.after, step.effects, step.row, step.outcome) == (state, (), None, None)
    else:
        assert step.handling is Handling.ROW
        assert step.row in TABLE.by_pair[pair]
        assert step.row is not None
        assert step.after is step.row.target
        assert tuple(effect.name for effect in step.effects) == step.row.effects


def test_the_groups_of_ignored_pairs_do_not_overlap() -> None:
    sizes = [len(states) * len(events) for _, states, events in table._IGNORED]
    assert sum(sizes) == len(TABLE.ignored)


def test_the_groups_of_impossible_pairs_do_not_overlap() -> None:
    sizes = [len(states) * len(events) for states, events in table._IMPOSSIBLE]
    assert sum(sizes) == len(TABLE.impossible)


def test_every_reason_for_ignoring_is_used() -> None:
    assert set(TABLE.ignored.values()) == set(Ignored)


def test_every_reason_of_an_outcome_is_reached_by_a_row() -> None:
    named = {row.reason for row in TABLE.rows if isinstance(row.reason, Reason)}
    assert named | REFUSALS == set(Reason)


def test_no_event_is_impossible_everywhere_or_ignored_everywhere() -> None:
    assert {event for _, event in TABLE.by_pair} == set(On)


def row(state: State, on: On, guard: Guard | None = None) -> Row:
    (found,) = [each for each in TABLE.by_pair[state, on] if each.guard is guard]
    return found


@pytest.mark.parametrize("state", sorted(HELD - {State.MERGING}))
def test_a_cancel_gives_the_caller_back_and_a_closed_session_does_not(state: State) -> None:
    assert row(state, On.APP_CANCELLED).effects[-len(BACK) :] == BACK
    assert row(state, On.SESSION_CLOSED).effects[-len(OFF) :] == OFF
    assert Do.RESUME_CALLER not in OFF


@pytest.mark.parametrize("on", [On.CALLER_HUNG_UP, On.APP_CANCELLED, On.DEADLINE_PASSED])
def test_only_a_human_who_has_answered_is_told(on: On) -> None:
    assert Do.NOTIFY_CONSULT in row(State.BRIEFING, on).effects
    assert Do.NOTIFY_CONSULT not in row(State.DIALING, on).effects


def test_the_dial_leaves_when_the_caller_is_held_and_never_again() -> None:
    dials = [each.id for each in TABLE.rows if Do.DIAL_CONSULT in each.effects]
    assert dials == ["holding x CALLER_HELD"]


def test_the_yes_stops_the_briefing_and_the_silence_joins_the_legs() -> None:
    assert row(State.BRIEFING, On.CONSULT_ACCEPTED).effects == (Do.STOP_BRIEFING,)
    assert row(State.MERGING, On.BRIEFING_STOPPED).effects == (Do.MERGE_LEGS,)


def test_a_relayed_merge_keeps_the_consult_room() -> None:
    relayed = row(State.MERGING, On.MERGE_CONFIRMED, Guard.RELAYED)
    direct = row(State.MERGING, On.MERGE_CONFIRMED, Guard.DIRECT_STAYS)
    assert set(direct.effects) - set(relayed.effects) == {Do.CLOSE_CONSULT}


def test_an_agent_that_leaves_is_heard_out_first() -> None:
    stays = row(State.MERGING, On.MERGE_CONFIRMED, Guard.DIRECT_STAYS)
    leaves = row(State.MERGING, On.MERGE_CONFIRMED, Guard.DIRECT_LEAVES)
    assert set(leaves.effects) - set(stays.effects) == {Do.AWAIT_LAST_WORDS}
    assert row(State.MERGED, On.AGENT_HEARD_OUT, Guard.LEAVES).effects == (Do.LEAVE_CALL,)


def test_the_agent_leaves_in_one_row_only() -> None:
    found = [each.id for each in TABLE.rows if Do.LEAVE_CALL in each.effects]
    assert found == ["merged x AGENT_HEARD_OUT [LEAVES]"]


@pytest.mark.parametrize("on", [On.JOB_SHUTTING_DOWN, On.CALLER_ROOM_LOST])
def test_a_call_that_needs_an_agent_who_is_gone_ends_and_another_is_left_alone(on: On) -> None:
    assert Do.END_CALL in row(State.MERGED, on, Guard.NEEDED).effects
    assert row(State.MERGED, on, Guard.NOT_NEEDED).effects == ()


def test_a_merged_caller_hears_the_agent_and_is_not_heard_by_it() -> None:
    for guard in (Guard.RELAYED, Guard.DIRECT_STAYS, Guard.DIRECT_LEAVES):
        effects = row(State.MERGING, On.MERGE_CONFIRMED, guard).effects
        assert Do.RESUME_OUTPUT in effects
        assert Do.RESUME_CALLER not in effects


@pytest.mark.parametrize("state", sorted(FINAL - {State.ENDED, State.RETURNED}))
def test_whatever_comes_about_late_is_taken_down(state: State) -> None:
    assert Do.HANG_UP_CONSULT in row(state, On.CONSULT_ANSWERED).effects
    assert Do.UNMERGE_LEGS in row(state, On.MERGE_CONFIRMED).effects
    assert Do.CLOSE_CONSULT in row(state, On.CONSULT_OPENED).effects


@pytest.mark.parametrize("state", [State.ENDED, State.RETURNED])
def test_after_a_merge_a_late_report_is_a_repeated_one_and_takes_nothing_down(state: State) -> None:
    """A bridge may live on in the consult room that a repeated report would close."""
    for on in (On.CONSULT_OPENED, On.CONSULT_ANSWERED, On.MERGE_CONFIRMED):
        assert (state, on) in TABLE.ignored


def test_no_two_rows_of_a_pair_do_the_same_for_the_same_reason() -> None:
    for rows in TABLE.by_pair.values():
        for one, other in itertools.combinations(rows, 2):
            assert one.guard is not other.guard
