"""One test for each private name of livekit-agents: what it is relied on for."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import time
from array import array
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import Agent, AgentSession, AgentTask, BackgroundAudioPlayer, function_tool
from livekit.agents import job as job_module
from livekit.agents.llm import ToolError
from livekit.agents.voice import agent as agent_module
from livekit.agents.voice import agent_activity, background_audio
from livekit.agents.voice.room_io import RoomIO, RoomOptions
from livekit.rtc._ffi_client import FfiClient
from livekit.rtc._proto import ffi_pb2

from tests.lines import turns
from tests.livekit.models import CUE, CallingLLM
from warm_transfer.livekit.compat import (
    FrameworkAwait,
    HoldAudioPlayer,
    StraightSource,
    VoiceStream,
    complete_outside_speech,
    current_activity,
    deletes_room_on_close,
    is_closing,
    pass_task_mark,
    server_url,
    take_tools,
)


class Task(AgentTask[str]):
    def __init__(self) -> None:
        super().__init__(instructions="")


# AudioStream: _ffi_client, _ffi_queue, _ffi_handle, _queue. The stream on a track of a server that
# is not there: the events are put where the SDK's thread puts them.


class Events:
    """A stream, and the events of the SDK's thread."""

    HANDLE = 42

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capacity: int = 10) -> None:
        stream = SimpleNamespace(handle=SimpleNamespace(id=self.HANDLE), info=None)
        monkeypatch.setattr(rtc.AudioStream, "_create_owned_stream", lambda _: stream)
        self.before = len(FfiClient.instance.queue._subscribers)
        track: Any = SimpleNamespace(
            _register_audio_stream=lambda _: None, _unregister_audio_stream=lambda _: None
        )
        self.stream = VoiceStream(track, capacity=capacity)
        # There is nothing behind it that could be given back.
        self.stream._ffi_handle.mark_consumed()
        self.samples = array("h", [7] * 480)

    def put(self, handle: int = HANDLE, *, end: bool = False) -> None:
        event = ffi_pb2.FfiEvent()
        event.audio_stream_event.stream_handle = handle
        if end:
            event.audio_stream_event.eos.SetInParent()
        else:
            info = event.audio_stream_event.frame_received.frame.info
            info.data_ptr = self.samples.buffer_info()[0]
            info.num_channels, info.sample_rate, info.samples_per_channel = 1, 48_000, 480
        FfiClient.instance.queue.put(event)

    async def close(self) -> None:
        self.put(end=True)
        await self.stream.aclose()
        assert len(FfiClient.instance.queue._subscribers) == self.before


@pytest.mark.asyncio
async def test_a_voice_stream_gives_its_own_frames_and_is_not_woken_by_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = Events(monkeypatch)
    events.put(handle=43)
    assert events.stream._ffi_queue.qsize() == 0
    await turns()
    assert events.stream._ffi_queue.qsize() == 0
    events.put()
    event = await anext(aiter(events.stream))
    assert bytes(event.frame.data) == events.samples.tobytes()
    assert event.frame.samples_per_channel == 480
    assert events.stream.dropped == 0
    await events.close()


@pytest.mark.asyncio
async def test_a_voice_stream_counts_what_a_busy_loop_makes_it_drop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = Events(monkeypatch, capacity=10)
    await turns()
    for _ in range(25):
        events.put()
    stall_s = time.monotonic()
    while time.monotonic() < stall_s + 0.02:
        pass  # what a stall is
    await turns(5)
    await anext(aiter(events.stream))
    assert events.stream.dropped == 15
    # Since the SDK's thread had it, not since the loop took it.
    assert events.stream.lag_s > 0.02
    await events.close()


@pytest.mark.asyncio
async def test_a_voice_stream_ends_with_its_track(monkeypatch: pytest.MonkeyPatch) -> None:
    events = Events(monkeypatch)
    events.put(end=True)
    assert [event async for event in events.stream] == []
    await events.close()


# AudioSource: _proto, _proto_info, _ffi_handle.


