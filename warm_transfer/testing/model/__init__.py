"""A pure model of the world around the core: the caller, the consult leg, effects in flight.

What the explorer walks. No asyncio, no LiveKit: a configuration of the world is a tuple, and a
move is the next thing that may happen in it. The order between effects is the runner's and comes
from `warm_transfer.effects`: an effect waits for what stands in ``AFTER``; a release does not wait
for a start in flight, it runs at once and again when that start has returned.

Where the model is stricter or coarser than the real thing, it says so:

* A start that has not begun when its release comes never begins.
* A merge or a look waits for an earlier unmerge *and* its repetition, or that would undo the new
  merge.
* A report is taken before what waited for its effect begins.
* Releases, notices and deliveries report nothing when they do well and act on different things,
  so their completions are walked in one order; everything else happens in every order.
* After the end the core changes no more, and what is left to do to different things (the merge,
  the leg, the consult room, the caller's sound) is walked one thing after the other.
* A release that fails is tried again; ``RELEASE_FAILED`` may come any number of times meanwhile.
* An effect that never returns is one that is never chosen; the clocks go on without it.
"""

from __future__ import annotations

from warm_transfer.testing.model.flights import Flight, Flights, Phase, late_by, launch
from warm_transfer.testing.model.moves import moves
from warm_transfer.testing.model.scene import Move, Surroundings
from warm_transfer.testing.model.world import Leg, Music, Room, World, begin

__all__ = [
    "Flight",
    "Flights",
    "Leg",
    "Move",
    "Music",
    "Phase",
    "Room",
    "Surroundings",
    "World",
    "begin",
    "late_by",
    "launch",
    "moves",
]
