"""A picture as a graph in the language of Graphviz.

Nested states, regions that run in parallel and groups are clusters. An arrow's label is a node of
its own, halfway: Graphviz keeps arrows away from nodes, and lets them cross its own edge labels.
Nothing in a name is read as Graphviz' language: ids are safe words, and every label is HTML-like
with its special characters replaced.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from fsm_diagrams.mermaid_text import ids, in_role, names_of
from fsm_diagrams.model import Group, State
from fsm_diagrams.overlay import COLOURS, Look, legend_of
from fsm_diagrams.style import ANY, LEGEND, STYLES, Style
from fsm_diagrams.text_size import columns, title_width
from fsm_diagrams.unshown import UNSHOWN
from fsm_diagrams.views import Arrow, Line, Picture, regions
from fsm_diagrams.wrapping import wrap

__all__ = ["dot"]

NAME_WIDTH, STATE_WIDTH, LABEL_WIDTH = 28, 44, 52
"""Characters after which the lines of a name, of a state's rows and of an arrow are broken."""

MANY = 100
"""Arrows above which the layout may be less careful: 300 took 16 s with care, and 4 s so."""

_INK, _QUIET = "#343a40", "#868e96"
_HEAD = f"""\
    graph [rankdir=TB compound=true newrank=true nodesep=0.3 ranksep=0.35 pad=0.3 bgcolor="#ffffff"
        fontname="Arial" fontsize=12 fontcolor="{_INK}" labelloc=t splines=true]
    node [fontname="Arial" fontsize=10 shape=box style="filled,rounded" margin="0.12,0.07"]
    edge [fontname="Arial" fontsize=10 color="{_INK}" arrowsize=0.7]"""


def dot(picture: Picture) -> str:
    """The text of a ``digraph``, ending with a newline."""
    return "\n".join(_Writer(picture).lines()) + "\n"


