import asyncio
import json
from dataclasses import replace

import pytest

from warm_transfer.journal import replay
from warm_transfer.states import State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.catalogue import SCENARIOS
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.play import Result, Stage, play
from warm_transfer.testing.livekit.script import Agent, App, Scenario


def result_of(name: str, seed: int | None = None) -> Result:
    return clock.run(play(SCENARIOS[name], seed=seed))


def written(result: Result) -> str:
    return "\n".join(json.dumps(line) for line in result.journal)


@pytest.mark.parametrize("name", ["merged", "caller-leaves-ringing", "reconnect"])
def test_the_same_scenario_gives_the_same_journal_and_the_same_sounds(name: str) -> None:
    first, second = result_of(name), result_of(name)
    assert written(first) == written(second)
    for who in ("caller", "human"):
        sounds = [
            [(each.tag, each.from_s, each.to_s) for each in result.world.heard(who)]
            for result in (first, second)
        ]
        assert sounds[0] == sounds[1]


def test_the_same_seed_gives_the_same_journal_and_another_seed_another() -> None:
    first, second, third = (result_of("merged", seed) for seed in (1, 1, 2))
    assert written(first) == written(second)
    assert written(first) != written(third)
    assert {each.outcome.result for each in (first, third) if each.outcome} == {State.MERGED}


def test_a_journal_of_the_simulated_world_replays() -> None:
    result = result_of("merged")
    assert [step.after for step in replay(result.journal)][-1] is State.ENDED


def test_the_caller_hears_words_music_and_human_and_never_the_briefing() -> None:
    result = result_of("long-last-words")
    heard = [each.tag for each in result.world.heard("caller")]
    assert heard == ["agent", "music", "human"]
    assert [each.tag for each in result.world.heard("human")] == ["briefing", "caller"]


def test_states_and_seconds_tell_where_the_time_went() -> None:
    result = result_of("merged")
    assert [state for _, state in result.states] == [
        State.IDLE,
        State.HOLDING,
        State.DIALING,
        State.BRIEFING,
        State.MERGING,
        State.MERGED,
        State.ENDED,
    ]
    assert sum(result.seconds.values()) == pytest.approx(result.took_s)
    assert result.seconds[State.MERGED] == pytest.approx(20, abs=0.1)


def test_input_and_output_are_exactly_restored_on_a_way_back() -> None:
    result = result_of("decline")
    session = result.host.session
    assert all(session.input.all().values())
    assert all(session.output.all().values())
    assert [value for _, what, value in session.input.log if what == "input.audio"] == [False, True]


def test_a_caller_may_be_on_the_phone() -> None:
    result = clock.run(play(scenario("caller calls by phone; human says yes")))
    assert result.state is State.ENDED
    assert "human" in {each.tag for each in result.world.heard("caller")}


@pytest.mark.parametrize(
    ("name", "times"),
    [
        # The task tells that it is cancelled, and the session that it is closed.
        ("caller-leaves-ringing", 2),
        ("caller-leaves-briefing", 2),
        # The transfer is over before the session is.
        ("caller-leaves-merging", 1),
        # The await has returned by then.
        ("caller-leaves-merged", 0),
        ("decline", 0),
    ],
)
def test_the_callers_session_closes_behind_a_caller_who_leaves(name: str, times: int) -> None:
    # As often as in the journals of `make live`.
    result = result_of(name)
    assert result.host.session.closed == name.startswith("caller-leaves")
    behind = [each for each in result.journal if each["event"] == "SESSION_CLOSED"]
    assert [each["handling"] for each in behind] == ["ignored"] * times
    assert not result.left


def test_nobody_says_goodbye_into_a_session_that_closes() -> None:
    crossing = scenario("human answers, says yes; caller hangs up 280 ms after the merge")
    raised: list[object] = []

    async def main() -> Result:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: raised.append(told))
        return await play(replace(crossing, agent=Agent(goodbye_s=2.0)))

    assert clock.run(main()).state is State.ENDED
    assert raised == []


def test_the_callers_session_stays_open_when_the_application_wants_it_to() -> None:
    stays = replace(SCENARIOS["caller-leaves-ringing"], app=App(close_on_disconnect=False))
    result = clock.run(play(stays))
    assert not result.host.session.closed
    assert "SESSION_CLOSED" not in {each["event"] for each in result.journal}


def test_a_second_agent_in_the_consult_room_is_put_out() -> None:
    result = result_of("second-agent")
    assert "stray" not in {each.tag for each in result.world.heard("human")}


def test_nothing_happens_before_the_transfer_is_asked_for() -> None:
    async def main() -> Stage:
        stage = Stage(Scenario())
        await stage.set_up()
        return stage

    stage = clock.run(main())
    assert stage.world.faults.calls == {}
    assert not stage.world.left()
