"""Everything that the core can be between two steps, by number, and what each event does to it.

The core itself is walked, not a copy of its rules: each step is `Transfer.receive` on a snapshot,
taken once and remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from warm_transfer.effects import Do
from warm_transfer.errors import UnexpectedEvent
from warm_transfer.events import CLOCKS, Event, On
from warm_transfer.machine import TableMachine
from warm_transfer.policy import Carrier
from warm_transfer.rows import Pair, Table
from warm_transfer.states import FINAL, State
from warm_transfer.testing.explorer.memory import (
    GAP,
    HOLD_CLOCK,
    STATE_CLOCK,
    fork,
    key,
    renumber,
    rewind,
)
from warm_transfer.testing.explorer.scopes import OutsideModel, Scope
from warm_transfer.testing.invariants import Core, Known, Moment, broken_by, learn, repeated
from warm_transfer.testing.model import Surroundings
from warm_transfer.transfer import Handling, Step, Transfer

__all__ = ["Cores", "Node", "Taken", "Wrong"]

Wrong = tuple[tuple[str, str], ...]
"""The invariants that do not hold, as (name, what is wrong)."""

_DEADLINES_MAX = 10


class Node(NamedTuple):
    """The core between two steps."""

    transfer: Transfer
    known: Known
    state: State
    around: Surroundings
    clocks: frozenset[On]


class Taken(NamedTuple):
    """What one event does to a node."""

    node: int
    handling: Handling | None
    """None: the pair is called impossible."""
    row: str | None
    effects: tuple[tuple[int, Do], ...]
    kept: tuple[int, ...]
    """The ids before they were renumbered."""
    wrong: Wrong


class Cores:
    """All nodes of one scope.

    Args:
        scope: the policy and the plan.
        table: the table to walk.
        base: the nodes of another table, which are not found again.
        changed: the only pair in which the two tables differ.
    """

    def __init__(
        self, scope: Scope, table: Table, base: Cores | None = None, changed: Pair | None = None
    ) -> None:
        self.scope = scope
        self.table = table
        self.base = base
        self.changed = changed
        self.machine = TableMachine.of(table)
        self.nodes: list[Node] = []
        self.offset = len(base) if base else 0
        self.numbers: dict[tuple[object, ...], int] = {}
        self.taken: dict[tuple[int, On, int | None], Taken] = {}
        self.wrong: dict[int, Wrong] = {}
        """What is wrong with a node whatever the world is like."""
        fresh = scope.fresh("explored", table)
        self.first = self._intern(fresh, Known(), fresh.strategy.carrier)

    def __len__(self) -> int:
        return self.offset + len(self.nodes)

    def __getitem__(self, number: int) -> Node:
        if self.base is not None and number < self.offset:
            return self.base[number]
        return self.nodes[number - self.offset]

    def take(self, number: int, on: On, effect: int | None) -> Taken:
        """What an event does to a node.

        Raises:
            OutsideModel: the event reports for an effect that the model has lost sight of.
        """
        asked = (number, on, effect)
        taken = self.taken.get(asked)
        if taken is None:
            taken = self._known_to_base(asked) or self._receive(number, on, effect)
            self.taken[asked] = taken
        return taken

    def _known_to_base(self, asked: tuple[int, On, int | None]) -> Taken | None:
        if self.base is None or asked[0] >= self.offset:
            return None
        if (self.base[asked[0]].state, asked[1]) == self.changed:
            return None
        return self.base.taken.get(asked)

    def _receive(self, number: int, on: On, effect: int | None) -> Taken:
        node = self[number]
        if effect and effect % GAP and on not in CLOCKS and on is not On.RELEASE_FAILED:
            raise OutsideModel(
                f"{on} in {node.state} reports for an effect that has been started again since; "
                "the model follows only so many of one name at once"
            )
        transfer = self._own(node.transfer)
        now_s = self._now_s(transfer, on, effect)
        try:
            step = transfer.receive(Event(on, effect=effect), now_s)
        except UnexpectedEvent as error:
            return Taken(number, None, None, (), (), (("an_impossible_pair", str(error)),))
        moment = Moment(step, node.known, self.scope.policy, node.around.carrier)
        wrong = (*broken_by(moment), *self._again(transfer, step))
        if step.handling is not Handling.ROW:
            return Taken(number, step.handling, None, (), (), wrong)
        return self._after(transfer, step, learn(moment), node, wrong)

    def _after(
        self, transfer: Transfer, step: Step, known: Known, node: Node, wrong: Wrong
    ) -> Taken:
        """The node to which a row has led."""
        memory = vars(transfer)
        kept = renumber(memory)
        known = known._replace(settled=bisect_right(kept, known.settled) * GAP)
        final = transfer.state in FINAL
        # Who carries the sound matters after the end too, and the core forgets it there.
        carrier = node.around.carrier if final else transfer.strategy.carrier
        rewind(memory, step.at_s)
        after = self._intern(transfer, known, carrier)
        effects = tuple((each.id, each.name) for each in step.effects)
        row = step.row.id if step.row else None
        return Taken(after, step.handling, row, effects, tuple(kept), wrong)

    def _intern(self, transfer: Transfer, known: Known, carrier: Carrier) -> int:
        memory = vars(transfer)
        its = key(memory, known, carrier)
        number = self.base.numbers.get(its) if self.base else None
        if number is None:
            number = self.numbers.get(its)
        if number is not None:
            return number
        number = len(self)
        self.numbers[its] = number
        running = {
            On.DEADLINE_PASSED: memory["_state_clock"],
            On.HOLD_LIMIT_PASSED: memory["_hold_clock"],
        }
        clocks = frozenset(name for name, clock in running.items() if clock is not None)
        around = Surroundings(transfer.state, carrier, tuple(memory["_newest"].items()))
        self.nodes.append(Node(transfer, known, transfer.state, around, clocks))
        core = Core(transfer.state, clocks, self._deadlines_to_the_end(transfer))
        wrong = tuple(broken_by(core))
        if wrong:
            self.wrong[number] = wrong
        return number

    def _own(self, transfer: Transfer) -> Transfer:
        twin = fork(transfer)
        twin.table = self.table
        vars(twin)["_machine"] = self.machine
        return twin

    def _deadlines_to_the_end(self, transfer: Transfer) -> int | None:
        twin = self._own(transfer)
        for count in range(_DEADLINES_MAX):
            clock = vars(twin)["_state_clock"]
            if clock is None:
                return count
            try:
                twin.receive(Event(On.DEADLINE_PASSED, effect=clock.id), clock.at_s)
            except UnexpectedEvent:
                return None
        return None

    @staticmethod
    def _now_s(transfer: Transfer, on: On, effect: int | None) -> float:
        clock = {
            STATE_CLOCK: vars(transfer)["_state_clock"],
            HOLD_CLOCK: vars(transfer)["_hold_clock"],
        }.get(effect or 0)
        return float(clock.at_s) if on in CLOCKS and clock is not None else 1.0

    def _again(self, transfer: Transfer, step: Step) -> Wrong:
        """What is wrong when the same report is delivered a second time at once."""
        if step.handling is not Handling.ROW:
            return ()
        try:
            second = self._own(transfer).receive(step.event, step.at_s)
        except UnexpectedEvent as error:
            return (("an_impossible_pair", f"delivered twice: {error}"),)
        return tuple(repeated(step, second))
