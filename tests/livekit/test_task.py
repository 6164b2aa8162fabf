from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import Agent, ToolError
from livekit.agents import beta as agents_beta
from livekit.agents.voice import agent as agent_module

from tests.conftest import SIMULATED
from tests.lines import turns
from tests.livekit.desk import NUMBER, TRUNK, Desk
from warm_transfer.errors import CallerUnclear, InvalidArgument, JournalError, ServerUnusable
from warm_transfer.journal import FileJournal, MemoryJournal
from warm_transfer.livekit import awaiting as awaiting_module
from warm_transfer.livekit import options as options_module
from warm_transfer.livekit.preflight import forget
from warm_transfer.livekit.result import SessionBusy, TransferFailed, WarmTransferResult
from warm_transfer.livekit.task import WarmTransferTask
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import DialRequest, StateChange
from warm_transfer.states import FINAL, State
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import At

HAPPY = "human answers after 3 s, says yes after 2 s; caller hangs up 10 s after the merge"
SLOW = "human answers after 3 s, says nothing"
S, R = State, Reason


def make(**options: Any) -> WarmTransferTask:
    return WarmTransferTask(**{"sip_call_to": NUMBER, "sip_trunk_id": TRUNK, **options})


# Awaiting it.


@pytest.mark.asyncio
@pytest.mark.parametrize("on_enter", [False, True], ids=["tool", "on_enter"])
async def test_a_merge_gives_the_result_of_livekit_agents_own_class(on_enter: bool) -> None:
    desk = await Desk.open(HAPPY, on_enter=on_enter)
    if not on_enter:
        desk.ask()
    await desk.over.wait()
    (result,) = desk.got
    assert isinstance(result, WarmTransferResult)
    assert isinstance(result, agents_beta.workflows.WarmTransferResult)
    (call,) = desk.stage.sdk.switchboard.calls
    assert result.human_agent_identity == call.request.participant_identity
    assert result.outcome.reason is R.ACCEPTED
    assert desk.state() is S.MERGED
    # An agent must not answer into the merged call, but may say something.
    assert desk.switches() == {
        "input.audio": False,
        "input.video": True,
        "output.audio": True,
        "output.video": True,
        "output.transcription": True,
    }
    assert desk.session.current_agent is desk.agent
    desk.caller_leaves()
    await desk.task.wait_closed()
    assert desk.state() is S.ENDED
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("on_enter", [False, True], ids=["tool", "on_enter"])
async def test_a_decline_raises_with_the_incumbents_words_and_the_agent_is_back(
    on_enter: bool,
) -> None:
    line = 'human answers after 3 s, says no "in a meeting" after 2 s'
    desk = await Desk.open(line, on_enter=on_enter)
    if not on_enter:
        desk.ask()
    await desk.over.wait()
    (error,) = desk.got
    assert isinstance(error, TransferFailed)
    assert isinstance(error, ToolError)
    assert error.message.startswith("human agent declined to connect: in a meeting. ")
    assert error.outcome.result is S.DECLINED
    assert all(desk.switches().values())
    await turns(10)
    await desk.assert_usable()
    await desk.task.wait_closed()
    await desk.close()


@pytest.mark.asyncio
async def test_the_model_reads_why_it_failed() -> None:
    desk = await Desk.open("human is busy after 0.5 s")
    error = await desk.ask_and_wait()
    await asyncio.sleep(1.0)
    assert error.message in desk.llm.asked
    assert error.message.startswith("could not dial human agent: busy")
    await desk.close()


@pytest.mark.asyncio
async def test_the_phone_is_rung_within_milliseconds_of_the_await() -> None:
    desk = await Desk.open(HAPPY)
    desk.ask()
    await desk.until(S.DIALING)
    assert not desk.session.input.audio_enabled
    asked_s = desk.now_s
    await asyncio.sleep(0.01)
    assert desk.calls == 1
    assert desk.now_s - asked_s == pytest.approx(0.01)
    desk.task.cancel("enough")
    await desk.over.wait()
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("state", [S.DIALING, S.BRIEFING])
async def test_a_cancel_without_a_reason_gives_the_caller_back_to_the_agent(state: State) -> None:
    desk = await Desk.open(SLOW)
    before = desk.switches()
    desk.ask()
    await desk.until(state)
    assert desk.task.cancel() is True
    await desk.over.wait()
    assert desk.task.outcome is not None
    assert desk.task.outcome.reason is R.APP_CANCELLED
    assert desk.switches() == before
    await desk.assert_usable()
    await desk.close()


