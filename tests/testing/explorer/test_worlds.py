"""The model by number says what the model says."""

from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.explorer.worlds import HERE, HERE_BITS, Worlds, code_of, decoded
from warm_transfer.testing.model import Phase, Surroundings

STARTED = ((150, Do.HOLD_CALLER), (151, Do.PLAY_HOLD_AUDIO), (152, Do.OPEN_CONSULT))
KEPT = (150, 151, 152)
HOLDING = Surroundings(
    State.HOLDING,
    Carrier.AGENT,
    ((Do.HOLD_CALLER, 100), (Do.PLAY_HOLD_AUDIO, 200), (Do.OPEN_CONSULT, 300)),
)


def test_an_event_and_its_effect_come_back_out_of_their_number() -> None:
    for on in On:
        for effect in (None, 100, 10_002):
            assert decoded(code_of(on, effect)) == (on, effect)
    assert code_of(None, 100) == 0


def test_a_step_that_starts_nothing_changes_nothing() -> None:
    worlds = Worlds()
    assert worlds.step((), KEPT) == 0
    assert worlds.launch(0, 0) == 0


def test_what_a_step_starts_is_in_flight_by_its_new_number() -> None:
    worlds = Worlds()
    here = worlds.launch(worlds.step(STARTED, KEPT), 0)
    assert [(each.id, each.name, each.phase) for each in worlds.flights(here)] == [
        (100, Do.HOLD_CALLER, Phase.RUNNING),
        (200, Do.PLAY_HOLD_AUDIO, Phase.RUNNING),
        (300, Do.OPEN_CONSULT, Phase.RUNNING),
    ]
    assert worlds.launch(worlds.step(STARTED, KEPT), 0) == here


def test_releases_stand_close_behind_what_was_started_whatever_their_ids() -> None:
    worlds = Worlds()
    started = worlds.launch(worlds.step(STARTED, KEPT), 0)
    ends = tuple((number, Do.HANG_UP_CONSULT) for number in (350, 377))
    here, again = (worlds.launch(worlds.step((end,), (100, 200, 300)), started) for end in ends)
    assert worlds.flights(here)[-1].id == 301
    assert here == again


def test_the_moves_by_number_are_those_of_the_model_in_its_order() -> None:
    worlds = Worlds()
    here = worlds.launch(worlds.step(STARTED, KEPT), 0)
    around = worlds.around(HOLDING)
    told = worlds.told(around, here)
    packed = worlds.moves(around, here, news=True)
    assert [code_of(move.event, move.effect) for move in told] == [
        each >> HERE_BITS for each in packed
    ]
    for move, number in zip(told, packed, strict=True):
        assert worlds.flights(number & HERE) == move.flights
    quiet = worlds.moves(around, here, news=False)
    assert packed[: len(quiet)] == quiet


def test_what_is_wrong_with_a_world_is_said_each_time() -> None:
    worlds = Worlds()
    around = worlds.around(HOLDING)
    wrong = worlds.wrong(around, 0)
    assert "the_callers_input_is_off_while_held" in dict(wrong)
    assert worlds.wrong(around, 0) == wrong
    fine = worlds.launch(worlds.step(STARTED, KEPT), 0)
    assert worlds.wrong(around, fine) == worlds.wrong(around, fine) == ()
