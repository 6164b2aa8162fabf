"""Breadth-first over all configurations of one scope.

A configuration is the core, what is known of the steps so far, the effects in flight and the
world. Time is abstract: a clock that runs may run out at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from warm_transfer.events import On
from warm_transfer.rows import Pair, Table
from warm_transfer.states import FINAL, State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer.cores import Cores, Wrong
from warm_transfer.testing.explorer.counterexample import Counterexample, Played, play
from warm_transfer.testing.explorer.garbage import no_garbage
from warm_transfer.testing.explorer.memory import HOLD_CLOCK, OLD_CLOCK, STATE_CLOCK
from warm_transfer.testing.explorer.scopes import OutsideModel, Scope
from warm_transfer.testing.explorer.trails import Trails
from warm_transfer.testing.explorer.worlds import (
    EFFECT_BITS,
    EVENTS,
    HERE,
    HERE_BITS,
    Worlds,
    code_of,
    decoded,
)
from warm_transfer.testing.model import Move, late_by
from warm_transfer.transfer import Handling

__all__ = ["CONFIGURATIONS_MAX", "Explorer"]

CONFIGURATIONS_MAX = 2_000_000
"""A table that leads to more configurations in one scope is taken to grow without end."""

_LATE = frozenset({State.MERGING, State.MERGED})
_CLOCKS = ((On.DEADLINE_PASSED, STATE_CLOCK), (On.HOLD_LIMIT_PASSED, HOLD_CLOCK))

_UNSEEN: tuple[int, int, bool, Wrong] = (0, -1, False, ())
"""What the core makes of a move that it does not see."""

_Hot = tuple[int, int, int, bool, Wrong]
"""The node after an event, what the step starts, its row or -1, whether it was news, what broke."""


class Explorer:
    """All configurations of one scope.

    Args:
        scope: the policy and the plan.
        table: the table to walk.
        base: an explorer that has run; what it knows is not walked again. See `differs`.
        changed: the only pair in which the base's table differs.
    """

    def __init__(
        self,
        scope: Scope,
        table: Table = TABLE,
        base: Explorer | None = None,
        changed: Pair | None = None,
    ) -> None:
        self.scope = scope
        self.table = table
        self.base = base
        self.cores: Cores = Cores(scope, table, base.cores if base else None, changed)
        self.worlds: Worlds = base.worlds if base else Worlds()
        self.offset = len(base) if base else 0
        self.configs: list[int] = []
        self.parents: list[tuple[int, int]] = []
        self.seen: dict[int, int] = {}
        self.trails = Trails(table)
        self.found: dict[str, Counterexample] = {}
        self.edges = 0
        self.cut = 0
        self.in_flight_max = 0
        self._hot: dict[int, dict[int, _Hot]] = {}
        self._arounds: dict[int, int] = {}
        self._codes: dict[int, tuple[int, ...]] = {}
        self._heard: dict[tuple[int, int], int] = {}
        self._next = self._counted = 0
        self._again: set[int] = set()
        self._reached = {state: [list[int]() for _ in EVENTS] for state in State}

    def __len__(self) -> int:
        return self.offset + len(self.configs)

    # Walking.

    def run(
        self, *, stop_at: int | None = None, configurations_max: int = CONFIGURATIONS_MAX
    ) -> None:
        """Walk everything, or until that many invariants have been broken.

        Raises:
            OutsideModel: the table cannot be followed, and nothing has been found before.
        """
        if not self.configs:
            self._add(self.cores.first << HERE_BITS, -1, 0)
        with no_garbage():
            while self._next < len(self.configs) or self._again:
                try:
                    self._expand(self._next_index())
                except OutsideModel:
                    if self.found:
                        return
                    raise
                if stop_at is not None and len(self.found) >= stop_at:
                    return
                if len(self.configs) > configurations_max:
                    raise OutsideModel(
                        f"{self.scope.name}: more than {configurations_max:,} configurations; "
                        "some effect is started again and again"
                    )

    def _next_index(self) -> int:
        if self._next < len(self.configs):
            self._next += 1
            return self._next - 1
        return self._again.pop()

    def _expand(self, index: int, only: On | None = None) -> None:  # noqa: C901, PLR0912 - one loop, millions of times
        """Take every move of a configuration, or those of one event."""
        config = self.config(index)
        number, here = config >> HERE_BITS, config & HERE
        state = self.cores[number].state
        hot = self._hot.setdefault(number, {})
        reached = self._reached[state]
        trails = self.trails if self.base is None else None
        entered = trails.entered[index] if trails else 0
        first = index >= self._counted
        noted = first or state in FINAL
        rows = own = 0
        unmoved: list[int] = []
        ordinal = -1
        for ordinal, move in enumerate(self._moves(index, number, here)):
            code = move >> HERE_BITS
            if only is not None and EVENTS[code >> EFFECT_BITS] is not only:
                continue
            moved = move & HERE
            after, step, row, news, wrong = number, *_UNSEEN
            if code:
                after, step, row, news, wrong = hot.get(code) or self._take(number, code)
            if news and noted:
                where = reached[code >> EFFECT_BITS]
                if not where or where[-1] != index:
                    where.append(index)
            if wrong:
                self._report(wrong, index, ordinal)
            if step or moved != here:
                moved = self.worlds.launch(step, moved)
            following = after << HERE_BITS | moved
            if row >= 0:
                rows |= 1 << row
            if following == config:
                own |= 1 << row if row >= 0 else 0
                continue
            place = self.seen.get(following)
            if place is None:
                place = self._add(following, index, ordinal)
            if trails is None or place < 0:
                continue
            if row < 0:
                unmoved.append(place)
            elif trails.enter(place, trails.along(entered, row)) and place < self._next:
                self._again.add(place)
        if trails:
            trails.leave(entered | own, rows)
            for place in unmoved:
                if trails.enter(place, entered | own) and place < self._next:
                    self._again.add(place)
        if first:
            self.edges += ordinal + 1
            self._counted = index + 1 if trails else 0

    def _take(self, number: int, code: int) -> _Hot:
        """What the core makes of an event, in the form that the walk needs."""
        taken = self.cores.take(number, *decoded(code))
        hot = (
            taken.node,
            self.worlds.step(taken.effects, taken.kept),
            -1 if taken.row is None else self.trails.number(taken.row),
            taken.handling is not Handling.STALE,
            taken.wrong,
        )
        self._hot[number][code] = hot
        return hot

    def _moves(self, index: int, number: int, here: int) -> tuple[int, ...]:
        """What may happen next, as `Worlds.moves` has it; clocks last."""
        around = self._around_of(number)
        if self.cores[number].state in FINAL:
            # After the end news changes the world no more, and what it does to the core depends
            # on the core alone: once is enough for each core, for what is still under way, and for
            # each row that has led there.
            entered = self.trails.last(index) if self.base is None else 1
            asked = (number, self.worlds.underway(here))
            heard = self._heard.get(asked, 0)
            self._heard[asked] = heard | entered
            return self.worlds.moves(around, here, news=bool(entered & ~heard))
        clocks = tuple([clock | here for clock in self._clock_codes(number)])
        return self.worlds.moves(around, here, news=True) + clocks

    def _around_of(self, number: int) -> int:
        around = self._arounds.get(number)
        if around is None:
            around = self._arounds[number] = self.worlds.around(self.cores[number].around)
        return around

    def _clock_codes(self, number: int) -> tuple[int, ...]:
        codes = self._codes.get(number)
        if codes is None:
            told = [code_of(clock, effect) for clock, effect in self._clocks(number)]
            codes = self._codes[number] = tuple(code << HERE_BITS for code in told)
        return codes

    def _clocks(self, number: int) -> Iterator[tuple[On, int]]:
        node = self.cores[number]
        if node.state in FINAL:
            return
        for clock, effect in _CLOCKS:
            if node.state is not State.IDLE:
                yield clock, OLD_CLOCK
            if clock in node.clocks:
                yield clock, effect

    def _add(self, config: int, parent: int, ordinal: int) -> int:
        """The number of a new configuration; -1 when it is not followed."""
        if self.base is not None and config in self.base.seen:
            return -1
        node = self.cores[config >> HERE_BITS]
        here = config & HERE
        flights = self.worlds.flights(here)
        if node.state in _LATE and late_by(flights) > self.scope.lag_max:
            self.cut += 1
            return -1
        index = len(self)
        self.seen[config] = index
        self.configs.append(config)
        self.parents.append((parent, ordinal))
        if self.base is None:
            self.trails.add()
        self.in_flight_max = max(self.in_flight_max, len(flights))
        wrong = self.worlds.wrong(self._around_of(config >> HERE_BITS), here)
        wrong += self.cores.wrong.get(config >> HERE_BITS, ())
        if wrong:
            self._report(wrong, index, None)
        return index

    # What was found.

    def config(self, index: int) -> int:
        """A configuration: the number of the core, then that of flights and world."""
        if self.base is not None and index < self.offset:
            return self.base.config(index)
        return self.configs[index - self.offset]

    def state(self, index: int) -> State:
        """The core's state in a configuration."""
        return self.cores[self.config(index) >> HERE_BITS].state

    @property
    def reached(self) -> dict[Pair, list[int]]:
        """The configurations in which an event reached the table, for each pair."""
        return {
            (state, event): where
            for state, events in self._reached.items()
            for event, where in zip(EVENTS, events, strict=True)
            if event is not None and where
        }

    def _report(self, wrong: Wrong, index: int, ordinal: int | None) -> None:
        for invariant, problem in wrong:
            if invariant not in self.found:
                path = self.path_to(index)
                if ordinal is not None:
                    path.append(self._move(index, ordinal))
                self.found[invariant] = Counterexample.of(
                    invariant, problem, self.scope, path, self.replay(path)
                )

    def _move(self, index: int, ordinal: int) -> Move:
        """A move in the words of the model."""
        number, here = self.config(index) >> HERE_BITS, self.config(index) & HERE
        told = self.worlds.told(self._around_of(number), here)
        if ordinal < len(told):
            return told[ordinal]
        clock, effect = list(self._clocks(number))[ordinal - len(told)]
        what = "an old clock" if effect == OLD_CLOCK else "a clock"
        return told[0]._replace(event=clock, effect=effect, what=what)

    def path_to(self, index: int) -> list[Move]:
        """The shortest way to a configuration that was found."""
        if self.base is not None and index < self.offset:
            return self.base.path_to(index)
        path = []
        while index >= self.offset:
            index, ordinal = self.parents[index - self.offset]
            if index >= 0:
                path.append(self._move(index, ordinal))
        before = self.base.path_to(index) if self.base is not None else []
        return before + path[::-1]

    def replay(self, path: Iterable[Move]) -> Played:
        """Play a path through a fresh transfer, with the ids it gives itself."""
        return play(self.cores, path)

    # Other tables.

    def differs(self, table: Table, pair: Pair, *, limit: int = 100_000) -> Counterexample | None:
        """Walk what another table changes, if it differs in this pair only.

        Every configuration in which the pair comes up is taken as a start; what this explorer
        has seen is not walked again. Returns the first violation found, or None if there is none
        within so many new configurations.
        """
        other = Explorer(self.scope, table, self, pair)
        for index in self._reached[pair[0]][EVENTS.index(pair[1])]:
            other.walk_from(index, pair[1], limit)
            if other.found:
                return next(iter(other.found.values()))
            if len(other.configs) > limit:
                return None
        return None

    def walk_from(self, index: int, on: On, limit: int) -> None:
        """Take one event in a configuration of the base, then everything that follows."""
        done = len(self.configs)
        self._expand(index, on)
        stack = list(range(self.offset + done, len(self)))
        while stack and not self.found and len(self.configs) <= limit:
            done = len(self)
            self._expand(stack.pop())
            stack.extend(range(done, len(self)))
