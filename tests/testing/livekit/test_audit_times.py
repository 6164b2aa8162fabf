"""Each limit is named when it is passed; only a transfer that nothing hampers is held to all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from warm_transfer.livekit.preflight import forget
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.audit_times import BACK_S, RELEASE_S
from warm_transfer.testing.livekit.phones import At
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.scenario import (
    SCENARIOS,
    Human,
    Result,
    Scenario,
    Stage,
    When,
    play,
    run,
)

POLICY = TransferPolicy()
Tamper = Callable[[Result], Result]


def _phone_lasts(allowed_s: float, late_s: float) -> Tamper:
    """The phone knows so long after what is allowed that it is let go."""

    def tamper(result: Result) -> Result:
        (call,) = result.sdk.switchboard.calls
        end_s = result.states[-1][0]
        log = [each for each in call.log if each[1] not in (At.OVER, At.CANCELLED)]
        call.log = [*log, (end_s + allowed_s + late_s, call.at)]
        return result

    return tamper


def _never_let_go(result: Result) -> Result:
    (call,) = result.sdk.switchboard.calls
    call.log = [each for each in call.log if each[1] is not At.CANCELLED]
    return result


def _switched_on_late(switch: str, state: State, late_s: float) -> Tamper:
    def tamper(result: Result) -> Result:
        from_s = next(at_s for at_s, each in result.states if each is state)
        session = result.host.session
        log = session.input.log if switch.startswith("input") else session.output.log
        log[:] = [each for each in log if each[1] != switch or not each[2]]
        log.append((from_s + BACK_S + late_s, switch, True))
        return result

    return tamper


async def _by_bridge(told: Scenario) -> Result:
    # What an earlier test has found out about the server stays known else.
    forget(SimSdk.url)
    stage = Stage(told)
    stage.world.trunks.set_up_bridge()
    return await play(told, stage=stage)


def _took(state: State, seconds: float) -> Tamper:
    return lambda result: replace(result, seconds={**result.seconds, state: seconds})


def _left_late(result: Result) -> Result:
    end_s = next(at_s for at_s, state in result.states if state is State.ENDED)
    result.host.job_ended_s = end_s + RELEASE_S + 0.1
    return result


TOLD_S = POLICY.notice_limit_s + RELEASE_S
FOR_EVER_S = 200.0

LATE: dict[str, tuple[str, str, Tamper]] = {
    "a phone that rings": ("5 released", "caller-leaves-ringing", _phone_lasts(RELEASE_S, 0.1)),
    "a phone that rings on": ("5 released", "caller-leaves-ringing", _never_let_go),
    "a human who is told": ("5 released", "caller-leaves-briefing", _phone_lasts(TOLD_S, 0.1)),
    "a human who was merged": ("5 released", "caller-leaves-merged", _phone_lasts(RELEASE_S, 0.1)),
    "the input": ("6 given back", "decline", _switched_on_late("input.audio", State.DECLINED, 0.1)),
    "the output": (
        "6 given back",
        "decline",
        _switched_on_late("output.audio", State.DECLINED, 0.1),
    ),
    "the input after a merge": (
        "6 given back",
        "human-leaves-returned",
        _switched_on_late("input.audio", State.RETURNED, 0.1),
    ),
    "the output at the merge": (
        "6 given back",
        "merged",
        _switched_on_late("output.audio", State.MERGED, 0.1),
    ),
    "holding": ("6 every run ends in time", "decline", _took(State.HOLDING, 6.1)),
    "dialing": ("6 every run ends in time", "decline", _took(State.DIALING, 31.1)),
    "briefing": ("6 every run ends in time", "decline", _took(State.BRIEFING, 121.1)),
    "merging": ("6 every run ends in time", "merged", _took(State.MERGING, 13.1)),
    "the call": ("6 every run ends in time", "merged", _took(State.MERGED, 4 * 3600.0 + 1.1)),
    "the release": ("6 every run ends in time", "decline", _took(State.DECLINED, FOR_EVER_S)),
    "the agent's leaving": ("12 the agent leaves in time", "agent-leaves-after-merge", _left_late),
    "the agent's last words": (
        "12 the agent leaves in time",
        "agent-leaves-after-merge",
        _took(State.MERGED, 11.1),
    ),
}


@pytest.mark.parametrize("what", LATE)
def test_what_is_late_is_named(what: str) -> None:
    problem, name, tamper = LATE[what]

    found = audit(tamper(run(SCENARIOS[name])))

    assert any(each.startswith(problem) for each in found)


IN_TIME: dict[str, tuple[str, Tamper]] = {
    "a phone that rings": ("caller-leaves-ringing", _phone_lasts(RELEASE_S, -0.1)),
    "a human who is told": ("caller-leaves-briefing", _phone_lasts(TOLD_S, -0.1)),
    "a human who was merged": ("caller-leaves-merged", _phone_lasts(RELEASE_S, -0.1)),
    "the input": ("decline", _switched_on_late("input.audio", State.DECLINED, -0.1)),
    "the output at the merge": ("merged", _switched_on_late("output.audio", State.MERGED, -0.1)),
    "two merges": ("falls-to-relay", _took(State.MERGING, 24.0)),
}


@pytest.mark.parametrize("what", IN_TIME)
def test_what_is_just_in_time_is_no_problem(what: str) -> None:
    name, tamper = IN_TIME[what]

    assert audit(tamper(run(SCENARIOS[name]))) == ()


@pytest.mark.parametrize(
    "what", ["a phone that rings", "a human who is told", "the input", "the agent's leaving"]
)
def test_a_transfer_that_something_hampered_is_late_for_a_reason(what: str) -> None:
    _, name, tamper = LATE[what]
    result = tamper(run(SCENARIOS[name]))
    result.world.cancelled_s.append(result.began_s)

    assert audit(result) == ()


@pytest.mark.parametrize(("waits_s", "problems"), [(6.4, 0), (7.4, 2)])
def test_a_bridge_that_was_given_up_while_it_joined_is_waited_for(
    waits_s: float, problems: int
) -> None:
    yes_s = When(0.001, "yes")
    told = replace(SCENARIOS["merged"], human=Human(hangs_up=yes_s), merge=("sip_bridge",))
    result = clock.run(_by_bridge(told))
    assert audit(result) == ()
    for switch in ("input.audio", "output.audio"):
        _switched_on_late(switch, State.FAILED, waits_s - BACK_S)(result)

    assert len(audit(result)) == problems


def test_no_clock_strikes_while_the_process_stands_still() -> None:
    result = _took(State.BRIEFING, 125.0)(run(SCENARIOS["decline"]))
    result.world.stalls_s.append((result.began_s, 8.0))

    assert audit(result) == ()


def test_the_limits_are_those_of_the_policy_it_had() -> None:
    result = _took(State.BRIEFING, 150.0)(run(SCENARIOS["decline"]))

    assert audit(result, TransferPolicy(decision_timeout_s=150.0)) == ()
