"""How states look, in every format that has colours: what a reader learns once holds everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fsm_diagrams.model import Kind

__all__ = ["ANY", "LEGEND", "STYLES", "Style"]


@dataclass(frozen=True, slots=True)
class Style:
    """Colours that read on a light and on a dark page: each brings its own text colour."""

    fill: str
    stroke: str
    text: str
    thick: bool = False
    dashed: bool = False


STYLES: Mapping[Kind, Style] = {
    Kind.ORDINARY: Style("#e7f0fa", "#4a7ab0", "#12263a"),
    Kind.WAITING: Style("#fff3bf", "#b08900", "#3d2f00"),
    Kind.SUCCESS: Style("#c6f1cd", "#2b8a3e", "#0b3d17", thick=True),
    Kind.FAILURE: Style("#ffe0e0", "#c92a2a", "#4a0d0d"),
    Kind.OVER: Style("#e9ecef", "#5c636a", "#1f2327"),
}

ANY = Style("#ffffff", "#868e96", "#343a40", dashed=True)
"""The stand-in for every state of a box."""

LEGEND: Mapping[Kind, str] = {
    Kind.ORDINARY: "not waiting",
    Kind.WAITING: "waiting, with a clock",
    Kind.SUCCESS: "outcome: success",
    Kind.FAILURE: "outcome: no success",
    Kind.OVER: "over",
}
