"""Logging: what is masked, what is bound, what the last line says, and that nothing is printed."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.lines import HAPPY, Act, Stage, on_virtual_clock
from warm_transfer.effects import RELEASES, Do
from warm_transfer.events import Event, Facts, On
from warm_transfer.logs import MaskedError, mask, transfer_log
from warm_transfer.ports import StateChange
from warm_transfer.testing import clock

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NUMBER = "+15105550123"
WORDS = "purple elephant"

#: Attributes that every record has, whatever was logged.
PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "taskName", "asctime"}


def told(record: logging.LogRecord) -> dict[str, object]:
    """The values of a line, without what logging adds itself."""
    return {key: value for key, value in vars(record).items() if key not in PLAIN}


# Masking.


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+15105550123", "***23"),
        ("15105550123", "***23"),
        ("(510) 555-0123", "(***23"),
        ("+1 (510) 555-0123", "***23"),
        ("510.555.0123", "***23"),
        ("510 - 555 - 0123", "***23"),
        ("510\u2011555\u20110123", "***23"),
        ("510\u00a0555\u00a00123", "***23"),
        ("tel:+1-510-555-0123;ext=4", "tel:***23;ext=4"),
        ("sip:+15105550123@example.com:5061", "sip:***@example.com:5061"),
        ("to <sip:alice.smith@example.com>", "to <sip:***@example.com>"),
        ("SIPS:alice:secret@example.com", "SIPS:***@example.com"),
        ("from 15105550123 to 15105550199", "from ***23 to ***99"),
        ("\u0661\u0665\u0661\u0660\u0665\u0665\u0665", "***\u0665\u0665"),
        ("no answer after 30 s", "no answer after 30 s"),
        ("486 Busy Here", "486 Busy Here"),
        ("sip:example.com", "sip:example.com"),
        ("", ""),
    ],
)
def test_numbers_and_sip_users_are_hidden_and_little_else(text: str, masked: str) -> None:
    assert mask(text) == masked


SEPARATORS = ["", " ", "-", ".", "/", ") ", " (", " - ", "\u00a0", "\u2011", "\u2013", "_", ") - ("]


@RELAXED
@given(
    digits=st.text("0123456789", min_size=7, max_size=15),
    separators=st.lists(st.sampled_from(SEPARATORS), min_size=14, max_size=14),
    before=st.sampled_from(["", "call ", "+", "(", "tel:", "sip:", "detail='", "\n"]),
    after=st.sampled_from(["", " now", ")", "@example.com", ";x=y", "'", "\n"]),
)
@example(digits="5105550123", separators=[" - "] * 14, before="", after="")
def test_no_seven_digits_of_a_number_survive_however_they_are_grouped(
    digits: str, separators: list[str], before: str, after: str
) -> None:
    grouped = "".join(digit + gap for digit, gap in zip(digits, separators, strict=False))
    left = re.sub(r"\D", "", mask(before + grouped + after))
    assert not any(digits[at : at + 7] in left for at in range(len(digits) - 6))
    assert len(left) <= 2


@RELAXED
@given(st.text(max_size=60))
def test_masking_twice_hides_nothing_more(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@RELAXED
@given(st.text(st.characters(exclude_categories=["Nd"], exclude_characters="@"), max_size=60))
def test_a_text_without_digits_and_addresses_is_left_alone(text: str) -> None:
    assert mask(text) == text


# The logger of a transfer.


def test_every_line_has_the_id_of_its_transfer(caplog: pytest.LogCaptureFixture) -> None:
    one, two = transfer_log("one"), transfer_log("two")
    one.warning("first")
    two.warning("second", effect="DIAL_CONSULT")
    assert [told(record) for record in caplog.records] == [
        {"transfer": "one"},
        {"transfer": "two", "effect": "DIAL_CONSULT"},
    ]
    assert [record.name for record in caplog.records] == ["warm_transfer"] * 2


def test_values_are_masked_and_our_own_keys_are_not(caplog: pytest.LogCaptureFixture) -> None:
    own = "123456789012"
    log = transfer_log(own)
    log.warning("line", detail=NUMBER, room=own, table=own, attempt=1, seconds={"idle": 1.0})
    assert told(caplog.records[0]) == {
        "transfer": own,
        "detail": "***23",
        "room": own,
        "table": own,
        "attempt": 1,
        "seconds": {"idle": 1.0},
    }
    assert caplog.records[0].message == "line"


def test_a_level_that_is_off_costs_no_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="warm_transfer")
    transfer_log("t1").info("quiet")
    assert not caplog.records


def test_the_application_keeps_control_of_the_logger() -> None:
    logger = logging.getLogger("warm_transfer")
    transfer_log("t1")
    assert all(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    assert logger.level == logging.NOTSET
    assert logger.propagate
    assert not logger.disabled


# Tracebacks.


def rendered(record: logging.LogRecord) -> str:
    """What a plain formatter makes of a line."""
    return logging.Formatter("%(message)s").format(record)


def dial_somebody(number: str) -> None:
    raise ValueError(f"no route to {number}")


def fail_for_a_reason() -> None:
    try:
        dial_somebody(NUMBER)
    except ValueError:
        raise LookupError("no trunk") from None


def fail_because_of_it() -> None:
    try:
        dial_somebody(NUMBER)
    except ValueError as error:
        raise LookupError("no trunk") from error


def fail_in_a_group() -> None:
    raise ExceptionGroup("several", [ValueError(NUMBER), OSError("disk")])


def fail_with_a_note() -> None:
    error = OSError("disk")
    error.add_note(f"while calling sip:{NUMBER}@example.com")
    raise error


@pytest.mark.parametrize("handed", ["exception", "error", "tuple"])
@pytest.mark.parametrize(
    ("fail", "kept"),
    [
        (lambda: dial_somebody(NUMBER), ["in dial_somebody", "ValueError: no route to ***23"]),
        (fail_because_of_it, ["in fail_because_of_it", "LookupError: no trunk", "to ***23"]),
        (fail_in_a_group, ["in fail_in_a_group", "ValueError: ***23", "OSError: disk"]),
        (fail_with_a_note, ["in fail_with_a_note", "while calling sip:***@example.com"]),
    ],
)
def test_a_traceback_is_masked_and_still_says_where_and_why(
    fail: Callable[[], None], kept: list[str], handed: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = transfer_log("t1")
    try:
        fail()
    except Exception as error:
        if handed == "exception":
            log.exception("failed")
        elif handed == "error":
            log.warning("failed", exc_info=error)
        else:
            log.warning("failed", exc_info=(type(error), error, error.__traceback__))
    (record,) = caplog.records
    text = rendered(record)
    assert "0123" not in text
    for each in ("Traceback (most recent call last)", "test_logs.py", *kept):
        assert each in text
    assert record.exc_info is not None
    # Variables of its frames would have the number.
    assert record.exc_info[0] is MaskedError
    assert record.exc_info[2] is None


def test_an_error_that_tells_no_number_is_logged_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ValueError("no route")
    try:
        raise error
    except ValueError:
        transfer_log("t1").exception("failed")
    assert caplog.records[0].exc_info == (ValueError, error, error.__traceback__)


def test_a_cause_that_is_not_shown_hides_nothing(caplog: pytest.LogCaptureFixture) -> None:
    try:
        fail_for_a_reason()
    except LookupError:
        transfer_log("t1").exception("failed")
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[0] is LookupError


def test_an_error_that_cannot_be_shown_is_told_by_its_type(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_error: BaseException) -> list[str]:
        # As Python 3.11 does at times (cpython issue 106905).
        raise SystemError("AST constructor recursion depth mismatch")

    monkeypatch.setattr(traceback, "format_exception", fail)
    transfer_log("t1").warning("failed", exc_info=ValueError(NUMBER))
    (record,) = caplog.records
    assert record.exc_info is not None
    assert repr(record.exc_info[1]) == "MaskedError('ValueError')"


def test_a_line_with_no_error_at_hand_has_none(caplog: pytest.LogCaptureFixture) -> None:
    transfer_log("t1").warning("line", exc_info=False)
    transfer_log("t1").warning("line", exc_info=True)
    assert [rendered(record).splitlines()[0] for record in caplog.records] == ["line"] * 2


# A whole transfer.


async def noisy_transfer(end: On) -> Stage:
    """A transfer in which everything that can fail says the number."""
    wrong = Act(
        takes_s=0.5, error=RuntimeError(f"cannot reach {NUMBER} or sip:510-555@example.com")
    )
    script = {**dict.fromkeys(RELEASES, wrong), Do.PLAY_HOLD_AUDIO: wrong, Do.NOTIFY_CONSULT: wrong}

    def hook(change: StateChange) -> None:
        raise RuntimeError(f"no {change.after}")

    stage = Stage(script, base=HAPPY, closing=wrong, hooks=[hook])
    stage.take(On.TRANSFER_REQUESTED, On.MERGE_FAILED)
    await asyncio.sleep(10)
    stage.runner.post(
        Event(
            end,
            Facts(words=WORDS, via=NUMBER, sip_phrase=f"Busy {NUMBER}", detail=f"from {NUMBER}"),
        )
    )
    stage.runner.post(Event(On.CALLER_HUNG_UP, attempt=0))
    await asyncio.sleep(10)
    stage.take(On.CALLER_HUNG_UP)
    await stage.runner.wait_closed()
    return stage


@pytest.mark.parametrize(
    "end", [On.CONSULT_ACCEPTED, On.CONSULT_DECLINED, On.APP_CANCELLED, On.CALLER_HUNG_UP]
)
@on_virtual_clock
async def test_no_line_of_a_whole_transfer_tells_a_number_or_what_a_person_said(
    end: On, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="warm_transfer")
    stage = await noisy_transfer(end)
    records = [record for record in caplog.records if record.name == "warm_transfer"]
    assert len(records) > 20
    assert {record.message for record in records} >= {
        "step",
        "state changed",
        "effect failed",
        "release repeated",
        "release failed: orphan risk",
        "unexpected event",
        "hook failed",
        "closing failed",
        "transfer closed",
    }
    for record in records:
        assert vars(record)["transfer"] == stage.transfer.id
        text = f"{record.getMessage()} {told(record)}"
        if record.exc_info:
            text += "".join(traceback.format_exception(*record.exc_info))
        assert "0123" not in text
        assert "510-555" not in text
        assert WORDS not in text
    text = str(stage.kept.lines)
    assert "0123" not in text
    assert WORDS not in text


@on_virtual_clock
async def test_the_last_line_tells_the_whole_transfer(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="warm_transfer")
    stage = Stage(base=HAPPY)
    stage.take(On.TRANSFER_REQUESTED, On.APP_ACCEPTED, On.MERGE_BROKE)
    await asyncio.sleep(10)
    stage.take(On.CONSULT_ACCEPTED)
    await asyncio.sleep(5)
    stage.runner.post(Event(On.CALLER_HUNG_UP, attempt=0))
    stage.take(On.CALLER_HUNG_UP)
    await stage.runner.wait_closed()
    last = caplog.records[-1]
    assert (last.message, last.levelno) == ("transfer closed", logging.INFO)
    assert [record.message for record in caplog.records].count("transfer closed") == 1
    assert told(last) == {
        "transfer": "t1",
        "outcome": "merged",
        "reason": "accepted",
        "final": "ended",
        "attempt": 1,
        "strategy": "relay",
        "sip_status": None,
        "api_code": None,
        "disconnect_reason": None,
        "detail": None,
        "seconds": {
            "idle": 0.0,
            "holding": 0.0,
            "dialing": 4.0,
            "briefing": 6.0,
            "merging": 1.5,
        },
        "time_to_human_s": 11.5,
        "steps": 10,
        "ignored": 1,
        "stale": 1,
        "release_failed": 0,
        "unexpected": 1,
    }


@on_virtual_clock
async def test_the_last_line_of_a_refused_dial_has_the_evidence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="warm_transfer")
    stage = Stage({Do.DIAL_CONSULT: Act()}, base=HAPPY)
    stage.take(On.TRANSFER_REQUESTED)
    facts = Facts(sip_status=486, api_code="resource_exhausted", disconnect_reason="USER_REJECTED")
    stage.runner.post(Event(On.CONSULT_REFUSED, facts))
    await stage.runner.wait_closed()
    last = told(caplog.records[-1])
    assert (last["outcome"], last["reason"]) == ("failed", "busy")
    assert (last["sip_status"], last["api_code"]) == (486, "resource_exhausted")
    assert last["disconnect_reason"] == "USER_REJECTED"
    assert last["time_to_human_s"] is None


def print_nothing() -> None:
    """Run a transfer full of faults in a process that has not configured logging."""
    clock.run(_run())


async def _run() -> None:
    stage = await noisy_transfer(On.CONSULT_DECLINED)
    assert stage.runner.closed


def test_nothing_is_printed_when_the_application_has_not_configured_logging() -> None:
    code = "from tests.test_logs import print_nothing; print_nothing()"
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