@pytest.mark.asyncio
async def test_the_caller_who_hangs_up_ends_the_await() -> None:
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    desk.caller_leaves()
    await desk.over.wait()
    (error,) = desk.got
    assert isinstance(error, TransferFailed)
    assert error.outcome.result is S.ABANDONED
    await desk.close()


@pytest.mark.asyncio
async def test_a_second_transfer_can_follow_the_first() -> None:
    desk = await Desk.open('human answers after 1 s, says no "later" after 1 s')
    for number in (1, 2):
        error = await desk.ask_and_wait()
        assert isinstance(error, TransferFailed)
        assert desk.calls == number
        await asyncio.sleep(1.0)
    assert desk.tasks[0].transfer_id != desk.tasks[1].transfer_id
    await desk.close()


@pytest.mark.asyncio
async def test_after_a_merge_the_same_session_may_start_another_transfer() -> None:
    desk = await Desk.open("human answers after 1 s, says yes after 1 s")
    result = await desk.ask_and_wait()
    assert isinstance(result, WarmTransferResult)
    await turns(10)
    second = await desk.ask_and_wait()
    assert isinstance(second, WarmTransferResult)
    assert desk.calls == 2
    desk.caller_leaves()
    await desk.close()


# What the application says and reads.


@pytest.mark.asyncio
async def test_a_task_that_was_never_awaited_is_idle_and_takes_nothing() -> None:
    task = make()
    assert task.state is S.IDLE
    assert task.outcome is None
    assert not task.accept()
    assert not task.decline("no")
    assert task.cancel("no") is False
    await task.connect_to_caller()
    await task.decline_transfer("no")
    await task.voicemail_detected()
    await task.wait_closed()
    assert not task.done()


@pytest.mark.asyncio
async def test_the_application_accepts_and_learns_whether_it_was_taken() -> None:
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.DIALING)
    assert not desk.task.accept()
    await desk.until(S.BRIEFING)
    assert desk.task.accept(via="keypad")
    assert not desk.task.accept()
    await desk.over.wait()
    assert isinstance(desk.got[0], WarmTransferResult)
    assert not desk.task.decline("too late")
    assert desk.task.cancel("too late") is False
    desk.caller_leaves()
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("say", "result"),
    [
        (lambda task: task.connect_to_caller(), S.MERGED),
        (lambda task: task.decline_transfer("out of hours"), S.DECLINED),
        (lambda task: task.voicemail_detected(), S.VOICEMAIL),
    ],
    ids=["connect", "decline", "voicemail"],
)
async def test_the_incumbents_methods_are_plain_methods_that_post(say: Any, result: State) -> None:
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    await say(desk.task)
    await desk.over.wait()
    assert desk.task.outcome is not None
    assert desk.task.outcome.result is result
    if result is S.DECLINED:
        assert desk.task.outcome.words == "out of hours"
    desk.caller_leaves()
    await desk.close()


@pytest.mark.asyncio
async def test_hooks_and_journal_speak_of_the_transfer(tmp_path: Path) -> None:
    seen: list[StateChange] = []
    told = asyncio.Event()

    async def slowly(change: StateChange) -> None:
        await asyncio.sleep(0.5)
        if change.after in FINAL:
            told.set()

    path = tmp_path / "journal.jsonl"
    hooks = [seen.append, slowly]
    desk = await Desk.open("human is busy", on_state_change=hooks, journal=path)
    await desk.ask_and_wait()
    await desk.task.wait_closed()
    assert told.is_set()
    assert [each.after for each in seen] == [S.HOLDING, S.DIALING, S.FAILED]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["transfer"] for line in lines} == {desk.task.transfer_id}
    assert {each.transfer_id for each in seen} == {desk.task.transfer_id}
    await desk.close()


