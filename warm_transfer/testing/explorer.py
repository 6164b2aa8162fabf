"""Every path: breadth-first over the core with effects in flight, every invariant on each step.

A configuration is the core, what is known of the steps so far, the effects in flight and the
world. `explore` walks all of them for a few policies and plans and reports what it reached and,
for each invariant that does not hold, the shortest way to break it. Time is abstract: a clock
that runs may run out at any moment.

The core itself is walked, not a copy of its rules: each step is `Transfer.receive` on a snapshot.
Steps are remembered by the core's memory with its effect ids renumbered, because ids are only ever
compared; `Explorer.replay` plays a path through a fresh transfer and so checks that as well.
"""

from __future__ import annotations

import gc
import itertools
import time
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from warm_transfer.effects import Do
from warm_transfer.errors import UnexpectedEvent
from warm_transfer.events import CLOCKS, Event, On
from warm_transfer.machine import TableMachine
from warm_transfer.policy import Carrier, Plan, Strategy, TransferPolicy
from warm_transfer.rows import Keep, Pair, Table
from warm_transfer.states import FINAL, State
from warm_transfer.table import TABLE
from warm_transfer.testing.invariants import (
    Core,
    Known,
    Moment,
    Scene,
    broken_by,
    learn,
    repeated,
)
from warm_transfer.testing.model import (
    Flight,
    Flights,
    Move,
    Surroundings,
    World,
    begin,
    late_by,
    launch,
    moves,
)
from warm_transfer.transfer import Handling, Step, Transfer

__all__ = ["SCOPES", "Counterexample", "Explorer", "Report", "Scope", "explore"]

_RELAY = Strategy("relay", Carrier.AGENT)
_BRIDGE = Strategy("sip_bridge", Carrier.BRIDGE)
_MOVE = Strategy("move", Carrier.SERVER)


@dataclass(frozen=True, slots=True)
class Scope:
    """A policy and a plan under which all paths are walked."""

    name: str
    policy: TransferPolicy = field(default_factory=TransferPolicy)
    strategies: tuple[Strategy, ...] = (_RELAY,)
    lag_max: int = 1
    """How many starts from before the merge may still be under way from `merging` on, the closing
    of the briefing included; that alone is never cut."""


_ENDS = TransferPolicy(on_human_left="end_call")
_RETURNS = TransferPolicy(on_human_left="return")
_LEAVES = TransferPolicy(after_merge="leave")

SCOPES: tuple[Scope, ...] = (
    Scope("relay, end_call", _ENDS, (_RELAY,), 0),
    Scope("relay, return", _RETURNS, (_RELAY,), 1),
    Scope("move, return", _RETURNS, (_MOVE,), 1),
    Scope("sip_bridge, return", _RETURNS, (_BRIDGE,), 0),
    Scope("move then sip_bridge then relay, end_call", _ENDS, (_MOVE, _BRIDGE, _RELAY), 0),
    Scope("move then relay, leave", _LEAVES, (_MOVE, _RELAY), 0),
)
"""Every policy choice and every carrier that the table asks about, and one falling to the next."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The shortest way to break an invariant."""

    invariant: str
    problem: str
    scope: str
    path: tuple[str, ...]
    """What happens, in order; what the core does not see stands in brackets."""
    events: tuple[Event, ...]
    """What the core sees, to be played through a fresh `Transfer`."""

    def __str__(self) -> str:
        steps = "\n    ".join(self.path)
        return f"{self.invariant} ({self.scope}): {self.problem}\n    {steps}"


@dataclass(frozen=True, slots=True)
class Report:
    """What was reached, and what broke."""

    rows_total: int
    rows_taken: frozenset[str]
    pairs_row: frozenset[Pair]
    """Pairs with rows that were reached."""
    pairs_ignored: frozenset[Pair]
    """Ignored pairs that were reached."""
    pairs_impossible: frozenset[Pair]
    """Impossible pairs that were reached: each is a violation."""
    configurations: int
    edges: int
    in_flight_max: int
    cut: int
    """Edges not followed because more starts would have been late at once than the scope allows."""
    violations: tuple[Counterexample, ...]
    seconds: float

    def rows_missed(self, table: Table = TABLE) -> list[str]:
        """The rows that no path takes."""
        return [row.id for row in table.rows if row.id not in self.rows_taken]


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Without the collector: hundreds of thousands of tuples are kept and none is garbage."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# The core's memory: snapshots, and a form in which equal memories are equal.

