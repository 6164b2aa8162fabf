"""What a hole is: a script played on one of two sides, and what was seen there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["SIDES", "Hole", "Observation", "Side"]

Side = Literal["incumbent", "ours"]
SIDES: tuple[Side, Side] = ("incumbent", "ours")


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen when a hole's script was played."""

    held: bool
    """Whether what the title fears did not happen."""
    said: str
    """What was seen, in a short sentence."""


Script = Callable[[Side], Awaitable[Observation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """One way in which a caller or a human can be let down."""

    id: str
    """``H1`` to ``H40`` and ``H26b``."""
    title: str
    """What goes wrong."""
    incumbent_does: str
    """What livekit-agents' own class does then."""
    ours_does: str
    """What ours does then."""
    script: Script
    """Plays it and looks, with the same eyes on both sides."""
    not_drivable: str = ""
    """Why it cannot be played on the incumbent; empty when it can."""

    @property
    def name(self) -> str:
        """The name of its test, such as ``h01_caller_hangs_up_while_ringing``."""
        return getattr(self.script, "__name__", "")

    async def observe(self, side: Side) -> Observation:
        """Play it on one side. Needs a running loop with a fresh virtual clock.

        Raises:
            ValueError: it cannot be played on the incumbent; see `not_drivable`.
        """
        if side == "incumbent" and self.not_drivable:
            raise ValueError(f"{self.id} cannot be played on the incumbent: {self.not_drivable}")
        return await self.script(side)