@pytest.mark.asyncio
async def test_a_journal_that_the_task_has_opened_it_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[FileJournal] = []

    def open_journal(path: Any) -> FileJournal:
        opened.append(FileJournal(path))
        return opened[-1]

    monkeypatch.setattr(options_module, "FileJournal", open_journal)
    desk = await Desk.open("human is busy", journal=str(tmp_path / "journal.jsonl"))
    await desk.ask_and_wait()
    await desk.task.wait_closed()
    await asyncio.sleep(0.1)
    (journal,) = opened
    assert journal._file.closed
    await desk.close()


@pytest.mark.asyncio
async def test_a_journal_that_cannot_be_written_is_named_before_anything_is_dialled(
    tmp_path: Path,
) -> None:
    desk = await Desk.open("human is busy", journal=tmp_path)
    error = await desk.ask_and_wait()
    assert isinstance(error, JournalError)
    assert str(tmp_path) in str(error)
    assert desk.calls == 0
    desk.assert_nothing_left()
    await desk.close()


@pytest.mark.asyncio
async def test_a_transfer_that_cannot_be_made_leaves_its_journal_closed(tmp_path: Path) -> None:
    # The caller is no phone, which only the room tells. The leak fixture looks at the file.
    desk = await Desk.open("human is busy", merge="shared_room", journal=tmp_path / "j.jsonl")
    assert isinstance(await desk.ask_and_wait(), InvalidArgument)
    await desk.close()


@pytest.mark.asyncio
async def test_a_cancel_right_after_the_merge_does_not_hide_it() -> None:
    desk: Desk

    def cancel(change: StateChange) -> None:
        if change.after is S.MERGED:
            desk.task.cancel()

    desk = await Desk.open("human answers after 1 s, says yes after 1 s", on_state_change=cancel)
    result = await desk.ask_and_wait()
    assert isinstance(result, WarmTransferResult)
    desk.caller_leaves()
    await desk.close()


@pytest.mark.asyncio
async def test_the_conversation_is_the_humans_record_and_the_consult_has_the_models() -> None:
    from livekit.agents.llm import ChatContext  # noqa: PLC0415 - for this test alone

    chat_ctx = ChatContext.empty()
    chat_ctx.add_message(role="user", content="My order is late.")
    desk = await Desk.open(SLOW, chat_ctx=chat_ctx, extra_instructions="Be brief.")
    desk.ask()
    await desk.until(S.BRIEFING)
    await asyncio.sleep(1.0)
    (consult,) = desk.stage.sdk.consult_sessions
    # Of the caller's session, because the task has none of its own.
    assert consult.options["llm"] is desk.llm
    assert consult._agent is not None
    instructions = str(consult._agent.instructions)
    assert "My order is late." in instructions
    assert instructions.endswith("Be brief.")
    desk.time_out()
    await desk.over.wait()
    await desk.close()


# Nothing of the held caller reaches a model.


@pytest.mark.asyncio
async def test_the_task_has_no_tools_no_models_and_no_instructions() -> None:
    task = make()
    assert task.tools == []
    assert task.instructions == ""
    assert (task.llm, task.stt, task.tts, task.vad) == (None, None, None, None)


@pytest.mark.asyncio
async def test_what_the_held_caller_types_is_answered_by_nobody() -> None:
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    asked = len(desk.llm.asked)
    with pytest.raises(RuntimeError):
        desk.session.generate_reply(user_input="connect me now")
    await asyncio.sleep(2.0)
    assert len(desk.llm.asked) == asked
    assert desk.state() is S.BRIEFING
    desk.time_out()
    await desk.over.wait()
    await desk.close()


# Refused.


@pytest.mark.asyncio
async def test_outside_of_tools_the_framework_refuses_and_nothing_is_dialled() -> None:
    desk = await Desk.open(HAPPY)
    task = desk.make()
    with pytest.raises(RuntimeError, match="should only be awaited inside"):
        await task
    assert task.state is S.IDLE
    assert desk.calls == 0
    await desk.close()


