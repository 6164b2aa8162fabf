"""The dialer of ``examples`` over HTTP, against a telephone system on loopback.

Its contract is kept in ``examples/test_transfers.py``, which `tests.examples.test_suite` runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api

from examples import custom_dialer
from examples.custom_dialer import HttpPbx, PbxDialer
from warm_transfer import DialRefused, DialRequest

KEY, SECRET = "key", "a-secret-of-thirty-two-characters"
REQUEST = DialRequest(
    room="consult-1",
    identity="human/1",
    name="human agent",
    destination="+15105550123",
    ring_timeout_s=1.0,
    call_limit_s=60.0,
    timeout_s=2.0,
    attributes={"wt.role": "human"},
)


class Exchange:
    """A telephone system; a call answers, or ends, when it has been looked at twice."""

    def __init__(self, *, ends_with: dict[str, Any], put: int = 201) -> None:
        self._ends_with = ends_with
        self._put = put
        self.orders: dict[str, Any] = {}
        self.looks = 0
        self.hung_up: list[str] = []

    async def ring(self, request: web.Request) -> web.Response:
        if self._put < 400:
            self.orders[request.match_info["id"]] = await request.json()
        return web.Response(status=self._put)

    async def look(self, request: web.Request) -> web.Response:
        assert request.match_info["id"] in self.orders
        self.looks += 1
        return web.json_response({"state": "ringing"} if self.looks < 2 else self._ends_with)

    async def end(self, request: web.Request) -> web.Response:
        known = self.orders.pop(request.match_info["id"], None)
        if known is not None:
            self.hung_up.append(request.match_info["id"])
        return web.Response(status=204 if known else 404)

    @asynccontextmanager
    async def dialer(self) -> AsyncIterator[PbxDialer]:
        application = web.Application()
        application.router.add_put("/api/calls/{id}", self.ring)
        application.router.add_get("/api/calls/{id}", self.look)
        application.router.add_delete("/api/calls/{id}", self.end)
        async with TestServer(application) as server, aiohttp.ClientSession() as http:
            yield PbxDialer(HttpPbx(http, str(server.make_url("/api/"))))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_dialer, "POLL_S", 0.001)
    monkeypatch.setenv("LIVEKIT_API_KEY", KEY)
    monkeypatch.setenv("LIVEKIT_API_SECRET", SECRET)


def played(exchange: Exchange, does: Callable[[PbxDialer], Awaitable[None]]) -> None:
    async def play() -> None:
        async with exchange.dialer() as dialer:
            await does(dialer)

    asyncio.run(play())


def test_who_answers_may_join_that_room_as_that_identity_and_no_other() -> None:
    exchange = Exchange(ends_with={"state": "answered"})
    played(exchange, lambda dialer: dialer.dial(REQUEST))
    assert exchange.looks == 2
    order = exchange.orders["human/1"]
    assert (order["to"], order["ring_s"], order["limit_s"]) == ("+15105550123", 1.0, 60.0)
    claims = api.TokenVerifier(KEY, SECRET).verify(order["token"])
    assert (claims.identity, claims.name) == ("human/1", "human agent")
    assert claims.attributes == {"wt.role": "human"}
    assert claims.video is not None
    assert (claims.video.room_join, claims.video.room) == (True, "consult-1")


@pytest.mark.parametrize(
    ("exchange", "status"),
    [
        (Exchange(ends_with={"state": "ended", "sip_status": 486}), 486),
        (Exchange(ends_with={"state": "ended"}), None),
        (Exchange(ends_with={}, put=422), None),
    ],
    ids=["busy", "ended", "refused"],
)
def test_who_is_not_reached_is_refused(exchange: Exchange, status: int | None) -> None:
    with pytest.raises(DialRefused) as caught:
        played(exchange, lambda dialer: dialer.dial(REQUEST))
    assert caught.value.facts.sip_status == status


def test_a_fault_of_the_telephone_system_is_not_told_as_a_refusal() -> None:
    """The phone may be ringing."""
    with pytest.raises(aiohttp.ClientResponseError):
        played(Exchange(ends_with={}, put=502), lambda dialer: dialer.dial(REQUEST))


def test_a_call_is_hung_up_by_our_id_and_one_that_is_over_is_none() -> None:
    exchange = Exchange(ends_with={"state": "answered"})

    async def does(dialer: PbxDialer) -> None:
        await dialer.dial(REQUEST)
        await dialer.hang_up(REQUEST)
        await dialer.hang_up(REQUEST)

    played(exchange, does)
    assert exchange.hung_up == ["human/1"]


def test_what_was_given_up_is_not_rung() -> None:
    exchange = Exchange(ends_with={"state": "answered"})

    async def does(dialer: PbxDialer) -> None:
        await dialer.hang_up(REQUEST)
        await dialer.dial(REQUEST)

    with pytest.raises(DialRefused):
        played(exchange, does)
    assert exchange.orders == {}
