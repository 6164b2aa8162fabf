"""Every path: breadth-first over the core with effects in flight, every invariant on each step.

A configuration is the core, what is known of the steps so far, the effects in flight and the
world. `explore` walks all of them for a few policies and plans and reports what it reached and,
for each invariant that does not hold, the shortest way to break it. Time is abstract: a clock
that runs may run out at any moment.

The core itself is walked, not a copy of its rules: each step is `Transfer.receive` on a snapshot.
Steps are remembered by the core's memory with its effect ids renumbered, because ids are only ever
compared; `Explorer.replay` plays a path through a fresh transfer and so checks that as well.
"""

from __future__ import annotations

from warm_transfer.testing.explorer.counterexample import Counterexample
from warm_transfer.testing.explorer.exploring import explore
from warm_transfer.testing.explorer.report import Report, report_of
from warm_transfer.testing.explorer.scopes import SCOPES, OutsideModel, Scope
from warm_transfer.testing.explorer.walk import Explorer

__all__ = [
    "SCOPES",
    "Counterexample",
    "Explorer",
    "OutsideModel",
    "Report",
    "Scope",
    "explore",
    "report_of",
]
