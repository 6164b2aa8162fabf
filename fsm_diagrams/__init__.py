"""Diagrams of state machines that reviewers rely on: canonical text, checked in documents.

    from fsm_diagrams import load, render

    print(render(load("warm_transfer.table:TABLE"), "mermaid"))

Importing the package loads nothing else; each name is loaded on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fsm_diagrams.errors import (
        BlockError,
        DiagramError,
        JournalError,
        ModelError,
        RendererError,
        TargetError,
    )
    from fsm_diagrams.formats import render, render_bytes
    from fsm_diagrams.model import Edge, Group, Ignored, Kind, Machine, Reason, State
    from fsm_diagrams.overlay import Look, Paint
    from fsm_diagrams.saved import from_json, to_json
    from fsm_diagrams.sources import load
    from fsm_diagrams.views import View

_WHERE = {
    "BlockError": "errors",
    "DiagramError": "errors",
    "Edge": "model",
    "Group": "model",
    "Ignored": "model",
    "JournalError": "errors",
    "Kind": "model",
    "Look": "overlay",
    "Machine": "model",
    "ModelError": "errors",
    "Paint": "overlay",
    "Reason": "model",
    "RendererError": "errors",
    "State": "model",
    "TargetError": "errors",
    "View": "views",
    "from_json": "saved",
    "load": "sources",
    "render": "formats",
    "render_bytes": "formats",
    "to_json": "saved",
}

__all__ = [
    "BlockError",
    "DiagramError",
    "Edge",
    "Group",
    "Ignored",
    "JournalError",
    "Kind",
    "Look",
    "Machine",
    "ModelError",
    "Paint",
    "Reason",
    "RendererError",
    "State",
    "TargetError",
    "View",
    "from_json",
    "load",
    "render",
    "render_bytes",
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
