"""By which rows configurations are entered: what was taken directly after what, and simple paths.

A configuration that turns out to be entered in one more way after it has been left is left again.
"""

from __future__ import annotations

from collections.abc import Iterator

from warm_transfer.rows import Table
from warm_transfer.states import FINAL

__all__ = ["Path", "Trails"]

Path = tuple[str, ...]
"""The rows that change the state, from the first one on."""


class Trails:
    """For each configuration the rows taken last before it, and the simple paths to it, as bits."""

    def __init__(self, table: Table) -> None:
        self._rows = table.rows
        self._numbers = {row.id: number for number, row in enumerate(table.rows)}
        self._width = len(table.rows)
        self._last = (1 << self._width) - 1
        self._paths: list[Path] = [()]
        self._longer: dict[tuple[int, int], int] = {}
        self._met: set[tuple[int, int]] = set()
        self._ended: set[tuple[int, int]] = set()
        self.entered: list[int] = []

    def add(self) -> None:
        """Note a new configuration; the first one stands at the start of all paths."""
        self.entered.append(0 if self.entered else 1 << self._width)

    def number(self, row: str) -> int:
        """The number of a row."""
        return self._numbers[row]

    def last(self, index: int) -> int:
        """The rows taken last before a configuration."""
        return self.entered[index] & self._last

    def along(self, entered: int, row: int) -> int:
        """How a configuration is entered by a row from one that has been entered so."""
        story = entered >> self._width
        longer = self._longer.get((story, row))
        if longer is None:
            longer = self._longer[story, row] = self._lengthened(story, row)
        return longer << self._width | 1 << row

    def enter(self, place: int, entered: int) -> bool:
        """Note a way into a configuration; whether it is a new one."""
        before = self.entered[place]
        after = before | entered
        if after == before:
            return False
        self.entered[place] = after
        return True

    def leave(self, entered: int, rows: int) -> None:
        """Note that these rows were taken where a configuration has been entered so."""
        self._met.add((entered & self._last, rows))

    def _lengthened(self, story: int, number: int) -> int:
        row = self._rows[number]
        if row.stays:
            return story
        if row.target in FINAL:
            self._ended.add((story, number))
            return 0
        longer = 0
        for place in _bits(story):
            path = self._paths[place]
            if row.target in self._states_of(path):
                continue
            further = (*path, row.id)
            if further not in self._paths:
                self._paths.append(further)
            longer |= 1 << self._paths.index(further)
        return longer

    def _states_of(self, path: Path) -> set[str]:
        taken = [self._rows[self._numbers[row]] for row in path]
        return {row.source for row in taken} | {row.target for row in taken}

    @property
    def switches(self) -> frozenset[tuple[str, str]]:
        """The pairs of rows of which the second was taken directly after the first."""
        after = dict.fromkeys(range(self._width), 0)
        for before, rows in self._met:
            for number in _bits(before):
                after[number] |= rows
        name = [row.id for row in self._rows]
        return frozenset((name[a], name[b]) for a, rows in after.items() for b in _bits(rows))

    @property
    def paths(self) -> frozenset[Path]:
        """The simple paths to a final state that were walked, as rows."""
        return frozenset(
            (*self._paths[place], self._rows[number].id)
            for story, number in self._ended
            for place in _bits(story)
        )


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
