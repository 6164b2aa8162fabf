"""What recorded runs of a machine have taken, row by row and pair by pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fsm_diagrams.journals import Recorded
from fsm_diagrams.model import Edge, Ignored, Machine, Pair
from fsm_diagrams.overlay import Look, Paint

__all__ = ["Coverage", "cover"]


@dataclass(frozen=True)
class Coverage:
    """How often each row and each ignored pair occurred."""

    machine: Machine
    rows: Mapping[str, int]
    """By `Edge.id`; every row has a number."""
    ignored: Mapping[Pair, int]
    """By pair; every pair that the machine ignores on purpose has a number."""
    lines: int
    """How many lines of journals were counted."""
    runs: int
    """How many transfers."""

    @property
    def uncovered(self) -> tuple[Edge, ...]:
        """The rows that were never taken."""
        return tuple(edge for edge in self.machine.edges if not self.rows[edge.id])

    @property
    def never_ignored(self) -> tuple[Ignored, ...]:
        """The pairs whose event never came."""
        return tuple(
            each for each in self.machine.ignored if not self.ignored[each.state, each.event]
        )

    @property
    def percent(self) -> float:
        """The share of rows that were taken, 0 to 100; 100 for a machine without rows."""
        return _percent(len(self.rows), len(self.uncovered))

    @property
    def pairs_percent(self) -> float:
        """The same for the pairs that are ignored."""
        return _percent(len(self.ignored), len(self.never_ignored))

    def paint(self) -> Paint:
        """The counts on the rows, and the rows that were never taken marked."""
        entered = Counter[str]()
        for edge in self.machine.edges:
            if not edge.internal:
                entered[edge.target] += self.rows[edge.id]
        never = {
            state.name: Look("uncovered", dashed=True)
            for state in self.machine.states
            if not entered[state.name]
            and state.name not in self.machine.initial
            and any(edge.target == state.name for edge in self.machine.edges)
        }
        return Paint(
            edges={name: _look(count) for name, count in self.rows.items()},
            states=never,
            meaning={"plain": "taken, and how often", "uncovered": "never taken"},
            title=f"{self.machine.name}: {self.percent:.1f} % of the rows taken",
        )


def cover(machine: Machine, lines: Iterable[Recorded]) -> Coverage:
    """Count what recorded runs have taken of a machine.

    Args:
        machine: the machine.
        lines: its journals, from `read_journal` with the same machine.
    """
    rows = dict.fromkeys((edge.id for edge in machine.edges), 0)
    ignored = dict.fromkeys(((it.state, it.event) for it in machine.ignored), 0)
    count, runs, last = 0, 0, dict[str, int]()
    for line in lines:
        count += 1
        # The same name in another journal is another run; within one the numbers rise.
        runs += line.seq <= last.get(line.transfer, line.seq)
        last[line.transfer] = line.seq
        if line.row:
            rows[line.row] += 1
        elif line.handling == "ignored":
            for pair in ((before, line.event) for before in line.befores):
                if pair in ignored:
                    ignored[pair] += 1
    return Coverage(machine, rows, ignored, count, runs)


def _percent(all_of_them: int, missing: int) -> float:
    return 100.0 * (all_of_them - missing) / all_of_them if all_of_them else 100.0


def _look(count: int) -> Look:
    return (
        Look("plain", text=f"{count}x") if count else Look("uncovered", dashed=True, text="never")
    )
