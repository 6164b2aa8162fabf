"""The await's own claims; what it does in a real session is in ``test_task``."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import AgentTask

from tests.lines import turns
from tests.livekit.bench import Bench
from warm_transfer.events import Event, On
from warm_transfer.journal import FileJournal
from warm_transfer.livekit.awaiting import Awaiting, framework_await
from warm_transfer.livekit.callersession import refuse_second
from warm_transfer.livekit.compat import complete_outside_speech
from warm_transfer.livekit.result import SessionBusy, TransferFailed
from warm_transfer.livekit.task import WarmTransferTask
from warm_transfer.livekit.taskhost import TaskHost
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.states import State

NUMBER, TRUNK = "+15105550123", "ST_x"
OUTCOME = TransferOutcome(result=State.FAILED, reason=Reason.BUSY, transfer_id="t")


class Engine:
    """An engine that does what the test says."""

    id, state = "t", State.DIALING

    def __init__(self) -> None:
        self.outcome: TransferOutcome | None = None
        self.events: list[Event] = []
        self.said: list[str] = []
        self.resumed = asyncio.Event()
        self.closed = asyncio.Event()

    def start(self) -> None:
        self.said.append("start")

    def post(self, event: Event) -> None:
        self.events.append(event)
        self.outcome = self.outcome or OUTCOME

    def cancel(self, reason: str) -> bool:
        self.said.append(f"cancel: {reason}")
        return True

    async def discard(self) -> None:
        self.said.append("discard")

    async def wait_resumed(self) -> None:
        await self.resumed.wait()

    async def wait_closed(self) -> None:
        await self.closed.wait()


class Task(AgentTask[Any]):
    """A task whose framework await is a future of the test."""

    def __init__(self) -> None:
        super().__init__(instructions="")
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


async def awaiting(
    monkeypatch: pytest.MonkeyPatch, journal: Path | None = None
) -> tuple[Awaiting, Engine, TaskHost, Task]:
    bench, engine, task = await Bench.set_up(), Engine(), Task()

    async def inner(ours: Any) -> Any:
        return await ours.future

    monkeypatch.setattr("warm_transfer.livekit.awaiting.framework_await", inner)
    session: Any = bench.stage.session
    agent: Any = object()
    host = TaskHost(session, agent, lambda _: None)
    options = WarmTransferTask(NUMBER, sip_trunk_id=TRUNK, journal=journal)._options
    options.open_journal()
    given: Any = engine
    return Awaiting(task, given, host, options), engine, host, task


def is_free(host: TaskHost) -> bool:
    try:
        refuse_second(host.session)
    except SessionBusy:
        return False
    return True


@pytest.mark.asyncio
async def test_the_session_has_the_transfer_from_the_first_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, engine, host, task = await awaiting(monkeypatch)
    assert not is_free(host)
    assert engine.said == []
    task.future.set_exception(RuntimeError("not here"))
    await turns(1)
    assert not await ours.is_admitted()
    assert engine.said == ["discard"]
    assert is_free(host)
    with pytest.raises(RuntimeError, match="not here"):
        ours.refusal()


@pytest.mark.asyncio
async def test_the_engine_starts_when_the_framework_has_not_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, engine, host, task = await awaiting(monkeypatch)
    assert await ours.is_admitted()
    running = asyncio.ensure_future(ours.run())
    await turns(1)
    assert engine.said == ["start"]
    engine.outcome = OUTCOME
    task.future.set_exception(TransferFailed(OUTCOME))
    await turns()
    # The caller is to have their voice back before the application goes on.
    assert not running.done()
    engine.resumed.set()
    with pytest.raises(TransferFailed):
        await running
    assert is_free(host)
    engine.closed.set()
    await turns()


@pytest.mark.asyncio
async def test_a_framework_that_ends_the_await_by_itself_is_a_session_that_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, engine, _, task = await awaiting(monkeypatch)
    assert await ours.is_admitted()
    running = asyncio.ensure_future(ours.run())
    await turns(1)
    task.future.set_exception(RuntimeError("closing"))
    engine.resumed.set()
    with pytest.raises(RuntimeError, match="closing"):
        await running
    assert [each.name for each in engine.events] == [On.SESSION_CLOSED]
    engine.closed.set()
    await turns()


@pytest.mark.asyncio
async def test_a_session_stays_taken_while_a_cancelled_transfer_has_no_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, engine, host, task = await awaiting(monkeypatch)
    assert await ours.is_admitted()
    running = asyncio.ensure_future(ours.run())
    await turns(1)
    running.cancel()
    await turns()
    assert engine.said == ["start", "cancel: the await was cancelled"]
    # A second cancellation returns at once; the release goes on behind it.
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not is_free(host)
    engine.closed.set()
    task.future.set_result(None)
    await turns()
    assert is_free(host)


@pytest.mark.asyncio
async def test_a_full_disk_does_not_keep_the_session_taken(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    close = FileJournal.close

    def fail(journal: FileJournal) -> None:
        close(journal)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileJournal, "close", fail)
    ours, engine, host, task = await awaiting(monkeypatch, tmp_path / "journal.jsonl")
    assert await ours.is_admitted()
    running = asyncio.ensure_future(ours.run())
    await turns(1)
    running.cancel()
    await turns()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    engine.closed.set()
    task.future.set_result(None)
    await turns()
    assert is_free(host)
    (told,) = [each for each in caplog.records if each.message == "journal failed"]
    assert told.exc_info is not None
    assert isinstance(told.exc_info[1], OSError)


@pytest.mark.asyncio
async def test_the_frameworks_await_is_that_of_agent_tasks() -> None:
    task = Task()
    complete_outside_speech(task, "done")
    with pytest.raises(RuntimeError, match="should only be awaited inside"):
        await framework_await(task)
