"""Paths in words."""

from __future__ import annotations

from collections.abc import Sequence

from fsm_diagrams.model import Edge, Machine
from fsm_diagrams.report import Report, Section
from fsm_diagrams.routes import Hop, Route, Routes

__all__ = ["paths_report"]


def paths_report(machine: Machine, found: Sequence[Routes], *, rows: bool = False) -> Report:
    """Every path in one line: the states, and by row the events between them."""
    count = sum(len(each.routes) for each in found)
    cut = [each.to for each in found if not each.complete]
    summary = "1 path" if count == 1 else f"{count} paths"
    if cut:
        summary += f". Cut off at the limit: there may be more to {', '.join(cut)}"
    return Report(
        f"Paths of {machine.name or 'the machine'}",
        f"{summary}.",
        tuple(_section(each, rows=rows) for each in found),
    )


def _section(found: Routes, *, rows: bool) -> Section:
    lines = [_line(route, rows=rows) for route in found.routes] or ["none: nothing leads there"]
    if not found.complete:
        lines.append(f"... and maybe more; only the first {len(found.routes)} are listed")
    count = f"{len(found.routes)}{'' if found.complete else ' or more'}"
    return Section(f"To {found.to} ({count})", tuple(lines))


def _line(route: Route, *, rows: bool) -> str:
    if not rows:
        return " -> ".join(route.states)
    parts = [route.states[0]]
    for hop, state in zip(route.hops, route.states[1:], strict=True):
        parts.append(f"{_by(hop)} -> {state}")
    return ", ".join(parts)


def _by(hop: Hop) -> str:
    return " and ".join(dict.fromkeys(_event(edge) for edge in hop.rows))


def _event(edge: Edge) -> str:
    return f"{edge.event} [{edge.guard}]" if edge.guard else edge.event
