"""A picture as a Mermaid state diagram, the text that GitHub draws.

State diagrams cannot style edges and lay out arrows from a box badly (labels cross its border),
so a group's common ways out start from a state of their own inside the box. Loops push the layout
apart, so a row that stays stands inside its state, as UML writes an internal transition; the lines
of a label after the first stand there too.
"""

from __future__ import annotations

from collections.abc import Iterator

from fsm_diagrams.mermaid_text import class_of, ids, in_role, label, names_of, title
from fsm_diagrams.model import Group, State
from fsm_diagrams.style import ANY, LEGEND, STYLES
from fsm_diagrams.views import Arrow, Line, Picture, regions
from fsm_diagrams.wrapping import wrap

__all__ = ["mermaid"]

LINE_WIDTH = 90
"""Characters after which a row is broken."""


def mermaid(picture: Picture) -> str:
    """The text of a ``stateDiagram-v2``, ending with a newline."""
    return "\n".join(_Writer(picture).lines()) + "\n"


class _Writer:
    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._machine = picture.machine
        legend = in_role("legend", ("box", *self._machine.kinds))
        self._ids = ids([*names_of(picture), *legend])

    def lines(self) -> Iterator[str]:
        if self._machine.name:
            yield from ("---", f"title: {title(self._machine.name)}", "---")
        yield "stateDiagram-v2"
        for note in self._picture.notes:
            yield f"    %% {note}"
        yield from self._declarations()
        yield ""
        yield from self._arrows()
        yield ""
        yield from self._legend()
        yield from self._classes()

    def _declarations(self) -> Iterator[str]:
        boxed = {name for group in self._picture.groups for name in group.states}
        for group in self._picture.groups:
            yield from self._box(group)
        for state in self._machine.children(None):
            if state.name not in boxed:
                yield from self._state(state, "    ")

    def _box(self, group: Group) -> Iterator[str]:
        yield f'    state "{label(group.label)}" as {self._ids["box", group.name]} {{'
        for name in group.states:
            yield from self._state(self._machine.state_named[name], "        ")
        yield f'        state "these states" as {self._ids["any", group.name]}'
        yield "    }"

    def _state(self, state: State, indent: str) -> Iterator[str]:
        if self._machine.children(state.name):
            yield from self._frame(state, indent)
            return
        # Mermaid decodes a label with a tag in it before it reads its Markdown, so there is none.
        first, *more = state.text.splitlines() or [""]
        name, text = self._id(state.name), label(first)
        rows = [label(line) for line in more]
        rows += [_line(line) for line in self._picture.inside.get(state.name, ())]
        plain = text == name and not rows
        yield f"{indent}{name}" if plain else f'{indent}state "{text}" as {name}'
        for row in rows:
            yield f"{indent}{name} : {row}"

    def _frame(self, state: State, indent: str) -> Iterator[str]:
        """A state with states inside. Mermaid lets it have a label only, so all stands in there."""
        inside = [_line(it) for it in self._picture.inside.get(state.name, ())]
        text = "<br>".join([label(state.text), *inside])
        yield f'{indent}state "{text}" as {self._id(state.name)} {{'
        for number, region in enumerate(regions(self._machine, state.name)):
            if number:
                yield f"{indent}    --"
            for child in region:
                yield from self._state(child, indent + "    ")
            for child in region:
                if child.name in state.initial:
                    yield f"{indent}    [*] --> {self._id(child.name)}"
                if child.final:
                    yield f"{indent}    {self._id(child.name)} --> [*]"
        yield f"{indent}}}"

    def _arrows(self) -> Iterator[str]:
        for name in self._machine.initial:
            yield f"    [*] --> {self._id(name)}"
        for arrow in self._picture.arrows:
            yield self._arrow(arrow)
        for state in self._machine.children(None):
            if state.final:
                yield f"    {self._id(state.name)} --> [*]"

    def _arrow(self, arrow: Arrow) -> str:
        source = self._ids["any" if arrow.shared else "state", arrow.source]
        text = "<br>".join(_line(line) for line in arrow.lines)
        return f"    {source} --> {self._id(arrow.target)} : {text}"

    def _legend(self) -> Iterator[str]:
        if len(self._machine.kinds) > 1:
            yield f'    state "legend" as {self._ids["legend", "box"]} {{'
            for kind in self._machine.kinds:
                yield f'        state "{label(LEGEND[kind])}" as {self._ids["legend", kind]}'
            yield "    }"

    def _classes(self) -> Iterator[str]:
        for kind in self._machine.kinds:
            members = [self._id(s.name) for s in self._machine.leaves if s.kind is kind]
            members += [self._ids["legend", kind]] if len(self._machine.kinds) > 1 else []
            yield f"    classDef {kind} {class_of(STYLES[kind])}"
            yield f"    class {','.join(members)} {kind}"
        if self._picture.groups:
            members = [self._ids["any", group.name] for group in self._picture.groups]
            yield f"    classDef anyOf {class_of(ANY)}"
            yield f"    class {','.join(members)} anyOf"

    def _id(self, state: str) -> str:
        return self._ids["state", state]


def _line(line: Line) -> str:
    """The row as lines that Mermaid does not break again."""
    return "<br>".join(label(part, wrap=False) for part in wrap(line.text, LINE_WIDTH))
