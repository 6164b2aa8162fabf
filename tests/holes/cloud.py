"""What lies between the transfer and the server: HTTP, tokens, another carrier."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from unittest import mock

import aiohttp
from livekit import api
from livekit.agents.beta.workflows import TwilioConnectorWarmTransferTask
from livekit.agents.utils import http_context

from tests.holes.call import NUMBER, Call, call_on
from tests.holes.hole import Observation, Side
from warm_transfer.livekit.sdk import LiveKitSdk
from warm_transfer.livekit.task import WarmTransferTask
from warm_transfer.ports import DialRequest
from warm_transfer.testing.livekit.phones import Phone

__all__ = [
    "h26_a_dial_that_timed_out_is_repeated",
    "h38_a_carrier_that_never_reports",
    "h39_consult_room_and_token_without_limits",
]

CLOUD = "https://desk.livekit.cloud"
SECRET = "secret" * 6


class _Wire:
    """An HTTP session under the SDK's own client; requests reach the phones, replies get lost."""

    timeout = aiohttp.ClientTimeout(total=300.0)

    def __init__(self, call: Call) -> None:
        self._call = call

    @contextlib.asynccontextmanager
    async def post(self, url: str, *, data: bytes, timeout: Any, **_: Any) -> AsyncIterator[Any]:  # noqa: ASYNC109 - as aiohttp
        assert url.endswith("/CreateSIPParticipant")
        self._call.sdk.switchboard.call(api.CreateSIPParticipantRequest.FromString(data))
        await asyncio.sleep(timeout.total)
        raise TimeoutError
        yield

    def get(self, url: str, **_: Any) -> Any:
        """The client asks for other regions; there is none."""
        raise aiohttp.ClientConnectionError(url)

    async def close(self) -> None: ...


async def h26_a_dial_that_timed_out_is_repeated(side: Side) -> Observation:
    async with call_on(side, phone=Phone(answers_after_s=None)) as call:
        wire: Any = _Wire(call)
        with mock.patch.object(aiohttp, "ClientSession", return_value=wire):
            # As `JobContext.api` makes it, and as our own SDK does.
            of_job: Any = call.job.api
            of_job.sip = api.LiveKitAPI(CLOUD, "key", SECRET, session=wire).sip
            call.sdk.sip = LiveKitSdk(CLOUD, "key", SECRET).api().sip
        call.ask()
        await call.until(lambda: call.over, 300.0)
        # A repetition may come behind the outcome, too.
        await asyncio.sleep(120.0)
        took_s = call.got_at_s[-1] - call.asked_at_s if call.over else 300.0
        said = f"the human is rung {call.dials} times, the caller is held {took_s:.0f} s"
        return Observation(call.dials == 1, said)


class _Twilio:
    """Twilio's API: the call is created, and nobody ever reports what becomes of it."""

    status = 201

    @contextlib.asynccontextmanager
    async def post(self, *_: Any, **__: Any) -> AsyncIterator[_Twilio]:
        yield self

    async def json(self, **_: Any) -> dict[str, str]:
        return {"sid": "CA1"}


class _SilentDialer:
    """The same for ours: a dialler that never reports."""

    async def dial(self, request: DialRequest) -> None:
        del request
        await asyncio.get_running_loop().create_future()

    async def hang_up(self, request: DialRequest) -> None: ...


async def h38_a_carrier_that_never_reports(side: Side) -> Observation:
    async with call_on(side) as call:
        of_job: Any = call.job.api
        of_job.connector = mock.AsyncMock()
        of_job.connector.connect_twilio_call.return_value.connect_url = "wss://simulated"
        call.make = lambda: _through_a_carrier(call)  # type: ignore[method-assign]
        with mock.patch.object(http_context, "http_session", _Twilio):
            call.ask()
            await asyncio.sleep(120.0)
        held = call.over and call.agent_back
        return Observation(held, f"after 2 min {call.said}")


def _through_a_carrier(call: Call) -> Any:
    if call.side == "ours":
        return WarmTransferTask(NUMBER, dialer=_SilentDialer(), sdk=call.sdk)
    return TwilioConnectorWarmTransferTask(
        NUMBER,
        twilio_from_number="+15105550100",
        twilio_account_sid="AC1",
        twilio_auth_token="token",  # noqa: S106 - there is no such account
        ringing_timeout=None,
    )


async def h39_consult_room_and_token_without_limits(side: Side) -> Observation:
    async with call_on(side) as call:
        call.ask()
        await call.until_briefing()
        (name,) = call.consult_rooms
        room: Any = call.sdk.rooms[-1]
        limit = call.world.rooms[name].max_participants
        life_s = _life_s(room.token)
        people = f"for {limit}" if limit else "without a limit of participants"
        said = f"a room {people}, a token for {life_s:.0f} s"
        return Observation(bool(limit) and life_s <= 600.0, said)


def _life_s(token: str) -> float:
    """How long a token admits, the SDK's or the simulated one."""
    payload = token.split(".")[1]
    grant = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    if "exp" in grant:
        return float(grant["exp"] - grant["nbf"])
    return float(grant["until_s"])
