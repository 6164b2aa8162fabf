"""What a review paints over a picture: which rows are new, gone, changed or never taken.

A `Paint` holds words, not colours: each drawing format has its own colours for them, from
`COLOURS`, so that all of them mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["COLOURS", "RANK", "Colour", "Look", "Paint", "legend_of"]

Colour = Literal["added", "removed", "changed", "uncovered", "plain"]
"""What a look means."""

COLOURS: Mapping[Colour, str] = {
    "added": "#2b8a3e",
    "removed": "#c92a2a",
    "changed": "#b36b00",
    "uncovered": "#b36b00",
    "plain": "#4a5057",
}
"""The colour of each as ``#rrggbb``; they read on white and on a dark page."""

RANK: tuple[Colour, ...] = ("plain", "changed", "added", "uncovered", "removed")
"""For an arrow that stands for several rows: the look of the last of these that occurs wins."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one row or one state is drawn."""

    colour: Colour = "plain"
    dashed: bool = False
    text: str = ""
    """Said beside the label, such as a count or what has changed; may be empty."""


@dataclass(frozen=True)
class Paint:
    """The looks of a picture. What is not named is drawn as ever."""

    edges: Mapping[str, Look] = field(default_factory=dict)
    """By `Edge.id`."""
    states: Mapping[str, Look] = field(default_factory=dict)
    """By name."""
    meaning: Mapping[Colour, str] = field(default_factory=dict)
    """What the legend says of a colour in this review, such as ``never taken``."""
    title: str = ""
    """Said above the picture instead of the machine's name; empty for the name."""

    def edge(self, name: str) -> Look | None:
        """The look of a row by its id, if it has one."""
        return self.edges.get(name)

    def state(self, name: str) -> Look | None:
        """The look of a state by its name, if it has one."""
        return self.states.get(name)


def legend_of(paint: Paint) -> tuple[tuple[Look, str], ...]:
    """The entries of a legend: each colour that occurs and has a meaning, once, in `RANK` order."""
    looks = {look.colour: look for look in (*paint.states.values(), *paint.edges.values())}
    return tuple(
        (Look(colour, dashed=looks[colour].dashed), paint.meaning[colour])
        for colour in RANK
        if colour in looks and colour in paint.meaning
    )
