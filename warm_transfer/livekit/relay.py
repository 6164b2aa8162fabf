"""The relay: the agent stays in both rooms and carries each party's voice to the other.

Works on any server without set-up. Only the two named microphone tracks and what the two press are
carried, so nothing else of a room can cross.
"""

from __future__ import annotations

import asyncio

from warm_transfer.livekit.lane import Broke, Lane
from warm_transfer.livekit.legs import Legs, each_has_its_turn
from warm_transfer.livekit.tones import Tones
from warm_transfer.policy import Carrier

__all__ = ["Relay"]

_MUTED = "not verified: that a muted microphone will be heard"


class Relay:
    """The merge strategy ``relay``."""

    name = "relay"
    carrier = Carrier.AGENT

    def __init__(self) -> None:
        self._lanes: tuple[Lane, ...] = ()
        self._tones: tuple[Tones, ...] = ()

    async def prepare(self, legs: Legs) -> None:
        """Nothing to prepare: the lanes are opened when they may be heard."""

    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        """Open both lanes; returns when both parties can hear each other."""
        await self.unmerge(legs)
        consult = legs.consult_room
        if consult is None:
            raise RuntimeError("there is no consult room to relay from")
        human = (consult, legs.human_identity)
        caller = (legs.caller_room, legs.caller_identity)
        short = legs.transfer_id
        self._lanes = (
            Lane(legs, human, legs.caller_room, f"relay-human-{short}", broke),
            Lane(legs, caller, consult, f"relay-caller-{short}", broke),
        )
        self._tones = (Tones(legs, human, legs.caller_room), Tones(legs, caller, consult))
        async with asyncio.TaskGroup() as group:
            for lane in self._lanes:
                group.create_task(lane.open())
        self._carry_keys()
        return _MUTED if any(lane.muted for lane in self._lanes) else None

    def _carry_keys(self) -> None:
        """Keys last: what is pressed before the two hear each other is for the agent."""
        for each in self._tones:
            each.open()

    async def unmerge(self, legs: Legs) -> None:
        """Close both lanes; safe to repeat."""
        del legs
        works: tuple[Lane | Tones, ...] = (*self._tones, *self._lanes)
        await each_has_its_turn(each.close() for each in works)
        # The lanes are kept: one that was still opening publishes its track behind its close, and
        # only a repetition finds that.

    async def health(self, legs: Legs) -> bool:
        """Whether both lanes carry sound and both parties are there."""
        consult = legs.consult_room
        present = (
            consult is not None
            and legs.human_identity in consult.remote_participants
            and legs.caller_identity in legs.caller_room.remote_participants
        )
        stands = present and bool(self._lanes) and all(lane.healthy for lane in self._lanes)
        if stands:
            # A merge that was cut off before its end has not come to this.
            self._carry_keys()
        return stands
