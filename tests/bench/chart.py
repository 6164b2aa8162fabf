"""Bars and lines as SVG, of plain shapes and text; the same figures give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["COLOURS", "bars", "lines"]

COLOURS = ("#8a8f98", "#2563eb", "#d97706", "#059669", "#b91c1c", "#7c3aed")
WIDTH, LEFT, RIGHT, TOP = 720, 250, 90, 56
BAR, GAP = 14, 12
PLOT_HEIGHT, PLOT_LEFT = 220, 70

Point = tuple[float, float]
Span = tuple[float, float, float] | None
"""The quarter below, the median, the quarter above; None has not come."""


def bars(title: str, groups: Mapping[str, Mapping[str, Span]], unit: str) -> str:
    """Draw groups of lying bars, each with a whisker from quarter to quarter."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    spans = [span for group in groups.values() for span in group.values() if span is not None]
    most = max((span[2] for span in spans), default=0.0) or 1.0
    parts: list[str] = []
    y = float(TOP)
    for label, group in groups.items():
        middle = y + len(group) * BAR / 2 + 4
        parts.append(_text(LEFT - 10, middle, label, anchor="end"))
        for name, span in group.items():
            parts += _bar(y, span, most, COLOURS[names.index(name)], unit)
            y += BAR
        y += GAP
    return _page(title, names, parts, y)


def _bar(y: float, span: Span, most: float, colour: str, unit: str) -> list[str]:
    if span is None:
        return [_text(LEFT + 4, y + 11, "never", size=11)]
    low, median, high = (LEFT + (WIDTH - LEFT - RIGHT) * each / most for each in span)
    height, middle = BAR - 2, y + BAR / 2 - 1
    box = f'<rect x="{LEFT}" y="{y:.1f}" width="{median - LEFT:.1f}" height="{height}"'
    return [
        f'{box} fill="{colour}"/>',
        _line([(low, middle), (high, middle)], "#111827", 1),
        _text(max(median, high) + 5, y + 11, f"{span[1]:,.4g} {unit}", size=11),
    ]


def lines(
    title: str, series: Mapping[str, Sequence[Point]], *, across: str, up: str, log: bool = False
) -> str:
    """Draw lines over one axis, with a dot and the value at each point."""
    points = [point for each in series.values() for point in each]
    most_x, most_y = (max((point[at] for point in points), default=1.0) or 1.0 for at in (0, 1))
    least_x = min((point[0] for point in points), default=0.0)

    def place(point: Point) -> Point:
        share = point[0] / most_x
        if log and most_x > least_x > 0:
            share = math.log(point[0] / least_x) / math.log(most_x / least_x)
        room = WIDTH - PLOT_LEFT - RIGHT
        return PLOT_LEFT + room * share, TOP + PLOT_HEIGHT * (1 - point[1] / most_y)

    floor = float(TOP + PLOT_HEIGHT)
    parts = [_line([(PLOT_LEFT, TOP), (PLOT_LEFT, floor), (WIDTH - RIGHT, floor)], "#6b7280", 1)]
    parts += [
        _text(place((x, 0))[0], floor + 16, f"{x:,g}", anchor="middle", size=11)
        for x in sorted({point[0] for point in points})
    ]
    parts.append(_text((WIDTH + PLOT_LEFT - RIGHT) / 2, floor + 34, across, anchor="middle"))
    parts.append(_text(PLOT_LEFT - 8, TOP + 4, f"{most_y:,.4g}", anchor="end", size=11))
    parts.append(_text(PLOT_LEFT - 8, floor + 4, "0", anchor="end", size=11))
    for number, each in enumerate(series.values()):
        placed = [place(point) for point in each]
        parts.append(_line(placed, COLOURS[number], 2))
        for x, y in placed:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[number]}"/>')
    return _page(f"{title} ({up})", list(series), parts, floor + 44)


def _page(title: str, names: Sequence[str], parts: Sequence[str], height: float) -> str:
    x, legend = 10.0, []
    for number, name in enumerate(names):
        legend.append(f'<rect x="{x:.1f}" y="30" width="10" height="10" fill="{COLOURS[number]}"/>')
        legend.append(_text(x + 15, 39, name, size=12))
        x += 34 + 7 * len(name)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}"'
        f' width="{WIDTH}" height="{height:.0f}" font-family="sans-serif" role="img">'
    )
    back = f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    named = f"<title>{escape(title)}</title>"
    top = _text(10, 20, title, size=15)
    return "\n".join([head, named, back, top, *legend, *parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {place} fill="#111827">{escape(text)}</text>'


def _line(points: Sequence[Point], colour: str, width: int) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
