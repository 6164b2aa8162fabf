from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.livekit.bench import Bench
from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Event, On
from warm_transfer.journal import MemoryJournal, replay
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.engine import Engine
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import DialRequest, StateChange
from warm_transfer.states import FINAL, HELD, State
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.play import CALLER, Result, play
from warm_transfer.testing.scenario import SCENARIOS

S, R = State, Reason

#: What each scenario of the catalogue comes to: the outcome, its reason, the last state.
EXPECTED: dict[str, tuple[State, Reason, State]] = {
    "merged": (S.MERGED, R.ACCEPTED, S.ENDED),
    "decline": (S.DECLINED, R.DECLINED, S.DECLINED),
    "voicemail": (S.VOICEMAIL, R.VOICEMAIL, S.VOICEMAIL),
    "no-answer": (S.FAILED, R.NO_ANSWER, S.FAILED),
    "busy": (S.FAILED, R.BUSY, S.FAILED),
    "declined-by-phone": (S.FAILED, R.DECLINED, S.FAILED),
    "rejected": (S.FAILED, R.REJECTED, S.FAILED),
    "invalid-destination": (S.FAILED, R.INVALID_DESTINATION, S.FAILED),
    "unreachable": (S.FAILED, R.UNREACHABLE, S.FAILED),
    "no-sip-service": (S.FAILED, R.UNREACHABLE, S.FAILED),
    "human-leaves-briefing": (S.FAILED, R.HUMAN_LEFT, S.FAILED),
    "no-decision": (S.FAILED, R.NO_DECISION, S.FAILED),
    "caller-leaves-dialing": (S.ABANDONED, R.CALLER_LEFT, S.ABANDONED),
    "caller-leaves-ringing": (S.ABANDONED, R.CALLER_LEFT, S.ABANDONED),
    "answer-crosses-cancel": (S.ABANDONED, R.CALLER_LEFT, S.ABANDONED),
    "caller-leaves-briefing": (S.ABANDONED, R.CALLER_LEFT, S.ABANDONED),
    "caller-leaves-merging": (S.ABANDONED, R.CALLER_LEFT, S.ABANDONED),
    "caller-leaves-merged": (S.MERGED, R.ACCEPTED, S.ENDED),
    "human-leaves-merged": (S.MERGED, R.ACCEPTED, S.ENDED),
    "human-leaves-returned": (S.MERGED, R.ACCEPTED, S.RETURNED),
    "caller-room-lost": (S.FAILED, R.CALLER_ROOM_LOST, S.FAILED),
    "hold-limit": (S.FAILED, R.HOLD_LIMIT, S.FAILED),
    "hold-failed": (S.FAILED, R.HOLD_FAILED, S.FAILED),
    "consult-unavailable": (S.FAILED, R.CONSULT_UNAVAILABLE, S.FAILED),
    "dial-uncertain": (S.FAILED, R.DIAL_UNCERTAIN, S.FAILED),
    "briefing-failed": (S.FAILED, R.BRIEFING_FAILED, S.FAILED),
    "merge-failed": (S.FAILED, R.MERGE_FAILED, S.FAILED),
    "app-accepts": (S.MERGED, R.ACCEPTED, S.ENDED),
    "app-declines": (S.DECLINED, R.DECLINED, S.DECLINED),
    "app-cancelled": (S.CANCELLED, R.APP_CANCELLED, S.CANCELLED),
    "await-cancelled": (S.CANCELLED, R.APP_CANCELLED, S.CANCELLED),
    "session-closed": (S.CANCELLED, R.SESSION_CLOSED, S.CANCELLED),
    "session-closed-ringing": (S.CANCELLED, R.SESSION_CLOSED, S.CANCELLED),
    "job-shutdown": (S.CANCELLED, R.SESSION_CLOSED, S.CANCELLED),
    "reconnect": (S.MERGED, R.ACCEPTED, S.ENDED),
    "long-last-words": (S.MERGED, R.ACCEPTED, S.ENDED),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("seed", [None, 1, 2, 3])
async def test_a_scenario_leaves_nothing_and_posts_nothing_unexpected(
    name: str, seed: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    result = await play(SCENARIOS[name], seed=seed)
    assert result.closed
    assert not result.left, str(result.left)
    assert "unexpected event" not in caplog.text
    assert "orphan risk" not in caplog.text
    assert len(result.host.outcomes) == 1
    assert result.state in FINAL
    if name in EXPECTED:
        assert result.outcome is not None
        ended = (result.outcome.result, result.outcome.reason, result.state)
        assert ended == EXPECTED[name]


@pytest.mark.asyncio
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_gives_the_caller_back_exactly_when_there_is_somebody_to_go_to(
    name: str,
) -> None:
    result = await play(SCENARIOS[name])
    session = result.host.session
    assert result.outcome is not None
    back = result.state in (S.DECLINED, S.VOICEMAIL, S.RETURNED)
    back |= result.state is S.FAILED and result.outcome.reason not in (
        R.CALLER_ROOM_LOST,
        R.JOB_SHUTDOWN,
    )
    back |= result.outcome.reason is R.APP_CANCELLED
    assert session.input.audio_enabled is back
    # After a merge the agent may still say something.
    speaks = back or result.outcome.merged
    assert session.output.audio_enabled is speaks
    assert session.output.transcription_enabled is speaks
    # What was never connected was never touched.
    assert session.input.video_enabled


@pytest.mark.asyncio
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_keeps_the_briefing_from_the_caller_and_the_hold_from_the_human(
    name: str,
) -> None:
    result = await play(SCENARIOS[name])
    merging_s = next((at_s for at_s, state in result.states if state is S.MERGING), None)
    for heard in result.world.heard("caller"):
        assert heard.tag != "briefing"
        assert heard.tag != "human" or (merging_s is not None and heard.from_s >= merging_s)
    for heard in result.world.heard("human"):
        # A human who is moved to the caller hears the end of the hold audio.
        moved = result.world.cloud and merging_s is not None and heard.from_s >= merging_s
        assert heard.tag != "music" or moved
        assert heard.tag != "caller" or (merging_s is not None and heard.from_s >= merging_s)


@pytest.mark.asyncio
@pytest.mark.parametrize("name", SCENARIOS)
async def test_a_scenario_is_the_same_each_time_and_replays_from_its_journal(name: str) -> None:
    first, again = await play(SCENARIOS[name]), await play(SCENARIOS[name])
    assert _events(first) == _events(again)
    steps = list(replay(first.journal))
    assert steps[-1].after is first.state


def _events(result: Result) -> list[tuple[str, float]]:
    return [(line["event"], line["t_s"]) for line in result.journal]


# The engine by itself.


class Dialer:
    """A dialer of the application that rings nobody."""

    def __init__(self) -> None:
        self.requests: list[DialRequest] = []
        self.hung_up = asyncio.Event()

    async def dial(self, request: DialRequest) -> None:
        self.requests.append(request)
        await self.hung_up.wait()
        raise ConnectionResetError("hung up")

    async def hang_up(self, request: DialRequest) -> None:
        del request
        self.hung_up.set()


async def engine_on(bench: Bench, **options: Any) -> Engine:
    # The bench's own client is not part of it.
    await bench.api.aclose()
    arguments: dict[str, Any] = {
        "host": bench.stage.host,
        "sdk": bench.stage.sdk,
        "caller_room": bench.legs.caller_room,
        "caller_identity": CALLER,
        "dial": DialOptions(destination="+15105550123", trunk_id="ST_x"),
        **options,
    }
    return Engine(**arguments)


@pytest.mark.asyncio
async def test_start_takes_the_input_off_and_is_dialling_before_it_returns() -> None:
    bench = await Bench.set_up()
    engine = await engine_on(bench)
    assert engine.state is S.IDLE
    engine.start()
    assert not bench.stage.session.input.audio_enabled
    assert engine.state in HELD
    assert engine.cancel("test")
    await engine.wait_closed()
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_a_caller_who_is_gone_already_is_abandoned_before_anything_is_dialled() -> None:
    bench = await Bench.set_up()
    assert bench.stage.caller is not None
    bench.stage.world.leave(bench.stage.caller, 1)
    await asyncio.sleep(0.5)
    engine = await engine_on(bench)
    engine.start()
    await engine.wait_closed()
    assert engine.outcome is not None
    assert engine.outcome.result is S.ABANDONED
    assert bench.stage.sdk.switchboard.calls == []
    assert not bench.stage.world.left()
    await bench.stage.host.handed_back()


@pytest.mark.asyncio
async def test_the_application_hears_whether_its_word_was_taken() -> None:
    bench = await Bench.set_up(phone=Phone(answers_after_s=1.0))
    engine = await engine_on(bench)
    assert not engine.accept()
    engine.start()
    assert not engine.accept()
    await asyncio.sleep(2.0)
    assert engine.state is S.BRIEFING
    assert engine.decline("out of hours")
    assert not engine.decline("again")
    assert not engine.accept()
    assert not engine.cancel("too late")
    await engine.wait_closed()
    assert engine.closed
    assert engine.outcome is not None
    assert engine.outcome.words == "out of hours"


@pytest.mark.asyncio
async def test_what_comes_after_the_end_changes_nothing() -> None:
    bench = await Bench.set_up(phone=Phone(refuses_with=486, refuses_after_s=0.1))
    journal = MemoryJournal()
    engine = await engine_on(bench, journal=journal)
    engine.start()
    await engine.wait_closed()
    lines = len(journal.lines)
    for name in On:
        engine.post(Event(name))
        assert not engine.take(Event(name))
    await asyncio.sleep(1.0)
    assert len(journal.lines) == lines
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_a_dialer_of_the_application_dials_instead_of_the_sip_api() -> None:
    bench, dialer = await Bench.set_up(), Dialer()
    options = DialOptions(destination="+15105550123")
    engine = await engine_on(bench, dialer=dialer, dial=options)
    engine.start()
    await asyncio.sleep(1.0)
    (request,) = dialer.requests
    assert request.identity == engine.human_identity
    assert bench.stage.sdk.switchboard.calls == []
    engine.cancel("test")
    await engine.wait_closed()
    assert dialer.hung_up.is_set()
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_a_client_of_the_application_is_used_and_stays_open() -> None:
    bench = await Bench.set_up(phone=Phone(refuses_with=486, refuses_after_s=0.1))
    client = bench.stage.sdk.api()
    bench.stage.world.keep()
    engine = await engine_on(bench, api=client)
    engine.start()
    await engine.wait_closed()
    assert bench.stage.world.faults.calls["sip.create_sip_participant"] == 1
    # One close is that of the bench's own client.
    assert bench.stage.world.faults.calls["api.aclose"] == 1
    await client.room.delete_room(_delete("call"))


def _delete(name: str) -> Any:
    from livekit import api  # noqa: PLC0415 - for this test alone

    return api.DeleteRoomRequest(room=name)


@pytest.mark.asyncio
async def test_hooks_and_journal_tell_every_change() -> None:
    changes: list[StateChange] = []
    journal = MemoryJournal()
    bench = await Bench.set_up(phone=Phone(refuses_with=486, refuses_after_s=0.1))
    engine = await engine_on(
        bench, journal=journal, hooks=(changes.append,), transfer_id="my-transfer"
    )
    engine.start()
    await engine.wait_closed()
    assert [each.after for each in changes] == [S.HOLDING, S.DIALING, S.FAILED]
    assert {each.transfer_id for each in changes} == {"my-transfer"}
    assert {line["transfer"] for line in journal.lines} == {"my-transfer"}
    assert engine.id == "my-transfer"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"dial": DialOptions(destination="", trunk_id="ST_x")}, "sip_call_to"),
        ({"dial": DialOptions(destination="+15105550123")}, "sip_trunk_id"),
        ({"merge": "teleport"}, "merge"),
        ({"merge": ()}, "merge"),
    ],
)
async def test_unusable_arguments_are_named_and_nothing_is_opened(
    options: dict[str, Any], argument: str
) -> None:
    bench = await Bench.set_up()
    with pytest.raises(InvalidArgument) as caught:
        await engine_on(bench, **options)
    assert caught.value.argument == argument
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_waiting_for_the_resume_waits_for_the_switches() -> None:
    bench = await Bench.set_up(phone=Phone(refuses_with=486, refuses_after_s=0.1))
    engine = await engine_on(bench)
    engine.start()
    await bench.stage.host.delivered.wait()
    await engine.wait_resumed()
    assert bench.stage.session.input.audio_enabled
    assert bench.stage.session.output.audio_enabled
    await engine.wait_closed()


