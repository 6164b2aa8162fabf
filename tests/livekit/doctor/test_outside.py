"""These run on sockets of this machine, so on a real loop: nothing waits in them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import TypeVar

import pytest
from aiohttp import web
from livekit import api

from warm_transfer.livekit.doctor.outside import Glance, LiveKitOutside, http_address
from warm_transfer.livekit.doctor.visitor import RtcVisitor

T = TypeVar("T")

NOON_S = 1_790_000_000.0
NOON = formatdate(NOON_S, usegmt=True)


def at_a_server(
    ask: Callable[[LiveKitOutside], Awaitable[T]], date: str = NOON, status: int = 200
) -> tuple[T, list[web.Request]]:
    """Ask a server that answers everything alike; returns the answer and what it was asked."""
    asked: list[web.Request] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response(status=status, headers={"Date": date})

    async def main() -> T:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        try:
            outside = LiveKitOutside(f"ws://127.0.0.1:{port}/", "key", "s" * 32, lambda: NOON_S)
            return await ask(outside)
        finally:
            await runner.cleanup()

    return asyncio.run(main()), asked


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ws://here:7880", "http://here:7880"),
        ("wss://here/base/", "https://here/base"),
        ("https://here", "https://here"),
    ],
)
def test_the_address_for_http_is_that_for_rooms(url: str, address: str) -> None:
    assert http_address(url) == address


@pytest.mark.parametrize("status", [200, 406, 502])
def test_a_look_tells_the_status_and_how_far_the_clock_is_ahead(status: int) -> None:
    glance, (request,) = at_a_server(lambda outside: outside.look(), status=status)
    assert request.path == "/"
    assert "Authorization" not in request.headers
    assert glance == Glance(status, 0)
    glance, _ = at_a_server(lambda outside: outside.look(), formatdate(NOON_S + 100, usegmt=True))
    assert glance.ahead_s == 100


@pytest.mark.parametrize("date", ["", "noon"])
def test_a_server_that_does_not_tell_the_time_is_not_ahead(date: str) -> None:
    glance, _ = at_a_server(lambda outside: outside.look(), date)
    assert glance.ahead_s is None


@pytest.mark.parametrize("status", [200, 404])
def test_whether_one_may_join_is_asked_without_a_token_in_the_address(status: int) -> None:
    found, (request,) = at_a_server(lambda outside: outside.may_join("t0ken"), status=status)
    assert found == status
    assert request.path == "/rtc/validate"
    assert request.headers["Authorization"] == "Bearer t0ken"
    assert request.query_string == ""


def test_a_token_lets_an_ordinary_participant_into_one_room() -> None:
    outside = LiveKitOutside("ws://here", "key", "s" * 32)
    claims = api.TokenVerifier("key", "s" * 32).verify(outside.token("room", "me"))
    assert (claims.identity, claims.kind) == ("me", "")
    assert claims.video is not None
    assert (claims.video.room_join, claims.video.room) == (True, "room")
    assert not claims.video.room_admin
    assert not claims.video.room_create
    assert outside.secrets == ("s" * 32,)
    assert outside.url == "ws://here"


def test_the_api_and_the_participant_are_the_sdks() -> None:
    async def main() -> None:
        outside = LiveKitOutside("ws://here", "key", "s" * 32)
        client = outside.api()
        assert isinstance(client, api.LiveKitAPI)
        assert client.agent_dispatch is not None
        await client.aclose()
        visitor = outside.visitor()
        assert isinstance(visitor, RtcVisitor)
        await visitor.leave()

    asyncio.run(main())
