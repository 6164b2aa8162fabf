from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from warm_transfer import journal
from warm_transfer.errors import JournalError
from warm_transfer.events import Event, On
from warm_transfer.livekit.engine import Engine
from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing.invariants import Moment
from warm_transfer.testing.livekit.script import Scenario
from warm_transfer.testing.livekit.sim import judging
from warm_transfer.testing.livekit.sim.drawing import Drawn, draw
from warm_transfer.testing.livekit.sim.running import overhearing, run, run_overheard
from warm_transfer.testing.livekit.sim.troubles import TroubledStage
from warm_transfer.transfer import Step

SEEDS = range(40)

SCRIPT = """
import hashlib
from warm_transfer.testing.livekit.sim.drawing import draw
from warm_transfer.testing.livekit.sim.running import run

for seed in range(40):
    print(hashlib.sha256("\\n".join(run(draw(seed)).journal).encode()).hexdigest())
"""


def digest(seed: int) -> str:
    return hashlib.sha256("\n".join(run(draw(seed)).journal).encode()).hexdigest()


@pytest.mark.parametrize("hash_seed", ["1", "20"])
def test_a_seed_has_one_journal_in_every_process(hash_seed: str) -> None:
    # Only the order of what a process has played before and its hashes differ.
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == [digest(seed) for seed in reversed(SEEDS)][::-1]


def test_a_plain_transfer_is_merged_and_nothing_is_wrong() -> None:
    ran = run(Drawn(seed=1, scenario=Scenario()))
    assert (ran.outcome, ran.reason, ran.final) == (State.MERGED, Reason.ACCEPTED, State.ENDED)
    assert ran.problems == ()
    assert ran.met == ()
    assert '"transfer":"drawn-1"' in ran.journal[0]


def test_another_seed_is_another_journal() -> None:
    told = Drawn(seed=1, scenario=Scenario())
    assert run(told).journal != run(replace(told, seed=2)).journal


def test_an_event_that_cannot_happen_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def begins(stage: TroubledStage, engine: Engine) -> None:
        real(stage, engine)
        engine.post(Event(On.MERGE_CONFIRMED))

    real = TroubledStage.begins
    monkeypatch.setattr(TroubledStage, "begins", begins)
    (problem,) = run(Drawn(seed=1, scenario=Scenario())).problems
    assert problem.startswith("logged: unexpected event: ")
    assert On.MERGE_CONFIRMED in problem


def test_what_the_loop_is_told_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def begins(stage: TroubledStage, engine: Engine) -> None:
        real(stage, engine)
        stage.world.loop.call_soon(list[int]().pop)

    real = TroubledStage.begins
    monkeypatch.setattr(TroubledStage, "begins", begins)
    (problem,) = run(Drawn(seed=1, scenario=Scenario())).problems
    assert problem.startswith("the loop was told: ")
    assert "IndexError" in problem


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines were replayed, once for each replay, which also finds that it differs."""
    found: list[int] = []

    def replay(lines: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
        found.append(len(lines))
        yield from journal.replay(lines)
        raise JournalError("transfer", "was made to differ")

    monkeypatch.setattr(judging, "replay", replay)
    return found


def test_without_a_replay_the_steps_are_judged_that_the_transfer_has_taken(
    replays: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Drawn(seed=1, scenario=Scenario())
    seen: list[Step] = []

    def look(moment: Moment) -> Iterator[str]:
        seen.append(moment.step)
        return iter(())

    monkeypatch.setattr(judging, "STEPS", (look,))
    with overhearing() as overheard:
        ran = run_overheard(told, overheard, replayed=False)
    assert (ran.problems, replays) == ((), [])
    assert [each.seq for each in seen] == [each["seq"] for each in ran.lines]
    # A replay takes its times from the journal, which count from the request.
    assert seen[0].at_s > ran.lines[0]["t_s"] == 0.0


def test_a_journal_is_replayed_unless_told_otherwise(replays: list[int]) -> None:
    ran = run(Drawn(seed=1, scenario=Scenario()))
    assert replays == [len(ran.lines)]
    assert ran.problems == ("11 the journal replays: transfer: was made to differ",)


def test_a_seed_by_itself_shows_what_the_steps_broke_that_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def began_later(moment: Moment) -> Iterator[str]:
        if moment.step.seq == 1 and moment.step.at_s > 0.0:
            yield "begins late"

    monkeypatch.setattr(judging, "STEPS", (began_later,))
    # A replay begins at 0, and would not show it.
    assert run(Drawn(seed=1, scenario=Scenario())).problems == ("began_later: step 1 begins late",)


def test_a_journal_is_replayed_whenever_anything_is_wrong(
    replays: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def begins(stage: TroubledStage, engine: Engine) -> None:
        real(stage, engine)
        stage.world.loop.call_soon(list[int]().pop)

    real = TroubledStage.begins
    monkeypatch.setattr(TroubledStage, "begins", begins)
    with overhearing() as overheard:
        ran = run_overheard(Drawn(seed=1, scenario=Scenario()), overheard, replayed=False)
    assert replays == [len(ran.lines)]
    told, replayed = ran.problems
    assert told.startswith("the loop was told: ")
    assert replayed.startswith("11 the journal replays: ")


def test_what_the_bridge_look_found_does_not_outlive_a_transfer() -> None:
    told = Drawn(seed=1, scenario=Scenario(merge=("sip_bridge", "relay")), bridge=True)
    alone = run(told)
    run(replace(told, bridge=False))
    assert run(told).journal == alone.journal


def test_loggers_are_as_they_were_afterwards() -> None:
    log = logging.getLogger("warm_transfer")
    before = (log.level, log.propagate, tuple(log.handlers))
    with overhearing() as heard:
        log.error("release failed: orphan risk")
        log.error("journal failed")
    assert heard == ["logged: journal failed: "]
    assert (log.level, log.propagate, tuple(log.handlers)) == before
