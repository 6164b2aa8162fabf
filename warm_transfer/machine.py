"""The state machine underneath: the only module that imports `transitions`.

One synchronous machine per table is shared by all transfers of the process and fired on light,
unregistered models (65 bytes each, no machine of their own). `transitions` holds the state and
refuses illegal moves; it runs no effects, because a callback that raises leaves the state changed
(docs/design.md), and it knows no asyncio.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

with warnings.catch_warnings():
    # The import changes the process-wide warnings filter; that is the application's to decide.
    from transitions import EventData, Machine, Transition

from warm_transfer.events import On
from warm_transfer.rows import FAMILIES, Family, Guard, Row, Table
from warm_transfer.states import State
from warm_transfer.table_rules import check

__all__ = ["Choose", "TableMachine"]

# One INFO line per state and callback would drown the application's log.
logging.getLogger("transitions").setLevel(logging.WARNING)

Choose = Callable[[Family], Guard]
"""Answers the question of a guard family with exactly one of its members."""


class Slot:
    """The model `transitions` fires on: a place for the state and nothing else."""

    __slots__ = ("state",)

    def __init__(self, state: State) -> None:
        self.state: str = state.value


class RowTransition(Transition):
    """A transition that carries the row it was made from."""

    def __init__(self, *args: Any, row: Row, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row


class TableMachine:
    """A checked table as a `transitions` machine."""

    def __init__(self, table: Table) -> None:
        check(table)
        self.table = table
        self._machine = _RowMachine(
            model=None,
            states=[state.value for state in State],
            initial=table.initial.value,
            auto_transitions=False,
            send_event=True,
            model_override=True,
            after_state_change=_note_row,
        )
        for row in table.rows:
            self._add(row)

    @staticmethod
    @lru_cache(maxsize=16)
    def of(table: Table) -> TableMachine:
        """The machine of a table, built once per process."""
        return TableMachine(table)

    def new_slot(self) -> Slot:
        """A fresh model in the initial state."""
        return Slot(self.table.initial)

    def fire(self, slot: Slot, event: On, choose: Choose) -> Row | None:
        """Fire an event on a model and say which row was taken; None when there is none."""
        fired: list[Row] = []
        if (State(slot.state), event) not in self.table.by_pair:
            return None
        self._machine.events[event.value].trigger(slot, choose=choose, fired=fired)
        return fired[0]

    def _add(self, row: Row) -> None:
        family = self.table.family_of.get((row.source, row.event))
        self._machine.add_transition(
            row.event.value,
            row.source.value,
            None if row.stays else row.target.value,
            conditions=_condition(family, row.guard) if family and row.guard else None,
            row=row,
        )


class _RowMachine(Machine):
    transition_cls = RowTransition


def _note_row(event_data: EventData) -> None:
    taken = event_data.transition
    assert isinstance(taken, RowTransition)
    event_data.kwargs["fired"].append(taken.row)


def _condition(family: Family, guard: Guard) -> Callable[[EventData], bool]:
    assert guard in FAMILIES[family]

    def holds(event_data: EventData) -> bool:
        choose: Choose = event_data.kwargs["choose"]
        return choose(family) is guard

    return holds