class _Writer:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._machine = picture.machine
        frames = [s.name for s in self._machine.states if self._machine.children(s.name)]
        wanted = [*names_of(picture), *in_role("frame", frames)]
        wanted += [
            (("region", f"{n} {name}"), f"region_{n}_{name}")
            for name in frames
            for n in (range(len(self._machine.state_named[name].initial)))
        ]
        wanted += in_role("start", self._machine.initial)
        wanted += in_role("label", map(str, range(len(picture.arrows))))
        self._ids = ids(wanted)
        self._frames = set(frames)
        self._place = {state.name: index for index, state in enumerate(self._machine.states)}
        self._labels: dict[str, list[str]] = {}
        for number, arrow in enumerate(picture.arrows):
            self._labels.setdefault(self._around(arrow), []).append(self._label(number, arrow))

    def lines(self) -> Iterator[str]:
        yield f'digraph "{_quoted(self._picture.title)}" {{'
        yield from (f"    // {note}" for note in self._picture.notes)
        yield _HEAD
        if len(self._picture.arrows) > MANY:
            yield "    graph [nslimit=1 nslimit1=1 mclimit=0.3]"
        yield f"    label={self._heading()}"
        boxed = {name for group in self._picture.groups for name in group.states}
        for group in self._picture.groups:
            yield from self._box(group)
        for state in self._machine.children(None):
            if state.name not in boxed:
                yield from self._state(state, "    ")
        yield from self._starts(set(self._machine.initial) - boxed)
        yield from self._labels.get("", ())
        for number, arrow in enumerate(self._picture.arrows):
            yield from self._arrow(number, arrow)
        yield "}"

    def _heading(self) -> str:
        """The title and the legend, above the picture."""
        rows = []
        if self._picture.title:
            title = "<BR/>".join(_html(line) for line in wrap(self._picture.title, 80))
            rows.append(f'<FONT POINT-SIZE="16"><B>{title}</B></FONT>')
        cells = list(self._legend())
        if cells:
            legend = "".join(f"<TD{attributes}>{text}</TD>" for attributes, text in cells)
            rows.append(
                f'<TABLE BORDER="0" CELLSPACING="8" CELLPADDING="4"><TR>{legend}</TR></TABLE>'
            )
        for note in self._picture.notes:
            small = "<BR/>".join(_html(line) for line in wrap(note, 120))
            rows.append(f'<FONT POINT-SIZE="10" COLOR="{_QUIET}">{small}</FONT>')
        inner = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)
        return f'<<TABLE BORDER="0" CELLSPACING="0">{inner}</TABLE>>' if rows else '""'

    def _legend(self) -> Iterator[tuple[str, str]]:
        kinds = self._machine.kinds
        for kind in kinds if len(kinds) > 1 else ():
            style = STYLES[kind]
            border = f' BORDER="{1 + style.thick}" COLOR="{style.stroke}" BGCOLOR="{style.fill}"'
            yield border, f'<FONT COLOR="{style.text}">{_html(LEGEND[kind])}</FONT>'
        if any(state.final for state in self._machine.leaves):
            yield ' BORDER="1" SIDES="LR"', "double border: final"
        for look, meaning in legend_of(self._picture.paint) if self._picture.paint else ():
            words = f'<FONT COLOR="{COLOURS[look.colour]}"><B>{_html(meaning)}</B></FONT>'
            line = "- - -" if look.dashed else "&mdash;&mdash;"
            yield "", f'<FONT COLOR="{COLOURS[look.colour]}">{line}</FONT> {words}'

    def _box(self, group: Group) -> Iterator[str]:
        yield from self._cluster(self._ids["box", group.name], _lines(group.label), "    ", "box")
        for name in group.states:
            yield from self._state(self._machine.state_named[name], "        ")
        any_id = self._ids["any", group.name]
        yield f"        {any_id} [label=<these states> {_styled(ANY)}]"
        yield from self._starts({*group.states})
        yield from self._labels.get(self._ids["box", group.name], ())
        yield "    }"

    def _starts(self, names: set[str]) -> Iterator[str]:
        """The dots where the machine starts, of these states."""
        for number, name in enumerate(self._machine.initial):
            if name in names:
                start = self._ids["start", name]
                yield f'    {start} [{_point(0.14)} id="start-{number}"]'
                yield f"    {start} -> {self._end(name)}{self._clipped(None, name)}"

    def _cluster(
        self, name: str, label: str, indent: str, kind: str, extra: str = ""
    ) -> Iterator[str]:
        yield f"{indent}subgraph cluster_{name} {{"
        style = extra or f' style="rounded" color="{_QUIET}"'
        yield (
            f"{indent}    graph [label=<{label}> labelloc=t labeljust=l margin=12"
            f'{style} id="{kind}"]'
        )

    def _state(self, state: State, indent: str) -> Iterator[str]:
        if state.name in self._frames:
            yield from self._frame(state, indent)
            return
        style = STYLES[state.kind]
        words = [f"label=<{self._text(state)}>", _styled(style, self._look(state))]
        words += ["peripheries=2"] if state.final else []
        name, *more = state.text.splitlines() or [""]
        inside = [line.text for line in self._picture.inside.get(state.name, ())]
        words += _room(wrap(name, NAME_WIDTH), 12)
        words += _room([part for each in (*more, *inside) for part in wrap(each, STATE_WIDTH)], 10)
        words.append(f'id="state-{self._place[state.name]}"')
        yield f"{indent}{self._id(state.name)} [{' '.join(words)}]"

    def _frame(self, state: State, indent: str) -> Iterator[str]:
        """A state with states inside: its dot is where arrows of the whole state begin and end."""
        name, inner = self._id(state.name), indent + "    "
        yield from self._cluster(
            name, self._text(state), indent, f"state-{self._place[state.name]}", self._border(state)
        )
        dot_of_it = self._ids["frame", state.name]
        yield f'{inner}{dot_of_it} [{_point(0.1)} id="frame-{self._place[state.name]}"]'
        for number, part in enumerate(regions(self._machine, state.name)):
            apart = len(state.initial) > 1 and len(part) > 1
            deeper = inner + "    " if apart else inner
            if apart:
                yield f"{inner}subgraph cluster_{self._ids['region', f'{number} {state.name}']} {{"
                yield f'{deeper}graph [label="" style="dashed,rounded" id="region"]'
            for child in part:
                yield from self._state(child, deeper)
            if apart:
                yield f"{inner}}}"
        for child_name in state.initial:
            yield f"{inner}{dot_of_it} -> {self._end(child_name)}{self._clipped(None, child_name)}"
        yield from self._labels.get(name, ())
        yield f"{indent}}}"

    def _border(self, state: State) -> str:
        """A region is dashed; what a review paints is thick."""
        look, parent = self._look(state), state.parent
        region = parent is not None and len(self._machine.state_named[parent].initial) > 1
        style = "dashed,rounded" if region or (look and look.dashed) else "rounded"
        colour, width = (COLOURS[look.colour], 3) if look else (_QUIET, 1)
        return f' style="{style}" color="{colour}" penwidth={width}'

    def _text(self, state: State) -> str:
        """What stands in a state: its name in bold, the rest of its label, the rows that stay."""
        name, *more = state.text.splitlines() or [""]
        bold = "<BR/>".join(
            f'<FONT POINT-SIZE="12"><B>{_html(line)}</B></FONT>' for line in wrap(name, NAME_WIDTH)
        )
        small = [f"{_html(part)}" for line in more for part in wrap(line, STATE_WIDTH)]
        text = bold + "".join(f"<BR/>{part}" for part in small)
        inside = self._picture.inside.get(state.name, ())
        rows = "".join(_row(line, STATE_WIDTH) for line in inside)
        text += f"<BR/>{rows}" if inside else ""
        return f"{text}<BR/>(final)" if state.final and state.name in self._frames else text

    def _label(self, number: int, arrow: Arrow) -> str:
        rows = "".join(_row(each, LABEL_WIDTH) for each in arrow.lines)
        name = self._ids["label", str(number)]
        room = _room([part for each in arrow.lines for part in wrap(each.text, LABEL_WIDTH)], 10)
        # Graphviz gives a plain node no more room than it has measured.
        shape = f"shape=plaintext margin=0 height=0 {room[0]}" if room else "shape=plain"
        return f'    {name} [{shape} style="" id="arrow-{number}" label=<{rows}>]'

    def _around(self, arrow: Arrow) -> str:
        """The innermost cluster that holds both ends of an arrow: its label belongs there."""
        for group in self._picture.groups:
            if not arrow.shared and {arrow.source, arrow.target} <= {*group.states}:
                return self._ids["box", group.name]
        name = None if arrow.shared else self._machine.state_named[arrow.source].parent
        while name is not None and not self._holds(name, arrow.target):
            name = self._machine.state_named[name].parent
        return "" if name is None else self._id(name)

    def _arrow(self, number: int, arrow: Arrow) -> Iterator[str]:
        """Two edges with the label between them."""
        look = arrow.look
        line = f' color="{COLOURS[look.colour]}" penwidth=2' if look else ""
        line += " style=dashed" if look and look.dashed else ""
        source = self._ids["any", arrow.source] if arrow.shared else self._end(arrow.source)
        start, label = None if arrow.shared else arrow.source, self._ids["label", str(number)]
        yield f"    {source} -> {label} [arrowhead=none{self._tail(start, arrow.target)}{line}]"
        yield f"    {label} -> {self._end(arrow.target)}{self._clipped(start, arrow.target, line)}"

    def _tail(self, source: str | None, target: str) -> str:
        if source is None or source not in self._frames or self._holds(source, target):
            return ""
        return f" ltail=cluster_{self._id(source)}"

    def _clipped(self, source: str | None, target: str, line: str = "") -> str:
        words = line
        if target in self._frames and (source is None or not self._holds(target, source)):
            words += f" lhead=cluster_{self._id(target)}"
        return f" [{words.strip()}]" if words else ""

    def _holds(self, outer: str, inner: str) -> bool:
        """Whether a state is another one or stands inside it."""
        name: str | None = inner
        while name is not None and name != outer:
            name = self._machine.state_named[name].parent
        return name == outer

    def _look(self, state: State) -> Look | None:
        return self._picture.paint.state(state.name) if self._picture.paint else None

    def _end(self, name: str) -> str:
        """Where an arrow to or from a state ends: at its node, or at the dot in its frame."""
        return self._ids["frame" if name in self._frames else "state", name]

    def _id(self, name: str) -> str:
        return self._ids["state", name]


