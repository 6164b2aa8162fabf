"""The move: the server puts the human's leg into the caller's room, and the agent is not needed.

Only the vendor's cloud can do it (livekit/livekit issue 4203). A lost answer may have been a move,
and an answer is none yet: the proof is that the human can be heard in the caller's room.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from livekit import api, rtc

from warm_transfer.livekit.arrival import can_be_heard, comes_true
from warm_transfer.livekit.lane import Broke
from warm_transfer.livekit.legs import Legs, look_away, unless
from warm_transfer.livekit.sdk import Room
from warm_transfer.livekit.whereabouts import are_placed, members_of
from warm_transfer.policy import Carrier

__all__ = ["Move"]

#: What a server says that will never move this leg: the open-source one, and the cloud to an old
#: client (facts 5.7). Both come with the code of an accident.
_NEVER = ("not implemented", "does not support moving")

#: After these the leg may have been moved all the same: a replayed request finds nobody any more,
#: and a time-out says nothing.
_UNSURE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.REQUEST_TIMEOUT})

_UNVERIFIED = "not verified: that the two hear each other, for the server tells nobody"


class Move:
    """The merge strategy ``move``."""

    name = "move"
    carrier = Carrier.SERVER

    def __init__(self) -> None:
        self._asked: asyncio.Task[None] | None = None
        self._going_back = False
        """The last request to move the human; until it has ended they may still be moved."""
        self._undone = asyncio.Event()

    async def prepare(self, legs: Legs) -> None:
        """Nothing to prepare: who has been moved is heard at once."""

    async def merge(self, legs: Legs, broke: Broke) -> str:
        """Move the human; returns when they have arrived. Only a hang-up ends it, and is told."""
        del broke
        self._undone = asyncio.Event()
        await unless(self._undone, self._bring(legs, legs.consult_room, legs.caller_room))
        if legs.caller_identity not in legs.caller_room.remote_participants:
            raise LookupError("the caller is not there")
        return _UNVERIFIED

    async def unmerge(self, legs: Legs) -> None:
        """Move the human back, if they have been moved and the consult room stands.

        If it does not, there is nothing to go back to, and they are hung up where they are.
        """
        if self._asked is None:
            return
        self._undone.set()
        await asyncio.wait([self._asked])
        here, back = legs.caller_room, legs.consult_room
        moved = legs.consult_connected and legs.human_identity in await members_of(legs, here.name)
        if moved and back is not None:
            # What the agent sees lags behind the server; it has to have seen them come to see
            # them go.
            await comes_true(
                lambda: can_be_heard(here, legs.human_identity), legs.policy.look_timeout_s, here
            )
            # Moved into a room that was given up meanwhile, they would make it anew, and be alone.
            if legs.consult_connected:
                self._going_back = True
                await self._bring(legs, here, back)
        if self._going_back and not legs.consult_connected:
            # It was given up while they were on the way to it.
            await legs.delete_room(legs.consult_name)
        self._asked, self._going_back = None, False

    async def health(self, legs: Legs) -> bool:
        """Whether both are in the caller's room; one who is on the way is waited for."""
        room, share_s = legs.caller_room, legs.policy.look_timeout_s / 2
        arrived = await comes_true(lambda: can_be_heard(room, legs.human_identity), share_s, room)
        if room.connection_state == rtc.ConnectionState.CONN_RECONNECTING:
            # The agent sees nobody then; the server does.
            return await are_placed(legs, self.carrier)
        return arrived and legs.caller_identity in room.remote_participants

    async def _bring(self, legs: Legs, source: Room | None, target: Room) -> None:
        """Have the human moved, and return when they can be heard in the other room.

        Raises:
            LookupError: there is no room to move them from.
            api.ServerError: the server refuses.
            TimeoutError: they have not come.
        """
        if source is None:
            raise LookupError("there is no consult room")
        legs.at_rest.clear()
        try:
            await self._arrival(legs, source, target)
        finally:
            legs.at_rest.set()

    async def _arrival(self, legs: Legs, source: Room, target: Room) -> None:
        def heard() -> bool:
            left = not source.isconnected() or legs.human_identity not in source.remote_participants
            return left and can_be_heard(target, legs.human_identity)

        def settled() -> bool:
            return heard() or not target.isconnected()

        if heard():
            return
        policy = legs.policy
        asked = self._asked = _ask(legs, source.name, target.name)
        arrives = asyncio.ensure_future(comes_true(settled, policy.merge_timeout_s, source, target))
        try:
            await asyncio.wait([asked, arrives], return_when=asyncio.FIRST_COMPLETED)
            if not settled():
                asked.result()
            while not await comes_true(settled, policy.look_timeout_s, source, target):
                if await _is_elsewhere(legs, target.name):
                    raise TimeoutError("the human has not come")
            if not heard():
                raise ConnectionAbortedError("the room to move the human to is lost")
        finally:
            if heard():
                asked.cancel()
            arrives.cancel()
            await asyncio.wait([arrives])


async def _is_elsewhere(legs: Legs, room: str) -> bool:
    """Whether the human is not in a room, says the server; who is, is on the way to our ears."""
    try:
        return legs.human_identity not in await members_of(legs, room)
    except Exception as error:  # noqa: BLE001 - a server that restarts brings them back to it
        legs.log.debug("human not looked for", detail=type(error).__name__)
        return False


def _ask(legs: Legs, source: str, target: str) -> asyncio.Task[None]:
    """Ask the server to move the human; not to be cancelled before they have come.

    The request goes on at the server whatever becomes of it here, so whoever undoes the move has
    to know when it has ended.
    """
    name = f"warm-transfer {legs.transfer_id} move"
    asked = asyncio.get_running_loop().create_task(_request(legs, source, target), name=name)
    asked.add_done_callback(look_away)
    return asked


async def _request(legs: Legs, source: str, target: str) -> None:
    request = api.MoveParticipantRequest(
        room=source, identity=legs.human_identity, destination_room=target
    )
    try:
        async with asyncio.timeout(legs.policy.api_timeout_s):
            await legs.api.room.move_participant(request)
    except Exception as error:
        if _is_refusal(error):
            raise
        # The human's arrival tells; so does it when they do not come.
        legs.log.warning("move uncertain", detail=type(error).__name__)


def _is_refusal(error: Exception) -> bool:
    """Whether the server has said that it has not moved, and will not."""
    if not isinstance(error, api.ServerError):
        return False
    client_error = HTTPStatus.BAD_REQUEST <= error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    never = any(words in error.message for words in _NEVER)
    return never or (client_error and error.status not in _UNSURE)
