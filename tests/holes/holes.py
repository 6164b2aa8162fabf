"""The holes, as data: id, title, what either side does, and the script that shows it.

Play one with ``clock.run(hole.observe("ours"))`` (`warm_transfer.testing.clock`).
"""

from __future__ import annotations

from tests.holes.hole import SIDES, Hole, Observation, Side

__all__ = ["HOLES", "SIDES", "Hole", "Observation", "Side"]

HOLES: tuple[Hole, ...] = ()
