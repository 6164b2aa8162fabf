"""Where caller and human are, as the server says it: the agent's own view may lag behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from livekit import api

from warm_transfer.livekit.legs import Legs
from warm_transfer.policy import Carrier

__all__ = ["are_placed", "members_of"]

#: The share of `TransferPolicy.look_timeout_s` that the server has for its answer; the rest is
#: for the look at the sound.
_SHARE = 0.25


async def members_of(legs: Legs, room: str) -> Mapping[str, api.ParticipantInfo]:
    """Who is in a room, by identity; nobody is in a room that is not there.

    Raises:
        TimeoutError: no answer within a quarter of `look_timeout_s`.
        Exception: what the SDK raises.
    """
    asked = api.ListParticipantsRequest(room=room)
    async with asyncio.timeout(legs.policy.look_timeout_s * _SHARE):
        answer = await legs.api.room.list_participants(asked)
    gone = api.ParticipantInfo.State.DISCONNECTED
    return {each.identity: each for each in answer.participants if each.state != gone}


async def are_placed(legs: Legs, carrier: Carrier) -> bool:
    """Whether both parties are where they have to be for this carrier to join them.

    The server joins them in the caller's room; an agent or a bridge joins two rooms.

    Raises:
        TimeoutError: no answer within a quarter of `look_timeout_s`.
        Exception: what the SDK raises.
    """
    caller_room = legs.caller_room.name
    if carrier is Carrier.SERVER:
        members = await members_of(legs, caller_room)
        return legs.caller_identity in members and legs.human_identity in members
    with_caller, with_human = await asyncio.gather(
        members_of(legs, caller_room), members_of(legs, legs.consult_name)
    )
    return legs.caller_identity in with_caller and legs.human_identity in with_human
