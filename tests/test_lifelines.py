from __future__ import annotations

from warm_transfer.effects import Do
from warm_transfer.events import CLOCKS, On
from warm_transfer.lifelines import FROM, TO, Lifeline


def test_every_event_comes_from_somebody_and_every_effect_is_for_somebody() -> None:
    assert set(FROM) == set(On)
    assert set(TO) == set(Do)


def test_an_arrow_that_names_a_person_stands_at_that_person() -> None:
    assert FROM[On.CALLER_HUNG_UP] is Lifeline.CALLER
    assert {FROM[on] for on in (On.CONSULT_ANSWERED, On.CONSULT_ACCEPTED, On.CONSULT_DECLINED)} == {
        Lifeline.HUMAN
    }
    assert {TO[do] for do in (Do.HOLD_CALLER, Do.RESUME_CALLER, Do.PLAY_HOLD_AUDIO)} == {
        Lifeline.CALLER
    }


def test_the_clocks_are_the_agents_own() -> None:
    assert {FROM[on] for on in CLOCKS} == {Lifeline.AGENT}
