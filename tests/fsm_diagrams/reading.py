"""Our texts, read back by small readers that know nothing of the writers but their languages."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from fsm_diagrams.model import Machine

#: What Mermaid cannot show, and what XML does not allow, have look-alikes.
_ALIKE = {
    "\N{LATIN SMALL LIGATURE FL}": "fl",
    "\N{PILCROW SIGN}\N{LATIN SMALL LETTER SHARP S}": "\N{PILCROW SIGN}ss",
}
_NOT_XML = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ufffd]"
)


def plain(text: str) -> str:
    """A text as the readers compare it: without spaces, line breaks and what has a look-alike."""
    text = "".join(text.split())
    for one, alike in _ALIKE.items():
        text = text.replace(one, alike)
    return _NOT_XML.sub("?", text)


@dataclass
class Seen:
    """What a reader has found, in plain texts."""

    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    """A state with all that stands in it, and the state around it."""
    rows: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Where an arrow comes from, what it says, and where it leads; a line of its label each."""
    starts: Counter[str] = field(default_factory=Counter)
    """The states that a start leads to."""


def expected(machine: Machine) -> Seen:
    """What a full picture of a machine without groups must show."""
    text: dict[str, str] = {}
    for state in machine.states:
        lines = [
            _row(e.event, e.guard) for e in machine.edges if e.internal and e.source == state.name
        ]
        text[state.name] = plain(state.text) + "".join(plain(line) for line in lines)
    seen = Seen()
    for state in machine.states:
        seen.states[text[state.name], text[state.parent] if state.parent is not None else ""] += 1
        seen.starts.update(text[name] for name in state.initial)
    seen.starts.update(text[name] for name in machine.initial)
    moves = [edge for edge in machine.edges if not edge.internal]
    for source, target in dict.fromkeys((edge.source, edge.target) for edge in moves):
        here = [edge for edge in moves if (edge.source, edge.target) == (source, target)]
        said = "".join(plain(_row(edge.event, edge.guard)) for edge in here)
        seen.rows[text[source], said, text[target]] += 1
    return seen


def _row(event: str, guard: str) -> str:
    return f"{event} [{guard}]" if guard else event


def _label(text: str) -> str:
    """A Mermaid label as the text it shows."""
    text = text.replace("<br>", "\n").replace("<wbr>", "")
    return plain(re.sub(r"#(\d+);", lambda code: chr(int(code[1])), text))


class _Tree:
    """States by id, where they stand, and arrows between ids."""

    def __init__(self) -> None:
        self.text: dict[str, str] = {}
        self.parent: dict[str, str] = {}
        self.arrows: list[tuple[str, str, str]] = []
        self.starts: list[str] = []
        self.open: list[str] = []

    def add(self, name: str, text: str) -> None:
        assert name not in self.text, name
        self.text[name] = text
        self.parent[name] = next((each for each in reversed(self.open) if each), "")

    def seen(self) -> Seen:
        seen = Seen()
        for name, text in self.text.items():
            seen.states[text, self.text.get(self.parent[name], "")] += 1
        for source, said, target in self.arrows:
            seen.rows[self.text[source], said, self.text[target]] += 1
        seen.starts.update(self.text[name] for name in self.starts)
        return seen


def read_state_diagram(text: str) -> Seen:
    """A Mermaid state diagram without boxes; the legend is left out."""
    tree = _Tree()
    for line in _body(text, "stateDiagram-v2"):
        if found := re.fullmatch(r'state "(.*)" as (\w+)( \{)?', line):
            tree.add(found[2], _label(found[1]))
            tree.open += [found[2]] if found[3] else []
        elif line == "}":
            tree.open.pop()
        elif found := re.fullmatch(r"\[\*\] --> (\w+)", line):
            tree.starts.append(found[1])
        elif found := re.fullmatch(r"(\w+) --> (\w+) : (.*)", line):
            tree.arrows.append((found[1], _label(found[3]), found[2]))
        elif found := re.fullmatch(r"(\w+) : (.*)", line):
            tree.text[found[1]] += _label(found[2])
        elif re.fullmatch(r"\w+", line):
            tree.add(line, plain(line))
        else:
            assert line == "--" or re.fullmatch(r"\w+ --> \[\*\]", line), line
    assert not tree.open
    return tree.seen()


