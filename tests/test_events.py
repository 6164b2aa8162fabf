from dataclasses import FrozenInstanceError, fields

import pytest

from warm_transfer.events import (
    ACCEPTANCES,
    CLOCKS,
    NO_FACTS,
    OVERTAKES_ACCEPTANCE,
    Event,
    Facts,
    On,
)

SUBJECTS = {
    "TRANSFER",
    "APP",
    "AGENT",
    "SESSION",
    "JOB",
    "CALLER",
    "HOLD",
    "CONSULT",
    "DIAL",
    "VOICEMAIL",
    "BRIEFING",
    "MERGE",
    "DEADLINE",
    "RELEASE",
}


def test_an_events_value_is_its_name() -> None:
    assert all(on.value == on.name for on in On)


def test_an_event_names_its_subject_first() -> None:
    assert {on.name.split("_")[0] for on in On} == SUBJECTS


def test_a_yes_never_overtakes_itself_and_a_clock_never_overtakes() -> None:
    assert not ACCEPTANCES & OVERTAKES_ACCEPTANCE
    assert not CLOCKS & (ACCEPTANCES | OVERTAKES_ACCEPTANCE)


def test_every_departure_and_every_no_overtakes_a_yes() -> None:
    left = {on for on in On if on.name.endswith(("_HUNG_UP", "_ROOM_LOST", "_DECLINED"))}
    assert left <= OVERTAKES_ACCEPTANCE


def test_facts_are_absent_unless_given() -> None:
    assert all(getattr(Facts(), each.name) is None for each in fields(Facts))
    assert Event(On.CONSULT_RANG).facts is NO_FACTS


def test_an_event_does_not_change() -> None:
    event = Event(On.CONSULT_RANG)
    with pytest.raises(FrozenInstanceError):
        event.effect = 3  # type: ignore[misc]  # the point of the test


def test_the_exception_behind_an_event_is_not_compared() -> None:
    one, other = Facts(cause=ValueError("a")), Facts(cause=ValueError("b"))
    assert one == other
