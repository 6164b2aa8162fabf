"""What the runner says in the log, word for word: a log is queried by its words and keys.

Beside `test_runner`, which is about what it does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest

from tests.lines import (
    HANGS,
    HAPPY,
    WAY_TO,
    Act,
    FakeLine,
    Stage,
    on_virtual_clock,
    tasks_left,
    turns,
)
from warm_transfer.effects import RELEASES, Do
from warm_transfer.errors import ServerUnusable
from warm_transfer.events import Event, On
from warm_transfer.logs import canonical
from warm_transfer.outcome import TransferOutcome
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import StateChange
from warm_transfer.states import State

S = State

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}

Said = tuple[int, str, dict[str, Any]]


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "warm_transfer")


def said(caplog: pytest.LogCaptureFixture, *messages: str) -> list[Said]:
    """The lines with these words: level, words, and what was said beside them."""
    return [
        (each.levelno, each.message, _keys(each))
        for each in caplog.records
        if each.message in messages
    ]


def _keys(record: logging.LogRecord) -> dict[str, Any]:
    keys = {name: value for name, value in vars(record).items() if name not in _PLAIN}
    assert keys.pop("transfer") == "t1"
    return keys


def causes(caplog: pytest.LogCaptureFixture, message: str) -> list[str]:
    """The exceptions that lines with these words carry."""
    return [
        repr(each.exc_info[1])
        for each in caplog.records
        if each.message == message and each.exc_info is not None
    ]


@on_virtual_clock
async def test_every_step_and_every_change_of_state_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.take(On.TRANSFER_REQUESTED, On.TRANSFER_REQUESTED, On.APP_CANCELLED)
    told = said(caplog, "step", "state changed")
    assert told == [
        (logging.DEBUG, "step", _step(1, On.TRANSFER_REQUESTED, S.IDLE, S.HOLDING, "row")),
        (logging.INFO, "state changed", {"before": "idle", "after": "holding"}),
        (logging.DEBUG, "step", _step(2, On.TRANSFER_REQUESTED, S.HOLDING, S.HOLDING, "ignored")),
        (logging.DEBUG, "step", _step(3, On.APP_CANCELLED, S.HOLDING, S.CANCELLED, "row")),
        (logging.INFO, "state changed", {"before": "holding", "after": "cancelled"}),
    ]


def _step(seq: int, on: On, before: State, after: State, handling: str) -> dict[str, Any]:
    return {
        "seq": seq,
        "on": on.value,
        "before": before.value,
        "after": after.value,
        "handling": handling,
    }


@on_virtual_clock
async def test_the_end_is_said_once_with_what_came_of_it_and_what_was_left_aside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fails = Act(takes_s=0.0, error=RuntimeError("no"))
    stage = Stage({Do.HANG_UP_CONSULT: fails, Do.CLOSE_CONSULT: fails})
    stage.take(*WAY_TO[S.BRIEFING], On.CALLER_HELD, On.CALLER_HELD)
    stage.take(On.MERGE_CONFIRMED, On.MERGE_CONFIRMED)
    for _ in range(3):
        stage.runner.post_now(Event(On.DEADLINE_PASSED, effect=99))
    stage.take(On.APP_CANCELLED)
    await stage.runner.wait_closed()
    outcome, last = stage.transfer.outcome, stage.runner._last
    assert outcome is not None
    assert last is not None
    counts = {"ignored": 2, "stale": 3, "release_failed": 2, "unexpected": 2}
    ((level, _, keys),) = said(caplog, "transfer closed")
    assert level == logging.INFO
    assert {name: keys[name] for name in counts} == counts
    assert keys == canonical(outcome, last, counts)


@on_virtual_clock
async def test_an_event_after_the_end_is_said(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.go_to(S.CANCELLED)
    await stage.runner.wait_closed()
    stage.runner.post(Event(On.CONSULT_RANG))
    assert said(caplog, "event after the end") == [
        (logging.DEBUG, "event after the end", {"on": "CONSULT_RANG"})
    ]


@on_virtual_clock
async def test_an_impossible_event_is_said_with_its_state(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage()
    stage.take(On.MERGE_CONFIRMED)
    ((level, _, keys),) = said(caplog, "unexpected event")
    assert level == logging.ERROR
    assert set(keys) == {"detail"}
    assert "MERGE_CONFIRMED" in keys["detail"]
    assert "idle" in keys["detail"]


@on_virtual_clock
async def test_an_effect_that_fails_is_said_with_its_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage({Do.DIAL_CONSULT: Act(error=RuntimeError("busy"))})
    stage.go_to(S.DIALING)
    await turns()
    told = {"effect": "DIAL_CONSULT", "detail": "RuntimeError('busy')"}
    assert said(caplog, "effect failed") == [(logging.WARNING, "effect failed", told)]


@on_virtual_clock
async def test_an_effect_that_somebody_cancels_is_said(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage({Do.DIAL_CONSULT: HANGS})
    stage.go_to(S.DIALING)
    await turns()
    (dial,) = [each for each in tasks_left() if "DIAL_CONSULT" in each.get_name()]
    dial.cancel()
    await turns()
    told = {"effect": "DIAL_CONSULT", "detail": "RuntimeError('cancelled from outside')"}
    assert said(caplog, "effect failed") == [(logging.WARNING, "effect failed", told)]


@on_virtual_clock
async def test_a_hook_that_raises_is_said(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: StateChange) -> None:
        raise RuntimeError("no disk")

    stage = Stage(hooks=(broken,))
    stage.take(On.TRANSFER_REQUESTED)
    await turns()
    assert causes(caplog, "hook failed") == ["RuntimeError('no disk')"]


@on_virtual_clock
async def test_a_server_that_cannot_be_used_tells_why_in_its_own_words() -> None:
    error = ServerUnusable("dial", "the key may not", "give it the grant")
    stage = Stage({Do.DIAL_CONSULT: Act(error=error)})
    stage.go_to(S.DIALING)
    await stage.runner.wait_closed()
    outcome = stage.transfer.outcome
    assert outcome is not None
    assert outcome.detail == str(error)
    assert outcome.cause is error


@on_virtual_clock
async def test_another_error_tells_its_kind_and_its_effect_and_no_more() -> None:
    stage = Stage({Do.DIAL_CONSULT: Act(error=RuntimeError("+49 170 1234567 is busy"))})
    stage.go_to(S.DIALING)
    await stage.runner.wait_closed()
    outcome = stage.transfer.outcome
    assert outcome is not None
    assert outcome.detail == "RuntimeError in DIAL_CONSULT"


@on_virtual_clock
async def test_a_release_that_is_repeated_and_given_up_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage({Do.CLOSE_CONSULT: Act(takes_s=0.0, error=OSError("gone"))})
    stage.take(On.TRANSFER_REQUESTED, On.APP_CANCELLED)
    await stage.runner.wait_closed()
    told = {"effect": "CLOSE_CONSULT", "detail": "OSError('gone')"}
    repeated = stage.transfer.policy.release_attempts_max - 1
    assert said(caplog, "release repeated", "effect failed") == [
        *[(logging.WARNING, "release repeated", told)] * repeated,
        (logging.WARNING, "effect failed", told),
    ]
    risk = {"effect": "CLOSE_CONSULT", "detail": "OSError in CLOSE_CONSULT"}
    assert said(caplog, "release failed: orphan risk") == [
        (logging.ERROR, "release failed: orphan risk", risk)
    ]


class Deaf(FakeLine):
    def deliver(self, outcome: TransferOutcome) -> None:
        raise RuntimeError(outcome.result.value)


@on_virtual_clock
async def test_an_outcome_that_is_not_taken_is_said_with_the_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.runner._line = Deaf({name: Act() for name in Do})
    stage.go_to(S.CANCELLED)
    assert causes(caplog, "outcome not taken") == ["RuntimeError('cancelled')"]


class Full:
    def write(self, line: Mapping[str, object]) -> None:
        raise OSError(line["event"])


@on_virtual_clock
async def test_a_journal_that_fails_is_said_with_the_line_and_the_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(journal=Full())
    stage.take(On.TRANSFER_REQUESTED, On.CALLER_HELD)
    assert [keys["seq"] for _, _, keys in said(caplog, "journal failed")] == [1, 2]
    told = causes(caplog, "journal failed")
    assert told == ["OSError('TRANSFER_REQUESTED')", "OSError('CALLER_HELD')"]


@on_virtual_clock
async def test_a_line_that_cannot_be_closed_is_said_with_the_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(closing=Act(error=RuntimeError("stuck")))
    stage.go_to(S.CANCELLED)
    await stage.runner.wait_closed()
    assert causes(caplog, "closing failed") == ["RuntimeError('stuck')"]


@on_virtual_clock
async def test_tasks_carry_the_name_of_the_transfer_and_of_what_they_do() -> None:
    stage = Stage(base=HAPPY, closing=Act(takes_s=1.0))
    stage.take(On.TRANSFER_REQUESTED)
    assert {task.get_name() for task in tasks_left()} == {
        "warm-transfer t1 PLAY_HOLD_AUDIO",
        "warm-transfer t1 OPEN_CONSULT",
        "warm-transfer t1 DIAL_CONSULT",
    }
    stage.take(On.CALLER_HUNG_UP)
    names = set[str]()
    while not stage.runner.closed:
        names = {task.get_name() for task in tasks_left()} or names
        await asyncio.sleep(0.1)
    assert names == {"warm-transfer t1 closing"}


@pytest.mark.parametrize("tries", [1, 2, 3])
@on_virtual_clock
async def test_a_cancelled_release_is_flown_as_often_as_the_policy_says(tries: int) -> None:
    policy = TransferPolicy(release_attempts_max=tries)
    stage = Stage({Do.CLOSE_CONSULT: Act(takes_s=1.0)}, policy=policy)
    stage.take(On.TRANSFER_REQUESTED, On.APP_CANCELLED)
    for _ in range(tries + 2):
        await turns()
        for task in tasks_left():
            if "CLOSE_CONSULT" in task.get_name():
                task.cancel()
    await stage.runner.wait_closed()
    assert stage.line.count("begins", Do.CLOSE_CONSULT) == tries
    assert Do.CLOSE_CONSULT in RELEASES
    assert stage.events().count(On.RELEASE_FAILED) == 1
