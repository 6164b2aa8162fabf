"""Where the human is talked to: a room of its own, or the caller's room behind gates."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from livekit import api, rtc

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.faults import naming_settings
from warm_transfer.livekit.gates import Gates
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.sdk import Room
from warm_transfer.logs import BoundLog

__all__ = ["CallersRoom", "OwnRoom", "Place", "place_of"]

#: Agent and human; the third place is for a merge that joins from outside.
_PARTICIPANTS_MAX = 3
#: A room in which the human never arrives closes by itself, but not while the phone rings.
_EMPTY_MARGIN_S = 30
#: When both are gone the room is of no use to anybody.
_DEPARTURE_S = 5

#: No agent has this name. A new room that is dispatched to nobody is left alone by workers without
#: a name, who are else sent into every new room (livekit-server ``pkg/rtc/room.go``).
_NOBODY = "wt-nobody"

_SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP


class Place(Protocol):
    """Where the human is talked to; each verb is bounded from outside or by `api_timeout_s`."""

    def room_name(self, caller_room: str, given: str | None, fresh: str) -> str:
        """The name of the room into which the human is dialled.

        Args:
            caller_room: the name of the caller's room.
            given: what the application wants; None for nothing.
            fresh: an unguessable one.

        Raises:
            InvalidArgument: there can be no such consult room here.
        """
        ...

    def check(self, caller_room: Room, caller_identity: str) -> None:
        """Do nothing if the human can be talked to here while this caller is held.

        Raises:
            InvalidArgument: they cannot.
        """
        ...

    def identity(self, legs: Legs) -> str:
        """Who the agent is here."""
        ...

    def guard(self, legs: Legs) -> None:
        """See to it, before anybody is dialled, that nobody hears what is not for them."""
        ...

    async def make(self, legs: Legs) -> None:
        """Have the room, before the agent joins it."""
        ...

    def enter(self, legs: Legs, room: Room) -> None:
        """The agent has joined and has published nothing yet."""
        ...

    async def admit(self, legs: Legs) -> None:
        """The human has answered: return when the agent may speak to them.

        Raises:
            Exception: they cannot be talked to here.
        """
        ...

    async def clear(self, legs: Legs) -> None:
        """Let nobody wait here for an answer that is not wanted any more; safe to repeat."""
        ...

    async def give_back(self, legs: Legs) -> None:
        """Undo `guard`, `make` and `enter`; safe to repeat, and when there is nothing to undo."""
        ...

    async def aclose(self) -> None:
        """Let go of it, also when it could not be given back; safe to repeat."""
        ...


class OwnRoom:
    """A room of its own, made with limits of its own, and deleted: nothing can cross."""

    def room_name(self, caller_room: str, given: str | None, fresh: str) -> str:
        """What the application wants, or an unguessable one."""
        del caller_room
        return given or fresh

    def check(self, caller_room: Room, caller_identity: str) -> None:
        """The caller is elsewhere."""

    def identity(self, legs: Legs) -> str:
        """As in the caller's room."""
        return str(legs.caller_room.local_participant.identity)

    def guard(self, legs: Legs) -> None:
        """Nothing to guard: the caller is elsewhere."""

    async def make(self, legs: Legs) -> None:
        """Make the room."""
        request = api.CreateRoomRequest(
            name=legs.consult_name,
            empty_timeout=int(legs.policy.ring_timeout_s + _EMPTY_MARGIN_S),
            departure_timeout=_DEPARTURE_S,
            max_participants=_PARTICIPANTS_MAX,
            agents=[api.RoomAgentDispatch(agent_name=_NOBODY)],
        )
        with naming_settings():
            async with asyncio.timeout(legs.policy.api_timeout_s):
                await legs.api.room.create_room(request)

    def enter(self, legs: Legs, room: Room) -> None:
        """Nobody else is here."""

    async def admit(self, legs: Legs) -> None:
        """Nobody else is here."""

    async def clear(self, legs: Legs) -> None:
        """Delete the room, which hangs up whoever is in it."""
        await legs.delete_room(legs.consult_name)

    async def give_back(self, legs: Legs) -> None:
        """Delete the room."""
        await legs.delete_room(legs.consult_name)

    async def aclose(self) -> None:
        """Nothing is held."""


