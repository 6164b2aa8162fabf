"""The simulated server: who is in which room, and who hears what."""

from __future__ import annotations

from collections.abc import Mapping

from livekit import rtc

from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.faults import Faults
from warm_transfer.testing.livekit.leftovers import Ledger, Left
from warm_transfer.testing.livekit.packets import Packets
from warm_transfer.testing.livekit.server import Client, Member, Refused, ServerRoom
from warm_transfer.testing.livekit.trunks import Trunks

__all__ = ["World"]

Reason = rtc.DisconnectReason


class World(Packets):
    """A LiveKit server with everything that is connected to it.

    Make it inside a running event loop, normally that of `warm_transfer.testing.clock`.

    Args:
        faults: what is to go wrong in the seam.
        seed: with a seed every latency varies by a factor between 0.5 and 2, the same way each
            time; without one they are as in `latency`.
        cloud: whether ``MoveParticipant`` works, as on the vendor's cloud.
        sip: ``"up"``, ``"absent"`` (no SIP service answers), ``"exhausted"`` (it takes no more
            calls) or ``"not connected"`` (the server has no Redis).
        trunks: the ids of outbound trunks to a carrier.
        bridge: whether the SIP service is set up to call itself: `Trunks.set_up_bridge`.
    """

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        seed: int | None = None,
        cloud: bool = False,
        sip: str = "up",
        trunks: frozenset[str] = frozenset({"ST_x"}),
        bridge: bool = False,
    ) -> None:
        super().__init__(seed)
        self.faults = faults or Faults()
        self.cloud = cloud
        self.sip = sip
        self.trunks = Trunks(self.number, trunks)
        if bridge:
            self.trunks.set_up_bridge()
        self.down = False
        """Whether the server is restarting: it takes no requests."""
        self.returns_s: list[float] = []
        """When somebody has begun a new session: until somebody shuts them again, all gates for
        them and their tracks are open."""
        self.left_s: list[tuple[float, str]] = []
        """When who has left, by identity."""
        self.away_s: list[tuple[float, float]] = []
        """When a client has lost its signalling, and for how long at most; it can limit nothing
        meanwhile."""
        self.absent_s: list[tuple[float, float]] = []
        """When somebody without a client has lost its connection, or has left without a reason, and
        for how long nobody knows."""
        self.stalls_s: list[tuple[float, float]] = []
        """When the agent could not do anything, and for how long; what became of the others then
        nobody knows."""
        self.late_news_s: list[tuple[float, float]] = []
        """When a client of the agent's began to be told late, and by how much."""
        self.cancelled_s: list[float] = []
        """When somebody has cancelled tasks of the transfer's."""
        self.rooms: dict[str, ServerRoom] = {}
        self.ledger = Ledger()

    # Rooms.

    def create_room(
        self,
        name: str,
        *,
        max_participants: int = 0,
        empty_timeout_s: float = 0.0,
        departure_timeout_s: float = 0.0,
    ) -> ServerRoom:
        """Make a room, or return the one that is there."""
        room = self.rooms.get(name)
        if room is None:
            room = ServerRoom(
                name,
                self.number("RM_"),
                max_participants=max_participants,
                empty_timeout_s=empty_timeout_s or latency.EMPTY_TIMEOUT_S,
                departure_timeout_s=departure_timeout_s or latency.DEPARTURE_TIMEOUT_S,
            )
            self.rooms[name] = room
            self._close_later(room, room.empty_timeout_s)
        return room

    def delete_room(self, name: str) -> None:
        """Delete a room and put everybody out of it.

        Raises:
            Refused: there is no such room.
        """
        if name not in self.rooms:
            raise Refused("not_found", 404, "requested room does not exist")
        self._close(self.rooms[name], Reason.ROOM_DELETED)

    def _close(self, room: ServerRoom, reason: int) -> None:
        if not room.open:
            return
        room.open = False
        self.rooms.pop(room.name, None)
        if room.closing is not None:
            room.closing.cancel()
        # One by one: who is put out last has seen the others leave. The real server goes through
        # a Go map, in no order; measured were the agent first in the consult room (integration 6)
        # and last in the caller's room (integration 3), which is the order of joining.
        members = list(room.members.values())
        self.shuffle(members)
        for member in members:
            self._put_out(member, reason)

    def _close_later(self, room: ServerRoom, seconds: float) -> None:
        if room.closing is not None:
            room.closing.cancel()
        room.closing = self.loop.call_later(seconds, self._close_if_unused, room)

    def _close_if_unused(self, room: ServerRoom) -> None:
        if not room.keeps_open:
            self._close(room, Reason.ROOM_CLOSED)

    # Members.

    def join(
        self,
        room_name: str,
        identity: str,
        *,
        kind: int = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
        name: str = "",
        client: Client | None = None,
        ear: str | None = None,
        attributes: Mapping[str, str] | None = None,
        visible: bool = True,
        hears: bool = True,
    ) -> Member:
        """Let somebody into a room; joining makes a room that is not there.

        Raises:
            Refused: the room is full.
        """
        room = self.create_room(room_name)
        before = room.members.get(identity)
        if before is not None:
            self.leave(before, Reason.DUPLICATE_IDENTITY)
        if room.max_participants and len(room.members) >= room.max_participants:
            raise Refused("resource_exhausted", 429, "room has exceeded its max participants")
        member = Member(
            self.number("PA_"),
            identity,
            name,
            kind,
            room,
            client,
            ear,
            dict(attributes or {}),
            hears=hears,
        )
        self._enter(member, room)
        if visible:
            self.show(member)
        if hears:
            self.start_hearing(member)
        return member

    def show(self, member: Member) -> None:
        """Tell the others that somebody has joined."""
        if member.visible or not member.joined:
            return
        member.visible = True
        attributes = dict(member.attributes)
        for other in member.room.others(member):
            if other.client is not None:
                self.tell(other, latency.NEWS_S, other.client.member_joined, member, attributes)

    def set_attributes(self, member: Member, changed: Mapping[str, str]) -> None:
        """Change attributes; an empty value takes one away."""
        if not member.joined:
            return
        for key, value in changed.items():
            if value:
                member.attributes[key] = value
            else:
                member.attributes.pop(key, None)
        now = dict(member.attributes)
        for each in tuple(member.room.members.values()):
            # The member itself is told too (integration 4).
            if each.client is not None and member.visible:
                self.tell(
                    each, latency.NEWS_S, each.client.attributes_changed, member, dict(changed), now
                )

    def set_own_attributes(self, member: Member, changed: Mapping[str, str]) -> None:
        """Change somebody's attributes at their own wish."""
        if member.can_update_metadata:
            self.set_attributes(member, changed)

    def leave(self, member: Member, reason: int) -> None:
        """Somebody leaves, or is put out for `reason`; the room follows when it is unused."""
        if not member.joined:
            return
        room = member.room
        if reason == Reason.UNKNOWN_REASON:
            # Whoever is told waits a moment for them to come back.
            self.absent_s.append((self.now_s, TransferPolicy().rejoin_grace_s))
        self._put_out(member, reason)
        if room.open and not room.keeps_open:
            self._close_later(room, room.departure_timeout_s)

    def _put_out(self, member: Member, reason: int) -> None:
        member.joined = False
        member.disconnect_reason = reason
        self.left_s.append((self.now_s, member.identity))
        room = member.room
        if room.members.get(member.identity) is member:
            del room.members[member.identity]
        for track in member.tracks.values():
            self._silence(track)
        for other in room.others(member):
            if other.client is not None and member.visible:
                self.tell(other, latency.NEWS_S, other.client.member_left, member, reason)
        if member.client is not None:
            self.tell(member, latency.NEWS_S, member.client.removed, reason)
        if member.on_removed is not None:
            member.on_removed(reason)
        self._refresh_one(member)
        self._refresh(room)

    # Sessions that begin anew.

    def move(self, member: Member, destination: str) -> None:
        """Move a member to another room, as the cloud does: it leaves here and joins there."""
        source = member.room
        del source.members[member.identity]
        for track in member.tracks.values():
            self._withdraw(track)
        self._tell_gone(member)
        self._refresh(source)
        if source.open and not source.keeps_open:
            self._close_later(source, source.departure_timeout_s)
        self._enter(member, self.create_room(destination))
        member.asked.clear()
        member.receives.clear()
        if member.client is not None:
            self.tell(member, latency.NEWS_S, member.client.moved, destination)
        self.show(member)
        for track in member.tracks.values():
            self._announce(track)
        self._start_again(member)

    def reconnect(self, member: Member, seconds: float) -> None:
        """Somebody without a client of its own loses its connection, and joins again later.

        Nobody is told before that: the server waits for it. Afterwards see `come_back`.
        """
        self._cut_off(member)
        self.absent_s.append((self.now_s, seconds))
        self.loop.call_later(seconds, self.come_back, member)

    def restart(self) -> None:
        """The server restarts: it forgets who was there, and what each had asked for and set.

        SIP legs, and others without a client of their own, come back by themselves as soon as the
        server does. A client comes back when it reconnects, as in `SimRoom.lose_signal`.
        """
        self.down = True
        self.loop.call_later(latency.RESTART_S, self._is_up)
        for room in self.rooms.values():
            for member in tuple(room.members.values()):
                self._cut_off(member)
                if member.client is None:
                    del room.members[member.identity]
                    back_s = latency.RESTART_S + self.lag(latency.REJOIN_S)
                    self.loop.call_later(back_s, self.come_back, member)

    def _is_up(self) -> None:
        self.down = False

    def _cut_off(self, member: Member) -> None:
        self.forget(member)
        for track in member.tracks.values():
            self.cut(track)

    def come_back(self, member: Member) -> None:
        """Somebody has a new session under the same identity, and asks for everything again.

        The sids are new. Gates and track permissions are forgotten, and a leg has the status that
        it was created with (facts 0.1, 0.5 and A.0). The others see it leave and join.
        """
        if not member.joined:
            return
        if self.down and member.client is None:
            # A leg that was away as the server went down comes back with it.
            return
        self.returns_s.append(self.now_s)
        self._tell_gone(member)
        member.sid = self.number("PA_")
        if member.first_status:
            member.attributes["sip.callStatus"] = member.first_status
        seen = member.visible
        self._enter(member, self.create_room(member.room.name))
        self.forget(member)
        if seen:
            self.show(member)
        for track in tuple(member.tracks.values()):
            self.republish(track)
        self._start_again(member)

    def _tell_gone(self, member: Member) -> None:
        """The session that the others know is over; nobody says why (facts 5.6)."""
        for other in member.room.others(member):
            if other.client is not None and member.visible:
                self.tell(
                    other, latency.NEWS_S, other.client.member_left, member, Reason.UNKNOWN_REASON
                )

    def _enter(self, member: Member, room: ServerRoom) -> None:
        before = room.members.get(member.identity)
        if before is not None and before is not member:
            self.leave(before, Reason.DUPLICATE_IDENTITY)
        member.room = room
        room.members[member.identity] = member
        if room.closing is not None and room.keeps_open:
            room.closing.cancel()
            room.closing = None
        member.visible = False

    def _start_again(self, member: Member) -> None:
        if member.hears:
            self.start_hearing(member)
        self._refresh(member.room)

    # What a test asks.

    def member(self, room: str, identity: str) -> Member | None:
        """A participant of a room, or None."""
        there = self.rooms.get(room)
        return there.members.get(identity) if there is not None else None

    def keep(self) -> None:
        """What exists now is the application's own and never counts as left behind."""
        self.ledger.keep(self.rooms.values())

    def left(self) -> Left:
        """What is left behind beyond what the application had before."""
        return self.ledger.left(self.rooms.values())