_REPORTERS = {
    Do.HOLD_CALLER: 1,
    Do.PLAY_HOLD_AUDIO: 1,
    Do.OPEN_CONSULT: 1,
    Do.DIAL_CONSULT: 1,
    Do.START_BRIEFING: 1,
    Do.STOP_BRIEFING: 1,
    Do.MERGE_LEGS: 3,
    Do.LOOK_AT_ROOMS: 1,
    Do.AWAIT_LAST_WORDS: 2,
}
"""Effects that report by id, and how many of each can matter at once."""

_GAP = 100
"""Renumbered ids are multiples of this; releases lie between them, in their order."""
_STATE_CLOCK, _HOLD_CLOCK, _OLD_CLOCK = 10_001, 10_002, 10_000


def _fork(transfer: Transfer) -> Transfer:
    """A transfer that goes its own way from here."""
    twin = object.__new__(Transfer)
    memory = vars(twin)
    memory.update(vars(transfer))
    for name in ("_slot", "_names", "_newest", "_seconds", "_kept"):
        memory[name] = copy(memory[name])
    following = next(memory["_ids"])
    vars(transfer)["_ids"] = itertools.count(following)
    memory["_ids"] = itertools.count(following)
    return twin


def _renumber(memory: dict[str, Any]) -> list[int]:
    """Renumber the ids in a core's memory; the old ids that matter, in order."""
    names: dict[int, Do] = memory["_names"]
    kept: list[int] = []
    for name, number in _REPORTERS.items():
        kept += sorted(each for each, its in names.items() if its is name)[-number:]
    kept.sort()
    fresh = {old: (index + 1) * _GAP for index, old in enumerate(kept)}
    memory["_names"] = {fresh[old]: names[old] for old in kept}
    newest: dict[Do, int] = memory["_newest"]
    memory["_newest"] = {name: fresh[old] for name, old in newest.items() if name in _REPORTERS}
    memory["_settled"] = bisect_right(kept, memory["_settled"]) * _GAP
    memory["_ids"] = itertools.count(len(kept) * _GAP + _GAP // 2)
    return kept


def _rewind(memory: dict[str, Any], now_s: float) -> None:
    """Give the clocks their names and set those that have just started back to time zero."""
    for name, number in (("_state_clock", _STATE_CLOCK), ("_hold_clock", _HOLD_CLOCK)):
        clock = memory[name]
        if clock is not None and clock.id != number:
            clock = copy(clock)
            clock.id, clock.at_s = number, clock.at_s - now_s
            memory[name] = clock
    memory["_entered_s"] = 0.0
    memory["_seconds"] = dict.fromkeys(memory["_seconds"], 0.0)
    if State(memory["_slot"].state) in FINAL:
        # A final state asks no more questions.
        memory.update(_kept=set(), _pending=None, _strategy=0, _seconds={}, outcome=None)
    elif State(memory["_slot"].state) is State.MERGED:
        # Nor does a merged call ask how the merge came about.
        memory["_kept"] -= {Keep.HUMAN_GONE, Keep.LOOKED}
        memory["_pending"] = None


def _key(memory: dict[str, Any], known: Known, carrier: Carrier) -> tuple[object, ...]:
    clocks = [memory[name] and memory[name].at_s for name in ("_state_clock", "_hold_clock")]
    return (
        memory["_slot"].state,
        frozenset(memory["_kept"]),
        memory["_pending"] and memory["_pending"][0],
        memory["_strategy"],
        memory["_settled"],
        tuple(memory["_names"].items()),
        tuple(sorted(memory["_newest"].items())),
        tuple(clocks),
        known,
        carrier,
    )


LATE = frozenset({State.MERGING, State.MERGED})


class _Node(NamedTuple):
    """The core between two steps."""

    transfer: Transfer
    known: Known
    state: State
    around: Surroundings
    clocks: frozenset[On]


class _Taken(NamedTuple):
    """What one event does to a node."""

    node: int
    handling: Handling | None
    """None: the pair is called impossible."""
    row: str | None
    effects: tuple[tuple[int, Do], ...]
    kept: tuple[int, ...]
    """The ids before they were renumbered."""
    wrong: tuple[tuple[str, str], ...]


class _Config(NamedTuple):
    node: int
    flights: Flights
    world: World


class Explorer:
    """All configurations of one scope.

    Args:
        scope: the policy and the plan.
        table: the table to walk.
        base: an explorer that has run; what it knows is not walked again. See `differs`.
    """

    def __init__(self, scope: Scope, table: Table = TABLE, base: Explorer | None = None) -> None:
        self.scope = scope
        self.table = table
        self.base = base
        self.nodes: list[_Node] = []
        self.offset = len(base.nodes) if base else 0
        self.numbers: dict[tuple[object, ...], int] = {}
        self.taken: dict[tuple[int, On, int | None], _Taken] = {}
        self.seen: dict[_Config, int] = {}
        self.configs: list[_Config] = []
        self.parents: list[tuple[int, Move | None]] = []
        self.reached: dict[Pair, list[int]] = {}
        self.launched: dict[tuple[int, Flights], tuple[Flights, tuple[Do, ...]]] = {}
        self.heard: set[int] = set()
        self.edges = 0
        self.cut = 0
        self.in_flight_max = 0
        self.found: dict[str, Counterexample] = {}
        self.machine = TableMachine.of(table)
        self.changed: Pair | None = None
        self.core_wrong: dict[int, tuple[tuple[str, str], ...]] = {}

    # Walking.

    def run(self, *, stop_at: int | None = None) -> None:
        """Walk everything, or until that many invariants have been broken."""
        plan = Plan(strategies=self.scope.strategies)
        fresh = Transfer("explored", policy=self.scope.policy, plan=plan, table=self.table)
        start = _Config(self._intern(fresh, Known(), self._carrier(fresh)), (), World())
        self._add(start, -1, None)
        queue = deque([0])
        with _no_garbage():
            while queue:
                queue.extend(self._expand(queue.popleft()))
                if stop_at is not None and len(self.found) >= stop_at:
                    return

    def _expand(self, index: int) -> Iterator[int]:
        """Take every move of a configuration; yields the configurations that are new."""
        config = self.configs[index]
        node = self._node(config.node)
        for move in self._moves(node, config):
            self.edges += 1
            after = self._follow(config, node, move, index)
            if after is None:
                continue
            added = self._add(after, index, move)
            if added is not None:
                yield added

    def _moves(self, node: _Node, config: _Config) -> Iterator[Move]:
        if node.state in FINAL:
            # After the end news changes the world no more, and what it does to the core depends
            # on the core alone: once for each core is enough.
            news = config.node not in self.heard
            self.heard.add(config.node)
            yield from moves(node.around, config.flights, config.world, news=news)
            return
        yield from moves(node.around, config.flights, config.world)
        for clock, number in (
            (On.DEADLINE_PASSED, _STATE_CLOCK),
            (On.HOLD_LIMIT_PASSED, _HOLD_CLOCK),
        ):
            if node.state is not State.IDLE:
                yield Move(clock, _OLD_CLOCK, config.flights, config.world, "an old clock")
            if clock in node.clocks:
                yield Move(clock, number, config.flights, config.world, "a clock")

    def _follow(self, config: _Config, node: _Node, move: Move, index: int) -> _Config | None:
        """The configuration after a move; None if it is the same one."""
        if move.event is None:
            flights, begun = self._launch(None, move.flights)
            return _Config(config.node, flights, begin(begun, move.world))
        taken = self._take(config.node, move.event, move.effect)
        if taken.handling is not Handling.STALE:
            where = self.reached.setdefault((node.state, move.event), [])
            if not where or where[-1] != index:
                where.append(index)
        if taken.wrong:
            self._report(taken.wrong, index, move)
        same = taken.node == config.node and not taken.effects
        if same and move.flights is config.flights and move.world == config.world:
            return None
        flights, begun = self._launch(taken, move.flights)
        return _Config(taken.node, flights, begin(begun, move.world))

    def _launch(self, taken: _Taken | None, flights: Flights) -> tuple[Flights, tuple[Do, ...]]:
        """The flights after a step, remembered: the world has no part in it."""
        key = (id(taken) if taken and taken.effects else 0, flights)
        launched = self.launched.get(key)
        if launched is None:
            kept = taken.kept if taken else ()
            effects: tuple[tuple[int, Do], ...] = ()
            now = flights
            if taken and taken.effects:
                now = tuple(Flight(_renamed_id(n, kept), name, phase) for n, name, phase in flights)
                effects = tuple((_renamed_id(n, kept), name) for n, name in taken.effects)
            now, begun = launch(effects, now)
            launched = self.launched[key] = (_tidy(now), begun)
        return launched

    def _add(self, config: _Config, parent: int, move: Move | None) -> int | None:
        if config in self.seen or (self.base is not None and config in self.base.seen):
            return None
        state = self._node(config.node).state
        if state in LATE and late_by(config.flights) > self.scope.lag_max:
            self.cut += 1
            return None
        index = len(self.configs)
        self.seen[config] = index
        self.configs.append(config)
        self.parents.append((parent, move))
        self.in_flight_max = max(self.in_flight_max, len(config.flights))
        node = self._node(config.node)
        scene = Scene(node.state, config.world, config.flights, node.around.carrier)
        wrong = (*broken_by(scene), *self.core_wrong.get(config.node, ()))
        if wrong:
            self._report(wrong, index, None)
        return index

    # The core.

    def _node(self, number: int) -> _Node:
        if self.base is not None and number < self.offset:
            return self.base.nodes[number]
        return self.nodes[number - self.offset]

    @staticmethod
    def _carrier(transfer: Transfer) -> Carrier:
        return transfer.strategy.carrier

    def _intern(self, transfer: Transfer, known: Known, carrier: Carrier) -> int:
        memory = vars(transfer)
        key = _key(memory, known, carrier)
        number = self.base.numbers.get(key) if self.base else None
        if number is None:
            number = self.numbers.get(key)
        if number is not None:
            return number
        number = self.offset + len(self.nodes)
        self.numbers[key] = number
        running = {
            On.DEADLINE_PASSED: memory["_state_clock"],
            On.HOLD_LIMIT_PASSED: memory["_hold_clock"],
        }
        clocks = frozenset(name for name, clock in running.items() if clock is not None)
        around = Surroundings(transfer.state, carrier, tuple(memory["_newest"].items()))
        self.nodes.append(_Node(transfer, known, transfer.state, around, clocks))
        core = Core(transfer.state, clocks, self._deadlines_to_the_end(transfer))
        wrong = tuple(broken_by(core))
        if wrong:
            self.core_wrong[number] = wrong
        return number

    def _own(self, transfer: Transfer) -> Transfer:
        twin = _fork(transfer)
        twin.table = self.table
        vars(twin)["_machine"] = self.machine
        return twin

    def _deadlines_to_the_end(self, transfer: Transfer) -> int | None:
        twin = self._own(transfer)
        for count in range(10):
            clock = vars(twin)["_state_clock"]
            if clock is None:
                return count
            try:
                twin.receive(Event(On.DEADLINE_PASSED, effect=clock.id), clock.at_s)
            except UnexpectedEvent:
                return None
        return None

    def _take(self, number: int, on: On, effect: int | None) -> _Taken:
        key = (number, on, effect)
        taken = self.taken.get(key)
        if taken is None:
            taken = self._known_to_base(key) or self._receive(number, on, effect)
            self.taken[key] = taken
        return taken

    def _known_to_base(self, key: tuple[int, On, int | None]) -> _Taken | None:
        if self.base is None or key[0] >= self.offset:
            return None
        if (self.base.nodes[key[0]].state, key[1]) == self.changed:
            return None
        return self.base.taken.get(key)

    def _receive(self, number: int, on: On, effect: int | None) -> _Taken:
        node = self._node(number)
        transfer = self._own(node.transfer)
        event = Event(on, effect=effect)
        now_s = self._now_s(transfer, on, effect)
        try:
            step = transfer.receive(event, now_s)
        except UnexpectedEvent as error:
            return _Taken(number, None, None, (), (), (("an_impossible_pair", str(error)),))
        moment = Moment(step, node.known, self.scope.policy, node.around.carrier)
        known = learn(moment)
        wrong = (*broken_by(moment), *self._again(transfer, step))
        if step.handling is not Handling.ROW:
            return _Taken(number, step.handling, None, (), (), wrong)
        memory = vars(transfer)
        kept = _renumber(memory)
        known = known._replace(settled=bisect_right(kept, known.settled) * _GAP)
        # Who carries the sound matters after the end too, and the core forgets it there.
        carrier = self._carrier(transfer) if transfer.state not in FINAL else node.around.carrier
        _rewind(memory, now_s)
        after = self._intern(transfer, known, carrier)
        effects = tuple((each.id, each.name) for each in step.effects)
        row = step.row.id if step.row else None
        return _Taken(after, step.handling, row, effects, tuple(kept), wrong)

    @staticmethod
    def _now_s(transfer: Transfer, on: On, effect: int | None) -> float:
        clock = {
            _STATE_CLOCK: vars(transfer)["_state_clock"],
            _HOLD_CLOCK: vars(transfer)["_hold_clock"],
        }.get(effect or 0)
        return float(clock.at_s) if on in CLOCKS and clock is not None else 1.0

    def _again(self, transfer: Transfer, step: Step) -> tuple[tuple[str, str], ...]:
        """What is wrong when the same report is delivered a second time at once."""
        if step.handling is not Handling.ROW:
            return ()
        try:
            second = self._own(transfer).receive(step.event, step.at_s)
        except UnexpectedEvent as error:
            return (("an_impossible_pair", f"delivered twice: {error}"),)
        return tuple(repeated(step, second))

    # What was found.

    def _report(self, wrong: Sequence[tuple[str, str]], index: int, move: Move | None) -> None:
        for invariant, problem in wrong:
            if invariant not in self.found:
                path = self._path(index, move)
                self.found[invariant] = Counterexample(
                    invariant,
                    problem,
                    self.scope.name,
                    tuple(_told(each) for each in path),
                    () if self.base else tuple(self.replay(path)[1]),
                )

    def _path(self, index: int, move: Move | None) -> list[Move]:
        path = [move] if move else []
        while index >= 0:
            index, before = self.parents[index]
            if before is not None:
                path.append(before)
        return path[::-1]

    def path_to(self, index: int) -> list[Move]:
        """The shortest way to a configuration."""
        return self._path(index, None)

    def replay(self, path: Iterable[Move]) -> tuple[Transfer, list[Event]]:
        """Play a path through a fresh transfer, with the ids it gives itself."""
        plan = Plan(strategies=self.scope.strategies)
        fresh = Transfer("replayed", policy=self.scope.policy, plan=plan, table=self.table)
        real: dict[int, int] = {}
        events: list[Event] = []
        number = 0
        for move in path:
            if move.event is None:
                continue
            effect = move.effect
            if move.event in CLOCKS:
                clock = vars(fresh)[
                    "_state_clock" if move.event is On.DEADLINE_PASSED else "_hold_clock"
                ]
                effect = None if move.effect == _OLD_CLOCK or clock is None else clock.id
            elif effect is not None:
                effect = real.get(effect)
            taken = self._take(number, move.event, move.effect)
            event = Event(move.event, effect=effect if effect is not None else 0)
            if move.effect is None:
                event = Event(move.event)
            events.append(event)
            if taken.handling is None:
                break
            step = fresh.receive(event, 0.0)
            for (canonical, _name), effect_done in zip(taken.effects, step.effects, strict=True):
                real[canonical] = effect_done.id
            if taken.kept:
                real = {
                    (index + 1) * _GAP: real[old]
                    for index, old in enumerate(taken.kept)
                    if old in real
                }
            number = taken.node
        return fresh, events

    # Other tables.

    def differs(self, table: Table, pair: Pair, *, limit: int = 100_000) -> Counterexample | None:
        """Walk what another table changes, if it differs in this pair only.

        Every configuration in which the pair comes up is taken as a start; what this explorer
        has seen is not walked again. Returns the first violation found, or None if there is none
        within so many new configurations.
        """
        other = Explorer(self.scope, table, base=self)
        other.changed = pair
        for index in self.reached.get(pair, ()):
            other.walk_from(self.configs[index], pair[1], limit)
            if other.found:
                return next(iter(other.found.values()))
            if len(other.configs) > limit:
                return None
        return None

    def walk_from(self, config: _Config, on: On, limit: int) -> None:
        """Take one event in a configuration of the base, then everything that follows."""
        node = self._node(config.node)
        stack: list[int] = []
        for move in self._moves(node, config):
            if move.event is not on:
                continue
            after = self._follow(config, node, move, -1)
            if after is not None and (added := self._add(after, -1, move)) is not None:
                stack.append(added)
        while stack and not self.found and len(self.configs) <= limit:
            stack.extend(self._expand(stack.pop()))


def _renamed_id(number: int, kept: tuple[int, ...]) -> int:
    """An id after renumbering; what is not kept stands behind the kept one before it."""
    place = bisect_left(kept, number)
    if place < len(kept) and kept[place] == number:
        return (place + 1) * _GAP
    return place * _GAP + 1 + number % (_GAP - 1)


def _tidy(flights: Flights) -> Flights:
    """Flights in order, with the ids of releases close behind the kept ones."""
    if all(each.id % _GAP == 0 for each in flights):
        return flights
    tidy, last = [], 0
    for each in flights:
        number = each.id
        if number % _GAP:
            number = max(last, number // _GAP * _GAP) + 1
        last = number
        tidy.append(each if number == each.id else Flight(number, each.name, each.phase))
    return tuple(tidy)


def _told(move: Move) -> str:
    if move.event is None:
        return f"[{move.what}]"
    return move.event.value if move.what == "news" else f"{move.event} ({move.what})"


def explore(
    scopes: Sequence[Scope] = SCOPES, table: Table = TABLE, *, stop_at: int | None = None
) -> Report:
    """Walk every path of a table in every scope.

    Args:
        scopes: the policies and plans.
        table: the table; it must satisfy `table_rules`.
        stop_at: give a scope up after so many broken invariants.
    """
    began = time.perf_counter()
    explorers = [Explorer(scope, table) for scope in scopes]
    for explorer in explorers:
        explorer.run(stop_at=stop_at)
    return report_of(explorers, time.perf_counter() - began)


def report_of(explorers: Sequence[Explorer], seconds: float) -> Report:
    """What explorers that have run have found, together."""
    table = explorers[0].table
    taken = [each for explorer in explorers for each in explorer.taken.values()]
    pairs = {pair for explorer in explorers for pair in explorer.reached}
    shortest: dict[str, Counterexample] = {}
    for explorer in explorers:
        for name, found in explorer.found.items():
            if name not in shortest or len(found.path) < len(shortest[name].path):
                shortest[name] = found
    return Report(
        rows_total=len(table.rows),
        rows_taken=frozenset(each.row for each in taken if each.row),
        pairs_row=frozenset(pairs & set(table.by_pair)),
        pairs_ignored=frozenset(pairs & set(table.ignored)),
        pairs_impossible=frozenset(pairs & table.impossible),
        configurations=sum(len(explorer.configs) for explorer in explorers),
        edges=sum(explorer.edges for explorer in explorers),
        in_flight_max=max(explorer.in_flight_max for explorer in explorers),
        cut=sum(explorer.cut for explorer in explorers),
        violations=tuple(shortest.values()),
        seconds=seconds,
    )
