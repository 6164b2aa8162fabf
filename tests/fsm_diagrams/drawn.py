"""Machines that are drawn by chance: any names, any nesting, any rows.

`machines` draws with hypothesis, `corpus` with a seed. Hypothesis also draws from the constants of
whatever local modules are loaded, so what it draws in a whole run it does not draw in this alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

from fsm_diagrams.model import Edge, Kind, Machine, State
from tests.fsm_diagrams.machines import HOSTILE

_WORDS = ("end", "graph", "subgraph", "node", "digraph", "strict", "label_0", "start_0", "box_x")
_MARKS = (
    "ab_ 1:;#&<>\"'`{}[]()*-+%$~|\\/@.!?=^,\n\N{GRINNING FACE}\N{LATIN SMALL LETTER E WITH ACUTE}"
)
#: What a language reads as one thing. Mermaid reads more of them in a label of several lines.
_PAIRS = ("\\n", "$$", "fa:fa-a", "**", "__", "\n")
_USUAL = (*HOSTILE, *_WORDS, "")
NAMES = st.one_of(
    st.sampled_from(_USUAL),
    st.text(_MARKS, max_size=8),
    st.lists(st.sampled_from((*_PAIRS, *_MARKS)), max_size=8).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
T = TypeVar("T")


class _Chance(Protocol):
    """Where a choice comes from."""

    def one(self, options: Sequence[T]) -> T: ...
    def some(self, options: Sequence[T], most: int) -> list[T]:
        """Different ones."""

    def count(self, most: int) -> int: ...
    def name(self) -> str: ...
    def names(self, most: int) -> list[str]:
        """At least one, all different."""


class _Hypothesis:
    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def one(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(options))

    def some(self, options: Sequence[T], most: int) -> list[T]:
        if not options:
            return []
        return self._draw(st.lists(st.sampled_from(options), unique=True, max_size=most))

    def count(self, most: int) -> int:
        return self._draw(st.integers(0, most))

    def name(self) -> str:
        return self._draw(NAMES)

    def names(self, most: int) -> list[str]:
        return self._draw(st.lists(NAMES, min_size=1, max_size=most, unique=True))


class _Seed:
    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - names, no keys

    def one(self, options: Sequence[T]) -> T:
        return self._random.choice(options)

    def some(self, options: Sequence[T], most: int) -> list[T]:
        return self._random.sample(options, self.count(min(most, len(options))))

    def count(self, most: int) -> int:
        return self._random.randint(0, most)

    def name(self) -> str:
        letter = self.one(
            (
                lambda: self.one(_MARKS),
                lambda: self.one((*_PAIRS, *_MARKS)),
                self._letter,
            )
        )
        return self.one((self.one(_USUAL), self._text(letter)))

    def names(self, most: int) -> list[str]:
        return list(dict.fromkeys(self.name() for _ in range(1 + self.count(most - 1))))

    def _text(self, letter: Callable[[], str]) -> str:
        return "".join(letter() for _ in range(self.count(10)))

    def _letter(self) -> str:
        """Any that UTF-8 can write, the first ones more often."""
        found = self._random.randrange(self.one((0x100, 0x3000, 0x110000)))
        return chr(found) if not 0xD800 <= found < 0xE000 else "\ufffd"


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Any machine without groups, which only our own tables have."""
    return _machine(_Hypothesis(draw))


def corpus(count: int) -> list[Machine]:
    """As many machines, the same ones every time, whatever else is loaded."""
    return [_machine(_Seed(seed)) for seed in range(count)]


def _machine(chance: _Chance) -> Machine:
    chosen = chance.names(6)
    parents: dict[str, str | None] = {}
    for name in chosen:
        parents[name] = chance.one([None, *parents])
    children = {name: [each for each in chosen if parents[each] == name] for name in chosen}
    states = [
        State(
            name,
            label=_perhaps(chance),
            kind=chance.one(list(Kind)),
            final=chance.one((False, True)),
            parent=parents[name],
            initial=tuple(chance.some(children[name], 3)),
        )
        for name in chosen
    ]
    events = chance.names(4)
    edges = [_edge(chance, chosen, events) for _ in range(chance.count(8))]
    return Machine.of(chance.name(), states, events, chance.some(chosen, 3), edges)


def _edge(chance: _Chance, states: list[str], events: list[str]) -> Edge:
    source, internal = chance.one(states), chance.one((False, True))
    return Edge(
        source,
        chance.one(events),
        source if internal else chance.one(states),
        guard=_perhaps(chance),
        effects=tuple(chance.name() for _ in range(chance.count(2))),
        internal=internal,
    )


def _perhaps(chance: _Chance) -> str:
    return chance.name() if chance.one((False, True)) else ""
