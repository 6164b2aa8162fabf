"""The state x event matrix: a Markdown table in which every pair is decided, and a legend.

Events are rows and states are columns. States that decide every event alike share a column: the
final states of a transfer differ in their name only, and a reader should see that.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from fsm_diagrams.markdown import escape
from fsm_diagrams.model import Edge, Machine, Pair

__all__ = ["matrix"]

IMPOSSIBLE = "\N{EN DASH}"
UNHANDLED = ""


def matrix(machine: Machine) -> str:
    """The matrix and its legend as Markdown, ending with a newline."""
    return "\n".join(_Writer(machine).lines()) + "\n"


class _Writer:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._impossible = set(machine.impossible)
        guards = dict.fromkeys(edge.guard for edge in machine.edges if edge.guard)
        self._mark = dict(zip(guards, _marks(), strict=False))
        self._columns = self._shared_columns()

    def lines(self) -> Iterator[str]:
        heads = ("<br>".join(escape(name) for name in names) for names in self._columns)
        yield _row(["", *heads])
        yield _row(["---"] * (len(self._columns) + 1))
        for event in self._machine.events:
            yield _row([escape(event), *(self._cell((names[0], event)) for names in self._columns)])
        yield ""
        yield from self._legend()

    def _shared_columns(self) -> list[list[str]]:
        """The states in their order, those with equal cells together."""
        columns: dict[tuple[str, ...], list[str]] = {}
        for state in self._machine.states:
            cells = tuple(self._cell((state.name, event)) for event in self._machine.events)
            columns.setdefault(cells, []).append(state.name)
        return list(columns.values())

    def _cell(self, pair: Pair) -> str:
        edges = self._machine.by_pair.get(pair)
        if edges:
            return "<br>".join(self._edge(edge) for edge in edges)
        if pair in self._machine.why_ignored:
            return f"*{escape(self._machine.why_ignored[pair])}*"
        return IMPOSSIBLE if pair in self._impossible else UNHANDLED

    def _edge(self, edge: Edge) -> str:
        mark = f"{self._mark[edge.guard]}: " if edge.guard else ""
        if edge.internal:
            effects = f" ({escape(', '.join(edge.effects))})" if edge.effects else ""
            return f"{mark}stays{effects}"
        reason = f" ({escape(edge.reason)})" if edge.reason else ""
        return f"{mark}**{escape(edge.target)}**{reason}"

    def _legend(self) -> Iterator[str]:
        machine = self._machine
        yield "- **state** (reason): the row leads there; the reason is that of the outcome"
        if any(edge.internal for edge in machine.edges):
            yield "- stays (EFFECTS): the row keeps the state and starts these effects, if any"
        for reason in machine.reasons:
            yield f"- *{escape(reason.code)}*: ignored, {escape(reason.text)}"
        if machine.impossible:
            yield f"- {IMPOSSIBLE}: cannot happen; it would be an error of the program"
        if self._undecided():
            yield "- empty: not handled"
        if self._mark:
            marks = (f"{mark}: {escape(guard)}" for guard, mark in self._mark.items())
            yield f"- the condition of a row: {'; '.join(marks)}"

    def _undecided(self) -> bool:
        machine = self._machine
        decided = machine.by_pair.keys() | machine.why_ignored.keys() | self._impossible
        return len(decided) < len(machine.states) * len(machine.events)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _marks() -> Iterator[str]:
    """a, b, ... z, a1, b1, ...: short names for conditions, in the order in which they appear."""
    for turn in count():
        for letter in "abcdefghijklmnopqrstuvwxyz":
            yield f"{letter}{turn or ''}"
