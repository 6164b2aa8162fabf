"""One examination: what was asked for, what the checks have learnt, and what they made."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from dataclasses import dataclass
from typing import Any

from livekit import api as lkapi

from warm_transfer.livekit.bridge_objects import BridgeObjects, Listed, objects_of
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.livekit.doctor.outside import Glance, Outside
from warm_transfer.livekit.doctor.visitor import Visitor
from warm_transfer.livekit.faults import is_gone

__all__ = ["NOBODY", "Asked", "Visit"]

NOBODY = "wt-doctor-nobody"
"""No agent has this name: rooms dispatched to it are left alone by agents without a name."""

_LATER_S = (0.3, 0.6)
"""A leg whose dial was cut off is removed again after these: in the first milliseconds of a dial
the server answers "not found" to a removal, and the phone rings on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the doctor was asked for."""

    trunk_id: str | None = None
    """The outbound trunk to people's phones."""
    call: str | None = None
    """A phone number to ring. Personal data."""
    caller_id: str = ""
    """The number that transfers show there; empty for the trunk's own."""
    bridge: bool = False
    """Whether to place a call over the bridge."""
    bridge_named: BridgeObjects | None = None
    """The bridge that the environment names."""


class Visit:
    """One examination of one server; use it up with `clean_up`."""

    def __init__(self, asked: Asked, outside: Outside, limits: DoctorLimits) -> None:
        self.asked = asked
        self.outside = outside
        self.limits = limits
        self.api = outside.api()
        name = f"wt-doctor-{secrets.token_hex(6)}"
        self.room = f"{name}-a"
        """The test room; it is as the server makes rooms."""
        self.elsewhere = f"{name}-b"
        """The room to move to."""
        self.identity = name
        self.visitor: Visitor | None = None
        """In the test room, once it has joined."""
        self.glance: Glance | None = None
        self.made: Any = None
        """The test room, as the server describes it."""
        self.listed: Listed | None = None
        """Trunks and rules; None until they have been listed."""
        self._visitors: list[Visitor] = []
        self._rooms: list[str] = []
        self._legs: list[tuple[str, str]] = []
        self._ringing: set[tuple[str, str]] = set()

    @property
    def bridge(self) -> BridgeObjects | None:
        """The bridge that ``auto`` takes: the environment's first, else one that can work."""
        if self.asked.bridge_named is not None or self.listed is None:
            return self.asked.bridge_named
        return objects_of(self.listed)

    @property
    def hidden(self) -> tuple[str, ...]:
        """What must not be shown: the API secret, and the passwords of trunks."""
        listed = self.listed or Listed()
        outbound = (*listed.outbound, *listed.other_outbound)
        inbound = (*listed.inbound, *listed.other_inbound)
        passwords = {each.auth_password for each in outbound}
        passwords |= {each.auth_password for each in inbound}
        return tuple(filter(None, (*self.outside.secrets, *passwords)))

    async def make_room(self, name: str, *, for_agents: bool = False) -> Any:
        """Make a room that is removed at the end; agents come only where they are looked for."""
        request = lkapi.CreateRoomRequest(name=name)
        if not for_agents:
            request.agents.append(lkapi.RoomAgentDispatch(agent_name=NOBODY))
        # Noted first: a request that is cut off may have made it.
        self._rooms.append(name)
        return await self.api.room.create_room(request)

    async def send(self, room: str) -> Visitor:
        """Send a participant into a room; it leaves at the end.

        Raises:
            TimeoutError: it cannot join in time; most often its media finds no way.
        """
        visitor = self.outside.visitor()
        self._visitors.append(visitor)
        async with asyncio.timeout(self.limits.join_s):
            await visitor.join(self.outside.url, self.outside.token(room, self.identity))
        return visitor

    async def dial(self, request: lkapi.CreateSIPParticipantRequest, timeout_s: float) -> None:
        """Send a dial whose leg is removed at the end, whatever has become of it."""
        leg = (request.room_name, request.participant_identity)
        self._legs.append(leg)
        self._ringing.add(leg)
        await self.api.sip.create_sip_participant(request, timeout=timeout_s)
        self._ringing.discard(leg)

    def nobody_rings(self, request: lkapi.CreateSIPParticipantRequest) -> None:
        """A dial has been refused for good: its leg needs no second removal."""
        self._ringing.discard((request.room_name, request.participant_identity))

    async def hang_up(self) -> None:
        """Remove every leg that was dialled, as far as it goes: its room is deleted in the end."""
        for room, identity in self._legs:
            who = lkapi.RoomParticipantIdentity(room=room, identity=identity)
            with contextlib.suppress(Exception):
                async with asyncio.timeout(self.limits.request_s):
                    await self.api.room.remove_participant(who)

    async def clean_up(self) -> tuple[str, ...]:
        """Remove all that was made; returns the rooms that could not be removed."""
        try:
            await self.hang_up()
            for visitor in self._visitors:
                # Whatever a participant of the native library raises, its room is deleted next.
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(self.limits.request_s):
                        await visitor.leave()
            left = {room for room in self._rooms if not await self._delete(room)}
            for pause_s in _LATER_S if self._ringing else ():
                await asyncio.sleep(pause_s)
                left |= {room for room, _ in self._ringing if not await self._delete(room)}
        finally:
            await self.api.aclose()
        return tuple(sorted(left))

    async def _delete(self, room: str) -> bool:
        """Whether a room is gone."""
        request = lkapi.DeleteRoomRequest(room=room)
        try:
            async with asyncio.timeout(self.limits.request_s):
                await self.api.room.delete_room(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others have a turn
            return is_gone(error)
        return True
