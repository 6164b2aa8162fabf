"""A recorder in front of a LiveKit server: it notes every request, and answers some of them itself.

A client that is given the recorder's address instead of the server's sees no difference: API
calls and WebSockets (rooms' signalling, workers) are passed on as they come; media never comes
this way. What has an answer here, such as the dials that the tests' server has no SIP service
for, does not reach the server.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web
from google.protobuf.message import Message
from livekit import api

__all__ = ["CREATE_SIP_PARTICIPANT", "MOVE_PARTICIPANT", "Answer", "Recorder", "Seen"]

CREATE_SIP_PARTICIPANT = "livekit.SIP/CreateSIPParticipant"
MOVE_PARTICIPANT = "livekit.RoomService/MoveParticipant"

TWIRP = "/twirp/"
#: Headers of one hop; the rest is passed on.
_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_HANDSHAKE = _HOP | {"upgrade"}
_ANY = aiohttp.ClientTimeout(total=None)

Answer = Callable[[bytes], Awaitable[Message]]
"""Takes a request's body, gives the reply; an ``api.ServerError`` is the error it is answered."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One API request."""

    call: str
    """Service and method, such as ``livekit.SIP/CreateSIPParticipant``."""
    at_s: float
    """When it arrived, ``time.monotonic()`` seconds."""


class Recorder:
    """The server of the address that clients are given.

    Args:
        server_url: the LiveKit server behind it, ``ws://`` or ``http://``.
        answers: what is answered here, by service and method.
    """

    def __init__(self, server_url: str, answers: Mapping[str, Answer]) -> None:
        self._server = re.sub("^ws", "http", server_url).rstrip("/")
        self._answers = dict(answers)
        self._runner: web.AppRunner | None = None
        self._client: aiohttp.ClientSession | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self.seen: list[Seen] = []
        """Every API request so far, in the order of arrival."""

    def first_s(self, call: str, from_s: float = 0.0) -> float | None:
        """Say when a request first arrived; None if it has not."""
        times = (seen.at_s for seen in self.seen if seen.call == call and seen.at_s >= from_s)
        return next(times, None)

    async def start(self) -> str:
        """Listen on a free port of 127.0.0.1.

        Returns:
            The address to give to clients, ``ws://``.
        """
        self._client = aiohttp.ClientSession(timeout=_ANY, auto_decompress=False)
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        # A client that gives up does not end what it asked for, as at the real server.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"ws://{host}:{port}"

    async def aclose(self) -> None:
        """Hang up on everybody."""
        for socket in tuple(self._sockets):
            await socket.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._client is not None:
            await self._client.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._join(request)
        call = request.path.removeprefix(TWIRP) if request.path.startswith(TWIRP) else ""
        if call:
            self.seen.append(Seen(call, time.monotonic()))
        if call in self._answers:
            return await _answered(self._answers[call], await request.read())
        return await self._passed_on(request)

    async def _passed_on(self, request: web.Request) -> web.Response:
        assert self._client is not None
        async with self._client.request(
            request.method,
            self._server + request.raw_path,
            headers=_without(request.headers, _HOP),
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            headers = _without(answer.headers, _HOP)
            return web.Response(status=answer.status, body=body, headers=headers)

    async def _join(self, request: web.Request) -> web.StreamResponse:
        """Connect a WebSocket to the server's, until either end closes."""
        assert self._client is not None
        headers = {
            name: value
            for name, value in _without(request.headers, _HANDSHAKE).items()
            if not name.lower().startswith("sec-websocket")
        }
        try:
            far = await self._client.ws_connect(
                self._server + request.raw_path, headers=headers, max_msg_size=0
            )
        except aiohttp.WSServerHandshakeError as refused:
            return web.Response(status=refused.status)
        near = web.WebSocketResponse(max_msg_size=0, compress=False)
        try:
            await near.prepare(request)
            self._sockets.add(near)
            await _until_either_ends(_pump(near, far), _pump(far, near))
        finally:
            self._sockets.discard(near)
            await far.close(code=near.close_code or aiohttp.WSCloseCode.GOING_AWAY)
            await near.close(code=far.close_code or aiohttp.WSCloseCode.GOING_AWAY)
        return near


async def _answered(answer: Answer, body: bytes) -> web.Response:
    """Give one of our own answers in the form of Twirp."""
    try:
        message = await answer(body)
    except api.ServerError as error:
        told: dict[str, Any] = {"code": error.code, "msg": error.message, "meta": error.metadata}
        return web.json_response(told, status=error.status)
    return web.Response(body=message.SerializeToString(), content_type="application/protobuf")


def _without(headers: Mapping[str, str], left_out: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in left_out}


async def _pump(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    """Carry messages one way until the source has closed."""
    async for message in source:
        if sink.closed:
            return
        if message.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(message.data)


async def _until_either_ends(*pumps: Any) -> None:
    tasks = [asyncio.ensure_future(pump) for pump in pumps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
