from __future__ import annotations

from dataclasses import replace

import pytest

from warm_transfer.journal import replay
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.play import Result, play
from warm_transfer.testing.livekit.script import Scenario, Server
from warm_transfer.testing.livekit.sim.judging import judge
from warm_transfer.testing.scenario import SCENARIOS

POLICY = TransferPolicy()


def played(told: Scenario) -> Result:
    return clock.run(play(told))


@pytest.mark.parametrize("name", ["merged", "falls-to-relay", "decline", "human-leaves-direct"])
def test_a_sound_transfer_has_nothing_wrong(name: str) -> None:
    assert judge(played(SCENARIOS[name]), POLICY) == ()


def test_what_the_world_shows_is_judged() -> None:
    result = played(SCENARIOS["decline"])
    result.host.session.input.set_audio_enabled(False)
    (problem,) = judge(result, POLICY)
    assert problem.startswith("2 input as it was")


def test_what_a_step_breaks_is_named_by_the_promise() -> None:
    # Played by a policy that returns the caller, judged by one that ends the call.
    told = replace(SCENARIOS["human-leaves-returned"], server=Server())
    problems = judge(played(told), POLICY)
    assert any(each.startswith("the_policy_says_what_follows_the_human: ") for each in problems)


def test_a_journal_that_does_not_replay_is_a_problem() -> None:
    result = played(SCENARIOS["decline"])
    lines = [dict(line) for line in result.journal]
    lines[2]["after"] = "merged"
    problems = judge(replace(result, journal=tuple(lines)), POLICY)
    assert any(each.startswith("11 the journal replays: ") for each in problems)


@pytest.mark.parametrize("name", ["merged", "falls-to-relay", "decline", "human-leaves-direct"])
def test_the_steps_that_were_taken_have_nothing_wrong_either(name: str) -> None:
    result = played(SCENARIOS[name])
    assert judge(result, POLICY, tuple(replay(result.journal))) == ()


def test_what_a_taken_step_breaks_is_named_as_well() -> None:
    result = played(replace(SCENARIOS["human-leaves-returned"], server=Server()))
    taken = tuple(replay(result.journal))
    assert judge(result, POLICY, taken) == judge(result, POLICY) != ()


def test_a_journal_of_other_steps_than_those_taken_is_a_problem() -> None:
    result = played(SCENARIOS["decline"])
    taken = tuple(replay(result.journal))
    problems = judge(replace(result, journal=result.journal[:-1]), POLICY, taken)
    assert "11 the journal tells every step: it tells others" in problems
    lines = [dict(line) for line in result.journal]
    lines[2]["after"] = "merged"
    problems = judge(replace(result, journal=tuple(lines)), POLICY, taken)
    assert "11 the journal tells every step: it tells others" in problems