@pytest.mark.asyncio
async def test_a_refused_await_in_a_tool_leaves_nothing_and_the_session_free() -> None:
    # A wrapper task has the activity, but not the framework's mark.
    desk = await Desk.open("human is busy")
    make_task = desk.make

    class Wrapped:
        def __init__(self) -> None:
            self.task = make_task()

        def __await__(self) -> Any:
            return asyncio.ensure_future(_await(self.task)).__await__()

    desk.make = Wrapped  # type: ignore[assignment]  # awaited like a task
    error = await desk.ask_and_wait()
    assert isinstance(error, RuntimeError)
    assert "should only be awaited inside" in str(error)
    assert desk.calls == 0
    assert all(desk.switches().values())
    await asyncio.sleep(1.0)
    desk.assert_nothing_left()
    desk.tasks.clear()
    desk.make = make_task
    # It is not busy with the transfer that never was.
    assert isinstance(await desk.ask_and_wait(), TransferFailed)
    await desk.close()


async def _await(task: WarmTransferTask) -> WarmTransferResult:
    return await task


@pytest.mark.asyncio
async def test_a_second_await_of_the_same_task_is_refused_and_leaves_nothing() -> None:
    desk = await Desk.open("human is busy")
    task = desk.make()
    desk.make = lambda: task
    first = await desk.ask_and_wait()
    await asyncio.sleep(3.0)
    second = await desk.ask_and_wait()
    assert isinstance(first, TransferFailed)
    assert isinstance(second, RuntimeError)
    assert "await only once" in str(second)
    assert task.outcome is first.outcome
    assert desk.calls == 1
    await desk.close()


@pytest.mark.asyncio
async def test_a_second_transfer_in_the_same_session_is_busy_and_names_the_state() -> None:
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    first = desk.task
    second: Any = desk.make()
    with pytest.raises(SessionBusy) as caught:
        await _in_the_tool_of(desk, second)
    assert caught.value.transfer_id == first.transfer_id
    assert caught.value.state == S.BRIEFING
    assert "briefing" in caught.value.message
    assert second.state is S.IDLE
    assert desk.calls == 1
    assert first.state is S.BRIEFING
    desk.time_out()
    await desk.over.wait()
    await desk.close()


async def _in_the_tool_of(desk: Desk, task: WarmTransferTask) -> None:
    """Await a task as a second tool of the same turn would."""
    from livekit.agents.voice.agent_activity import _AgentActivityContextVar  # noqa: PLC0415

    async def tool() -> None:
        current = asyncio.current_task()
        assert current is not None
        agent_module._set_activity_task_info(current, inline_task=True)
        _AgentActivityContextVar.set(desk.agent._activity or desk.session._activity)  # type: ignore[arg-type]  # there is one
        await task

    await asyncio.ensure_future(tool())


async def one_of_two_dials() -> None:
    desk = await Desk.open(SLOW)
    both = [asyncio.ensure_future(_in_the_tool_of(desk, desk.make())) for _ in range(2)]
    await asyncio.sleep(2.0)
    done = [each for each in both if each.done()]
    assert len(done) == 1
    assert isinstance(done[0].exception(), SessionBusy)
    assert desk.calls == 1
    await desk.session.aclose()
    await asyncio.gather(*both, return_exceptions=True)
    await asyncio.sleep(5.0)
    desk.assert_nothing_left()


@pytest.mark.asyncio
async def test_of_two_transfers_in_the_same_turn_of_the_loop_one_dials() -> None:
    await one_of_two_dials()


def plan_of(lines: list[Any]) -> list[str]:
    """The strategies in the journal's first line."""
    return [each["name"] for each in lines[0]["payload"]["plan"]["strategies"]]


@pytest.mark.asyncio
async def test_auto_looks_before_anybody_is_dialled_and_the_relay_is_always_there() -> None:
    forget(SIMULATED)
    journal = MemoryJournal()
    desk = await Desk.open(HAPPY, journal=journal)
    result = await desk.ask_and_wait()
    assert plan_of(journal.lines) == ["relay"]
    assert result.outcome.strategy == "relay"
    calls = desk.stage.world.faults.calls
    assert calls["sip.list_outbound_trunk"] == 1
    await desk.close()


