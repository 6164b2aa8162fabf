"""What a table makes possible, found without the model of the world.

Which row can follow which is asked of the core alone: any event at any time, with the id of any
effect that it may report for, in every order. Nothing but guards, marks, clocks and stale ids
stands in the way, so what this walk does not find no world can do. It is the yardstick for what
the explorer took, and does not know it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from warm_transfer.effects import Do
from warm_transfer.events import CLOCKS, On
from warm_transfer.rows import Pair, Row, Table
from warm_transfer.states import FINAL, State
from warm_transfer.testing.explorer.cores import Cores, Taken
from warm_transfer.testing.explorer.garbage import no_garbage
from warm_transfer.testing.explorer.memory import HOLD_CLOCK, OLD_CLOCK, STATE_CLOCK
from warm_transfer.testing.explorer.scopes import SCOPES, OutsideModel, Scope
from warm_transfer.testing.explorer.trails import Path
from warm_transfer.transfer import Handling

__all__ = ["REPORTS", "Feasible", "adjacent", "feasible", "row_paths", "state_paths"]

REPORTS: Mapping[On, frozenset[Do]] = {
    On.CALLER_HELD: frozenset({Do.HOLD_CALLER}),
    On.CALLER_HOLD_FAILED: frozenset({Do.HOLD_CALLER}),
    On.HOLD_AUDIO_FAILED: frozenset({Do.PLAY_HOLD_AUDIO}),
    On.CONSULT_OPENED: frozenset({Do.OPEN_CONSULT}),
    On.CONSULT_OPEN_FAILED: frozenset({Do.OPEN_CONSULT}),
    On.CONSULT_RANG: frozenset({Do.DIAL_CONSULT}),
    On.CONSULT_ANSWERED: frozenset({Do.DIAL_CONSULT}),
    On.CONSULT_REFUSED: frozenset({Do.DIAL_CONSULT}),
    On.DIAL_UNCERTAIN: frozenset({Do.DIAL_CONSULT}),
    On.BRIEFING_STOPPED: frozenset({Do.STOP_BRIEFING}),
    On.BRIEFING_FAILED: frozenset({Do.START_BRIEFING, Do.STOP_BRIEFING}),
    On.MERGE_CONFIRMED: frozenset({Do.MERGE_LEGS, Do.LOOK_AT_ROOMS}),
    On.MERGE_FAILED: frozenset({Do.MERGE_LEGS, Do.LOOK_AT_ROOMS}),
    On.MERGE_UNCERTAIN: frozenset({Do.MERGE_LEGS}),
    On.AGENT_HEARD_OUT: frozenset({Do.AWAIT_LAST_WORDS}),
}
"""The events that come with the id of an effect, and of which effects."""

NEWS = frozenset({On.BRIEFING_FAILED})
"""Reports that also come as news: a consult session can die without being asked anything."""

NODES_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Feasible:
    """What the core alone makes possible."""

    switches: frozenset[tuple[str, str]]
    """Pairs of rows of which the second can be taken directly after the first."""
    paths: frozenset[Path]
    """Simple paths to a final state, as rows that change the state."""
    pairs: frozenset[Pair]
    """Pairs in which an event can reach the table."""


def adjacent(table: Table) -> frozenset[tuple[str, str]]:
    """Pairs of rows of which the second starts where the first leads."""
    return frozenset(
        (first.id, second.id)
        for first in table.rows
        for second in table.rows
        if first.target is second.source
    )


def row_paths(table: Table) -> Iterator[tuple[Row, ...]]:
    """Every simple path from the start to a final state, along rows that change the state."""
    todo: list[tuple[Row, ...]] = [
        (row,) for row in table.rows if row.source is table.initial and not row.stays
    ]
    while todo:
        path = todo.pop()
        if path[-1].target in FINAL:
            yield path
            continue
        been = {row.source for row in path}
        todo += [
            (*path, row)
            for row in table.rows
            if row.source is path[-1].target and row.target not in been and not row.stays
        ]


def state_paths(table: Table) -> frozenset[tuple[State, ...]]:
    """The same paths as states only."""
    return frozenset((table.initial, *(row.target for row in path)) for path in row_paths(table))


def feasible(table: Table, scopes: Sequence[Scope] = SCOPES) -> Feasible:
    """What is possible in any of the scopes.

    Raises:
        OutsideModel: the core of this table never stops to remember more.
    """
    found = [_Alone(Cores(scope, table)) for scope in scopes]
    with no_garbage():
        for each in found:
            each.walk()
    return Feasible(
        frozenset().union(*(each.switches for each in found)),
        frozenset().union(*(each.paths for each in found)),
        frozenset().union(*(each.pairs for each in found)),
    )


_Place = tuple[int, str | None, Path | None]
"""A node, the row taken last, and the simple path so far; None when it is none any more."""


class _Alone:
    """The core of one scope, by itself."""

    def __init__(self, cores: Cores) -> None:
        self.cores = cores
        self.rows = {row.id: row for row in cores.table.rows}
        self.switches: set[tuple[str, str]] = set()
        self.paths: set[Path] = set()
        self.pairs: set[Pair] = set()
        self._next: dict[int, tuple[Taken, ...]] = {}

    def walk(self) -> None:
        """Find everything."""
        first: _Place = (self.cores.first, None, ())
        seen = {first}
        queue = deque(seen)
        while queue:
            place = queue.popleft()
            for after in self._after(place):
                if after not in seen:
                    seen.add(after)
                    queue.append(after)

    def _after(self, place: _Place) -> Iterator[_Place]:
        node, last, path = place
        for taken in self._rows_from(node):
            assert taken.row is not None
            row = self.rows[taken.row]
            if last is not None:
                self.switches.add((last, row.id))
            yield taken.node, row.id, self._longer(path, row)

    def _longer(self, path: Path | None, row: Row) -> Path | None:
        if path is None or row.stays:
            return path
        if row.target in FINAL:
            self.paths.add((*path, row.id))
            return None
        been = {self.rows[each].source for each in path}
        return None if row.target in been else (*path, row.id)

    def _rows_from(self, number: int) -> tuple[Taken, ...]:
        """The rows that any event takes from a node."""
        found = self._next.get(number)
        if found is None:
            if len(self._next) > NODES_MAX:
                raise OutsideModel(f"the core remembers more than {NODES_MAX:,} different things")
            taken = {
                each[:2] + each[2:3]: each
                for each in self._all_from(number)
                if each.row is not None
            }
            found = self._next[number] = tuple(taken.values())
        return found

    def _all_from(self, number: int) -> Iterator[Taken]:
        state = self.cores[number].state
        for on, effect in self._events(number):
            taken = self.cores.take(number, on, effect)
            if taken.handling not in (None, Handling.STALE):
                self.pairs.add((state, on))
            yield taken

    def _events(self, number: int) -> Iterator[tuple[On, int | None]]:
        node = self.cores[number]
        names: Mapping[int, Do] = vars(node.transfer)["_names"]
        for on in On:
            if on in CLOCKS:
                yield on, OLD_CLOCK
                if on in node.clocks:
                    yield on, STATE_CLOCK if on is On.DEADLINE_PASSED else HOLD_CLOCK
                continue
            for effect, name in names.items():
                if name in REPORTS.get(on, ()):
                    yield on, effect
            if on not in REPORTS or on in NEWS:
                yield on, None
