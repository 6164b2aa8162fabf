"""The ports: what an implementer may rely on."""

from __future__ import annotations

import dataclasses

import pytest

from warm_transfer.events import NO_FACTS, Facts
from warm_transfer.ports import DialRefused, DialRequest


def request() -> DialRequest:
    return DialRequest(
        room="wt-1",
        identity="human-1",
        name="human agent",
        destination="+15105550123",
        ring_timeout_s=30.0,
        call_limit_s=3600.0,
        timeout_s=35.0,
    )


def test_a_refusal_carries_its_evidence() -> None:
    facts = Facts(sip_status=486, sip_phrase="Busy Here")
    assert DialRefused(facts).facts is facts


def test_a_dialer_may_refuse_without_evidence() -> None:
    assert DialRefused().facts is NO_FACTS


def test_a_refusal_is_no_error_that_a_dialer_could_catch_by_accident() -> None:
    assert not issubclass(DialRefused, OSError | ValueError | RuntimeError)


def test_a_dial_request_cannot_be_changed_by_the_dialer() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        request().destination = "+15105550199"  # type: ignore[misc]  # what is tried here


def test_what_a_dial_request_does_not_say_is_empty() -> None:
    made = request()
    assert (made.attempt, made.dtmf, made.number) == (1, "", "")
    assert (made.headers, made.attributes) == ({}, {})
