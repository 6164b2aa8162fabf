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
from warm_transfer.testing.scenario import SCENARIOS, Result, run


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


def _input_never_off(result: Result) -> Result:
    result.host.session.input.log.clear()
    return result


def _phone_still_talks(result: Result) -> Result:
    result.sdk.switchboard.calls[0].at = At.TALKING
    return result


def _dialled_twice(result: Result) -> Result:
    calls = result.sdk.switchboard.calls
    again = copy(calls[0])
    again.request = type(again.request)()
    calls.append(again)
    return result


def _left_before_the_outcome(result: Result) -> Result:
    result.host.delivered_s = result.host.job_ended_s
    return result


def _still_there(result: Result) -> Result:
    result.world.join("call", "agent")
    return result


def _did_not_leave(result: Result) -> Result:
    result.host.job_ended_s = None
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
    "2 input off while held: it was on": ("caller-leaves-briefing", _input_never_off),
    "5 no phone for nobody": ("decline", _phone_still_talks),
    "7 at most one dial": ("decline", _dialled_twice),
    "9 nothing left": ("decline", lambda result: replace(result, left=Left(rooms=("wt-1",)))),
    "12 the agent stays": ("agent-stays-with-relay", _left_a_relay),
    "12 the agent leaves last": ("agent-leaves-after-merge", _left_before_the_outcome),
    "12 the agent leaves: it was to": ("agent-leaves-after-merge", _did_not_leave),
    "12 the agent leaves: it is still": ("agent-leaves-after-merge", _still_there),
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


def test_a_merge_without_an_acceptance_is_named() -> None:
    result = run(SCENARIOS["merged"])
    journal = tuple(line for line in result.journal if line["event"] != "CONSULT_ACCEPTED")

    found = audit(replace(result, journal=journal))

    assert any(each.startswith("4 merged only after an acceptance") for each in found)


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_as_it_is_breaks_none(name: str) -> None:
    assert audit(run(SCENARIOS[name])) == ()
