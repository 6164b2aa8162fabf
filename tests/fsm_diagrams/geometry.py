"""What a scene looks like to an eye: where lines run, and what they run into."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from fsm_diagrams.layered import Point
from fsm_diagrams.scene import COLUMN, LINE_HEIGHT, PAD, TITLE_HEIGHT, Box, Route, Scene
from fsm_diagrams.text_size import columns, title_width

__all__ = ["crossed_boxes", "crossed_labels", "crossed_titles", "outside", "overlapping", "samples"]

Rectangle = tuple[int, int, int, int]

#: Points looked at on each bend; a bend between two ranks is at most 78 pixels high.
SAMPLES = 24


def samples(points: tuple[Point, ...]) -> Iterator[tuple[float, float]]:
    """Points along a route, as it is drawn."""
    for (x0, y0), (x, y) in pairwise(points):
        middle = (y0 + y) // 2
        for number in range(SAMPLES + 1):
            t = number / SAMPLES
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield (a + b) * x0 + (c + d) * x, a * y0 + (b + c) * middle + d * y


def _runs_through(route: Route, rectangle: Rectangle) -> bool:
    """Whether a route comes inside a rectangle; pieces that are nowhere near are not sampled."""
    left, top, width, height = rectangle
    for (x0, y0), (x, y) in pairwise(route.points):
        far = max(x0, x) <= left or min(x0, x) >= left + width
        if far or max(y0, y) <= top or min(y0, y) >= top + height:
            continue
        for px, py in samples(((x0, y0), (x, y))):
            if left < px < left + width and top < py < top + height:
                return True
    return False


def _rectangle(box: Box) -> Rectangle:
    return *box.at, box.width, box.height


def crossed_labels(drawn: Scene) -> list[tuple[int, int]]:
    """Each line with the label of another that it runs through."""
    labels = [(r, (*r.label.at, r.label.width, r.label.height)) for r in drawn.routes if r.label]
    return [
        (route.index, other.index)
        for route in drawn.routes
        if not route.loop
        for other, rectangle in labels
        if other is not route and _runs_through(route, rectangle)
    ]


def crossed_boxes(drawn: Scene) -> list[tuple[int, tuple[str, ...]]]:
    """Each line with a box that it runs through, other than one that holds an end of it."""
    inner = [box for box in drawn.boxes if not box.encloses and box.role != "start"]
    return [
        (route.index, box.title)
        for route in drawn.routes
        if not route.loop
        for box in inner
        if _runs_through(route, _rectangle(box))
    ]


def crossed_titles(drawn: Scene) -> list[tuple[int, tuple[str, ...]]]:
    """Each line that runs through the text at the top of a box around other boxes."""
    around = [box for box in drawn.boxes if box.encloses]
    return [
        (route.index, box.title)
        for route in drawn.routes
        if not route.loop
        for box in around
        if _runs_through(route, _title(box))
    ]


def _title(box: Box) -> Rectangle:
    widths = [title_width(line) for line in box.title]
    widths += [round(columns(said.text) * COLUMN) for said in box.inside]
    height = len(box.title) * TITLE_HEIGHT + len(box.inside) * LINE_HEIGHT
    return box.at[0] + PAD, box.at[1], max(widths), height


def overlapping(drawn: Scene) -> list[tuple[Rectangle, Rectangle]]:
    """Labels and boxes that lie on one another."""
    found = [_rectangle(box) for box in drawn.boxes if not box.encloses]
    found += [(*r.label.at, r.label.width, r.label.height) for r in drawn.routes if r.label]
    return [
        (a, b)
        for number, a in enumerate(found)
        for b in found[number + 1 :]
        if a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]
    ]


def outside(drawn: Scene) -> list[Rectangle]:
    """What does not lie in the drawing, or, of what a box holds, not in the box."""
    found = [_rectangle(box) for box in drawn.boxes]
    found += [(*r.label.at, r.label.width, r.label.height) for r in drawn.routes if r.label]
    clipped = [r for r in found if r[0] < 0 or r[1] < 0]
    clipped += [r for r in found if r[0] + r[2] > drawn.width or r[1] + r[3] > drawn.height]
    return clipped