@pytest.mark.asyncio
async def test_a_straight_source_asks_what_the_stock_source_asks_and_does_not_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame = rtc.AudioFrame.create(48_000, 1, 480)
    source = StraightSource(48_000, 1)
    asked: list[Any] = []

    def request(message: Any) -> Any:
        asked.append(message)
        answer = ffi_pb2.FfiResponse()
        answer.capture_audio_frame.async_id = len(asked)
        return answer

    monkeypatch.setattr(FfiClient.instance, "request", request)
    await source.capture_frame(frame)
    (ours,) = asked
    assert ours.capture_audio_frame.source_handle == source._ffi_handle.handle
    assert ours.capture_audio_frame.buffer == frame._proto_info()
    await source.aclose()
    await source.capture_frame(frame)
    assert len(asked) == 1


def test_a_refused_frame_is_told_by_the_next_one_of_the_same_source() -> None:
    async def refuse() -> None:
        before = len(FfiClient.instance.queue._subscribers)
        ours, other = StraightSource(48_000, 1), StraightSource(48_000, 1)
        good, bad = (rtc.AudioFrame.create(48_000, 1, samples) for samples in (480, 960))
        await ours.capture_frame(bad)
        async with asyncio.timeout(5):
            # The SDK's thread tells both; who has not sent the frame does not mind.
            for source in (ours, other):
                source._refusals.put_nowait(await source._refusals.get())
        await other.capture_frame(good)
        with pytest.raises(RuntimeError, match="10ms"):
            await ours.capture_frame(good)
        await ours.aclose()
        await ours.aclose()
        await other.aclose()
        assert len(FfiClient.instance.queue._subscribers) == before

    # On a real loop: threads do not wait for the virtual clock.
    asyncio.run(refuse())


def test_the_stock_stream_is_as_the_voice_stream_needs_it() -> None:
    source = inspect.getsource(rtc.AudioStream)
    assert "await self._ffi_queue.wait_for(self._is_event)" in source
    assert "self._queue.put(event)" in source
    assert "self._queue.put(None)" in source
    assert "await self._queue.get()" in source


# BackgroundAudioPlayer: _publish_track, _find_publication_by_name, _audio_source, _room,
# _track_publish_options. What they do on a room is in test_hold.


def test_the_player_publishes_through_publish_track() -> None:
    assert "await self._publish_track()" in inspect.getsource(BackgroundAudioPlayer.start)
    assert not inspect.signature(BackgroundAudioPlayer._publish_track).parameters.keys() - {"self"}


def test_the_player_finds_what_it_unpublishes_by_name() -> None:
    source = inspect.getsource(BackgroundAudioPlayer.aclose)
    assert "self._find_publication_by_name(_TRACK_NAME)" in source
    assert "unpublish_track(current.sid)" in source
    assert background_audio._TRACK_NAME == "background_audio"


def test_the_player_has_the_attributes_that_publishing_uses() -> None:
    async def make() -> HoldAudioPlayer:
        return HoldAudioPlayer("hold")

    player = asyncio.run(make())
    assert player._audio_source.sample_rate == 48_000
    assert player.publication is None
    assert "self._track_publish_options = " in inspect.getsource(BackgroundAudioPlayer.start)
    assert "self._room = room" in inspect.getsource(BackgroundAudioPlayer.start)


def test_the_player_publishes_once() -> None:
    published: list[str] = []

    async def publish(track: Any, _options: Any) -> Any:
        published.append(track.name)
        return SimpleNamespace(sid="TR_1", name=track.name)

    async def run() -> None:
        player = HoldAudioPlayer("hold")
        player._room = SimpleNamespace(local_participant=SimpleNamespace(publish_track=publish))  # type: ignore[assignment]  # as much as it uses
        player._track_publish_options = None
        await player._publish_track()
        await player._publish_track()

    asyncio.run(run())
    assert published == ["hold"]