class CallersRoom:
    """The caller's own room: the agent joins it a second time, and gates keep the two apart.

    What that does not guarantee is in ``docs/shared-room.md``.
    """

    def __init__(self) -> None:
        self.gates: Gates | None = None
        """While somebody is kept from somebody; None before that."""
        self._for_caller: _Limit | None = None
        self._for_human: _Limit | None = None

    def room_name(self, caller_room: str, given: str | None, fresh: str) -> str:
        """The caller's room."""
        del fresh
        if given is not None:
            remedy = "leave one of them out: the human is dialled into the caller's room"
            raise InvalidArgument("room_name", 'is given beside merge="shared_room"', remedy)
        return caller_room

    def check(self, caller_room: Room, caller_identity: str) -> None:
        """The caller must be a phone.

        Any other client can subscribe to the human again by itself (facts A.1), and would see
        who they are.
        """
        caller = caller_room.remote_participants.get(caller_identity)
        if caller is not None and caller.kind != _SIP:
            remedy = 'give another strategy, such as "relay": the caller\'s client could listen in'
            raise InvalidArgument("merge", 'is "shared_room", but the caller is no phone', remedy)

    def identity(self, legs: Legs) -> str:
        """One of its own: a second connection with the same identity would put out the first."""
        return f"wt-consult-{legs.transfer_id}"

    def guard(self, legs: Legs) -> None:
        """What the agent sends to the caller is for the caller alone, and the gates are watched."""
        self.gates = Gates(legs, beside=self.identity(legs))
        self.gates.shut()
        self._for_caller = _Limit(legs.caller_room, legs.caller_identity, legs.log)
        self._for_caller.impose()

    async def make(self, legs: Legs) -> None:
        """It is there."""

    def enter(self, legs: Legs, room: Room) -> None:
        """What the agent says here is for the human alone."""
        self._for_human = _Limit(room, legs.human_identity, legs.log)
        self._for_human.impose()

    async def admit(self, legs: Legs) -> None:
        """Let the human hear the agent, and nobody else."""
        del legs
        if self.gates is None:
            raise RuntimeError("nobody guards the caller's room")
        await self.gates.admit()

    async def clear(self, legs: Legs) -> None:
        """The room is the caller's and stays; removing the leg is all there is to do."""

    async def give_back(self, legs: Legs) -> None:
        """Take out a human who was not merged, and the agent; let everybody hear the agent again.

        The gates stay shut until `aclose`, for a leg may still come that has been dialled.
        """
        if self.gates is None:
            return
        guests = [self.identity(legs)]
        if not self.gates.are_open:
            guests.append(legs.human_identity)
        for guest in guests:
            # Also a connection that was cut off while it was made, and is in nobody's hands.
            who = api.RoomParticipantIdentity(room=legs.caller_room.name, identity=guest)
            await legs.removed(legs.api.room.remove_participant(who))
        self._forget_limits()
        if self._for_caller is not None:
            self._for_caller.lift()

    async def aclose(self) -> None:
        """Look after the gates no more."""
        self._forget_limits()
        if self.gates is not None:
            await self.gates.aclose()

    def _forget_limits(self) -> None:
        for limit in (self._for_caller, self._for_human):
            if limit is not None:
                limit.forget()


def place_of(strategies: Iterable[object]) -> Place:
    """The place that a merge strategy asks for; without one, a room of its own."""
    for each in strategies:
        place: Place | None = getattr(each, "place", None)
        if place is not None:
            return place
    return OwnRoom()


class _Limit:
    """Lets one participant alone subscribe to our tracks in a room, those to come included."""

    def __init__(self, room: Room, identity: str, log: BoundLog) -> None:
        self._room = room
        self._log = log
        self._only = rtc.ParticipantTrackPermission(participant_identity=identity, allow_all=True)

    def impose(self) -> None:
        """From now on, and again after a reconnect: it is sent without an answer."""
        self._room.on("reconnected", self._say_again)
        self._say()

    def forget(self) -> None:
        """Say it no more; safe to repeat."""
        self._room.off("reconnected", self._say_again)

    def lift(self) -> None:
        """Let everybody subscribe.

        The SDK does not tell what it was before; this is what it is unless somebody sets it.
        """
        if self._room.isconnected():
            self._room.local_participant.set_track_subscription_permissions(
                allow_all_participants=True
            )

    def _say_again(self) -> None:
        try:
            self._say()
        except Exception as error:  # noqa: BLE001 - nobody to raise to; the server keeps the limit
            self._log.warning("limit not repeated", detail=type(error).__name__)

    def _say(self) -> None:
        self._room.local_participant.set_track_subscription_permissions(
            allow_all_participants=False, participant_permissions=[self._only]
        )
