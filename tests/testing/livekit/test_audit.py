"""An audit that finds nothing is worth something only if it can find each thing."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import pytest

from warm_transfer.states import State
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.leftovers import Left
from warm_transfer.testing.livekit.phones import At
from warm_transfer.testing.livekit.script import Caller
from warm_transfer.testing.scenario import SCENARIOS, Result, run

SHARED = replace(SCENARIOS["merged"], merge=("shared_room",), caller=Caller(by_phone=True))


def _two_outcomes(result: Result) -> Result:
    result.host.outcomes.append(result.host.outcomes[0])
    return result


def _input_left_off(result: Result) -> Result:
    result.host.session.input.set_audio_enabled(False)
    return result


def _output_left_off(result: Result) -> Result:
    result.host.session.output.set_transcription_enabled(False)
    return result


def _input_on_while_held(result: Result) -> Result:
    dialing_s = next(at_s for at_s, state in result.states if state is State.DIALING)
    result.host.session.input.log.append((dialing_s + 1.0, "input.audio", True))
    return result


def _heard(listener: str, tag: str) -> Callable[[Result], Result]:
    def tamper(result: Result) -> Result:
        briefing_s = next(at_s for at_s, state in result.states if state is State.BRIEFING)
        ears = result.world.ears
        ears.hear(listener, listener, frozenset({tag}), briefing_s + 0.1)
        ears.hear(listener, listener, frozenset(), briefing_s + 0.2)
        return result

    return tamper


def _phone_still_talks(result: Result) -> Result:
    result.sdk.switchboard.calls[0].at = At.TALKING
    return result


def _dialled_twice(result: Result) -> Result:
    calls = result.sdk.switchboard.calls
    again = copy(calls[0])
    again.request = type(again.request)()
    calls.append(again)
    return result


def _left_in_silence(result: Result) -> Result:
    # As if it had decided to go when one of them had hung up already.
    states = [(at_s + 58.0 * (state is State.ENDED), state) for at_s, state in result.states]
    return replace(result, states=tuple(states))


def _left_before_the_outcome(result: Result) -> Result:
    result.host.delivered_s = result.host.job_ended_s
    return result


def _still_there(result: Result) -> Result:
    result.world.join("call", "agent")
    return result


def _left_a_relay(result: Result) -> Result:
    result.host.job_ended_s = result.world.now_s
    return result


TAMPERED: dict[str, tuple[str, Callable[[Result], Result]]] = {
    "1 one outcome": ("decline", _two_outcomes),
    "6 every run ends": ("decline", lambda result: replace(result, closed=False)),
    "2 input as it was": ("decline", _input_left_off),
    "2 output as it was": ("decline", _output_left_off),
    "2 input off while held": ("decline", _input_on_while_held),
    "3 nothing crosses: the caller heard briefing": ("merged", _heard("caller", "briefing")),
    "3 nothing crosses: the caller heard human": ("merged", _heard("caller", "human")),
    "3 nothing crosses: the human heard music": ("merged", _heard("human", "music")),
    "3 nothing crosses: the human heard caller": ("merged", _heard("human", "caller")),
    "5 no phone for nobody": ("decline", _phone_still_talks),
    "7 at most one dial": ("decline", _dialled_twice),
    "9 nothing left": ("decline", lambda result: replace(result, left=Left(rooms=("wt-1",)))),
    "12 the agent stays": ("agent-stays-with-relay", _left_a_relay),
    "12 the agent leaves last": ("agent-leaves-after-merge", _left_before_the_outcome),
    "12 the agent leaves: it is still": ("agent-leaves-after-merge", _still_there),
    "12 no silence behind the agent: the caller": ("agent-leaves-after-merge", _left_in_silence),
    "12 no silence behind the agent: the human": ("agent-leaves-after-merge", _left_in_silence),
    "11 the journal replays": (
        "decline",
        lambda result: replace(result, journal=result.journal[1:]),
    ),
}


@pytest.mark.parametrize("problem", TAMPERED)
def test_each_broken_invariant_is_named(problem: str) -> None:
    name, tamper = TAMPERED[problem]

    found = audit(tamper(run(SCENARIOS[name])))

    assert any(each.startswith(problem) for each in found)


@pytest.mark.parametrize(("listener", "tag"), [("caller", "human"), ("human", "caller")])
def test_in_a_shared_room_nothing_crosses_either(listener: str, tag: str) -> None:
    found = audit(_heard(listener, tag)(run(SHARED)))

    assert len(found) == 1
    assert found[0].startswith(f"3 nothing crosses: the {listener} heard {tag}")


@pytest.mark.parametrize(
    ("stalled_before_s", "for_s", "excused"), [(0.5, 1.0, True), (9.0, 1, False)]
)
def test_in_a_shared_room_a_stall_excuses_what_is_heard_in_it(
    stalled_before_s: float, for_s: float, *, excused: bool
) -> None:
    result = run(SHARED)
    briefing_s = next(at_s for at_s, state in result.states if state is State.BRIEFING)
    result.world.stalls_s.append((briefing_s - stalled_before_s, for_s))

    assert (audit(_heard("caller", "human")(result)) == ()) == excused


def test_a_merge_without_an_acceptance_is_named() -> None:
    result = run(SCENARIOS["merged"])
    journal = tuple(line for line in result.journal if line["event"] != "CONSULT_ACCEPTED")

    found = audit(replace(result, journal=journal))

    assert any(each.startswith("4 merged only after an acceptance") for each in found)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_as_it_is_breaks_none(name: str) -> None:
    assert audit(run(SCENARIOS[name])) == ()
