from __future__ import annotations

import json
from multiprocessing import resource_tracker

import pytest
from livekit.agents import Agent, function_tool
from livekit.agents.voice import agent

from warm_transfer.testing.livekit.script import Scenario
from warm_transfer.testing.livekit.sim import farm
from warm_transfer.testing.livekit.sim.counting import JUDGED_FROM, Tally
from warm_transfer.testing.livekit.sim.drawing import Drawn
from warm_transfer.testing.livekit.sim.farm import BATCH, ONE_REPLAYED_IN, play_many, tools_of
from warm_transfer.testing.livekit.sim.running import Ran, run

# It lives as long as this process, and has a pipe; so it is not the test that leaves that open.
resource_tracker.ensure_running()


def test_two_processes_count_what_one_does() -> None:
    alone = play_many(500, 2 * BATCH + 1)
    together = play_many(500, 2 * BATCH + 1, processes=2)
    assert alone.n == together.n == 2 * BATCH + 1
    assert json.dumps(alone.in_json()) == json.dumps(together.in_json())


@pytest.mark.parametrize(
    ("n", "replayed"), [(JUDGED_FROM - 1, JUDGED_FROM - 1), (JUDGED_FROM, JUDGED_FROM // 8)]
)
def test_among_many_the_journal_of_every_eighth_seed_is_replayed(
    monkeypatch: pytest.MonkeyPatch, n: int, replayed: int
) -> None:
    ran, asked = run(Drawn(seed=1, scenario=Scenario())), list[int]()

    def note(drawn: Drawn, overheard: list[str], *, replayed: bool) -> Ran:
        del overheard
        if replayed:
            asked.append(drawn.seed)
        return ran

    monkeypatch.setattr(farm, "run_overheard", note)
    play_many(3, n)
    assert len(asked) == replayed
    assert n < JUDGED_FROM or not any(seed % ONE_REPLAYED_IN for seed in asked)


def test_the_tools_of_an_agent_are_those_that_the_sdk_finds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Own(Agent):
        @function_tool
        async def zebra(self) -> None:
            """A tool."""

        @function_tool(name="another")
        async def ant(self) -> None:
            """A tool whose name is not its method's."""

    plain = Own(instructions="").tools
    monkeypatch.setattr(agent, "find_function_tools", tools_of)
    found = Own(instructions="").tools
    assert [each.id for each in found] == [each.id for each in plain] == ["another", "zebra"]


def test_it_is_told_after_each_batch_and_what_that_raises_ends_it() -> None:
    told: list[int] = []

    def stop_after_two(tally: Tally) -> None:
        told.append(tally.n)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_many(0, 5 * BATCH, told=stop_after_two)
    assert told == [BATCH, 2 * BATCH]