@pytest.mark.asyncio
async def test_a_hook_and_a_journal_that_fail_touch_nothing() -> None:
    class Full:
        def write(self, line: object) -> None:
            del line
            raise OSError("no space left on device")

    def broken(change: StateChange) -> None:
        raise ValueError(change)

    bench = await Bench.set_up(phone=Phone(refuses_with=486, refuses_after_s=0.1))
    engine = await engine_on(bench, journal=Full(), hooks=(broken,))
    engine.start()
    await engine.wait_closed()
    assert engine.outcome is not None
    assert engine.outcome.reason is R.BUSY
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_two_transfers_after_another_in_one_world_leave_nothing() -> None:
    bench = await Bench.set_up(phone=Phone(refuses_with=486, refuses_after_s=0.1))
    for _ in range(2):
        engine = await engine_on(bench)
        engine.start()
        await engine.wait_closed()
        assert bench.stage.session.input.audio_enabled
    assert len(bench.stage.sdk.switchboard.calls) == 2
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_a_hold_player_that_hangs_holds_up_neither_dial_nor_end() -> None:
    bench = await Bench.set_up(phone=Phone(answers_after_s=1.0))
    bench.stage.world.faults.plan[("player.start", 1)] = Fault(How.HANGS)
    engine = await engine_on(bench, policy=TransferPolicy(speech_limit_s=2.0, api_timeout_s=2.0))
    engine.start()
    await asyncio.sleep(2.0)
    assert engine.state is S.BRIEFING
    engine.cancel("test")
    await engine.wait_closed()
    assert not bench.stage.world.left()
