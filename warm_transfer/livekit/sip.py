"""Ringing the human through LiveKit's SIP API: one request for each attempt, never cancelled."""

from __future__ import annotations

import asyncio

from livekit import api

from warm_transfer.events import Facts
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.dialhook import Last
from warm_transfer.livekit.faults import refusal
from warm_transfer.livekit.sdk import Api
from warm_transfer.ports import DialRefused, DialRequest

__all__ = ["SipDialer"]


class SipDialer:
    """Dials through LiveKit's SIP API.

    Args:
        client: a client *without* fail-over: the SDK would replay a dial that timed out, and the
            service does not recognise the copy (livekit/sip issue 750).
        options: for the trunk.
        last: has the last look at each request.
    """

    def __init__(self, client: Api, options: DialOptions, last: Last | None = None) -> None:
        self._client = client
        self._options = options
        self._last = last
        self._given_up: dict[tuple[str, int], asyncio.Event] = {}

    async def dial(self, request: DialRequest) -> None:
        """One request, which returns when the human has answered."""
        hung_up = self._hung_up(request)
        message = self._message(request)
        if self._last is not None:
            message = await _approved(self._last, message, hung_up)
        if hung_up.is_set():
            raise DialRefused(Facts(detail="given up before it was sent"))
        try:
            await self._client.sip.create_sip_participant(message, timeout=request.timeout_s)
        except Exception as error:
            refused = refusal(error)
            if refused is None:
                raise
            raise refused from error

    async def hang_up(self, request: DialRequest) -> None:
        """Nothing beyond removing the leg from its room; what is not sent yet never is."""
        self._hung_up(request).set()

    def _hung_up(self, request: DialRequest) -> asyncio.Event:
        return self._given_up.setdefault((request.identity, request.attempt), asyncio.Event())

    def _message(self, request: DialRequest) -> api.CreateSIPParticipantRequest:
        message = api.CreateSIPParticipantRequest(
            sip_trunk_id=self._options.trunk_id or "",
            sip_call_to=request.destination,
            sip_number=request.number,
            room_name=request.room,
            participant_identity=request.identity,
            participant_name=request.name,
            participant_attributes=dict(request.attributes),
            headers=dict(request.headers),
            dtmf=request.dtmf,
            wait_until_answered=True,
        )
        message.ringing_timeout.FromMilliseconds(int(request.ring_timeout_s * 1000))
        # The server's own default is 24 h, and nobody else hangs up for us.
        message.max_call_duration.FromMilliseconds(int(request.call_limit_s * 1000))
        if self._options.connection is not None:
            message.trunk.CopyFrom(self._options.connection)
        return message


async def _approved(
    last: Last, message: api.CreateSIPParticipantRequest, hung_up: asyncio.Event
) -> api.CreateSIPParticipantRequest:
    try:
        return await last.look(message, hung_up)
    except Exception as error:
        # Whatever the application's hook raised: nothing has been sent.
        detail = f"on_dial_request: {type(error).__name__}"
        raise DialRefused(Facts(detail=detail, cause=error)) from error