def _point(width: float) -> str:
    return f'shape=point width={width} color="{_INK}" label=""'


def _styled(style: Style, look: Look | None = None) -> str:
    stroke, width = style.stroke, 2 if style.thick else 1
    if look:
        stroke, width = COLOURS[look.colour], 3
    shape = "filled,rounded,dashed" if style.dashed or (look and look.dashed) else "filled,rounded"
    return (
        f'style="{shape}" fillcolor="{style.fill}" color="{stroke}" fontcolor="{style.text}" '
        f"penwidth={width}"
    )


def _row(line: Line, width: int) -> str:
    """The lines of one row, flush left, the later ones set in; in the colour of its look."""
    colour = f' COLOR="{COLOURS[line.look.colour]}"' if line.look else ""
    parts = [_html(part) for part in wrap(line.text, width)]
    parts = [parts[0], *(f"    {part}" for part in parts[1:])]
    return "".join(
        f'<FONT{colour}>{part}</FONT><BR ALIGN="LEFT"/>' if colour else f'{part}<BR ALIGN="LEFT"/>'
        for part in parts
    )


def _room(lines: Sequence[str], points: int) -> list[str]:
    """The least width of a node with letters as wide as high.

    graphviz-pure takes each of their bytes for a space, and begins the line where it would be in
    the middle then; twice what that is short of is enough.
    """
    if all(columns(line) == len(line) for line in lines):
        return []
    found = 0.0
    for line in lines:
        real = title_width(line) / 14
        short = sum(1.36 - 0.278 * len(char.encode()) for char in line if columns(char) > 1)
        found = max(found, (real + short) * points / 72 + 0.24)
    return [f"width={found:.2f}"]


def _lines(text: str) -> str:
    return "<BR/>".join(_html(line) for line in wrap(text, STATE_WIDTH))


_SPECIAL = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "-": "&#45;",
    "\\": "&#92;",
}


def _html(text: str) -> str:
    """A text in an HTML-like label; what XML does not allow gets a replacement character."""
    # Graphviz 2.43 takes a text of nothing else for a syntax error.
    alone = not text.strip("]")
    return "".join("&#93;" if alone else _char(char) for char in text) or " "


def _char(char: str) -> str:
    if char.isspace():
        return " "
    return _SPECIAL.get(char, char if _is_xml(char) else "\N{REPLACEMENT CHARACTER}")


def _is_xml(char: str) -> bool:
    controls = UNSHOWN.match(char) or unicodedata.category(char) == "Cc"
    return not controls and char not in "\ufffe\uffff"


def _quoted(text: str) -> str:
    plain = "".join(char if _is_xml(char) else " " for char in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')
