"""The consult: a place to talk to the human, joined with a short-lived token, and given back."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator

from warm_transfer.effects import Effect
from warm_transfer.events import Event, On
from warm_transfer.livekit.briefing import Briefing
from warm_transfer.livekit.legs import Doubt, Legs
from warm_transfer.livekit.places import OwnRoom, Place
from warm_transfer.livekit.signals import Signals
from warm_transfer.ports import Work

__all__ = ["Consult", "unguessable"]


def unguessable() -> str:
    """128 random bits in hex; nothing of the caller is in it."""
    return secrets.token_hex(16)


class Consult:
    """OPEN_CONSULT, START_BRIEFING and CLOSE_CONSULT.

    Args:
        legs: who is where.
        briefing: the conversation with the human.
        signals: listens to the room.
        place: where the human is talked to; a room of its own unless given.
    """

    def __init__(
        self, legs: Legs, briefing: Briefing, signals: Signals, place: Place | None = None
    ) -> None:
        self._legs = legs
        self._briefing = briefing
        self._signals = signals
        self._place = place or OwnRoom()
        self._closing = False
        self._doubt = Doubt()

    def open(self, effect: Effect) -> Work:
        """Guard the place at once, for the dial leaves next; then join it and start the session."""
        self._place.guard(self._legs)
        return self._open(effect)

    async def _open(self, effect: Effect) -> None:
        """Have the room, join it, start the consult session with its ears closed."""
        legs = self._legs
        policy = legs.policy
        with self._in_doubt_if_cut_off():
            await self._place.make(legs)
        await self._until_held()
        if self._closing:
            return
        room = legs.sdk.room()
        legs.consult_room = room
        self._signals.watch_consult(room)
        identity = self._place.identity(legs)
        token = legs.sdk.token(legs.consult_name, identity, policy.token_ttl_s)
        with self._in_doubt_if_cut_off():
            await room.connect(legs.sdk.url, token)
        legs.consult_joined.set()
        if self._closing:
            # The close has found a room that was not connected yet, and forgotten it.
            async with asyncio.timeout(policy.api_timeout_s):
                await room.disconnect()
            return
        self._signals.look_at_consult()
        self._place.enter(legs, room)
        await self._briefing.open(room, effect)
        legs.post(Event(On.CONSULT_OPENED, attempt=effect.attempt, effect=effect.id))

    @contextlib.contextmanager
    def _in_doubt_if_cut_off(self) -> Iterator[None]:
        """The server makes the room all the same, the SDK joins as somebody whom nobody holds."""
        try:
            yield
        except (asyncio.CancelledError, TimeoutError):
            self._doubt.stands = True
            raise

    async def _until_held(self) -> None:
        """Let the caller have the hold audio first: joining a room keeps the processor busy."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._legs.policy.hold_lead_s):
                await self._legs.hold_settled.wait()

    async def brief(self, effect: Effect) -> None:
        """Let the human hear the agent, and begin; unless the briefing is over by then."""
        await self._place.admit(self._legs)
        if not self._briefing.over:
            await self._briefing.start(effect)

    async def close(self) -> None:
        """Close the session, give the place back, leave it; safe to repeat.

        Each has its turn, also when one before it fails: a session that hangs keeps no room.
        """
        self._closing = True
        self._doubt.begin(self._legs)
        self._signals.forget_consult()
        try:
            await self._briefing.close()
        finally:
            try:
                await self._doubt.remove(self._place.give_back(self._legs))
            finally:
                await self._leave()
        # Somebody may join late, who makes the room anew.
        await self._doubt.repeat(lambda: self._place.give_back(self._legs))

    async def aclose(self) -> None:
        """Let go of the session, the place, and a room that lives on; safe to repeat."""
        try:
            # Where the room lives on nobody has closed it, and the first time it may have failed.
            await self._briefing.close()
        finally:
            try:
                await self._place.aclose()
            finally:
                await self._leave()

    async def _leave(self) -> None:
        """Leave the room and let it live on; safe to repeat."""
        room = self._legs.consult_room
        if room is not None:
            async with asyncio.timeout(self._legs.policy.api_timeout_s):
                await room.disconnect()
        # Only now: a repetition after a timeout must find it.
        self._legs.consult_room = None
