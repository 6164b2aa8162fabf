"""All promises together, asked of a step, of the core alone, or of core and world."""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.effects import RELEASES
from warm_transfer.events import CLOCKS
from warm_transfer.testing.invariants.cores import CORES, Core
from warm_transfer.testing.invariants.ends import ENDS
from warm_transfer.testing.invariants.known import Moment, StepInvariant
from warm_transfer.testing.invariants.merged import MERGED_CALLS
from warm_transfer.testing.invariants.merging import MERGES
from warm_transfer.testing.invariants.scenes import SCENES, Scene
from warm_transfer.testing.invariants.waiting import WAITS
from warm_transfer.transfer import Step

__all__ = ["STEPS", "broken_by", "repeated"]

STEPS: tuple[StepInvariant, ...] = (*ENDS, *WAITS, *MERGES, *MERGED_CALLS)
"""The promises about one step."""


def broken_by(seen: Moment | Core | Scene) -> Iterator[tuple[str, str]]:
    """The invariants that do not hold, as (name, what is wrong)."""
    match seen:
        case Moment():
            for about_step in STEPS:
                for wrong in about_step(seen):
                    yield about_step.__name__, wrong
        case Core():
            for about_core in CORES:
                for wrong in about_core(seen):
                    yield about_core.__name__, wrong
        case Scene():
            for about_scene in SCENES:
                for wrong in about_scene(seen):
                    yield about_scene.__name__, wrong


def repeated(first: Step, second: Step) -> Iterator[tuple[str, str]]:
    """A report that is delivered twice changes nothing the second time."""
    name = "a_report_delivered_twice_changes_nothing"
    if first.event.effect is None or first.event.name in CLOCKS:
        return
    if second.before is not second.after:
        yield name, f"{first.event.name} again leads to {second.after}"
    extra = {effect.name for effect in second.effects} - RELEASES
    if extra:
        yield name, f"{first.event.name} again starts {sorted(extra)}"