def test_the_player_that_was_cut_off_closes_what_its_base_forgets() -> None:
    # BackgroundAudioPlayer.aclose() does nothing the second time, whatever the first came to.
    async def run() -> list[str]:
        closed: list[str] = []
        player = HoldAudioPlayer("hold")

        def closing(name: str, close: Any) -> Any:
            async def aclose() -> None:
                closed.append(name)
                await close()

            return aclose

        for name in ("_audio_mixer", "_audio_source"):
            inner = getattr(player, name)
            inner.aclose = closing(name, inner.aclose)
        await player.aclose()
        return closed

    assert asyncio.run(run())[-2:] == ["_audio_mixer", "_audio_source"]


# Agent._tools: what an agent's class was found to have.


def test_an_agent_whose_tools_are_taken_has_none() -> None:
    class Helping(Agent):
        @function_tool
        async def help_out(self) -> str:
            """Help."""
            return "helped"

    agent = Helping(instructions="", tools=[])
    (tool,) = take_tools(agent)
    assert tool.id == "help_out"
    assert agent.tools == []
    assert take_tools(agent) == []
    assert asyncio.run(tool()) == "helped"


@pytest.mark.asyncio
async def test_a_session_asks_its_model_with_the_tools_that_are_left() -> None:
    class Helping(Agent):
        @function_tool
        async def help_out(self) -> str:
            """Help."""
            return "helped"

    agent = Helping(instructions="")
    take_tools(agent)
    turns: Any = {"turn_detection": None}
    model = CallingLLM("help_out")
    session: AgentSession[Any] = AgentSession(llm=model, vad=None, turn_handling=turns)
    await session.start(agent, record=False)
    await session.run(user_input=CUE)
    # The model asks for it and is told that there is no such tool.
    assert "helped" not in model.asked
    await session.aclose()


# agent._pass_through_activity_task_info: the framework's mark of tasks that may await.


def test_the_mark_of_the_current_task_is_passed_on() -> None:
    async def run() -> tuple[Any, Any]:
        current = asyncio.current_task()
        assert current is not None
        agent_module._set_activity_task_info(current, inline_task=True)
        inner = asyncio.ensure_future(asyncio.sleep(0))
        other = asyncio.ensure_future(asyncio.sleep(0))
        pass_task_mark(inner)
        infos = (
            agent_module._get_activity_task_info(inner),
            agent_module._get_activity_task_info(other),
        )
        await asyncio.gather(inner, other)
        return infos

    marked, unmarked = asyncio.run(run())
    assert marked.inline_task
    assert unmarked is None


def test_passing_no_mark_is_no_error() -> None:
    async def run() -> Any:
        inner = asyncio.ensure_future(asyncio.sleep(0))
        pass_task_mark(inner)
        await inner
        return agent_module._get_activity_task_info(inner)

    assert asyncio.run(run()) is None


def test_the_framework_refuses_a_task_without_the_mark_in_its_first_step() -> None:
    async def run() -> None:
        inner = asyncio.ensure_future(_await(Task()))
        await asyncio.sleep(0)
        # This is what the engine's start waits for.
        assert inner.done()
        with pytest.raises(RuntimeError, match="should only be awaited inside"):
            inner.result()

    asyncio.run(run())


async def _await(task: AgentTask[str]) -> str:
    result: str = await FrameworkAwait(task)
    return result


# AgentTask.__await__: called as the base class's for a subclass that overrides it.


def test_the_framework_awaits_a_task_whose_own_await_is_another() -> None:
    class Overridden(Task):
        def __await__(self) -> Any:
            raise AssertionError("the override is not to be called")

    async def run() -> None:
        with pytest.raises(RuntimeError, match="should only be awaited inside"):
            await FrameworkAwait(Overridden())

    asyncio.run(run())


# agent_activity._SpeechHandleContextVar, through complete: kept out by an empty context.


