"""Promises about the core alone: every wait has an end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from warm_transfer.events import On
from warm_transfer.states import FINAL, HELD, WAITING, State

__all__ = ["CORES", "Core"]

#: holding, then nothing; or merging, a look, and the end: more in a row would be a loop.
DEADLINES_MAX = 4


@dataclass(frozen=True, slots=True)
class Core:
    """The core between two steps."""

    state: State
    clocks: frozenset[On]
    """The clocks that run."""
    left: int | None
    """How many state deadlines in a row end it; None when they never do."""


def every_wait_has_a_deadline(core: Core) -> Iterator[str]:
    """Every waiting state has its own clock, and the hold limit runs while the caller is held."""
    if core.state in WAITING and On.DEADLINE_PASSED not in core.clocks:
        yield f"{core.state} waits without a deadline"
    if core.state in HELD - {State.MERGING} and On.HOLD_LIMIT_PASSED not in core.clocks:
        yield f"{core.state} is not bounded by the hold limit"
    if core.state in FINAL and core.clocks:
        yield f"a clock runs on in {core.state}"


def the_clocks_alone_end_it(core: Core) -> Iterator[str]:
    """If nothing else ever happens, the deadlines lead to an end."""
    if core.state in WAITING and (core.left is None or core.left > DEADLINES_MAX):
        yield f"{core.state} is not ended by its deadlines"


CoreInvariant = Callable[[Core], Iterator[str]]

CORES: tuple[CoreInvariant, ...] = (every_wait_has_a_deadline, the_clocks_alone_end_it)
