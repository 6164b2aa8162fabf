"""Each promise of the group is broken once on purpose, and names itself."""

from typing import Any

from tests.testing.invariants.made import (
    HELD_WORLD,
    Made,
    each_names_itself,
    scene,
)
from warm_transfer.effects import Do
from warm_transfer.policy import Carrier
from warm_transfer.states import State
from warm_transfer.testing.invariants import broken_by
from warm_transfer.testing.invariants.scenes import SCENES
from warm_transfer.testing.model import Flight, Leg, Music, Phase, Room

S = State

BROKEN: dict[str, Made] = {
    "the_callers_input_is_off_while_held": lambda: scene(S.DIALING),
    "the_held_caller_hears_music": lambda: scene(
        S.DIALING, input_on=False, output_on=False, music=Music.OFF
    ),
    "the_human_is_told": lambda: scene(S.BRIEFING, room=Room.OPEN, **HELD_WORLD),
    "music_and_agent_do_not_mix": lambda: scene(S.FAILED, music=Music.ON, delivered=1),
    "no_briefing_reaches_the_caller": lambda: scene(
        S.MERGING, joined=True, briefing=True, leg=Leg.ANSWERED, **HELD_WORLD
    ),
    "no_leg_is_left_up_after_the_end": lambda: scene(S.FAILED, leg=Leg.RINGING, delivered=1),
    "nothing_is_left": lambda: scene(S.FAILED, room=Room.OPEN, delivered=1),
    "the_caller_is_back_with_the_agent": lambda: scene(S.FAILED, input_on=False, delivered=1),
    "an_ended_call_is_over": lambda: scene(S.ENDED, delivered=1),
    "merged_means_they_talk": lambda: scene(
        S.MERGED, input_on=False, leg=Leg.ANSWERED, delivered=1
    ),
    "nobody_is_left_in_silence": lambda: scene(
        S.ENDED, carrier=Carrier.SERVER, input_on=False, agent=False, leg=Leg.ANSWERED, delivered=1
    ),
    "the_agent_goes_last": lambda: scene(
        S.ENDED, Flight(1, Do.LEAVE_CALL, Phase.RUNNING), carrier=Carrier.SERVER, input_on=False
    ),
    "the_outcome_arrives_once": lambda: scene(S.FAILED, delivered=2),
    "something_can_go_on": lambda: scene(
        S.FAILED, Flight(1, Do.RESUME_CALLER, Phase.WAITING), delivered=1
    ),
}


def test_each_promise_names_itself() -> None:
    each_names_itself(BROKEN, SCENES)


def test_an_agent_may_go_with_the_outcome_out_and_the_music_off() -> None:
    going = Flight(1, Do.LEAVE_CALL, Phase.RUNNING)
    joined: dict[str, Any] = {"input_on": False, "joined": True, "leg": Leg.ANSWERED}
    assert (
        list(broken_by(scene(S.ENDED, going, carrier=Carrier.SERVER, delivered=1, **joined))) == []
    )
    loud = scene(S.ENDED, going, carrier=Carrier.SERVER, delivered=1, music=Music.ON, **joined)
    assert list(dict(broken_by(loud))) == ["the_agent_goes_last"]


def test_a_call_without_need_of_the_agent_may_live_on() -> None:
    joined: dict[str, Any] = {"agent": False, "joined": True, "leg": Leg.ANSWERED, "delivered": 1}
    alive = scene(S.ENDED, carrier=Carrier.SERVER, input_on=False, **joined)
    assert list(broken_by(alive)) == []
    assert dict(broken_by(scene(S.ENDED, carrier=Carrier.AGENT, input_on=False, **joined)))
