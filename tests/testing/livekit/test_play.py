import json

import pytest

from warm_transfer.journal import replay
from warm_transfer.states import State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.catalogue import SCENARIOS
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.play import Result, Stage, play
from warm_transfer.testing.livekit.script import Scenario


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
