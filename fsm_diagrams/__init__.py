"""Diagrams of state machines that reviewers rely on: canonical text, checked in documents.

    from fsm_diagrams import load, render

    print(render(load("warm_transfer.table:TABLE"), "mermaid"))

Importing the package loads nothing else; each name is loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsm_diagrams.coverage import Coverage, cover
    from fsm_diagrams.diagram import Diagram, draw
    from fsm_diagrams.differences import Change, Diff, RowChange, diff
    from fsm_diagrams.errors import (
        BlockError,
        DiagramError,
        JournalError,
        ModelError,
        RendererError,
        TargetError,
    )
    from fsm_diagrams.formats import render, render_bytes
    from fsm_diagrams.inspection import Finding, Flaw, findings
    from fsm_diagrams.journals import Recorded, read_journal
    from fsm_diagrams.model import Edge, Group, Ignored, Kind, Machine, Reason, State
    from fsm_diagrams.overlay import Look, Paint
    from fsm_diagrams.revisions import load_at
    from fsm_diagrams.routes import Route, Routes, paths
    from fsm_diagrams.saved import from_json, to_json
    from fsm_diagrams.sources import load
    from fsm_diagrams.tracing import Lifelines, one_run, path_of, sequence
    from fsm_diagrams.views import View
    from fsm_diagrams.witness import Witness

_WHERE = {
    "BlockError": "errors",
    "Change": "differences",
    "Coverage": "coverage",
    "Diagram": "diagram",
    "DiagramError": "errors",
    "Diff": "differences",
    "Edge": "model",
    "Finding": "inspection",
    "Flaw": "inspection",
    "Group": "model",
    "Ignored": "model",
    "JournalError": "errors",
    "Kind": "model",
    "Lifelines": "tracing",
    "Look": "overlay",
    "Machine": "model",
    "ModelError": "errors",
    "Paint": "overlay",
    "Reason": "model",
    "Recorded": "journals",
    "RendererError": "errors",
    "Route": "routes",
    "Routes": "routes",
    "RowChange": "differences",
    "State": "model",
    "TargetError": "errors",
    "View": "views",
    "Witness": "witness",
    "cover": "coverage",
    "diff": "differences",
    "draw": "diagram",
    "findings": "inspection",
    "from_json": "saved",
    "load": "sources",
    "load_at": "revisions",
    "one_run": "tracing",
    "path_of": "tracing",
    "paths": "routes",
    "read_journal": "journals",
    "render": "formats",
    "render_bytes": "formats",
    "sequence": "tracing",
    "to_json": "saved",
}

__all__ = [
    "BlockError",
    "Change",
    "Coverage",
    "Diagram",
    "DiagramError",
    "Diff",
    "Edge",
    "Finding",
    "Flaw",
    "Group",
    "Ignored",
    "JournalError",
    "Kind",
    "Lifelines",
    "Look",
    "Machine",
    "ModelError",
    "Paint",
    "Reason",
    "Recorded",
    "RendererError",
    "Route",
    "Routes",
    "RowChange",
    "State",
    "TargetError",
    "View",
    "Witness",
    "cover",
    "diff",
    "draw",
    "findings",
    "from_json",
    "load",
    "load_at",
    "one_run",
    "path_of",
    "paths",
    "read_journal",
    "render",
    "render_bytes",
    "sequence",
    "to_json",
]


def __getattr__(name: str) -> object:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{where}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
