"""Ending the caller's call: END_CALL."""

from __future__ import annotations

from warm_transfer.livekit.legs import Legs

__all__ = ["end_call"]


async def end_call(legs: Legs) -> None:
    """Delete the caller's room, which hangs up whoever is still in it; safe to repeat."""
    await legs.delete_room(legs.caller_room.name)