@pytest.mark.asyncio
async def test_a_server_that_hangs_delays_auto_by_its_limit_and_only_once() -> None:
    forget(SIMULATED)
    desk = await Desk.open(HAPPY)
    desk.stage.world.faults.plan["sip.list_outbound_trunk", 0] = Fault(How.HANGS)
    began_s = desk.now_s
    desk.ask()
    await desk.until(S.DIALING)
    assert desk.now_s - began_s == pytest.approx(TransferPolicy().api_timeout_s, abs=0.5)
    desk.time_out()
    await desk.over.wait()
    began_s = desk.now_s
    desk.ask()
    await desk.until(S.DIALING)
    assert desk.now_s - began_s < 0.5
    desk.time_out()
    await desk.over.wait()
    await desk.close()


@pytest.mark.asyncio
async def test_of_two_transfers_that_look_at_the_same_time_one_dials() -> None:
    forget(SIMULATED)
    await one_of_two_dials()


@pytest.mark.asyncio
async def test_an_await_that_is_cancelled_while_it_looks_dials_nobody() -> None:
    forget(SIMULATED)
    desk = await Desk.open(SLOW)
    desk.stage.world.faults.plan["sip.list_outbound_trunk", 0] = Fault(How.HANGS)
    desk.ask()
    await asyncio.sleep(1.0)
    desk.time_out()
    await desk.over.wait()
    assert isinstance(desk.got[-1], TimeoutError)
    assert desk.calls == 0
    await desk.assert_usable()
    await desk.close()


@pytest.mark.asyncio
async def test_a_transfer_that_is_cancelled_while_it_looks_dials_nobody() -> None:
    forget(SIMULATED)
    desk = await Desk.open(SLOW)
    late = Fault(How.LATE, seconds=2.0)
    desk.stage.world.faults.plan["sip.list_outbound_trunk", 0] = late
    task = desk.make()
    asking = asyncio.ensure_future(_in_the_tool_of(desk, task))
    await asyncio.sleep(1.0)
    closed = asyncio.ensure_future(task.wait_closed())
    await asyncio.sleep(0.1)
    assert not closed.done(), "what still looks is not closed"
    assert task.cancel("changed their mind")
    with pytest.raises(TransferFailed) as caught:
        await asking
    assert caught.value.outcome.reason is Reason.APP_CANCELLED
    assert not task.cancel("and again")
    await closed
    assert desk.calls == 0
    await desk.assert_usable()
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("found", [0, 2, None])
async def test_no_caller_or_several_are_unclear_before_anything_is_dialled(
    found: int | None,
) -> None:
    desk = await Desk.open(HAPPY)
    desk.link(None)
    if found == 2:
        desk.stage.world.join("call", "another")
        # Agents and the like cannot be the caller.
        desk.stage.world.join("call", "agent-2", kind=rtc.ParticipantKind.PARTICIPANT_KIND_AGENT)
    elif found == 0:
        desk.caller_leaves()
    else:
        desk.session._room_io = None
    desk.stage.world.keep()
    await asyncio.sleep(0.5)
    error = await desk.ask_and_wait()
    assert isinstance(error, CallerUnclear)
    assert isinstance(error, ToolError), "the application handles it like a failed transfer"
    assert error.found == (found or 0)
    assert desk.calls == 0
    assert all(desk.switches().values())
    await asyncio.sleep(1.0)
    desk.assert_nothing_left()
    await desk.close()


@pytest.mark.asyncio
async def test_without_credentials_the_server_is_named_before_anything_is_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    desk = await Desk.open(HAPPY, sdk=None)
    error = await desk.ask_and_wait()
    assert isinstance(error, ServerUnusable)
    assert "LIVEKIT_API_KEY" in str(error)
    await desk.close()


# The await is cancelled.