def test_completing_outside_the_speech_does_not_write_into_the_handle_of_the_tool() -> None:
    async def run(complete: Any) -> Any:
        handle: Any = SimpleNamespace(_maybe_run_final_output=None)
        agent_activity._SpeechHandleContextVar.set(handle)
        task = Task()
        complete(task)
        assert task.done()
        return handle._maybe_run_final_output

    # As the framework does it, and as we do.
    direct = contextvars.copy_context().run(asyncio.run, run(lambda task: task.complete("R")))
    assert direct == "R"
    ours = contextvars.copy_context().run(
        asyncio.run, run(lambda task: complete_outside_speech(task, "R"))
    )
    assert ours is None


def test_completing_a_second_time_changes_nothing() -> None:
    async def run() -> None:
        task = Task()
        complete_outside_speech(task, "first")
        complete_outside_speech(task, "second")
        with pytest.raises(RuntimeError, match="already done"):
            task.complete("third")

    asyncio.run(run())


# job._info.url: the address that this job was given.


def test_the_address_is_that_of_the_job_before_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIVEKIT_URL", "ws://environment")
    assert server_url() == "ws://environment"
    context = SimpleNamespace(_info=SimpleNamespace(url="ws://job"))
    token = job_module._JobContextVar.set(context)  # type: ignore[arg-type]  # as much as it uses
    try:
        assert server_url() == "ws://job"
        context._info.url = ""
        assert server_url() == "ws://environment"
    finally:
        job_module._JobContextVar.reset(token)
    monkeypatch.delenv("LIVEKIT_URL")
    assert server_url() is None


def test_a_job_keeps_its_address_where_it_is_read() -> None:
    assert "url" in {each.name for each in _fields(job_module.RunningJobInfo)}
    assert "self._info = info" in inspect.getsource(job_module.JobContext.__init__)


def _fields(cls: Any) -> Any:
    import dataclasses  # noqa: PLC0415 - for this test alone

    return dataclasses.fields(cls)


# agent_activity._AgentActivityContextVar: in whose tool or hook the code runs.


@pytest.mark.asyncio
async def test_the_current_activity_is_known_in_a_hook_and_nowhere_else() -> None:
    seen: list[Any] = []

    class Looking(Agent):
        async def on_enter(self) -> None:
            seen.append(current_activity())

    assert current_activity() is None
    session: AgentSession[Any] = AgentSession(vad=None, turn_handling={"turn_detection": None})
    agent = Looking(instructions="")
    await session.start(agent, record=False)
    await asyncio.sleep(0.1)
    assert seen == [(session, agent)]
    assert current_activity() is None
    await session.aclose()


# RoomIO._options: whether the session deletes its room when it closes.


@pytest.mark.asyncio
@pytest.mark.parametrize("deletes", [True, False])
async def test_a_session_that_deletes_its_room_is_known(deletes: bool) -> None:
    session: AgentSession[Any] = AgentSession(vad=None, turn_handling={"turn_detection": None})
    options = RoomOptions(delete_room_on_close=deletes)
    session._room_io = RoomIO(session, rtc.Room(), options=options)
    assert deletes_room_on_close(session) is deletes
    assert "self._options.delete_room_on_close" in inspect.getsource(RoomIO)


# AgentSession._closing: whether it is the framework that cancels, because the session closes.


@pytest.mark.asyncio
async def test_a_session_that_closes_says_so_to_what_it_cancels() -> None:
    seen: list[bool] = []

    class Cancelled(Task):
        def cancel(self) -> None:
            seen.append(is_closing(session))
            super().cancel()

    class Asking(Agent):
        async def on_enter(self) -> None:
            with contextlib.suppress(ToolError):
                await Cancelled()

    session: AgentSession[Any] = AgentSession(vad=None, turn_handling={"turn_detection": None})
    await session.start(Asking(instructions=""), record=False)
    await asyncio.sleep(0.1)
    assert not is_closing(session)
    await session.aclose()
    assert seen == [True]


def test_a_session_whose_options_are_not_known_is_taken_to_keep_its_room() -> None:
    session: Any = SimpleNamespace(room_io=SimpleNamespace())
    assert not deletes_room_on_close(session)
