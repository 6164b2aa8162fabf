"""The consult room: made with limits of its own, joined with a short-lived token, deleted."""

from __future__ import annotations

import asyncio
import secrets

from livekit import api

from warm_transfer.effects import Effect
from warm_transfer.events import Event, On
from warm_transfer.livekit.briefing import Briefing
from warm_transfer.livekit.faults import naming_settings
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.signals import Signals

__all__ = ["Consult", "unguessable"]

#: Agent and human; the third place is for a merge that joins from outside.
_PARTICIPANTS_MAX = 3
#: A room in which the human never arrives closes by itself, but not while the phone rings.
_EMPTY_MARGIN_S = 30
#: When both are gone the room is of no use to anybody.
_DEPARTURE_S = 5


def unguessable() -> str:
    """128 random bits in hex; nothing of the caller is in it."""
    return secrets.token_hex(16)


class Consult:
    """OPEN_CONSULT and CLOSE_CONSULT."""

    def __init__(self, legs: Legs, briefing: Briefing, signals: Signals) -> None:
        self._legs = legs
        self._briefing = briefing
        self._signals = signals
        self._closing = False

    async def open(self, effect: Effect) -> None:
        """Make the room, join it, start the consult session with its ears closed."""
        legs = self._legs
        policy = legs.policy
        empty_s = int(policy.ring_timeout_s + _EMPTY_MARGIN_S)
        with naming_settings():
            async with asyncio.timeout(policy.api_timeout_s):
                await legs.api.room.create_room(
                    api.CreateRoomRequest(
                        name=legs.consult_name,
                        empty_timeout=empty_s,
                        departure_timeout=_DEPARTURE_S,
                        max_participants=_PARTICIPANTS_MAX,
                    )
                )
        if self._closing:
            return
        room = legs.sdk.room()
        legs.consult_room = room
        self._signals.watch_consult(room)
        identity = legs.caller_room.local_participant.identity
        token = legs.sdk.token(legs.consult_name, identity, policy.token_ttl_s)
        await room.connect(legs.sdk.url, token)
        legs.consult_joined.set()
        if self._closing:
            # The close has found a room that was not connected yet, and forgotten it.
            async with asyncio.timeout(policy.api_timeout_s):
                await room.disconnect()
            return
        self._signals.look_at_consult()
        await self._briefing.open(room, effect)
        legs.post(Event(On.CONSULT_OPENED, attempt=effect.attempt, effect=effect.id))

    async def close(self) -> None:
        """Close the session, delete the room, leave it; safe to repeat.

        Each has its turn, also when one before it fails: a session that hangs keeps no room.
        """
        self._closing = True
        self._signals.forget_consult()
        try:
            await self._briefing.close()
        finally:
            try:
                await self._legs.delete_room(self._legs.consult_name)
            finally:
                await self.leave()

    async def leave(self) -> None:
        """Leave the room and let it live on; safe to repeat."""
        room = self._legs.consult_room
        if room is not None:
            async with asyncio.timeout(self._legs.policy.api_timeout_s):
                await room.disconnect()
        # Only now: a repetition after a timeout must find it.
        self._legs.consult_room = None
