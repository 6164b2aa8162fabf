"""The server's view of a call: who is in its rooms with which sound, and what is left of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from livekit import api

from tests.merges.carriers import CALLER
from warm_transfer.livekit.faults import is_gone
from warm_transfer.livekit.legs import each_has_its_turn
from warm_transfer.livekit.signals import ROLE

__all__ = ["Dialled", "Leg", "Watching"]

T = TypeVar("T")

REQUEST_S = 5.0
LOOK_S = 0.2
NOBODY = "wt-live-nobody"
"""No agent has this name: a room that is dispatched to it is left alone by agents without one."""
EMPTY_S, DEPARTURE_S = 60, 2
_SWEEP_AFTER_S = (0.0, 0.3, 0.9)
"""In the first milliseconds of a dial nobody is found who could be removed, and the phone rings."""

_AUDIO = api.TrackType.Value("AUDIO")


@dataclass(frozen=True, slots=True)
class Dialled:
    """Where the phone has been rung into."""

    room: str
    identity: str


@dataclass(frozen=True, slots=True)
class Leg:
    """The phone's leg, as the server shows it."""

    room: str
    """``"consult"`` or ``"caller"``."""
    status: str
    """``sip.callStatus``."""
    has_track: bool
    """Whether its own sound is published."""
    callers_track: str | None
    """The track beside it that brings the caller's sound; None when there is none. Who has
    subscribed to it the server tells nobody."""

    def told(self) -> dict[str, Any]:
        """It as JSON."""
        return asdict(self)


class Watching:
    """Looks after the rooms of one call, and takes away what is left of it.

    Args:
        client: of the server.
        room: the caller's room.
        dialled: says where the phone has been rung into, None as long as it has not.
    """

    def __init__(
        self, client: api.LiveKitAPI, room: str, dialled: Callable[[], Dialled | None]
    ) -> None:
        self._client = client
        self._room = room
        self._dialled = dialled
        self._made = False

    async def make_room(self) -> None:
        """Make the caller's room, in which only those are who have been sent there."""
        self._made = True
        request = api.CreateRoomRequest(
            name=self._room,
            empty_timeout=EMPTY_S,
            departure_timeout=DEPARTURE_S,
            agents=[api.RoomAgentDispatch(agent_name=NOBODY)],
        )
        async with asyncio.timeout(REQUEST_S):
            await self._client.room.create_room(request)

    async def leg(self) -> Leg | None:
        """Find the phone's leg, in the room it was rung into or in the caller's."""
        dialled = self._dialled()
        if dialled is None:
            return None
        for room in self._rooms:
            people = await self._people(room)
            for each in people:
                if each.identity == dialled.identity:
                    return self._leg(room, each, people)
        return None

    def _leg(
        self, room: str, leg: api.ParticipantInfo, people: Iterable[api.ParticipantInfo]
    ) -> Leg:
        others = [each for each in people if each.identity != leg.identity]
        return Leg(
            room="caller" if room == self._room else "consult",
            status=leg.attributes.get("sip.callStatus", ""),
            has_track=any(_is_sound(track) for track in leg.tracks),
            callers_track=next(
                (what for each in others if (what := _brings_the_caller(each)) is not None), None
            ),
        )

    async def gone_s(self, within_s: float) -> float | None:
        """Wait for the phone's leg to be gone; the time (monotonic) or None if it stays."""
        return await self._comes(self.leg, lambda leg: leg is None, within_s)

    async def left(self, within_s: float) -> tuple[list[str], int]:
        """Wait for the rooms to be gone; returns those that stay, and how many are in them."""
        await self._comes(self._standing, lambda rooms: not rooms, within_s)
        rooms = await self._standing()
        people = [await self._people(room) for room in rooms]
        return [self._named(room) for room in rooms], sum(map(len, people))

    async def sweep(self) -> None:
        """Hang the phone up and take the rooms away, whatever has become of the call.

        Raises:
            Exception: the last of several tries went wrong; something may be left.
        """
        if not self._made:
            return
        error: Exception | None = None
        for pause_s in _SWEEP_AFTER_S if self._dialled() is not None else (0.0,):
            await asyncio.sleep(pause_s)
            try:
                await each_has_its_turn(_removed(call) for call in self._removals())
            except Exception as failed:  # noqa: BLE001 - the next try may do it; the last one raises
                error = failed
            else:
                error = None
        if error is not None:
            raise error

    def _removals(self) -> Iterator[Awaitable[object]]:
        """The leg out of either room, and the rooms themselves, which hangs up everybody."""
        dialled = self._dialled()
        for room in self._rooms:
            if dialled is not None:
                who = api.RoomParticipantIdentity(room=room, identity=dialled.identity)
                yield self._client.room.remove_participant(who)
            yield self._client.room.delete_room(api.DeleteRoomRequest(room=room))

    async def _comes(
        self, look: Callable[[], Awaitable[T]], holds: Callable[[T], bool], within_s: float
    ) -> float | None:
        """Look until something holds; when it did (monotonic), or None if it does not in time."""
        end_s = time.monotonic() + within_s
        while True:
            if holds(await look()):
                return time.monotonic()
            if time.monotonic() > end_s:
                return None
            await asyncio.sleep(LOOK_S)

    @property
    def _rooms(self) -> tuple[str, ...]:
        dialled = self._dialled()
        consult = () if dialled is None else (dialled.room,)
        return tuple(dict.fromkeys((*consult, self._room)))

    def _named(self, room: str) -> str:
        return "the caller's room" if room == self._room else "the consult room"

    async def _standing(self) -> list[str]:
        request = api.ListRoomsRequest(names=self._rooms)
        async with asyncio.timeout(REQUEST_S):
            found = await self._client.room.list_rooms(request)
        return [each.name for each in found.rooms]

    async def _people(self, room: str) -> list[api.ParticipantInfo]:
        request = api.ListParticipantsRequest(room=room)
        try:
            async with asyncio.timeout(REQUEST_S):
                found = await self._client.room.list_participants(request)
        except api.ServerError as error:
            if is_gone(error):
                return []
            raise
        return list(found.participants)


async def _removed(call: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(REQUEST_S):
            await call
    except api.ServerError as error:
        if not is_gone(error):
            raise


def _is_sound(track: api.TrackInfo) -> bool:
    return track.type == _AUDIO and not track.muted


def _brings_the_caller(who: api.ParticipantInfo) -> str | None:
    """What brings the caller's sound to whoever is in the room with this participant."""
    sounds = [track for track in who.tracks if _is_sound(track)]
    if sounds and who.identity == CALLER:
        return "the caller's own"
    if sounds and who.attributes.get(ROLE) == "bridge":
        return "the bridge's"
    relayed = any(track.name.startswith("relay-caller-") for track in sounds)
    return "the agent's relay" if relayed else None