PHASES = {
    "dialing, first turn": (S.DIALING, 0.0),
    "dialing, request under way": (S.DIALING, 0.003),
    "dialing, invited": (S.DIALING, 0.05),
    "ringing": (S.DIALING, 1.0),
    "briefing, first turn": (S.BRIEFING, 0.0),
    "briefing": (S.BRIEFING, 1.0),
    "briefing, later": (S.BRIEFING, 4.0),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("on_enter", [False, True], ids=["tool", "on_enter"])
@pytest.mark.parametrize(("state", "after_s"), PHASES.values(), ids=PHASES)
async def test_an_await_that_is_cancelled_gives_the_caller_back_exactly(
    state: State, after_s: float, on_enter: bool
) -> None:
    desk = await Desk.open(SLOW, on_enter=on_enter)
    if not on_enter:
        desk.session.output.set_transcription_enabled(False)
        desk.ask()
    before = {**desk.switches(), "input.audio": True, "output.transcription": on_enter}
    await desk.until(state)
    await asyncio.sleep(after_s)
    began_s = desk.now_s
    desk.time_out()
    await desk.over.wait()
    assert desk.now_s - began_s < 0.5
    (error,) = desk.got
    assert isinstance(error, TimeoutError)
    assert desk.switches() == before
    assert desk.task.outcome is not None
    assert desk.task.outcome.reason is R.APP_CANCELLED
    await turns(10)
    await desk.assert_usable()
    await desk.task.wait_closed()
    await desk.close()


@pytest.mark.asyncio
async def test_an_await_that_is_cancelled_in_its_first_turns_leaves_the_session_usable() -> None:
    # At each turn of the loop from the very first on.
    for number in range(12):
        desk = await Desk.open(SLOW)
        make_task = desk.make
        cutting: list[asyncio.Task[None]] = []

        def cancelling(
            turn: int = number, make_task: Any = make_task, cutting: Any = cutting
        ) -> WarmTransferTask:
            async def cut(task: asyncio.Task[Any]) -> None:
                await turns(turn)
                task.cancel()

            current = asyncio.current_task()
            assert current is not None
            cutting.append(asyncio.ensure_future(cut(current)))
            made: WarmTransferTask = make_task()
            return made

        desk.make = cancelling
        error = await desk.ask_and_wait()
        assert isinstance(error, asyncio.CancelledError), number
        assert all(desk.switches().values()), number
        await asyncio.sleep(1.0)
        await desk.assert_usable()
        desk.make = make_task
        await desk.task.wait_closed()
        assert all(each.at.value in ("cancelled", "not called") for each in _calls(desk)), number
        await desk.close()


def _calls(desk: Desk) -> Any:
    return desk.stage.sdk.switchboard.calls


@pytest.mark.asyncio
async def test_an_await_that_is_cancelled_while_the_agent_still_speaks_ends_with_the_words() -> (
    None
):
    desk = await Desk.open(SLOW)
    desk.llm.lingers_s = 2.0
    desk.ask()
    await desk.until(S.DIALING)
    asked_s = desk.now_s
    await asyncio.sleep(0.3)
    # Dialled already, though the framework still waits for the words before it switches.
    assert desk.calls == 1
    assert desk.task._host is not None
    assert not desk.task._host.speech_over.is_set()
    assert desk.session.output.transcription_enabled
    desk.time_out()
    await desk.over.wait()
    assert 1.5 < desk.now_s - asked_s < 2.5
    assert all(desk.switches().values())
    await asyncio.sleep(3.0)
    await desk.assert_usable()
    await desk.task.wait_closed()
    assert _calls(desk)[0].at is At.CANCELLED
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("lingers_s", [0.0, 2.0], ids=["entered", "still speaking"])
async def test_a_second_cancellation_returns_at_once_and_the_release_goes_on_behind_it(
    lingers_s: float,
) -> None:
    desk = await Desk.open(SLOW)
    desk.llm.lingers_s = lingers_s
    desk.ask()
    await desk.until(S.DIALING)
    await asyncio.sleep(0.5)
    began_s = desk.now_s
    desk.waiting[0].cancel()
    await turns(2)
    desk.waiting[0].cancel()
    await desk.over.wait()
    assert desk.now_s == began_s
    assert isinstance(desk.got[0], asyncio.CancelledError)
    await desk.task.wait_closed()
    assert all(desk.switches().values())
    await asyncio.sleep(3.0)
    await desk.assert_usable()
    await desk.close()


@pytest.mark.asyncio
async def test_a_cancellation_while_merging_waits_and_the_merge_overtakes_it() -> None:
    desk = await Desk.open("human answers after 1 s, says yes after 1 s")
    desk.ask()
    await desk.until(S.MERGING)
    desk.time_out()
    await desk.over.wait()
    (error,) = desk.got
    assert isinstance(error, TimeoutError)
    assert desk.task.outcome is not None
    assert desk.task.outcome.merged
    assert desk.state() is S.MERGED
    assert not desk.session.input.audio_enabled
    assert desk.session.output.transcription_enabled
    desk.caller_leaves()
    await desk.task.wait_closed()
    await desk.close()


# The session closes.


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["aclose", "drain", "shutdown"])
@pytest.mark.parametrize("on_enter", [False, True], ids=["tool", "on_enter"])
@pytest.mark.parametrize(("state", "after_s"), PHASES.values(), ids=PHASES)
async def test_a_session_that_closes_releases_the_human_and_ends_the_await(
    state: State, after_s: float, on_enter: bool, how: str
) -> None:
    desk = await Desk.open(SLOW, on_enter=on_enter)
    if not on_enter:
        desk.ask()
    await desk.until(state)
    await asyncio.sleep(after_s)
    began_s = desk.now_s
    if how == "aclose":
        await desk.session.aclose()
    else:
        desk.session.shutdown(drain=how == "drain")
    await desk.over.wait()
    (error,) = desk.got
    assert isinstance(error, ToolError)
    assert desk.task.outcome is not None
    assert desk.task.outcome.reason is R.SESSION_CLOSED
    await desk.task.wait_closed()
    assert desk.now_s - began_s < 10.0
    assert all(each.busy == "" for each in _calls(desk))
    # Nobody is there to go back to: the switches stay as they are.
    assert not desk.session.input.audio_enabled
    await asyncio.sleep(1.0)
    await desk.close()


