import asyncio
import json
from dataclasses import replace

import pytest

from warm_transfer.journal import replay
from warm_transfer.outcome import Reason
from warm_transfer.states import State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.catalogue import SCENARIOS
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.humans import Human
from warm_transfer.testing.livekit.leg_errors import Service
from warm_transfer.testing.livekit.phones import At, Phone
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


@pytest.mark.parametrize(
    ("service", "status", "left", "reason"),
    [
        ("measured", 503, "CLIENT_INITIATED", Reason.UNREACHABLE),
        ("old", 503, None, Reason.UNREACHABLE),
        ("new", 503, "SIP_TRUNK_FAILURE", Reason.UNREACHABLE),
        ("old", 487, "USER_REJECTED", Reason.BUSY),
        ("new", 487, "USER_UNAVAILABLE", Reason.NO_ANSWER),
    ],
)
def test_without_the_apis_answer_a_refusal_is_what_the_service_says_of_the_leg(
    service: Service, status: int, left: str | None, reason: Reason
) -> None:
    # facts 5.3
    phone = Phone(refuses_with=status, request_hangs=True, service=service)
    result = clock.run(play(Scenario(phone=phone)))
    assert left_with(result, "CONSULT_REFUSED") == [left]
    assert result.outcome is not None
    assert result.outcome.reason is reason
    assert not result.left


@pytest.mark.parametrize(
    ("service", "left", "known_s"),
    # Without a reason they might come back, so it is waited for them.
    [("old", None, 1.0), ("new", "SERVER_SHUTDOWN", 0.0)],
)
@pytest.mark.parametrize(
    ("stops_s", "state"), [(2.0, State.FAILED), (20.0, State.RETURNED)], ids=["briefing", "merged"]
)
def test_a_sip_service_that_shuts_down_gives_the_caller_back(
    service: Service, left: str | None, known_s: float, stops_s: float, state: State
) -> None:
    phone = Phone(service_stops_after_s=stops_s, service=service)
    told = Scenario(phone=phone, human=Human("yes", 4.0), policy={"on_human_left": "return"})
    result = clock.run(play(told))
    assert left_with(result, "CONSULT_HUNG_UP") == [left]
    assert result.state is state
    (call,) = result.sdk.switchboard.calls
    over_s = call.when(At.OVER)
    assert over_s is not None
    assert result.states[-1][0] - over_s == pytest.approx(known_s, abs=0.05)
    assert result.host.session.input.audio_enabled
    assert not result.left


def left_with(result: Result, event: str) -> list[str | None]:
    return [
        each["payload"].get("disconnect_reason")
        for each in result.journal
        if each["event"] == event and each["handling"] == "row"
    ]


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
