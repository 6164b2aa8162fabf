from __future__ import annotations

from livekit import api

from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.humans import Human, Line
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.script import Agent, App, Caller, Observer, Scenario, Server
from warm_transfer.testing.livekit.sim.drawing import Drawn, draw
from warm_transfer.testing.livekit.sim.running import Ran
from warm_transfer.testing.livekit.sim.telling import in_python, in_words
from warm_transfer.testing.livekit.sim.troubles import Kind, Met, Trouble, What
from warm_transfer.testing.livekit.when import When

WORDS = {
    each.__name__: each
    for each in (
        *(Agent, App, Caller, Drawn, Fault, How, Human, Line, Observer, Phone, Scenario, Server),
        *(Trouble, What, When),
    )
}


def test_what_is_drawn_can_be_pasted_into_a_test() -> None:
    import aiohttp  # noqa: PLC0415 - for what is evaluated

    names = {**WORDS, "api": api, "ClientConnectionError": aiohttp.ClientConnectionError}
    for seed in range(300):
        drawn = draw(seed)
        again = eval(in_python(drawn), names)  # noqa: S307 - our own text
        # Errors have no equality of their own.
        assert in_python(again) == in_python(drawn)
        assert repr(again) == repr(drawn)


def test_what_is_as_by_default_is_left_out() -> None:
    drawn = Drawn(seed=3, scenario=Scenario(phone=Phone(answers_after_s=None)))
    text = "Drawn(seed=3, scenario=Scenario(phone=Phone(answers_after_s=None)))"
    assert in_python(drawn) == text


def test_a_transfer_is_told_with_its_faults_and_what_is_wrong() -> None:
    met = (Met(Kind.STALL, "stall", State.MERGING),)
    problems = ("5 no phone for nobody: it is still ringing",)
    ran = Ran(8, State.FAILED, Reason.BUSY, State.FAILED, met, problems, ({"v": 1},))
    assert in_words(ran).splitlines() == [
        '{"v":1}',
        "fault: stalls of stall in merging",
        "WRONG: 5 no phone for nobody: it is still ringing",
        "seed 8: failed, busy, ends as failed",
    ]