def read_flowchart(text: str) -> Seen:
    """A Mermaid flowchart without boxes; the legend is left out."""
    tree = _Tree()
    starts: set[str] = set()
    for line in _body(text, "flowchart TB"):
        if found := re.fullmatch(r'subgraph (\w+)\["(.*)"\]', line):
            if found[2] == " ":
                tree.open.append("")
                continue
            tree.add(found[1], _label(found[2]).removesuffix("(final)"))
            tree.open.append(found[1])
        elif line == "end":
            tree.open.pop()
        elif found := re.fullmatch(r'(\w+)\(\(" "\)\):::from', line):
            starts.add(found[1])
        elif found := re.fullmatch(r'(\w+)(?:\(\[|\[\[|\()"(.*)"(?:\]\)|\]\]|\)):::(\w+)', line):
            tree.add(found[1], _label(found[2]))
        elif found := re.fullmatch(r"(\w+) --> (\w+)", line):
            assert found[1] in starts
            tree.starts.append(found[2])
        else:
            found = re.fullmatch(r'(\w+) -->\|"(.*)"\| (\w+)', line)
            assert found, line
            tree.arrows.append((found[1], _label(found[2]), found[3]))
    assert not tree.open
    return tree.seen()


def _body(text: str, head: str) -> Iterator[str]:
    """The lines of a Mermaid text, without its front matter, comments and legend."""
    if text.startswith("---\n"):
        text = text[4:].partition("\n---\n")[2]
    first, _, rest = text.partition("\n")
    assert first == head
    blank = 0
    for line in rest.split("\n"):
        blank += not line
        # Two blank lines: the declarations, the arrows, and then the legend and the colours.
        if line.strip() and blank < 2 and not line.strip().startswith("%%"):
            yield line.strip()


_TOKEN = re.compile(
    r'\s+|//[^\n]*|(?P<id>[A-Za-z_0-9.\x80-\uffff]+)|(?P<quoted>"(?:[^"\\]|\\.)*")'
    r"|(?P<arrow>->)|(?P<mark>[{}\[\]=;,])",
    re.DOTALL,
)


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        if text[at] == "<":
            end, depth = at + 1, 1
            while depth:
                depth += {"<": 1, ">": -1}.get(text[end], 0)
                end += 1
            yield text[at:end]
            at = end
            continue
        found = _TOKEN.match(text, at)
        assert found, text[at : at + 40]
        if found.lastgroup:
            yield found[0]
        at = found.end()


def read_dot(text: str) -> Seen:
    """A graph of Graphviz without boxes."""
    return _DotReader(list(_tokens(text))).seen()


class _DotReader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.tree = _Tree()
        self.kind: dict[str, str] = {}
        self.of: dict[str, str] = {}
        """The state of a frame's dot."""
        self.edges: list[tuple[str, str]] = []
        self.said: dict[str, str] = {}
        assert tokens[0] == "digraph"
        assert tokens[2] == "{"
        self._block(3)

    def _block(self, at: int) -> int:
        while self.tokens[at] != "}":
            word = self.tokens[at]
            if word == "subgraph":
                assert self.tokens[at + 1].startswith("cluster_")
                self.tree.open.append("")
                at = self._block(at + 3)
                self.tree.open.pop()
            elif self.tokens[at + 1] == "=":
                at += 3
            elif self.tokens[at + 1] == "->":
                self.edges.append((word, self.tokens[at + 2]))
                at = self._attributes(at + 3)[1] if self.tokens[at + 3] == "[" else at + 3
            else:
                found, at = self._attributes(at + 1)
                self._statement(word, found)
        return at + 1

    def _attributes(self, at: int) -> tuple[dict[str, str], int]:
        assert self.tokens[at] == "["
        at += 1
        found = {}
        while self.tokens[at] != "]":
            assert self.tokens[at + 1] == "="
            found[self.tokens[at]] = self.tokens[at + 2]
            at += 3
        return found, at + 1

    def _statement(self, name: str, found: dict[str, str]) -> None:
        which = found.get("id", "").strip('"')
        kind, _, _ = which.partition("-")
        if name in {"node", "edge"} or (name == "graph" and kind != "state"):
            return
        if name == "graph":
            self.tree.open.pop()
            self.tree.add(which, _html_text(found["label"]).removesuffix("(final)"))
            self.tree.open.append(which)
        elif kind == "state":
            self.tree.add(name, _html_text(found["label"]))
        elif kind == "frame":
            self.of[name] = next(each for each in reversed(self.tree.open) if each)
            kind = "start"
        elif kind == "arrow":
            self.said[name] = _html_text(found["label"])
        self.kind[name] = kind

    def seen(self) -> Seen:
        def end(name: str) -> str:
            return self.of.get(name, name)

        into = {target: end(source) for source, target in self.edges if target in self.said}
        for source, target in self.edges:
            if source in self.said:
                self.tree.arrows.append((into[source], self.said[source], end(target)))
            elif target not in self.said:
                assert self.kind[source] == "start"
                self.tree.starts.append(end(target))
        assert len(self.tree.arrows) == len(self.said)
        return self.tree.seen()


def _html_text(label: str) -> str:
    assert label.startswith("<")
    return plain(html.unescape(re.sub(r"<[^>]*>", "", label[1:-1])))
