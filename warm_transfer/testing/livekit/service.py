"""The server's API in the simulated world (``api.LiveKitAPI``): real requests, real errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from livekit import api, rtc

from warm_transfer.testing.livekit.answers import NobodyAnswers, answer
from warm_transfer.testing.livekit.server import Member, Refused, ServerRoom
from warm_transfer.testing.livekit.sip_service import SimSipService
from warm_transfer.testing.livekit.switchboard import Switchboard
from warm_transfer.testing.livekit.world import World

__all__ = ["SimApi", "SimRoomService"]

T = TypeVar("T")


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
            raise NobodyAnswers
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
        return await answer(self._world, f"room.{name}", work)


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
