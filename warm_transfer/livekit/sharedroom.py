"""The shared room: the human is dialled into the caller's room, behind gates that the merge opens.

The fastest merge and the best sound, for no media passes the agent; and the weakest privacy, for
what is in the caller's room is one reconnect away from the caller's ear (facts 0.1). So it is only
used when it is asked for by name, and alone.
"""

from __future__ import annotations

from collections.abc import Callable

from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.places import CallersRoom
from warm_transfer.policy import Carrier

__all__ = ["SharedRoom"]

_UNVERIFIED = "not verified: that the two hear each other, for the server tells nobody"


class SharedRoom:
    """The merge strategy ``shared_room``."""

    name = "shared_room"
    carrier = Carrier.SERVER

    def __init__(self) -> None:
        self.place = CallersRoom()
        """Where the human is talked to."""

    async def prepare(self, legs: Legs) -> None:
        """Nothing to prepare: both are in one room."""

    async def merge(self, legs: Legs, broke: Callable[[BaseException | None], None]) -> str | None:
        """Open the gates. Nothing but a departure breaks it, and departures are watched."""
        del legs, broke
        if self.place.gates is None:
            raise RuntimeError("nobody guards the caller's room")
        await self.place.gates.open()
        return _UNVERIFIED

    async def unmerge(self, legs: Legs) -> None:
        """Shut the gates again behind this; the human's leg is hung up beside it."""
        del legs
        if self.place.gates is not None:
            self.place.gates.shut()

    async def health(self, legs: Legs) -> bool:
        """Whether the gates are open; who is in the room, whoever looks asks the server."""
        del legs
        return self.place.gates is not None and self.place.gates.are_open
