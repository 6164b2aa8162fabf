"""Ending the caller's call: END_CALL."""

from __future__ import annotations

import asyncio

from livekit import api

from warm_transfer.livekit.faults import is_gone
from warm_transfer.livekit.legs import Legs

__all__ = ["end_call"]


async def end_call(legs: Legs) -> None:
    """Delete the caller's room, which hangs up whoever is still in it; safe to repeat."""
    try:
        async with asyncio.timeout(legs.policy.api_timeout_s):
            await legs.api.room.delete_room(api.DeleteRoomRequest(room=legs.caller_room.name))
    except api.ServerError as error:
        if not is_gone(error):
            raise
