"""A dialer of one's own: the human is rung by a telephone system with an HTTP interface.

    pbx = HttpPbx(http_session(), os.environ["PBX_URL"])
    await WarmTransferTask("+15105550123", dialer=PbxDialer(pbx), chat_ctx=self.chat_ctx)

The telephone system rings a phone and brings the call into a LiveKit room with the token it gets:

    PUT    /calls/ID   {"to": ..., "token": ..., "ring_s": ..., ...}   ring; 4xx when it will not
    GET    /calls/ID   {"state": "ringing"|"answered"|"ended", "sip_status": ...}
    DELETE /calls/ID   stop ringing, or hang up

The id is ours, so that a call can be hung up even when the answer to PUT was lost.
"""

from __future__ import annotations

import asyncio
import datetime
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
from livekit import api

from warm_transfer import DialRefused, DialRequest, Facts

__all__ = ["CallEnded", "HttpPbx", "Pbx", "PbxDialer"]

POLL_S = 0.2
"""How often a call is looked at; an answer is noticed as late as this at most."""
REQUEST_S = 4.0
"""How long one request may take; less than `TransferPolicy.api_timeout_s`."""


class CallEnded(Exception):
    """A call was not answered, and rings no more."""

    def __init__(self, sip_status: int | None = None) -> None:
        super().__init__(sip_status)
        self.sip_status = sip_status


class Pbx(Protocol):
    """What the dialer asks of a telephone system; the tests put a simulated one in its place."""

    async def ring(self, request: DialRequest) -> None:
        """Begin to ring. Raises `CallEnded` when nobody is rung."""
        ...

    async def answered(self, request: DialRequest) -> None:
        """Return when somebody has answered. Raises `CallEnded` when nobody will."""
        ...

    async def hang_up(self, request: DialRequest) -> None:
        """End the call, ringing or answered; nothing happens when there is none."""
        ...


class PbxDialer:
    """Rings the human through a telephone system. Make one for each transfer."""

    def __init__(self, pbx: Pbx) -> None:
        self._pbx = pbx
        self._given_up: set[str] = set()

    async def dial(self, request: DialRequest) -> None:
        """Ring, and return when the human has answered.

        What is neither an answer nor `CallEnded` passes as it is: the phone may be ringing then,
        and `DialRefused` would promise that it is not.
        """
        if request.identity in self._given_up:
            raise DialRefused(Facts(detail="given up before it was sent"))
        try:
            async with asyncio.timeout(request.timeout_s):
                await self._pbx.ring(request)
                if request.identity in self._given_up:
                    # Given up while the request was on its way.
                    await self._pbx.hang_up(request)
                await self._pbx.answered(request)
        except CallEnded as ended:
            raise DialRefused(Facts(sip_status=ended.sip_status)) from ended

    async def hang_up(self, request: DialRequest) -> None:
        """Stop ringing, or end the call."""
        self._given_up.add(request.identity)
        await self._pbx.hang_up(request)


class HttpPbx:
    """The telephone system behind its HTTP interface.

    Args:
        http: in a job, ``livekit.agents.utils.http_context.http_session()``.
        url: the interface, without ``/calls``.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url.rstrip("/")

    async def ring(self, request: DialRequest) -> None:
        """PUT; an answer of 4xx means that nobody is rung, anything else that fails does not."""
        async with self._asked("PUT", request, json=_order(request)) as answer:
            if 400 <= answer.status < 500:
                raise CallEnded
            answer.raise_for_status()

    async def answered(self, request: DialRequest) -> None:
        """GET until it says so; the dialer bounds the time."""
        while True:
            async with self._asked("GET", request) as answer:
                answer.raise_for_status()
                call = await answer.json()
            if call["state"] == "answered":
                return
            if call["state"] == "ended":
                raise CallEnded(call.get("sip_status"))
            await asyncio.sleep(POLL_S)

    async def hang_up(self, request: DialRequest) -> None:
        """DELETE; a call that it does not know is over, or not there yet."""
        async with self._asked("DELETE", request) as answer:
            if answer.status != 404:
                answer.raise_for_status()

    def _asked(self, method: str, request: DialRequest, **rest: Any) -> Any:
        url = f"{self._url}/calls/{quote(request.identity, safe='')}"
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        return self._http.request(method, url, timeout=timeout, **rest)


def _order(request: DialRequest) -> dict[str, Any]:
    return {
        "to": request.destination,
        "from": request.number,
        "token": _token(request),
        "ring_s": request.ring_timeout_s,
        "limit_s": request.call_limit_s,
        "keys": request.dtmf,
        "headers": dict(request.headers),
    }


def _token(request: DialRequest) -> str:
    """Lets the call into this one room, as the identity by which the library watches it."""
    return (
        api.AccessToken()
        .with_identity(request.identity)
        .with_name(request.name)
        .with_attributes(dict(request.attributes))
        .with_grants(api.VideoGrants(room_join=True, room=request.room))
        .with_ttl(datetime.timedelta(seconds=request.timeout_s))
        .to_jwt()
    )
