import asyncio
import inspect
import logging
import random
import subprocess
import sys
import textwrap
import threading

import pytest

from warm_transfer import machine
from warm_transfer.errors import TableError
from warm_transfer.events import Event, On
from warm_transfer.machine import TableMachine
from warm_transfer.rows import FAMILIES, Family, Guard
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.transfer import Transfer


def first_of(family: Family) -> Guard:
    return FAMILIES[family][0]


def test_a_table_has_one_machine_in_the_process() -> None:
    assert TableMachine.of(TABLE) is TableMachine.of(TABLE)
    assert Transfer("a")._machine is Transfer("b")._machine


def test_a_machine_knows_no_model_and_grows_with_none() -> None:
    shared = TableMachine.of(TABLE)
    for number in range(100):
        Transfer(str(number)).receive(Event(On.TRANSFER_REQUESTED), 0.0)
    assert shared._machine.models == []


def test_a_model_is_a_place_for_the_state_and_nothing_else() -> None:
    slot = TableMachine.of(TABLE).new_slot()
    assert slot.state == State.IDLE
    with pytest.raises(AttributeError):
        slot.anything = 1  # type: ignore[attr-defined]  # the point of the test


def test_firing_says_which_row_was_taken() -> None:
    shared = TableMachine.of(TABLE)
    slot = shared.new_slot()
    row = shared.fire(slot, On.TRANSFER_REQUESTED, first_of)
    assert row is TABLE.by_pair[State.IDLE, On.TRANSFER_REQUESTED][0]
    assert slot.state == State.HOLDING


def test_firing_a_pair_without_rows_takes_none_and_changes_nothing() -> None:
    shared = TableMachine.of(TABLE)
    slot = shared.new_slot()
    assert shared.fire(slot, On.CONSULT_RANG, first_of) is None
    assert slot.state == State.IDLE


@pytest.mark.parametrize("row", TABLE.rows, ids=[row.id for row in TABLE.rows])
def test_every_row_can_be_fired_and_is_the_one_taken(row: object) -> None:
    shared = TableMachine.of(TABLE)
    (wanted,) = [each for each in TABLE.rows if each is row]
    slot = shared.new_slot()
    slot.state = wanted.source.value

    def choose(family: Family) -> Guard:
        assert wanted.guard in FAMILIES[family]
        assert wanted.guard is not None
        return wanted.guard

    assert shared.fire(slot, wanted.event, choose) is wanted
    assert slot.state == wanted.target


def test_a_broken_table_makes_no_machine() -> None:
    with pytest.raises(TableError):
        TableMachine(TABLE.with_rows(TABLE.rows[1:]))


def test_a_thousand_transfers_interleaved_do_not_influence_each_other() -> None:
    word = [
        On.TRANSFER_REQUESTED,
        On.CALLER_HELD,
        On.CONSULT_OPENED,
        On.CONSULT_ANSWERED,
        On.CONSULT_ACCEPTED,
        On.BRIEFING_STOPPED,
        On.MERGE_CONFIRMED,
        On.CALLER_HUNG_UP,
    ]
    dice = random.Random(7)  # noqa: S311 - an order to try, not a secret
    words = {number: word[: 1 + number % len(word)] for number in range(1000)}
    transfers = {number: Transfer(str(number)) for number in words}
    turns = [number for number, own in words.items() for _ in own]
    dice.shuffle(turns)
    done = dict.fromkeys(words, 0)
    for number in turns:
        transfers[number].receive(Event(words[number][done[number]]), float(done[number]))
        done[number] += 1
    for number, own in words.items():
        alone = Transfer(str(number))
        for at, on in enumerate(own):
            alone.receive(Event(on), float(at))
        assert transfers[number].state is alone.state
        assert transfers[number].outcome == alone.outcome
        assert transfers[number].deadline == alone.deadline


def test_transfers_of_several_threads_do_not_influence_each_other() -> None:
    ends: list[State] = []

    def one() -> None:
        for number in range(50):
            transfer = Transfer(str(number))
            for on in (On.TRANSFER_REQUESTED, On.CALLER_HELD, On.CONSULT_REFUSED):
                transfer.receive(Event(on), 0.0)
            ends.append(transfer.state)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == [State.FAILED] * 200


def test_the_machine_runs_no_effects_and_knows_no_event_loop() -> None:
    shared = TableMachine.of(TABLE)._machine
    for event in shared.events.values():
        for transitions in event.transitions.values():
            for each in transitions:
                assert each.before == []
                assert each.after == []
                assert each.prepare == []
    for state in shared.states.values():
        assert state.on_enter == []
        assert state.on_exit == []
    assert shared.after_state_change == [machine._note_row]
    assert not inspect.iscoroutinefunction(machine._note_row)
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_the_machine_has_no_transitions_of_its_own() -> None:
    shared = TableMachine.of(TABLE)._machine
    assert set(shared.events) == {event for _, event in TABLE.by_pair}


def test_transitions_does_not_fill_the_applications_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Transfer("t").receive(Event(On.TRANSFER_REQUESTED), 0.0)
    assert caplog.records == []


def test_importing_it_leaves_the_applications_warnings_filters_alone() -> None:
    program = """
        import warnings
        before = list(warnings.filters)
        import warm_transfer.machine
        assert warnings.filters == before, (before, warnings.filters)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 0, done.stderr