@pytest.mark.asyncio
async def test_a_session_that_closes_tells_the_await_in_the_typed_error() -> None:
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    await desk.session.aclose()
    await desk.over.wait()
    assert isinstance(desk.got[0], TransferFailed)
    assert "is cancelled" in desk.got[0].message
    await desk.close()


@pytest.mark.asyncio
async def test_a_session_that_closes_while_merging_keeps_the_merged_call() -> None:
    desk = await Desk.open("human answers after 1 s, says yes after 1 s")
    desk.ask()
    await desk.until(S.MERGING)
    await desk.session.aclose()
    await desk.over.wait()
    await desk.until(S.MERGED)
    await asyncio.sleep(5.0)
    assert desk.state() is S.MERGED
    assert "human" in desk.stage.world.ears.hears("caller")
    desk.caller_leaves()
    await desk.task.wait_closed()
    await desk.close()


@pytest.mark.asyncio
async def test_a_session_that_closes_after_the_merge_keeps_the_call_and_never_returns() -> None:
    policy = TransferPolicy(on_human_left="return")
    desk = await Desk.open("human answers after 1 s, says yes after 1 s", policy=policy)
    assert isinstance(await desk.ask_and_wait(), WarmTransferResult)
    await desk.session.aclose()
    await asyncio.sleep(5.0)
    assert desk.state() is S.MERGED
    for call in _calls(desk):
        call.hang_up()
    await desk.task.wait_closed()
    # Without an agent to return to, the call is over.
    assert desk.state() is S.ENDED
    assert desk.stage.caller is not None
    assert not desk.stage.caller.joined
    await desk.close()


@pytest.mark.asyncio
async def test_the_caller_comes_back_when_the_human_leaves_and_the_policy_returns_them() -> None:
    policy = TransferPolicy(on_human_left="return")
    desk = await Desk.open("human answers after 1 s, says yes after 1 s", policy=policy)
    assert isinstance(await desk.ask_and_wait(), WarmTransferResult)
    for call in _calls(desk):
        call.hang_up()
    await desk.task.wait_closed()
    assert desk.state() is S.RETURNED
    assert all(desk.switches().values())
    await desk.assert_usable()
    await desk.close()


# Somebody switches agents.


