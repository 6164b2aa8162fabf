"""A picture as a Mermaid flowchart, in which a review can paint single arrows.

State diagrams cannot style edges (mermaid issue 1352), so what a review lays over a machine is
drawn as a flowchart; GitHub draws both.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsm_diagrams.mermaid_text import Key, class_of, ids, in_role, label, names_of, title, torn
from fsm_diagrams.model import Group, Kind, State
from fsm_diagrams.overlay import COLOURS, Look, legend_of
from fsm_diagrams.style import ANY, LEGEND, STYLES
from fsm_diagrams.views import Arrow, Line, Picture, regions
from fsm_diagrams.wrapping import wrap

__all__ = ["flowchart"]

NAME_WIDTH, LINE_WIDTH = 28, 60
"""Characters after which the lines of a name and of an arrow are broken."""

_ROUND, _STADIUM, _FINAL = ('("', '")'), ('(["', '"])'), ('[["', '"]]')


def flowchart(picture: Picture) -> str:
    """The text of a ``flowchart``, ending with a newline."""
    return "\n".join(_Writer(picture).lines()) + "\n"


class _Writer:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._machine = picture.machine
        wanted = [*names_of(picture)]
        wanted += in_role("from", [state.name for state in self._machine.states if state.initial])
        wanted.append((("machine", ""), "from_here"))
        wanted += [
            (("region", f"{number} {state.name}"), f"region_{number}_{state.name}")
            for state in self._machine.states
            for number, part in enumerate(self._apart(state))
            if len(part) > 1
        ]
        paint = picture.paint
        self._meanings = legend_of(paint) if paint else ()
        told = [*self._machine.kinds, *(look.colour for look, _ in self._meanings)]
        wanted += in_role("legend", ("box", *told))
        self._ids = ids(wanted)
        self._links: list[str] = []
        """The style of each link, in the order in which Mermaid counts them; often empty."""

    def lines(self) -> Iterator[str]:
        if self._picture.title:
            yield from ("---", f"title: {title(self._picture.title)}", "---")
        yield "flowchart TB"
        for note in self._picture.notes:
            yield f"    %% {note}"
        boxed = {name for group in self._picture.groups for name in group.states}
        for group in self._picture.groups:
            yield from self._box(group)
        for state in self._machine.children(None):
            if state.name not in boxed:
                yield from self._state(state, "    ")
        yield from self._starts(("machine", ""), self._machine.initial, "    ")
        yield ""
        for arrow in self._picture.arrows:
            yield self._arrow(arrow)
        yield ""
        yield from self._legend()
        yield from self._styles()

    def _box(self, group: Group) -> Iterator[str]:
        yield f'    subgraph {self._ids["box", group.name]}["{_named(group.label)}"]'
        for name in group.states:
            yield from self._state(self._machine.state_named[name], "        ")
        yield f'        {self._ids["any", group.name]}("these states"):::anyOf'
        yield "    end"

    def _state(self, state: State, indent: str) -> Iterator[str]:
        inside = self._picture.inside.get(state.name, ())
        text = "<br>".join([_named(state.text), *(_line(line) for line in inside)])
        if self._machine.children(state.name):
            text += "<br>(final)" if state.final else ""
            yield f'{indent}subgraph {self._id(state.name)}["{text}"]'
            yield from self._regions(state, indent + "    ")
            yield from self._starts(("from", state.name), state.initial, indent + "    ")
            yield f"{indent}end"
            return
        opening, closing = _shape(state)
        yield f"{indent}{self._id(state.name)}{opening}{torn(text)}{closing}:::{state.kind}"

    def _apart(self, state: State) -> tuple[tuple[State, ...], ...]:
        return regions(self._machine, state.name) if len(state.initial) > 1 else ()

    def _regions(self, state: State, indent: str) -> Iterator[str]:
        """The states inside; regions of several states get a frame each."""
        parts = self._apart(state) or (self._machine.children(state.name),)
        for number, part in enumerate(parts):
            framed = len(parts) > 1 and len(part) > 1
            if framed:
                yield f'{indent}subgraph {self._ids["region", f"{number} {state.name}"]}[" "]'
            for child in part:
                yield from self._state(child, indent + "    " if framed else indent)
            if framed:
                yield f"{indent}end"

    def _starts(self, key: Key, initial: tuple[str, ...], indent: str) -> Iterator[str]:
        """The dot where the machine, or a state, starts."""
        if initial:
            start = self._ids[key]
            yield f'{indent}{start}((" ")):::from'
            for target in initial:
                self._links.append("")
                yield f"{indent}{start} --> {self._id(target)}"

    def _arrow(self, arrow: Arrow) -> str:
        self._links.append(_link_style(arrow.look))
        source = self._ids["any" if arrow.shared else "state", arrow.source]
        text = "<br>".join(_line(line) for line in arrow.lines)
        return f'    {source} -->|"{text}"| {self._id(arrow.target)}'

    def _legend(self) -> Iterator[str]:
        kinds = self._machine.kinds if len(self._machine.kinds) > 1 else []
        finals = [s for s in self._machine.leaves if s.final]
        if not (kinds or self._meanings):
            return
        yield f'    subgraph {self._ids["legend", "box"]}["legend{_doubled(finals)}"]'
        for kind in kinds:
            opening, closing = _STADIUM if kind is Kind.SUCCESS else _ROUND
            name = self._ids["legend", kind]
            yield f"        {name}{opening}{label(LEGEND[kind])}{closing}:::{kind}"
        for look, meaning in self._meanings:
            yield f'        {self._ids["legend", look.colour]}("{label(meaning)}")'
        yield "    end"

    def _styles(self) -> Iterator[str]:
        for kind in self._machine.kinds:
            yield f"    classDef {kind} {class_of(STYLES[kind])}"
        yield "    classDef from fill:#343a40,stroke:#343a40,color:#343a40"
        if self._picture.groups:
            yield f"    classDef anyOf {class_of(ANY)}"
        for look, _ in self._meanings:
            yield f"    style {self._ids['legend', look.colour]} fill:#fff,{_ink(look)}"
        for state in self._machine.states:
            if look_of := self._picture.paint and self._picture.paint.state(state.name):
                yield f"    style {self._id(state.name)} {_border(look_of)}"
        styles: dict[str, list[str]] = {}
        for number, style in enumerate(self._links):
            styles.setdefault(style, []).append(str(number))
        for style, numbers in styles.items():
            if style:
                yield f"    linkStyle {','.join(numbers)} {style}"

    def _id(self, name: str) -> str:
        return self._ids["state", name]


def _shape(state: State) -> tuple[str, str]:
    if state.final:
        return _FINAL
    return _STADIUM if state.kind is Kind.SUCCESS else _ROUND


def _doubled(finals: list[State]) -> str:
    return " (double sides: final)" if finals else ""


def _named(text: str) -> str:
    return "<br>".join(label(part) for part in wrap(text, NAME_WIDTH))


def _line(line: Line) -> str:
    """The row as lines that Mermaid does not break again; the later ones are set in."""
    first, *more = (label(part, wrap=False) for part in wrap(line.text, LINE_WIDTH))
    return "<br>".join([first, *(f"#160;#160;#160;{part}" for part in more)])


def _border(look: Look) -> str:
    dashes = ",stroke-dasharray:6 4" if look.dashed else ""
    return f"stroke:{COLOURS[look.colour]},stroke-width:3px{dashes}"


def _ink(look: Look) -> str:
    return f"{_border(look)},color:{COLOURS[look.colour]}"


def _link_style(look: Look | None) -> str:
    return _ink(look) if look else ""
