"""How long each effect may take."""

from __future__ import annotations

import math

import pytest

from warm_transfer.effects import RELEASES, Do
from warm_transfer.limits import limit_s
from warm_transfer.policy import Plan, TransferPolicy

POLICY = TransferPolicy()


@pytest.mark.parametrize("name", sorted(Do))
def test_every_effect_has_a_limit(name: Do) -> None:
    limit = limit_s(name, POLICY, Plan())
    assert 0 < limit < math.inf


@pytest.mark.parametrize("name", sorted(RELEASES - {Do.HANG_UP_CONSULT}))
def test_a_release_has_the_time_of_a_release(name: Do) -> None:
    assert limit_s(name, TransferPolicy(release_timeout_s=3.0), Plan()) == 3.0


def test_the_dialer_gives_up_before_the_dial_is_given_up() -> None:
    # As `livekit.dial` asks for it: ringing, key tones, and one margin.
    own_limit_s = POLICY.ring_timeout_s + 2.5 + POLICY.dial_margin_s
    assert limit_s(Do.DIAL_CONSULT, POLICY, Plan(dtmf_s=2.5)) > own_limit_s


def test_a_hang_up_may_outlast_the_dial_that_it_waits_for() -> None:
    plan = Plan(dtmf_s=2.5)
    dial, hang_up = (limit_s(name, POLICY, plan) for name in (Do.DIAL_CONSULT, Do.HANG_UP_CONSULT))
    assert hang_up > dial


@pytest.mark.parametrize("name", sorted(Do))
def test_key_tones_count_for_the_dial_and_for_hanging_it_up_only(name: Do) -> None:
    more = limit_s(name, POLICY, Plan(dtmf_s=7.0)) - limit_s(name, POLICY, Plan())
    assert more == (7.0 if name in (Do.DIAL_CONSULT, Do.HANG_UP_CONSULT) else 0.0)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (Do.START_BRIEFING, "decision_timeout_s"),
        (Do.MERGE_LEGS, "merge_timeout_s"),
        (Do.LOOK_AT_ROOMS, "look_timeout_s"),
        (Do.NOTIFY_CONSULT, "notice_limit_s"),
        (Do.AWAIT_LAST_WORDS, "leave_timeout_s"),
    ],
)
def test_an_effect_may_take_as_long_as_the_state_that_waits_for_it(name: Do, field: str) -> None:
    assert limit_s(name, POLICY, Plan()) == getattr(POLICY, field)


def test_the_last_words_may_be_spoken_before_the_hold_is_given_up() -> None:
    for name in (Do.HOLD_CALLER, Do.PLAY_HOLD_AUDIO):
        assert limit_s(name, POLICY, Plan()) > POLICY.speech_limit_s