@pytest.mark.asyncio
@pytest.mark.parametrize("on_enter", [False, True], ids=["tool", "on_enter"])
@pytest.mark.parametrize(("state", "after_s"), [(S.DIALING, 1.0), (S.BRIEFING, 1.0)])
async def test_a_switch_of_agents_ends_the_await_and_the_new_agent_hears_the_caller(
    state: State, after_s: float, on_enter: bool
) -> None:
    desk = await Desk.open(SLOW, on_enter=on_enter)
    if not on_enter:
        desk.ask()
    await desk.until(state)
    await asyncio.sleep(after_s)
    other = Agent(instructions="You are somebody else.")
    desk.session.update_agent(other)
    async with asyncio.timeout(20.0):
        await desk.over.wait()
    (error,) = desk.got
    assert isinstance(error, TransferFailed)
    assert error.outcome.reason is R.APP_CANCELLED
    assert desk.session.current_agent is other
    assert all(desk.switches().values())
    await desk.task.wait_closed()
    assert all(each.busy == "" for each in _calls(desk))
    await asyncio.sleep(1.0)
    asked = len(desk.llm.asked)
    await desk.session.run(user_input="hello")
    assert len(desk.llm.asked) > asked
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("fails", [False, True], ids=["merged", "merge fails"])
async def test_a_switch_of_agents_while_merging_waits_for_what_becomes_of_the_merge(
    fails: bool,
) -> None:
    line = "human answers after 1 s, says yes after 1 s; caller hangs up 60 s after the merge"
    desk = await Desk.open(line, merge="relay")
    desk.ask()
    await desk.until(S.BRIEFING)
    if fails:
        desk.stage.world.faults.plan["room.publish_track", 0] = Fault(How.HANGS)
    await desk.until(S.MERGING)
    other = Agent(instructions="You are somebody else.")
    desk.session.update_agent(other)
    async with asyncio.timeout(40.0):
        await desk.over.wait()
    (got,) = desk.got
    if fails:
        assert isinstance(got, TransferFailed)
        assert got.outcome.reason is R.APP_CANCELLED
        assert all(desk.switches().values()), "the new agent hears the caller"
    else:
        assert isinstance(got, WarmTransferResult)
        desk.caller_leaves()
    assert desk.session.current_agent is other
    await desk.task.wait_closed()
    await desk.close()


# The constructor.


@pytest.mark.asyncio
async def test_a_destination_must_be_given() -> None:
    with pytest.raises(InvalidArgument) as caught:
        WarmTransferTask(sip_trunk_id=TRUNK)
    assert caught.value.argument == "sip_call_to"


class Plug:
    """A dialer of the application."""

    def __init__(self) -> None:
        self.dialled: list[DialRequest] = []
        self.ended = asyncio.Event()

    async def dial(self, request: DialRequest) -> None:
        self.dialled.append(request)
        await self.ended.wait()
        raise ConnectionResetError

    async def hang_up(self, request: DialRequest) -> None:
        del request
        self.ended.set()


@pytest.mark.asyncio
async def test_a_dialer_of_the_application_needs_no_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIVEKIT_SIP_OUTBOUND_TRUNK", raising=False)
    plug = Plug()
    desk = await Desk.open(SLOW, dialer=plug, sip_trunk_id=None)
    desk.ask()
    await desk.until(S.DIALING)
    await asyncio.sleep(1.0)
    (request,) = plug.dialled
    assert request.destination == NUMBER
    desk.time_out()
    await desk.over.wait()
    assert desk.calls == 0
    await desk.close()


@pytest.mark.asyncio
async def test_the_phone_of_a_shut_down_job_does_not_ring_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callbacks: list[Any] = []

    class Job:
        def add_shutdown_callback(self, callback: Any) -> None:
            callbacks.append(callback)

    monkeypatch.setattr(awaiting_module, "get_job_context", lambda **_: Job())
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    (callback,) = callbacks
    began_s = desk.now_s
    await callback()
    # A worker is killed about ten seconds after SIGTERM.
    assert desk.now_s - began_s < 8.0
    assert desk.task.outcome is not None
    assert desk.task.outcome.reason is R.JOB_SHUTDOWN
    assert all(each.busy == "" for each in _calls(desk))
    await desk.over.wait()
    await desk.close()
