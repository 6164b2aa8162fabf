"""A machine as SVG without any renderer: the same bytes on every machine.

The picture follows the reader's light or dark page. In a page of ours its parts are found by
their ``data-state``, ``data-group`` and ``data-arrow``: the index in the machine or the picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from xml.sax.saxutils import escape as escape_xml

from fsm_diagrams.layered import Point
from fsm_diagrams.model import Kind, Machine
from fsm_diagrams.overlay import COLOURS, RANK, Look, Paint, legend_of
from fsm_diagrams.scene import (
    LABEL_PAD,
    LINE_HEIGHT,
    LOOP,
    PAD,
    TITLE_HEIGHT,
    Box,
    Detail,
    Route,
    Said,
    Scene,
    Text,
    scene,
)
from fsm_diagrams.style import LEGEND, STYLES
from fsm_diagrams.text_size import title_width
from fsm_diagrams.unshown import shown
from fsm_diagrams.views import View

__all__ = ["BRIEF", "WHOLE", "drawing", "drawing_style", "plain_svg", "xml_text"]

WHOLE = Detail(lines_max=10_000, conditions=True)
"""Every word of every row stands in the picture."""
BRIEF = Detail(lines_max=4, conditions=False)
"""The words of a row stand elsewhere, and the picture is small."""

#: Fill, line and text of each kind, on a light page and on a dark one.
_LIGHT = {kind: (each.fill, each.stroke, each.text) for kind, each in STYLES.items()}
_DARK = {
    Kind.ORDINARY: ("#1c2f45", "#6ea3dc", "#dbe9f8"),
    Kind.WAITING: ("#40330a", "#d9b233", "#fbeeb8"),
    Kind.SUCCESS: ("#12381c", "#56c26e", "#d3f5da"),
    Kind.FAILURE: ("#431a1a", "#f07f7f", "#ffdada"),
    Kind.OVER: ("#2b3036", "#9aa3ab", "#e4e8eb"),
}
#: Page, soft text and lines, text, the band of a box, the border of a label.
_PAGE_LIGHT = ("#ffffff", "#4a5057", "#1f2327", "#f6f8fa", "#d0d7de")
_PAGE_DARK = ("#14181d", "#aab4be", "#e6eaee", "#1b2027", "#3a434d")
#: The colours of a review with the contrast that text needs on a light page, and on a dark one.
_LOOK_LIGHT = {"#2b8a3e": "#237a35", "#b36b00": "#8f5600"}
_LOOK_DARK = {
    "#2b8a3e": "#56c26e",
    "#c92a2a": "#f07f7f",
    "#b36b00": "#e0a03c",
    "#4a5057": "#aab4be",
}
#: How far before the tip of an arrow its line ends.
HEAD = 6

_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def plain_svg(
    machine: Machine, view: View = View.FULL, paint: Paint | None = None, *, brief: bool = False
) -> str:
    """A machine as an SVG file with title, legend and version, ending with a newline."""
    drawn = scene(machine, view, BRIEF if brief else WHOLE, paint)
    legend = list(_legend_entries(drawn.picture.machine, paint or Paint()))
    title = (paint.title if paint else "") or machine.name
    head = PAD + 26 if title else PAD
    foot = _legend_rows(legend, drawn.width)
    width = max(drawn.width, title_width(title) + 3 * PAD, 260)
    height = head + drawn.height + foot * 22 + PAD
    name = f"State diagram of {title}" if title else "State diagram"
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    dark = f"@media (prefers-color-scheme: dark) {{\n{drawing_style(dark=True)}\n}}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={_attr(name)}>',
        f"<title>{xml_text(name)}</title>",
        f"<style>{drawing_style()}\n{dark}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    if title:
        version = f' <tspan class="version">{xml_text(machine.version)}</tspan>'
        words = xml_text(" ".join(title.split())) + (version if machine.version else "")
        lines.append(f'<text class="name" x="{PAD}" y="{PAD + 14}">{words}</text>')
    lines.append(f'<g transform="translate(0 {head})">')
    lines += drawing(drawn, paint)
    lines.append("</g>")
    lines += _legend(legend, drawn.width, head + drawn.height)
    return "\n".join([*lines, "</svg>", ""])


def drawing_style(*, dark: bool = False, within: str = "") -> str:
    """The rules of style of a drawing; `within` is a selector put before each."""
    page, soft, ink, band, edge = _PAGE_DARK if dark else _PAGE_LIGHT
    rules = [
        f".page {{ fill: {page} }}",
        f".name, .group-title {{ fill: {ink} }}",
        f".version, .caption {{ fill: {soft} }}",
        f".group rect, .compound rect {{ fill: {band}; stroke: {soft} }}",
        f".compound text {{ fill: {ink} }}",
        f".any rect {{ fill: {page}; stroke: {soft} }}",
        f".any text {{ fill: {soft} }}",
        f".start {{ fill: {ink} }}",
        f".arrow path {{ stroke: {soft} }}",
        f".arrow .head {{ fill: {soft} }}",
        f".label rect {{ fill: {page}; stroke: {edge} }}",
        f".label text {{ fill: {ink} }}",
    ]
    for kind, (fill, line, text) in (_DARK if dark else _LIGHT).items():
        rules.append(f".k-{kind} > rect {{ fill: {fill}; stroke: {line} }}")
        rules.append(f".k-{kind} > text {{ fill: {text} }}")
    for role in RANK:
        colour = (_LOOK_DARK if dark else _LOOK_LIGHT).get(COLOURS[role], COLOURS[role])
        rules.append(f".l-{role} path {{ stroke: {colour} }}")
        rules.append(f".l-{role} .head {{ fill: {colour} }}")
        rules.append(f"text .l-{role} {{ fill: {colour} }}")
        rules.append(f".state.l-{role} > rect {{ stroke: {colour} }}")
    rules = [f"{within}{' ' if within else ''}{rule}" for rule in rules]
    if within:
        rules = [_everywhere(rule, within) for rule in rules]
    return "\n".join(rules if dark else [*_SHAPES, *rules])


def _everywhere(rule: str, within: str) -> str:
    """A rule with several selectors, each inside `within`."""
    selectors, brace, body = rule.partition(" {")
    first, *others = selectors.split(", ")
    return ", ".join([first, *(f"{within} {each}" for each in others)]) + brace + body


_SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
_MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'
_SHAPES = (
    f"text {{ font: 600 14px {_SANS} }}",
    f".label text, .rows {{ font: 11px {_MONO}; font-weight: 400 }}",
    ".label text, .rows { white-space: pre }",
    ".name { font-size: 16px }",
    ".version, .caption { font-size: 12px; font-weight: 400 }",
    ".any text { font-weight: 400; font-style: italic; font-size: 13px }",
    ".state > rect { stroke-width: 1.5 }",
    ".group > rect { stroke-dasharray: 6 4 }",
    ".any > rect { stroke-dasharray: 4 3 }",
    ".parallel > rect { stroke-dasharray: 7 3 }",
    ".arrow path { fill: none; stroke-width: 1.4 }",
    ".arrow path.head { stroke: none }",
    ".label rect { stroke-width: 1 }",
    ".dashed path { stroke-dasharray: 6 4 }",
    ".l-added path, .l-removed path, .l-changed path, .l-uncovered path { stroke-width: 2.4 }",
    "text [class^=l-] { font-weight: 700 }",
)


def drawing(drawn: Scene, paint: Paint | None = None, *, live: bool = False) -> Iterator[str]:
    """The elements of a scene; `live` makes them reachable by keyboard and screen readers."""
    looks = paint or Paint()
    inner = [box for box in drawn.boxes if not box.encloses]
    for box in drawn.boxes:
        if box.encloses:
            yield from _box(drawn, box, looks, live=live)
    for route in drawn.routes:
        yield from _line(drawn, route, looks, live=live)
    for box in inner:
        yield from _box(drawn, box, looks, live=live)


def _box(drawn: Scene, box: Box, paint: Paint, *, live: bool) -> Iterator[str]:
    x, y = box.at
    if box.role == "start":
        half = box.width // 2
        yield f'<circle class="start" cx="{x + half}" cy="{y + half}" r="{half}"/>'
        return
    yield f"<g {_box_attributes(drawn, box, paint, live=live)}>"
    round_ = 4 if box.encloses else 8
    yield f'<rect x="{x}" y="{y}" width="{box.width}" height="{box.height}" rx="{round_}"/>'
    if box.role == "state" and drawn.picture.machine.states[box.index].final:
        inside = f'width="{box.width - 6}" height="{box.height - 6}" rx="{round_ - 2}"'
        yield f'<rect class="final" x="{x + 3}" y="{y + 3}" {inside}/>'
    yield from _box_text(box, paint)
    yield "</g>"


def _box_attributes(drawn: Scene, box: Box, paint: Paint, *, live: bool) -> str:
    machine = drawn.picture.machine
    if box.role != "state":
        return f'class="{box.role}" data-group="{box.index}"'
    state = machine.states[box.index]
    classes = ["state", "compound" if box.encloses else "", f"k-{state.kind}"]
    if state.parent and len(machine.state_named[state.parent].initial) > 1:
        classes.append("parallel")
    if look := paint.state(state.name):
        classes += [f"l-{look.colour}", "dashed" if look.dashed else ""]
    found = f'class="{" ".join(filter(None, classes))}" data-state="{box.index}"'
    if live:
        found += f' tabindex="0" role="button" aria-label={_attr(f"state {state.text}")}'
    return found


def _box_text(box: Box, paint: Paint) -> Iterator[str]:
    x, y = box.at
    middle = "" if box.encloses else ' text-anchor="middle"'
    left = x + PAD if box.encloses else x + box.width // 2
    kind = ' class="group-title"' if box.role == "group" else ""
    down = len(box.title) * TITLE_HEIGHT + len(box.inside) * LINE_HEIGHT
    top = y + 4 if box.encloses else y + (box.height - down - (4 if box.inside else 0)) // 2
    for number, line in enumerate(box.title):
        at = top + number * TITLE_HEIGHT + 15
        yield f'<text{kind} x="{left}" y="{at}"{middle}>{xml_text(line)}</text>'
    start = top + len(box.title) * TITLE_HEIGHT + 4
    for number, said in enumerate(box.inside):
        at = start + number * LINE_HEIGHT + 11
        yield f'<text class="rows" x="{x + PAD}" y="{at}">{_said(said, paint)}</text>'


def _line(drawn: Scene, route: Route, paint: Paint, *, live: bool) -> Iterator[str]:
    if route.index < 0:
        yield '<g class="arrow">'
        yield from _path(route)
        yield "</g>"
        return
    arrow = drawn.picture.arrows[route.index]
    looks = [paint.edge(edge.id) or Look() for line in arrow.lines for edge in line.edges]
    classes = "arrow"
    # An arrow of rows that differ stays plain; the lines of its label tell them apart.
    if len({look.colour for look in looks}) == 1 and looks[0].colour != "plain":
        classes += f" l-{looks[0].colour}"
    if looks and all(look.dashed for look in looks):
        classes += " dashed"
    name = f"{arrow.source} to {arrow.target}: {', '.join(line.text for line in arrow.lines)}"
    reach = f' tabindex="0" role="button" aria-label={_attr(name)}' if live else ""
    yield f'<g class="{classes}" data-arrow="{route.index}"{reach}>'
    yield from _path(route)
    if route.label:
        yield from _label(route.label, paint)
    yield "</g>"


def _path(route: Route) -> Iterator[str]:
    if route.loop:
        (x, top), (_, bottom) = route.points
        far = x + LOOP
        yield f'<path d="M{x} {top}C{far} {top - 9} {far} {bottom + 9} {x + 6} {bottom}"/>'
        yield f'<path class="head" d="M{x} {bottom}l9 -4l0 8z"/>'
        return
    yield f'<path d="{_curve(_shortened(route.points))}"/>'
    yield _head(route.points)


def _shortened(points: tuple[Point, ...]) -> list[Point]:
    """The points with the last one moved back, so that the line does not show past the head."""
    (x0, y0), (x, y) = points[-2], points[-1]
    if x == x0 and abs(y - y0) > HEAD:
        return [*points[:-1], (x, y - HEAD if y > y0 else y + HEAD)]
    return list(points)


def _curve(points: Iterable[Point]) -> str:
    found = list(points)
    parts = [f"M{found[0][0]} {found[0][1]}"]
    for (x0, y0), (x, y) in pairwise(found):
        if x == x0:
            parts.append(f"V{y}")
        else:
            middle = (y0 + y) // 2
            parts.append(f"C{x0} {middle} {x} {middle} {x} {y}")
    return "".join(parts)


def _head(points: tuple[Point, ...]) -> str:
    (_, y0), (x, y) = points[-2], points[-1]
    back = -9 if y >= y0 else 9
    return f'<path class="head" d="M{x} {y}l-4 {back}l8 0z"/>'


def _label(label: Text, paint: Paint) -> Iterator[str]:
    x, y = label.at
    yield '<g class="label">'
    yield f'<rect x="{x}" y="{y}" width="{label.width}" height="{label.height}" rx="5"/>'
    for number, said in enumerate(label.lines):
        at = y + LABEL_PAD // 2 + number * LINE_HEIGHT + 11
        yield f'<text x="{x + LABEL_PAD}" y="{at}">{_said(said, paint)}</text>'
    yield "</g>"


def _said(said: Said, paint: Paint) -> str:
    looks = [paint.edge(edge.id) for edge in said.edges]
    colours = {look.colour for look in looks if look}
    text = xml_text(said.text)
    if not colours - {"plain"}:
        return text
    worst = max(colours, key=RANK.index)
    return f'<tspan class="l-{worst}">{text}</tspan>'


def _legend_entries(machine: Machine, paint: Paint) -> Iterator[tuple[str, str]]:
    kinds = [kind for kind in Kind if any(state.kind is kind for state in machine.states)]
    # One colour for all tells nothing.
    if len(kinds) > 1:
        yield from ((f"state k-{kind}", LEGEND[kind]) for kind in kinds)
    for look, words in legend_of(paint):
        yield f"arrow l-{look.colour}{' dashed' if look.dashed else ''}", words


def _legend_places(entries: list[tuple[str, str]], width: int) -> Iterator[tuple[int, int]]:
    x, row = PAD, 0
    for _, words in entries:
        wide = 44 + title_width(words)
        if x > PAD and x + wide > max(width, 260):
            x, row = PAD, row + 1
        yield x, row
        x += wide


def _legend_rows(entries: list[tuple[str, str]], width: int) -> int:
    return max((row + 1 for _, row in _legend_places(entries, width)), default=0)


def _legend(entries: list[tuple[str, str]], width: int, top: int) -> Iterator[str]:
    places = _legend_places(entries, width)
    for (kind, words), (x, row) in zip(entries, places, strict=True):
        y = top + row * 22
        mark = f'<rect x="{x}" y="{y}" width="20" height="14" rx="4"/>'
        if kind.startswith("arrow"):
            mark = f'<path d="M{x} {y + 7}H{x + 20}"/>'
        yield f'<g class="{kind}">{mark}</g>'
        yield f'<text class="caption" x="{x + 27}" y="{y + 11}">{xml_text(words)}</text>'


def xml_text(text: str) -> str:
    """A text as the content of an element; what XML cannot hold becomes a replacement mark."""
    return escape_xml(_NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", shown(text)), {"\r": "&#13;"})


def _attr(text: str) -> str:
    """A text as a quoted attribute."""
    return '"' + xml_text(text).replace('"', "&quot;").replace("'", "&#39;") + '"'
