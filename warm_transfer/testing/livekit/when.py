"""When something happens in a scenario: so many seconds after something of the transfer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from warm_transfer.errors import InvalidArgument
from warm_transfer.events import On
from warm_transfer.states import DELIVERED, State

__all__ = ["ANCHORS", "WHILE", "When"]

ANCHORS: Mapping[str, tuple[frozenset[On], frozenset[State]]] = {
    "request": (frozenset({On.TRANSFER_REQUESTED}), frozenset()),
    "dial": (frozenset(), frozenset({State.DIALING})),
    "ringing": (frozenset({On.CONSULT_RANG}), frozenset()),
    "answer": (frozenset(), frozenset({State.BRIEFING})),
    "yes": (frozenset(), frozenset({State.MERGING})),
    "merge": (frozenset(), frozenset({State.MERGED})),
    "outcome": (frozenset(), DELIVERED),
}
"""What a time can count from: an event that the transfer takes, or a state that it enters."""

WHILE: Mapping[str, tuple[str, float]] = {
    "dialing": ("dial", 0.01),
    "ringing": ("ringing", 1.0),
    "briefing": ("answer", 1.0),
    "merging": ("yes", 0.03),
    "merged": ("merge", 5.0),
}
"""What "while" a state means: the anchor, and how many seconds after it."""


@dataclass(frozen=True, slots=True)
class When:
    """So many seconds after an anchor; never, if the anchor is never reached."""

    after_s: float
    of: str = "request"

    def __post_init__(self) -> None:
        if self.of not in ANCHORS:
            known = ", ".join(ANCHORS)
            raise InvalidArgument("of", f"is {self.of!r}", f"give one of {known}")
        if self.after_s < 0:
            raise InvalidArgument("after_s", f"is {self.after_s!r}", "give seconds from 0 on")
