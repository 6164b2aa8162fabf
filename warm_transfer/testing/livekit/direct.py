"""A simulated merge without the agent: the human's leg is moved into the caller's room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import api

from warm_transfer.livekit.legs import Legs, microphone_of
from warm_transfer.policy import Carrier

__all__ = ["SimDirect"]

_LOOK_S = 0.01
"""How often the rooms are looked at while the leg is on its way."""


class SimDirect:
    """A `MergeStrategy` in which the sound runs without the agent.

    Needs a world whose server can move participants. It stands for what the agent has to do with
    such a call afterwards, not for how the vendor's cloud moves a leg.
    """

    name = "direct"
    carrier = Carrier.SERVER

    def __init__(self) -> None:
        self._asked = False

    async def prepare(self, legs: Legs) -> None:
        """Nothing to prepare."""

    async def merge(self, legs: Legs, broke: Callable[[BaseException | None], None]) -> None:
        """Move the human; returns when both rooms tell so, and nothing breaks it but a hang-up."""
        del broke
        await self.unmerge(legs)
        self._asked = True
        legs.at_rest.clear()
        try:
            await legs.api.room.move_participant(
                api.MoveParticipantRequest(
                    room=legs.consult_name,
                    identity=legs.human_identity,
                    destination_room=legs.caller_room.name,
                )
            )
            if not await _within(legs.policy.merge_timeout_s, lambda: _arrived(legs)):
                raise TimeoutError
        finally:
            legs.at_rest.set()

    async def unmerge(self, legs: Legs) -> None:
        """Take a leg that has been moved out of the caller's room."""
        if not self._asked:
            return
        human = api.RoomParticipantIdentity(
            room=legs.caller_room.name, identity=legs.human_identity
        )
        await legs.removed(legs.api.room.remove_participant(human))
        self._asked = False

    async def health(self, legs: Legs) -> bool:
        """Whether both are in the caller's room; one who is on the way is waited for."""
        return await _within(legs.policy.look_timeout_s / 2, lambda: _arrived(legs))


def _arrived(legs: Legs) -> bool:
    """Whether the human's voice is in the caller's room, and the consult room knows of it."""
    room, consult = legs.caller_room, legs.consult_room
    voice = microphone_of(room, legs.human_identity)
    gone = consult is None or legs.human_identity not in consult.remote_participants
    there = legs.caller_identity in room.remote_participants
    return there and gone and voice is not None and voice.track is not None


async def _within(limit_s: float, holds: Callable[[], bool]) -> bool:
    """Whether something comes to hold within so many seconds."""
    for _ in range(int(limit_s / _LOOK_S)):
        if holds():
            return True
        await asyncio.sleep(_LOOK_S)
    return holds()
