"""Leaving a merged call: the last words are heard out, then the agent is gone whatever happens."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from livekit.agents import AgentStateChangedEvent
from livekit.agents.voice.events import AgentState

from tests.livekit.bench import ROOM, Bench, effect
from tests.livekit.desk import Desk
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.livekit.leave import Leave, until_quiet
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.play import CALLER_ROOM, play
from warm_transfer.testing.livekit.sessions import SimCallerSession
from warm_transfer.testing.livekit.voice import SimSpeech

POLICY = TransferPolicy(after_merge="leave", leave_quiet_s=1.0)


async def hear_out(bench: Bench) -> asyncio.Task[None]:
    work = Leave(bench.legs).hear_out(effect(Do.AWAIT_LAST_WORDS))
    task = asyncio.get_running_loop().create_task(work)
    await asyncio.sleep(0)
    return task


def agent_is_there(bench: Bench) -> bool:
    return bench.stage.world.member(CALLER_ROOM, "agent") is not None


# The last words.


@pytest.mark.asyncio
async def test_an_agent_that_says_nothing_has_been_heard_out_after_the_quiet() -> None:
    bench = await Bench.set_up(policy=POLICY)
    began_s = bench.now_s
    await (await hear_out(bench))
    assert bench.names == [On.AGENT_HEARD_OUT]
    assert bench.posted_at_s[0] - began_s == pytest.approx(1.0)
    assert bench.posted[0].effect is not None
    await bench.finish()


@pytest.mark.asyncio
async def test_words_that_begin_within_the_quiet_are_heard_to_their_end() -> None:
    bench = await Bench.set_up(policy=POLICY)
    began_s = bench.now_s
    waiting = await hear_out(bench)
    await asyncio.sleep(0.9)
    bench.stage.session.say("You are connected.", seconds=3.0)
    bench.stage.session.say("Goodbye.", seconds=2.0)
    await waiting
    assert bench.posted_at_s[0] - began_s == pytest.approx(0.9 + 3.0 + 2.0 + 1.0)
    await bench.finish()


@pytest.mark.asyncio
async def test_words_that_are_being_said_already_are_heard_to_their_end() -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.session.say("You are connected.", seconds=3.0)
    await asyncio.sleep(1.0)
    began_s = bench.now_s
    await (await hear_out(bench))
    assert bench.posted_at_s[0] - began_s == pytest.approx(2.0 + 1.0)
    await bench.finish()


@pytest.mark.asyncio
async def test_words_that_nobody_hears_end_as_well() -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.session.output.set_audio_enabled(False)
    # Said in no time, and without a change of the agent's state.
    bench.stage.session.say("You are connected.", seconds=3.0)
    assert bench.stage.session.current_speech is not None
    began_s = bench.now_s
    await (await hear_out(bench))
    assert bench.posted_at_s[0] - began_s == pytest.approx(1.0, abs=0.1)
    await bench.finish()


@pytest.mark.asyncio
async def test_a_session_that_closes_has_said_its_last() -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.session.say("And another thing.", seconds=600.0)
    waiting = await hear_out(bench)
    await bench.stage.session.close()
    await asyncio.sleep(0.5)
    assert waiting.done()
    assert bench.names == [On.AGENT_HEARD_OUT]
    await bench.finish()


@pytest.mark.asyncio
async def test_an_agent_without_a_room_is_not_waited_for() -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.session.say("And another thing.", seconds=600.0)
    waiting = await hear_out(bench)
    bench.stage.world.delete_room(CALLER_ROOM)
    await asyncio.sleep(0.5)
    assert waiting.done()
    assert bench.names == [On.AGENT_HEARD_OUT]
    await bench.stage.session.close()
    await bench.finish()


@pytest.mark.asyncio
async def test_listening_leaves_no_listener_behind() -> None:
    bench = await Bench.set_up(policy=POLICY)
    session = bench.stage.session
    before = {event: len(each) for event, each in session._events.items()}
    task = asyncio.get_running_loop().create_task(until_quiet(session, 1.0))
    await asyncio.sleep(0.1)
    assert {event: len(each) for event, each in session._events.items()} != before
    task.cancel()
    await asyncio.wait([task])
    left = {event: len(each) for event, each in session._events.items() if each}
    assert left == {event: count for event, count in before.items() if count}
    await bench.finish()


class Told(SimCallerSession):
    """A session whose agent is in the state that a test says, with a speech if it says so."""

    speech: SimSpeech | None = None

    @property
    def current_speech(self) -> SimSpeech | None:
        return self.speech

    def goes(self, state: AgentState) -> None:
        old, self.agent_state = self.agent_state, state
        self.emit("agent_state_changed", AgentStateChangedEvent(old_state=old, new_state=state))


async def quiet_after(bench: Bench, session: Told, *acts: Callable[[], object]) -> float:
    """How long it takes, with one act each second."""
    began_s = bench.now_s
    waiting = asyncio.get_running_loop().create_task(until_quiet(session, 1.5))
    for act in acts:
        await asyncio.sleep(1.0)
        act()
    await waiting
    await bench.finish()
    return bench.now_s - began_s


@pytest.mark.asyncio
async def test_a_tool_that_still_runs_is_heard_out() -> None:
    bench = await Bench.set_up(policy=POLICY)
    session = Told(bench.stage.room, "caller")
    session.agent_state = "thinking"
    took_s = await quiet_after(
        bench,
        session,
        int,
        int,
        int,
        lambda: session.goes("speaking"),
        lambda: session.goes("idle"),
    )
    assert took_s == pytest.approx(5.0 + 1.5)


@pytest.mark.asyncio
async def test_a_speech_that_changes_no_state_is_heard_out() -> None:
    bench = await Bench.set_up(policy=POLICY)
    session = Told(bench.stage.room, "caller")
    session.speech = SimSpeech("You are connected.")
    took_s = await quiet_after(bench, session, int, int, session.speech.finish)
    assert took_s == pytest.approx(3.0 + 1.5)


# Leaving.


@pytest.mark.asyncio
async def test_the_session_is_closed_the_room_left_and_the_job_ended() -> None:
    bench = await Bench.set_up(policy=POLICY)
    leave = Leave(bench.legs)
    await leave.leave()
    assert bench.stage.session.closed
    assert not agent_is_there(bench)
    assert bench.stage.caller is not None
    assert bench.stage.caller.joined
    assert bench.stage.host.job_ended_s is not None
    # A release is safe to repeat.
    await leave.leave()
    await bench.finish()


CLOSE, DISCONNECT = ("caller_session.aclose", 1), ("room.disconnect", 1)


@pytest.mark.asyncio
async def test_a_session_that_is_long_in_closing_keeps_nobody_in_the_call() -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.world.faults.plan[CLOSE] = Fault(How.LATE, seconds=6.0)
    began_s = bench.now_s
    leave = Leave(bench.legs)
    with pytest.raises(TimeoutError):
        await leave.leave()
    assert bench.now_s - began_s <= POLICY.release_timeout_s
    assert not agent_is_there(bench)
    assert bench.stage.host.job_ended_s is not None
    # It goes on closing, once, and the next try sees the end of it.
    await leave.leave()
    assert bench.now_s - began_s == pytest.approx(6.0, abs=0.1)
    assert bench.stage.world.faults.calls[CLOSE[0]] == 1
    await bench.finish()


@pytest.mark.asyncio
async def test_a_session_that_never_closes_is_given_up_when_the_tries_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.world.faults.plan[CLOSE] = Fault(How.HANGS)
    leave = Leave(bench.legs)
    with pytest.raises(TimeoutError):
        await leave.leave()
    assert leave._closing is not None
    assert not leave._closing.done()
    await asyncio.sleep(POLICY.release_timeout_s * POLICY.release_attempts_max)
    assert leave._closing.done()
    leave._closing = None
    gc.collect()
    assert "never retrieved" not in caplog.text
    await bench.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("talk_s", [10, 20, 40])
async def test_a_session_that_never_closes_outlives_no_transfer(talk_s: int) -> None:
    told = scenario(
        "human answers, says yes; server can move; policy merges by move, lets the agent leave;"
        f" caller hangs up {talk_s} s after the merge;"
        f" human hangs up {talk_s + 1} s after the merge"
    )
    result = await play(replace(told, faults={CLOSE: Fault(How.HANGS)}))
    assert result.outcome is not None
    assert result.outcome.after_merge == "leave"
    assert result.left.tasks == ()
    assert audit(result) == ()


@pytest.mark.asyncio
async def test_a_closing_that_somebody_cancelled_is_begun_again() -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.world.faults.plan[CLOSE] = Fault(How.HANGS)
    leave = Leave(bench.legs)
    leaving = asyncio.get_running_loop().create_task(leave.leave())
    await asyncio.sleep(0.1)
    assert leave._closing is not None
    leave._closing.cancel()
    with pytest.raises(TimeoutError):
        await leaving
    await leave.leave()
    assert bench.stage.session.closed
    await bench.finish()


@pytest.mark.asyncio
async def test_a_session_that_fails_to_close_is_tried_again_with_the_agent_gone() -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.world.faults.plan[CLOSE] = Fault(How.FAILS)
    leave = Leave(bench.legs)
    with pytest.raises(ConnectionError):
        await leave.leave()
    assert not agent_is_there(bench)
    assert bench.stage.host.job_ended_s is not None
    await leave.leave()
    assert bench.stage.session.closed
    await bench.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [How.FAILS, How.HANGS])
async def test_a_room_that_cannot_be_left_is_left_by_the_end_of_the_job(how: How) -> None:
    bench = await Bench.set_up(policy=POLICY)
    bench.stage.world.faults.plan[DISCONNECT] = Fault(how)
    began_s = bench.now_s
    with pytest.raises((ConnectionError, TimeoutError)):
        await Leave(bench.legs).leave()
    assert bench.now_s - began_s <= POLICY.release_timeout_s
    assert bench.stage.host.job_ended_s is not None
    await bench.finish()


@pytest.mark.asyncio
async def test_neither_touches_the_consult_room() -> None:
    bench = await Bench.set_up(policy=POLICY)
    await bench.join_consult()
    human = bench.human_joins()
    await Leave(bench.legs).leave()
    assert human.joined
    assert ROOM in bench.stage.world.rooms
    await bench.finish()


# The whole task, on a real session.


async def desk_that_leaves(line: str = "human answers, says yes", **options: Any) -> Desk:
    return await Desk.open(f"{line}; server can move", merge="move", policy=POLICY, **options)


def who_is_left(desk: Desk) -> set[str]:
    """Who is in the caller's room, and hears the other."""
    world = desk.stage.world
    ears = {"caller": "human", "human": "caller"}
    talk = {who for who, whom in ears.items() if whom in world.ears.hears(who)}
    agent = {"agent"} if world.member(CALLER_ROOM, "agent") else set()
    return talk | agent


