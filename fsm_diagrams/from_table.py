"""Our own table as a machine.

The only module here that knows `warm_transfer`, and it imports it only when a table is read.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from fsm_diagrams.model import Edge, Group, Ignored, Kind, Machine, Reason, State

if TYPE_CHECKING:
    from fsm_diagrams.tracing import Lifelines
    from warm_transfer.rows import Row, Table
    from warm_transfer.states import State as TransferState

__all__ = ["OWN_TARGET", "as_table", "from_table", "lifelines"]

OWN_TARGET = "warm_transfer.table:TABLE"
"""The table whose journal a journal is that names a table and comes without a target."""


def as_table(found: object) -> Table | None:
    """The object as a table of ours, if it is one.

    Whoever has made a table has loaded its module; looking there instead of importing keeps
    foreign machines free of `warm_transfer`.
    """
    rows = sys.modules.get("warm_transfer.rows")
    table: type[Table] | None = getattr(rows, "Table", None)
    return found if table is not None and isinstance(found, table) else None


def from_table(table: Table) -> Machine:
    """A table of ours as a machine: the states and events in the order of their enums."""
    from warm_transfer.events import On  # noqa: PLC0415 - see the module
    from warm_transfer.rows import Guard  # noqa: PLC0415
    from warm_transfer.rows import Ignored as Why  # noqa: PLC0415
    from warm_transfer.states import FINAL, HELD  # noqa: PLC0415
    from warm_transfer.states import State as Name  # noqa: PLC0415

    guards = list(Guard)
    # The guards of a pair are disjoint, so their order says nothing; the enum's is stable.
    rows = sorted(table.rows, key=lambda row: guards.index(row.guard) if row.guard else -1)
    undecided = tuple(name.value for name in Name if name in HELD or name is table.initial)
    used = set(table.ignored.values())
    return Machine.of(
        table.name,
        [State(name.value, kind=_kind(name), final=name in FINAL) for name in Name],
        [event.value for event in On],
        [table.initial.value],
        [_edge(row) for row in rows],
        ignored=[Ignored(s.value, e.value, _code(why)) for (s, e), why in table.ignored.items()],
        impossible=[(state.value, event.value) for state, event in table.impossible],
        reasons=[Reason(_code(why), why.value) for why in Why if why in used],
        groups=[Group("undecided", "no outcome yet", undecided)],
        version=table.version,
    )


def lifelines(machine: Machine) -> Lifelines | None:
    """Who takes part in a transfer, if the machine is one of our tables."""
    events = sys.modules.get("warm_transfer.events")
    if events is None or not set(machine.events) <= set(events.On):
        return None
    from fsm_diagrams.tracing import Lifelines  # noqa: PLC0415 - see the module
    from warm_transfer.lifelines import FROM, TO, Lifeline  # noqa: PLC0415

    return Lifelines(
        names=tuple(line.value for line in Lifeline),
        own=Lifeline.AGENT.value,
        people=frozenset({Lifeline.CALLER.value, Lifeline.HUMAN.value}),
        events={event.value: line.value for event, line in FROM.items()},
        effects={effect.value: line.value for effect, line in TO.items()},
    )


def _edge(row: Row) -> Edge:
    return Edge(
        source=row.source.value,
        event=row.event.value,
        target=row.target.value,
        guard=row.guard.value if row.guard else "",
        effects=tuple(effect.value for effect in row.effects),
        clock=row.start.value if row.start else "",
        reason=row.reason.value if row.reason else "",
        notes=tuple(keep.value for keep in row.keep),
        internal=row.stays,
        id=row.id,
    )


def _kind(name: TransferState) -> Kind:
    from warm_transfer.states import DELIVERED, FINAL, WAITING  # noqa: PLC0415 - see the module

    if name in DELIVERED:
        return Kind.FAILURE if name in FINAL else Kind.SUCCESS
    if name in FINAL:
        return Kind.OVER
    return Kind.WAITING if name in WAITING else Kind.ORDINARY


def _code(why: object) -> str:
    """A reason's name as words: ``ALREADY_KNOWN`` is read as ``already known``."""
    return str(getattr(why, "name", why)).lower().replace("_", " ")
