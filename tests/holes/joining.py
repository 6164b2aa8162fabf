"""What goes wrong while the legs are joined, said for both ways of joining them.

The incumbent moves the human's leg; ours publishes a track in each room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warm_transfer.testing.livekit.faults import Fault, How

__all__ = ["JOIN_FAILS", "JOIN_IS_UNCERTAIN", "JOIN_NOT_AT_ONCE", "NOTHING", "Plan", "join"]

Plan = Mapping[tuple[str, int], Fault]


def join(how: How, **options: Any) -> Plan:
    """The legs cannot be joined but in this way."""
    fault = Fault(how, **options)
    return {("room.move_participant", 0): fault, ("room.publish_track", 0): fault}


NOTHING: Plan = {}
JOIN_FAILS = join(How.FAILS)
JOIN_NOT_AT_ONCE = join(How.LATE, seconds=2.0)
JOIN_IS_UNCERTAIN = join(How.FAILS_AFTER, error=TimeoutError())
"""What was asked for is done, but the answer is lost."""
