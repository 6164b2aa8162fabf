"""The loopback HTTP between the worker's processes and the driver: dials, and reports.

Times in reports are ``time.monotonic()``, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any

import aiohttp
from aiohttp import web

from tests.live.people import Stage
from tests.live.phone import Phone
from warm_transfer.events import Facts
from warm_transfer.ports import DialRefused, DialRequest

__all__ = ["CONTROL_VARIABLE", "Control", "PhoneDialer", "Reporter"]

CONTROL_VARIABLE = "LIVE_CONTROL_URL"
"""Where the worker finds the driver."""


class Control:
    """The driver's side.

    Args:
        phone: the phone in the driver; None where the worker rings another one.
        stage: is told the states of the transfer.
    """

    def __init__(self, phone: Phone | None, stage: Stage) -> None:
        self._phone = phone
        self._stage = stage
        self._runner: web.AppRunner | None = None
        self._changed = asyncio.Condition()
        self.reports: dict[str, dict[str, Any]] = {}

    async def start(self) -> str:
        """Listen on a free port of 127.0.0.1.

        Returns:
            The address.
        """
        app = web.Application()
        if self._phone is not None:
            app.router.add_post("/dial", self._dial)
            app.router.add_post("/hang_up", self._hang_up)
        app.router.add_post("/report", self._report)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def _dial(self, request: web.Request) -> web.Response:
        assert self._phone is not None
        return web.json_response(await self._phone.dial(await request.json()))

    async def _hang_up(self, request: web.Request) -> web.Response:
        await request.read()
        assert self._phone is not None
        await self._phone.hang_up()
        return web.json_response({})

    async def _report(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["what"] == "state":
            self._stage.states.setdefault(body["state"], body["at_s"])
        async with self._changed:
            self.reports[body["what"]] = body
            self._changed.notify_all()
        return web.json_response({})

    async def wait_for(self, what: str, timeout_s: float) -> dict[str, Any] | None:
        """Wait for a report; None when it does not come in time."""
        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(lambda: what in self.reports)
        except TimeoutError:
            return None
        return self.reports[what]

    async def aclose(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()


class Reporter:
    """The worker's side: tells the driver what happened, and never gets in the way."""

    def __init__(self) -> None:
        self._url = os.environ[CONTROL_VARIABLE]
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3))

    async def tell(self, what: str, **facts: object) -> None:
        """Send one report."""
        body = json.dumps({"what": what, **facts}, default=str)
        headers = {"Content-Type": "application/json"}
        async with self._session.post(f"{self._url}/report", data=body, headers=headers) as answer:
            await answer.read()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._session.close()


class PhoneDialer:
    """A `Dialer` whose trunk is the phone in the driver."""

    def __init__(self) -> None:
        self._url = os.environ[CONTROL_VARIABLE]

    async def dial(self, request: DialRequest) -> None:
        """Ring; return when it is answered."""
        body = {
            "room": request.room,
            "identity": request.identity,
            "destination": request.destination,
            "ring_timeout_s": request.ring_timeout_s,
            "attributes": dict(request.attributes),
        }
        answer = await self._post("/dial", body, request.timeout_s)
        if not answer.get("answered"):
            facts = Facts(sip_status=answer["sip_status"], sip_phrase=answer["sip_phrase"])
            raise DialRefused(facts)

    async def hang_up(self, request: DialRequest) -> None:
        """Stop ringing, or end the call."""
        await self._post("/hang_up", {"identity": request.identity}, 3.0)

    async def _post(self, path: str, body: object, timeout_s: float) -> dict[str, Any]:
        limit = aiohttp.ClientTimeout(total=timeout_s)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(self._url + path, json=body) as answer,
        ):
            answer.raise_for_status()
            result: dict[str, Any] = await answer.json()
            return result
