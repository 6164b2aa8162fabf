"""What a dialer rings with in a contract: a provider of phone calls, and LiveKit's own API."""

from __future__ import annotations

import asyncio

from livekit import api, rtc

from warm_transfer.livekit.sdk import Api
from warm_transfer.testing.livekit.phones import At, Call
from warm_transfer.testing.livekit.play import TRUNK
from warm_transfer.testing.livekit.sdk import SimSdk

__all__ = ["CallRefused", "Carrier", "CarrierCall"]

_REQUEST_S = 0.02
"""From a request to the answer of the provider's own API; a stand-in's, not measured."""


class CallRefused(Exception):
    """The provider says that a call was not answered, and rings no more."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status
        """The SIP status, if there is one."""


class CarrierCall:
    """One call at the provider."""

    def __init__(self, sdk: SimSdk, call: Call) -> None:
        self._faults = sdk.world.faults
        self._world = sdk.world
        self._call = call

    @property
    def answered(self) -> bool:
        """Whether somebody is on the line."""
        return self._call.at is At.TALKING

    async def wait_answered(self) -> None:
        """Return when the human has answered.

        Raises:
            CallRefused: they have not, and the call is over.
        """
        await self._faults.call("carrier.wait_answered", self._wait)

    async def _wait(self) -> None:
        try:
            await asyncio.shield(self._call.result)
        except api.SipCallError as error:
            raise CallRefused(error.sip_status_code) from error
        except api.ServerError as error:
            raise CallRefused(None) from error

    async def hang_up(self) -> None:
        """End the call, ringing or answered; safe to repeat."""
        await self._faults.call("carrier.hang_up", self._hang_up)

    async def _hang_up(self) -> None:
        await asyncio.sleep(_REQUEST_S)
        while self._call.leg is None and not self._call.result.done():  # noqa: ASYNC110 - nobody tells
            # A provider knows its call by an id, also before there is a leg.
            await asyncio.sleep(_REQUEST_S)
        if self._call.leg is not None:
            self._world.leave(self._call.leg, rtc.DisconnectReason.PARTICIPANT_REMOVED)


class Carrier:
    """The simulated provider; map your provider's client onto it in `make_dialer`.

    Calls of its methods can fail, hang and come late, as real ones do.
    """

    def __init__(self, sdk: SimSdk, client: Api) -> None:
        self._sdk = sdk
        self.api = client
        """A client of the LiveKit server (``LiveKitAPI``), for dialers that use its SIP API."""
        self.trunk = TRUNK
        """The id of an outbound trunk at that server."""

    async def call(
        self, destination: str, *, room: str, identity: str, ring_timeout_s: float = 60.0
    ) -> CarrierCall:
        """Ring a phone; who answers is in the room as the identity.

        Args:
            destination: whom to ring.
            room: the LiveKit room that the call leads to.
            identity: as whom the human joins.
            ring_timeout_s: how long it rings at most.
        """
        request = api.CreateSIPParticipantRequest(
            sip_trunk_id=self.trunk,
            sip_call_to=destination,
            room_name=room,
            participant_identity=identity,
            wait_until_answered=True,
        )
        request.ringing_timeout.FromMilliseconds(int(ring_timeout_s * 1000))
        return await self._sdk.world.faults.call("carrier.call", lambda: self._ring(request))

    async def _ring(self, request: api.CreateSIPParticipantRequest) -> CarrierCall:
        await asyncio.sleep(_REQUEST_S)
        return CarrierCall(self._sdk, self._sdk.switchboard.call(request))
