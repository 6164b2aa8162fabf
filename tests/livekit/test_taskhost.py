from __future__ import annotations

import asyncio
import contextvars
from types import SimpleNamespace
from typing import Any

import pytest

from tests.lines import turns
from warm_transfer.livekit import taskhost
from warm_transfer.livekit.taskhost import TaskHost
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.states import State

OUTCOME = TransferOutcome(result=State.FAILED, reason=Reason.BUSY, transfer_id="t")

pytestmark = pytest.mark.asyncio


def host(got: list[TransferOutcome]) -> TaskHost:
    session: Any = object()
    agent: Any = object()
    return TaskHost(session, agent, got.append)


async def test_the_last_words_are_out_when_the_task_is_entered() -> None:
    ours = host([])
    waiting = asyncio.ensure_future(ours.speech_ended())
    await turns()
    assert not waiting.done()
    ours.speech_over.set()
    await waiting


async def test_the_task_is_completed_in_a_turn_of_its_own() -> None:
    got: list[TransferOutcome] = []
    ours = host(got)
    ours.complete(OUTCOME)
    # The step that decided it goes on first.
    assert got == []
    await turns()
    assert got == [OUTCOME]


@pytest.mark.parametrize("ends", ["returns", "raises", "is cancelled"])
async def test_the_agent_is_back_however_the_inner_await_ends(ends: str) -> None:
    ours = host([])

    async def inner() -> None:
        if ends == "raises":
            raise LookupError
        if ends == "is cancelled":
            await asyncio.get_running_loop().create_future()

    waiting = asyncio.ensure_future(ours.handed_back())
    task = asyncio.get_running_loop().create_task(inner(), context=contextvars.Context())
    task.add_done_callback(ours.take_back)
    await turns()
    if ends == "is cancelled":
        assert not waiting.done()
        task.cancel()
    await waiting
    assert task.done()


async def test_the_job_is_asked_to_end_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reasons: list[str] = []
    # Outside a job there is none to ask, and no error.
    host([]).end_job()
    job = SimpleNamespace(shutdown=reasons.append)
    monkeypatch.setattr(taskhost, "get_job_context", lambda **_: job)
    host([]).end_job()
    assert reasons == ["warm transfer: the agent has left the call"]