async def let_them_hang_up(desk: Desk) -> None:
    desk.caller_leaves()
    for call in desk.stage.sdk.switchboard.calls:
        call.hang_up()
    await asyncio.sleep(1.0)
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("on_enter", [False, True])
async def test_who_awaits_is_told_before_the_agent_leaves(on_enter: bool) -> None:
    desk = await desk_that_leaves(on_enter=on_enter)
    closed_s: list[float] = []
    desk.session.on("close", lambda _: closed_s.append(desk.now_s))
    if not on_enter:
        desk.ask()
    await desk.over.wait()
    told_s = desk.now_s
    assert desk.got[-1].outcome.after_merge == "leave"
    assert who_is_left(desk) == {"caller", "human", "agent"}
    await desk.task.wait_closed()
    assert desk.state() is State.ENDED
    assert [at_s - told_s for at_s in closed_s] == [pytest.approx(POLICY.leave_quiet_s, abs=0.1)]
    assert who_is_left(desk) == {"caller", "human"}
    await let_them_hang_up(desk)


@pytest.mark.asyncio
async def test_a_tool_that_goes_on_keeps_the_agent_only_to_the_limit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk = await desk_that_leaves()
    awaits = desk.await_task

    async def and_goes_on() -> None:
        await awaits()
        # Longer than the agent has for its last words and one try, shorter than all tries.
        await asyncio.sleep(30.0)

    monkeypatch.setattr(desk, "await_task", and_goes_on)
    left_s: list[float] = []
    desk.stage.room.on("disconnected", lambda _: left_s.append(desk.now_s))
    desk.ask()
    await desk.over.wait()
    told_s = desk.now_s
    await desk.task.wait_closed()
    limit_s = POLICY.leave_timeout_s + POLICY.release_timeout_s / 2
    assert [at_s - told_s for at_s in left_s] == [pytest.approx(limit_s, abs=0.2)]
    assert who_is_left(desk) == {"caller", "human"}
    # livekit-agents closes a session when its tools have returned; a later try sees that.
    assert desk.now_s - told_s == pytest.approx(30.0, abs=8.0)
    assert "orphan risk" not in caplog.text
    await let_them_hang_up(desk)


@pytest.mark.asyncio
async def test_a_relay_keeps_the_agent_and_the_result_says_so() -> None:
    desk = await Desk.open("human answers, says yes", policy=POLICY)
    result = await desk.ask_and_wait()
    assert result.outcome.after_merge == "silent"
    await asyncio.sleep(15.0)
    assert desk.state() is State.MERGED
    assert who_is_left(desk) == {"caller", "human", "agent"}
    desk.caller_leaves()
    await desk.task.wait_closed()
    await desk.close()
