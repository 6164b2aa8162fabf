"""What a layout of Graphviz says of its own boxes, and whether labels are in the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.fsm_diagrams.judges import dot_sees

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A box, in points."""

    name: str
    left: float
    low: float
    right: float
    high: float

    def meets(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.low < other.high
            and other.low < self.high
        )

    def holds(self, at: Point) -> bool:
        return self.left < at[0] < self.right and self.low < at[1] < self.high


class Layout:
    """The boxes and lines of a graph, as ``dot -Tjson`` lays them out."""

    def __init__(self, text: str) -> None:
        (self._drawn,) = dot_sees([text])
        self._objects: list[dict[str, Any]] = self._drawn["objects"]

    @property
    def page(self) -> Box:
        left, low, right, high = map(float, self._drawn["bb"].split(","))
        return Box("page", left, low, right, high)

    def boxes(self, kind: str) -> Iterator[Box]:
        """The nodes whose id begins so: ``arrow`` for labels, ``state`` for states."""
        for found in self._objects:
            if "pos" in found and found.get("id", "").startswith(f"{kind}-"):
                x, y = map(float, found["pos"].split(","))
                wide, high = (float(found[side]) * 72 / 2 for side in ("width", "height"))
                yield Box(found["name"], x - wide, y - high, x + wide, y + high)

    def lines(self) -> Iterator[tuple[set[str], list[Point]]]:
        """Each edge: the names of its ends, and points all along it."""
        for edge in self._drawn["edges"]:
            ends = {self._objects[edge[end]]["name"] for end in ("tail", "head")}
            yield ends, list(_along(edge["pos"]))

    def faults(self) -> Iterator[str]:
        """Every label that is clipped, covered, or crossed by an edge that is not its own."""
        labels = list(self.boxes("arrow"))
        states = list(self.boxes("state"))
        page = self.page
        for label in labels:
            corners = ((label.left + 1, label.low + 1), (label.right - 1, label.high - 1))
            if not all(page.holds(corner) for corner in corners):
                yield f"{label.name} is clipped"
            for other in (*labels, *states):
                if other.name != label.name and label.meets(other):
                    yield f"{label.name} and {other.name} cover each other"
        for ends, points in self.lines():
            round_it = _box_of(points)
            for box in (*labels, *states):
                if box.name in ends or not box.meets(round_it):
                    continue
                if any(box.holds(point) for point in points):
                    yield f"the line {' - '.join(sorted(ends))} crosses {box.name}"


def _box_of(points: list[Point]) -> Box:
    """The box around a line: what does not meet it needs no closer look."""
    across, up = zip(*points, strict=True)
    return Box("line", min(across), min(up), max(across), max(up))


def _along(pos: str) -> Iterator[Point]:
    """Points on a spline in the notation of Graphviz, closer than any letter is wide."""
    for piece in pos.split(";"):
        marked = [part for part in piece.split() if part[0] in "es"]
        plain = [part for part in piece.split() if part[0] not in "es"]
        points = [_point(part) for part in plain]
        yield from (_point(part[2:]) for part in marked)
        for at in range(0, len(points) - 3, 3):
            yield from _curve(points[at : at + 4])


def _point(text: str) -> Point:
    x, y = text.split(",")
    return float(x), float(y)


def _curve(points: list[Point], steps: int = 200) -> Iterator[Point]:
    for step in range(steps + 1):
        t = step / steps
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        x = sum(weight * at[0] for weight, at in zip(weights, points, strict=True))
        y = sum(weight * at[1] for weight, at in zip(weights, points, strict=True))
        yield x, y
