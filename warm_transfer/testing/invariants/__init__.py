"""What must be true of every transfer, whatever happens: the invariants of the design.

Each is one function with its sentence as docstring, and yields what is wrong, so that a
counterexample names the promise it breaks. Those of `STEPS` look at one step of the core and at
what is known from the steps before; those of `SCENES` look at the core's state and at the world;
those of `CORES` look at the core alone. None needs asyncio or LiveKit, so they hold for the
explorer's model, for a replayed journal and for a run in any world alike.
"""

from __future__ import annotations

from warm_transfer.testing.invariants.cores import CORES, Core
from warm_transfer.testing.invariants.judge import STEPS, broken_by, repeated
from warm_transfer.testing.invariants.known import Known, Moment, learn
from warm_transfer.testing.invariants.scenes import SCENES, Scene

__all__ = [
    "CORES",
    "SCENES",
    "STEPS",
    "Core",
    "Known",
    "Moment",
    "Scene",
    "broken_by",
    "learn",
    "repeated",
]
