"""The formats by name: what ``--format`` may say, and how a format stands in a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fsm_diagrams.errors import DiagramError
from fsm_diagrams.matrix import matrix
from fsm_diagrams.mermaid import mermaid
from fsm_diagrams.model import Machine
from fsm_diagrams.views import View, picture

__all__ = ["FORMATS", "Format", "render", "render_block"]

DEFAULT_VIEW = View.OVERVIEW


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how it is written alone, and how inside a Markdown document."""

    alone: Callable[[Machine, View], str]
    in_markdown: Callable[[Machine, View], str]
    has_views: bool = True


def _mermaid(machine: Machine, view: View) -> str:
    return mermaid(picture(machine, view))


def _mermaid_block(machine: Machine, view: View) -> str:
    drawn = picture(machine, view)
    return f"```mermaid\n{mermaid(drawn)}```\n\n{' '.join(drawn.notes)}\n"


def _matrix(machine: Machine, _view: View) -> str:
    return matrix(machine)


FORMATS: Mapping[str, Format] = {
    "mermaid": Format(_mermaid, _mermaid_block),
    "matrix": Format(_matrix, _matrix, has_views=False),
}


def render(machine: Machine, name: str = "mermaid", view: View | None = None) -> str:
    """A machine in a format, as text that ends with a newline.

    Raises:
        DiagramError: there is no such format, or it has no views and one was asked for.
    """
    return _format(name, view).alone(machine, view or DEFAULT_VIEW)


def render_block(machine: Machine, name: str = "mermaid", view: View | None = None) -> str:
    """The same as it stands in a Markdown document: fenced, with its caption.

    Raises:
        DiagramError: as `render`.
    """
    return _format(name, view).in_markdown(machine, view or DEFAULT_VIEW)


def _format(name: str, view: View | None) -> Format:
    found = FORMATS.get(name)
    if found is None:
        raise DiagramError(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    if view is not None and not found.has_views:
        raise DiagramError(f"the format {name!r} has no views; leave --view out")
    return found
