"""The server's API in the simulated world (``api.LiveKitAPI``): real requests, real errors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import aiohttp
from livekit import api, rtc

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.phones import Call
from warm_transfer.testing.livekit.server import Member, Refused, ServerRoom
from warm_transfer.testing.livekit.switchboard import Switchboard
from warm_transfer.testing.livekit.world import World

__all__ = ["SimApi", "SimRoomService", "SimSipService"]

T = TypeVar("T")

#: livekit-api `_dial_timeout.py`: the ring window when none is asked for, and the margin over it.
_RING_DEFAULT_S = 30
_RING_MARGIN_S = 2.0
#: aiohttp's own limit for requests that set none (facts 5.4).
_REQUEST_LIMIT_S = 300.0


class _NobodyAnswers(Exception):
    """Nobody takes the request (psrpc, ``ErrNoResponse``)."""


class SimRoomService:
    """``api.LiveKitAPI().room``."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def create_room(self, create: api.CreateRoomRequest) -> api.Room:
        """Make a room, or return the one of that name."""

        def work() -> api.Room:
            return _room(
                self._world.create_room(
                    create.name,
                    max_participants=create.max_participants,
                    empty_timeout_s=float(create.empty_timeout),
                    departure_timeout_s=float(create.departure_timeout),
                )
            )

        return await self._do("create_room", work)

    async def list_rooms(self, list: api.ListRoomsRequest) -> api.ListRoomsResponse:  # noqa: A002 - as the SDK
        """List rooms, all or by name."""
        names = set(list.names)

        def work() -> api.ListRoomsResponse:
            rooms = self._world.rooms.values()
            return api.ListRoomsResponse(
                rooms=[_room(each) for each in rooms if not names or each.name in names]
            )

        return await self._do("list_rooms", work)

    async def delete_room(self, delete: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        """Delete a room; ``not_found`` when there is none."""

        def work() -> api.DeleteRoomResponse:
            self._world.delete_room(delete.room)
            return api.DeleteRoomResponse()

        return await self._do("delete_room", work)

    async def list_participants(
        self,
        list: api.ListParticipantsRequest,  # noqa: A002 - as the SDK
    ) -> api.ListParticipantsResponse:
        """List who is in a room; nobody is in a room that is not there."""

        def work() -> api.ListParticipantsResponse:
            room = self._world.rooms.get(list.room)
            members = [each for each in room.members.values() if each.visible] if room else []
            return api.ListParticipantsResponse(participants=[_info(each) for each in members])

        return await self._do("list_participants", work)

    async def get_participant(self, get: api.RoomParticipantIdentity) -> api.ParticipantInfo:
        """Look one participant up."""
        return await self._do(
            "get_participant", lambda: _info(self._member(get.room, get.identity))
        )

    async def remove_participant(
        self, remove: api.RoomParticipantIdentity
    ) -> api.RemoveParticipantResponse:
        """Put a participant out; ``not_found`` when it is not there (yet)."""

        def work() -> api.RemoveParticipantResponse:
            member = self._member(remove.room, remove.identity)
            self._world.leave(member, rtc.DisconnectReason.PARTICIPANT_REMOVED)
            return api.RemoveParticipantResponse()

        return await self._do("remove_participant", work)

    async def update_participant(self, update: api.UpdateParticipantRequest) -> api.ParticipantInfo:
        """Change attributes, metadata or permissions."""

        def work() -> api.ParticipantInfo:
            member = self._member(update.room, update.identity)
            if update.attributes:
                self._world.set_attributes(member, update.attributes)
            if update.metadata:
                member.metadata = update.metadata
            if update.HasField("permission"):
                self._permit(member, update.permission)
            return _info(member)

        return await self._do("update_participant", work)

    async def update_subscriptions(
        self, update: api.UpdateSubscriptionsRequest
    ) -> api.UpdateSubscriptionsResponse:
        """Open or close the gate of tracks for one listener; see `World.gate`."""

        def work() -> api.UpdateSubscriptionsResponse:
            sids = {
                *update.track_sids,
                *(sid for of in update.participant_tracks for sid in of.track_sids),
            }
            self._world.gate(
                self._asked(update.room, update.identity), sids, subscribe=update.subscribe
            )
            return api.UpdateSubscriptionsResponse()

        return await self._do("update_subscriptions", work)

    async def mute_published_track(
        self, update: api.MuteRoomTrackRequest
    ) -> api.MuteRoomTrackResponse:
        """Mute somebody's track at the server."""

        def work() -> api.MuteRoomTrackResponse:
            track = self._asked(update.room, update.identity).tracks.get(update.track_sid)
            if track is None:
                raise Refused("not_found", 404, "track does not exist")
            self._world.mute(track, update.muted)
            return api.MuteRoomTrackResponse()

        return await self._do("mute_published_track", work)

    async def move_participant(self, move: api.MoveParticipantRequest) -> None:
        """Move somebody to another room; the open-source server cannot (facts 5.7)."""

        def work() -> None:
            if move.room == move.destination_room:
                raise Refused("invalid_argument", 400, "destination room is the source room")
            member = self._asked(move.room, move.identity)
            if not self._world.cloud:
                raise Refused("unknown", 500, "not implemented")
            self._world.move(member, move.destination_room)

        await self._do("move_participant", work)

    def _member(self, room: str, identity: str) -> Member:
        member = self._world.member(room, identity)
        if member is None:
            raise Refused("not_found", 404, "participant does not exist")
        return member

    def _asked(self, room: str, identity: str) -> Member:
        """Whom the request is handed to, without looking first whether there is such a one."""
        member = self._world.member(room, identity)
        if member is None and not self._world.cloud:
            raise _NobodyAnswers
        return self._member(room, identity)

    def _permit(self, member: Member, permission: api.ParticipantPermission) -> None:
        member.can_update_metadata = permission.can_update_metadata
        member.can_publish_data = permission.can_publish_data
        self._world.allow_subscribing(member, permission.can_subscribe)
        if not permission.can_publish:
            # Unpublishes, and livekit-sip never publishes again (facts A.0).
            for track in tuple(member.tracks.values()):
                self._world.unpublish(track)

    async def _do(self, name: str, work: Callable[[], T]) -> T:
        async def request() -> T:
            _look_whether_up(self._world)
            await self._world.wait(latency.API_S)
            try:
                return work()
            except _NobodyAnswers:
                await self._world.wait(latency.NOBODY_ANSWERS_S)
                raise _no_response() from None
            except Refused as refused:
                raise _error(refused) from None

        return await self._world.faults.call(f"room.{name}", request)


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
        self._look_whether_connected()
        # Only then does the server look for somebody who dials.
        trunks = self._world.trunks.outbound
        if not create.HasField("trunk") and create.sip_trunk_id not in trunks:
            raise api.ServerError("not_found", "requested sip trunk does not exist", status=404)
        if self._world.sip == "absent":
            raise _no_response()
        if self._world.sip == "exhausted":
            # Before any INVITE (facts A.0).
            raise api.ServerError("unavailable", "cpu exhausted", status=503)

    def _look_whether_connected(self) -> None:
        _look_whether_up(self._world)
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
            items = [
                each
                for each in self._world.trunks.outbound.values()
                if not list.trunk_ids or each.sip_trunk_id in list.trunk_ids
            ]
            return api.ListSIPOutboundTrunkResponse(items=items)

        return await self._do("list_outbound_trunk", work)

    async def list_inbound_trunk(
        self,
        list: api.ListSIPInboundTrunkRequest,  # noqa: A002 - as the SDK
    ) -> api.ListSIPInboundTrunkResponse:
        """List the trunks over which callers come."""

        def work() -> api.ListSIPInboundTrunkResponse:
            items = [
                each
                for each in self._world.trunks.inbound.values()
                if not list.trunk_ids or each.sip_trunk_id in list.trunk_ids
            ]
            return api.ListSIPInboundTrunkResponse(items=items)

        return await self._do("list_inbound_trunk", work)

    async def list_dispatch_rule(
        self,
        list: api.ListSIPDispatchRuleRequest,  # noqa: A002 - as the SDK
    ) -> api.ListSIPDispatchRuleResponse:
        """List the rules by which callers get into rooms."""

        def work() -> api.ListSIPDispatchRuleResponse:
            ids = list.dispatch_rule_ids
            items = [
                each
                for each in self._world.trunks.rules.values()
                if not ids or each.sip_dispatch_rule_id in ids
            ]
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
        async def request() -> T:
            self._look_whether_connected()
            await self._world.wait(latency.API_S)
            try:
                return work()
            except Refused as refused:
                raise _error(refused) from None

        return await self._world.faults.call(f"sip.{name}", request)

    async def _result(self, call: Call) -> api.SIPParticipantInfo:
        # The server has a limit of its own, after which the phone rings on.
        await asyncio.wait([call.result], timeout=latency.SERVER_DIAL_LIMIT_S)
        if not call.result.done() and not call.phone.request_hangs:
            raise api.ServerError("deadline_exceeded", "request timed out", status=408)
        return await asyncio.shield(call.result)


class SimApi:
    """``api.LiveKitAPI``."""

    def __init__(self, world: World, switchboard: Switchboard) -> None:
        self._world = world
        self.room = SimRoomService(world)
        self.sip = SimSipService(world, switchboard)
        world.ledger.opened(self, "api client")

    async def aclose(self) -> None:
        """Close the client's connections."""
        self._world.ledger.closed(self)
        await self._world.faults.call("api.aclose", _nothing)


async def _nothing() -> None:
    return


def _look_whether_up(world: World) -> None:
    if world.down:
        raise aiohttp.ClientConnectionError("Cannot connect to host simulated")


def _error(refused: Refused) -> api.ServerError:
    return api.ServerError(refused.code, refused.message, status=refused.status)


def _no_response() -> api.ServerError:
    return api.ServerError("unavailable", "no response from servers", status=503)


def _room(room: ServerRoom) -> api.Room:
    return api.Room(name=room.name, sid=room.sid, num_participants=len(room.members))


def _info(member: Member) -> api.ParticipantInfo:
    tracks = [
        api.TrackInfo(sid=track.sid, name=track.name, muted=track.muted)
        for track in member.tracks.values()
    ]
    return api.ParticipantInfo(
        sid=member.sid,
        identity=member.identity,
        name=member.name,
        kind=api.ParticipantInfo.Kind.Name(member.kind),
        attributes=member.attributes,
        metadata=member.metadata,
        tracks=tracks,
        state=api.ParticipantInfo.State.ACTIVE,
    )
