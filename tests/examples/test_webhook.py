"""The hook of ``examples``: what it posts, what it bounds, and what it lets go."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit.agents import JobContext

from examples.webhook import HttpPost, PostRefused, Webhook
from warm_transfer import State, StateChange
from warm_transfer.testing.scenario import run, scenario

CHANGE = StateChange("t1", State.IDLE, State.HOLDING, "TRANSFER_REQUESTED", 0.0, 1, None)


class Receiver:
    """Takes what is posted, and raises what it is told to, in turn."""

    def __init__(self, *errors: Exception | None, takes_s: float = 0.1) -> None:
        self._errors = list(errors)
        self._takes_s = takes_s
        self.tried_at_s: list[float] = []
        self.got: list[dict[str, Any]] = []

    async def __call__(self, body: dict[str, Any]) -> None:
        self.tried_at_s.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._takes_s)
        error = self._errors.pop(0) if self._errors else None
        if error is not None:
            raise error
        self.got.append(body)

    @property
    def numbers(self) -> list[int]:
        return [each["number"] for each in self.got]


def test_every_change_is_posted_in_order_and_nobody_is_named() -> None:
    receiver = Receiver()
    told = scenario('human answers after 4 s, says no "ask +15105550177" after 6 s')
    result = run(told, on_state_change=Webhook(receiver))
    assert result.outcome is not None
    assert result.outcome.words == "ask +15105550177"
    assert [each["state"] for each in receiver.got] == [
        "holding",
        "dialing",
        "briefing",
        "declined",
    ]
    assert receiver.numbers == [1, 2, 3, 4]
    assert receiver.got[-1]["result"] == "declined"
    assert "5105550" not in json.dumps(receiver.got)


@pytest.mark.asyncio
async def test_a_receiver_that_is_away_is_tried_again_and_nothing_overtakes() -> None:
    receiver = Receiver(ConnectionError(), TimeoutError(), takes_s=0.0)
    hook = Webhook(receiver, tries_max=3, pause_s=0.5)
    began_s = asyncio.get_running_loop().time()
    hook(CHANGE)
    hook(CHANGE)
    await hook.aclose()
    assert receiver.numbers == [1, 2]
    assert [at_s - began_s for at_s in receiver.tried_at_s] == pytest.approx([0.0, 0.5, 1.5, 1.5])
    assert hook.dropped == 0


@pytest.mark.asyncio
async def test_tries_are_bounded_and_a_refusal_is_final() -> None:
    receiver = Receiver(*[aiohttp.ClientConnectionError()] * 3, PostRefused(422), takes_s=0.0)
    hook = Webhook(receiver, tries_max=3)
    for _ in range(3):
        hook(CHANGE)
    await hook.aclose()
    assert receiver.numbers == [3]
    assert len(receiver.tried_at_s) == 5
    assert hook.dropped == 2


@pytest.mark.asyncio
async def test_the_queue_is_bounded_and_keeps_the_newest() -> None:
    receiver = Receiver(takes_s=1.0)
    hook = Webhook(receiver, queue_max=2)
    hook(CHANGE)
    await asyncio.sleep(0.5)
    for _ in range(5):
        hook(CHANGE)
    await hook.aclose()
    assert receiver.numbers == [1, 5, 6]
    assert hook.dropped == 3


@pytest.mark.asyncio
async def test_closing_is_bounded() -> None:
    hook = Webhook(Receiver(takes_s=3600.0))
    hook(CHANGE)
    began_s = asyncio.get_running_loop().time()
    await hook.aclose(timeout_s=2.0)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(2.0)


@pytest.mark.asyncio
async def test_closing_what_was_never_used_is_nothing() -> None:
    await Webhook(Receiver()).aclose()


@pytest.mark.asyncio
async def test_a_job_that_shuts_down_has_it_post_what_is_waiting() -> None:
    """A job gives its reason to every callback that takes an argument."""
    receiver, job = Receiver(), SimpleNamespace(_shutdown_callbacks=[])
    hook = Webhook(receiver)
    JobContext.add_shutdown_callback(cast("JobContext", job), hook.aclose)
    hook(CHANGE)
    for each in job._shutdown_callbacks:
        await each("job shutdown")
    assert receiver.numbers == [1]


# The HTTP of it, on loopback: it needs a real loop, so these are no async tests.


@asynccontextmanager
async def listening(*statuses: int) -> AsyncIterator[tuple[HttpPost, list[Any]]]:
    waiting, got = list(statuses), []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response(status=waiting.pop(0))

    application = web.Application()
    application.router.add_post("/transfers", take)
    async with TestServer(application) as server, aiohttp.ClientSession() as http:
        yield HttpPost(http, str(server.make_url("/transfers"))), got


@pytest.mark.parametrize(
    ("statuses", "posted", "dropped"), [((204,), 1, 0), ((503, 429, 200), 3, 0), ((422,), 1, 1)]
)
def test_over_http(statuses: tuple[int, ...], posted: int, dropped: int) -> None:
    async def deliver() -> tuple[int, int]:
        async with listening(*statuses) as (post, got):
            hook = Webhook(post, pause_s=0.01)
            hook(CHANGE)
            await hook.aclose()
            assert all(each["transfer"] == "t1" for each in got)
            return len(got), hook.dropped

    assert asyncio.run(deliver()) == (posted, dropped)
