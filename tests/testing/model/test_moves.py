"""All moves together."""

from tests.testing.model.made import NEWEST, around, started
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.states import State
from warm_transfer.testing.model import World, moves


def test_without_news_only_effects_go_on() -> None:
    here = around(State.HOLDING, *NEWEST)
    flights = started(Do.PLAY_HOLD_AUDIO)
    quiet = list(moves(here, flights, World(), news=False))
    assert {move.event for move in quiet} == {None, On.HOLD_AUDIO_FAILED}
    assert all(move.flights == () for move in quiet)
    told = list(moves(here, flights, World()))
    assert told[: len(quiet)] == quiet
    assert On.CALLER_HUNG_UP in {move.event for move in told}


def test_what_waits_does_not_go_on() -> None:
    here = around(State.BRIEFING, *NEWEST)
    both = started(Do.OPEN_CONSULT, Do.START_BRIEFING)
    names = {move.what.split()[0] for move in moves(here, both, World(), news=False)}
    assert names == {Do.OPEN_CONSULT}
