"""Whole transfers in the simulated world, on a virtual clock: tell one, run it, look at it.

    >>> result = run(scenario("human answers after 4 s, says no after 6 s"))
    >>> result.outcome.reason
    <Reason.DECLINED: 'declined'>

A scenario is one line of English (the grammar stands in `warm_transfer.testing.livekit.grammar`
and in every error about it), or a `Scenario` with typed parts:

    Scenario(
        phone=Phone(answers_after_s=9.0),
        human=Human("no", after_s=6.0, words="I am in a meeting"),
        caller=Caller(hangs_up=When(2.0, "answer")),
    )

`SCENARIOS` has one for every outcome, by name.
"""

from __future__ import annotations

from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Journal, StateHook
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.catalogue import SCENARIOS
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.grammar import GRAMMAR, scenario
from warm_transfer.testing.livekit.humans import Human, Line
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.play import Result, Stage, play
from warm_transfer.testing.livekit.script import Agent, App, Caller, Observer, Scenario, Server
from warm_transfer.testing.livekit.when import When

__all__ = [
    "GRAMMAR",
    "SCENARIOS",
    "Agent",
    "App",
    "Caller",
    "Fault",
    "How",
    "Human",
    "Line",
    "Observer",
    "Phone",
    "Result",
    "Scenario",
    "Server",
    "Stage",
    "When",
    "play",
    "run",
    "scenario",
]


def run(
    told: Scenario,
    *,
    policy: TransferPolicy | None = None,
    seed: int | None = None,
    journal: Journal | None = None,
    on_state_change: StateHook | None = None,
) -> Result:
    """Run a scenario on a fresh virtual clock; the arguments are those of `play`.

    Raises:
        warm_transfer.testing.clock.Deadlock: everybody waits for somebody.
    """
    return clock.run(
        play(told, policy=policy, seed=seed, journal=journal, on_state_change=on_state_change)
    )
