"""The server's API for calls, trunks and rules in the simulated world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from livekit import api

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.answers import answer, look_whether_up, no_response
from warm_transfer.testing.livekit.phones import Call
from warm_transfer.testing.livekit.switchboard import Switchboard
from warm_transfer.testing.livekit.world import World

__all__ = ["SimSipService"]

T = TypeVar("T")

#: livekit-api `_dial_timeout.py`: the ring window when none is asked for, and the margin over it.
_RING_DEFAULT_S = 30
_RING_MARGIN_S = 2.0
#: aiohttp's own limit for requests that set none (facts 5.4).
_REQUEST_LIMIT_S = 300.0


class SimSipService:
    """``api.LiveKitAPI().sip``."""

    def __init__(self, world: World, switchboard: Switchboard) -> None:
        self._world = world
        self._switchboard = switchboard

    async def create_sip_participant(
        self,
        create: api.CreateSIPParticipantRequest,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as the SDK
    ) -> api.SIPParticipantInfo:
        """Ring somebody into a room.

        With ``wait_until_answered`` it returns at the answer. What the caller of this method does
        to the request, such as cancelling it, does not reach the phone (facts A.0).
        """
        return await self._world.faults.call(
            "sip.create_sip_participant", lambda: self._create(create, timeout)
        )

    async def _create(
        self, create: api.CreateSIPParticipantRequest, timeout_s: float | None
    ) -> api.SIPParticipantInfo:
        if create.wait_until_answered and not create.HasField("ringing_timeout"):
            create.ringing_timeout.seconds = _RING_DEFAULT_S
        limit_s = timeout_s or _REQUEST_LIMIT_S
        if create.wait_until_answered:
            limit_s = max(timeout_s or 0.0, create.ringing_timeout.seconds + _RING_MARGIN_S)
        async with asyncio.timeout(limit_s):
            await self._world.wait(latency.REQUEST_S)
            self._check(create)
            call = self._switchboard.call(create)
            return await self._result(call)

    def _check(self, create: api.CreateSIPParticipantRequest) -> None:
        look_whether_up(self._world)
        self._look_whether_connected()
        # Only then does the server look for somebody who dials.
        trunks = self._world.trunks.outbound
        if not create.HasField("trunk") and create.sip_trunk_id not in trunks:
            raise api.ServerError("not_found", "requested sip trunk does not exist", status=404)
        if self._world.sip == "absent":
            raise no_response()
        if self._world.sip == "exhausted":
            # Before any INVITE (facts A.0).
            raise api.ServerError("unavailable", "cpu exhausted", status=503)

    def _look_whether_connected(self) -> None:
        if self._world.sip == "not connected":
            message = "sip not connected (redis required)"
            raise api.ServerError("internal", message, status=500)

    # Trunks and rules: the server keeps them, so they are there without a SIP service too.

    async def list_outbound_trunk(
        self,
        list: api.ListSIPOutboundTrunkRequest,  # noqa: A002 - as the SDK
    ) -> api.ListSIPOutboundTrunkResponse:
        """List the trunks over which can be dialled."""

        def work() -> api.ListSIPOutboundTrunkResponse:
            items = _asked_for(self._world.trunks.outbound, list.trunk_ids)
            return api.ListSIPOutboundTrunkResponse(items=items)

        return await self._do("list_outbound_trunk", work)

    async def list_inbound_trunk(
        self,
        list: api.ListSIPInboundTrunkRequest,  # noqa: A002 - as the SDK
    ) -> api.ListSIPInboundTrunkResponse:
        """List the trunks over which callers come."""

        def work() -> api.ListSIPInboundTrunkResponse:
            items = _asked_for(self._world.trunks.inbound, list.trunk_ids)
            return api.ListSIPInboundTrunkResponse(items=items)

        return await self._do("list_inbound_trunk", work)

    async def list_dispatch_rule(
        self,
        list: api.ListSIPDispatchRuleRequest,  # noqa: A002 - as the SDK
    ) -> api.ListSIPDispatchRuleResponse:
        """List the rules by which callers get into rooms."""

        def work() -> api.ListSIPDispatchRuleResponse:
            items = _asked_for(self._world.trunks.rules, list.dispatch_rule_ids)
            return api.ListSIPDispatchRuleResponse(items=items)

        return await self._do("list_dispatch_rule", work)

    async def create_outbound_trunk(
        self, create: api.CreateSIPOutboundTrunkRequest
    ) -> api.SIPOutboundTrunkInfo:
        """Make a trunk to dial over."""
        return await self._do(
            "create_outbound_trunk", lambda: self._world.trunks.add_outbound(create.trunk)
        )

    async def create_inbound_trunk(
        self, create: api.CreateSIPInboundTrunkRequest
    ) -> api.SIPInboundTrunkInfo:
        """Make a trunk for callers."""
        return await self._do(
            "create_inbound_trunk", lambda: self._world.trunks.add_inbound(create.trunk)
        )

    async def create_dispatch_rule(
        self, create: api.CreateSIPDispatchRuleRequest
    ) -> api.SIPDispatchRuleInfo:
        """Make a rule."""
        return await self._do(
            "create_dispatch_rule", lambda: self._world.trunks.add_rule(create.dispatch_rule)
        )

    async def delete_trunk(self, delete: api.DeleteSIPTrunkRequest) -> api.SIPTrunkInfo:
        """Delete a trunk of either kind."""

        def work() -> api.SIPTrunkInfo:
            self._world.trunks.delete_trunk(delete.sip_trunk_id)
            return api.SIPTrunkInfo(sip_trunk_id=delete.sip_trunk_id)

        return await self._do("delete_trunk", work)

    async def delete_dispatch_rule(
        self, delete: api.DeleteSIPDispatchRuleRequest
    ) -> api.SIPDispatchRuleInfo:
        """Delete a rule."""
        return await self._do(
            "delete_dispatch_rule",
            lambda: self._world.trunks.delete_rule(delete.sip_dispatch_rule_id),
        )

    async def _do(self, name: str, work: Callable[[], T]) -> T:
        def connected() -> T:
            self._look_whether_connected()
            return work()

        return await answer(self._world, f"sip.{name}", connected)

    async def _result(self, call: Call) -> api.SIPParticipantInfo:
        # The server has a limit of its own, after which the phone rings on.
        await asyncio.wait([call.result], timeout=latency.SERVER_DIAL_LIMIT_S)
        if not call.result.done() and not call.phone.request_hangs:
            raise api.ServerError("deadline_exceeded", "request timed out", status=408)
        return await asyncio.shield(call.result)


def _asked_for(kept: Mapping[str, T], ids: Collection[str]) -> list[T]:
    """The objects with these ids; all of them if no id is given."""
    return [each for own_id, each in kept.items() if not ids or own_id in ids]
