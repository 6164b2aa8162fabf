"""The formats by name: what ``--format`` may say, and how a format stands in a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fsm_diagrams.errors import DiagramError
from fsm_diagrams.matrix import matrix
from fsm_diagrams.mermaid import mermaid
from fsm_diagrams.model import Machine
from fsm_diagrams.overlay import Paint
from fsm_diagrams.saved import to_json
from fsm_diagrams.views import View, picture

__all__ = ["DEFAULT_VIEW", "FORMATS", "Format", "render", "render_block", "render_bytes"]

DEFAULT_VIEW = View.OVERVIEW


@dataclass(frozen=True, slots=True)
class Format:
    """A format: how it is written, and what it can show."""

    write: Callable[[Machine, View, Paint | None], str | bytes]
    fence: str | None = None
    """The name of its code fence in Markdown; empty when it is Markdown, None when it cannot
    stand there."""
    captioned: bool = False
    """Whether a document says below it how to read it."""
    has_views: bool = True
    has_paint: bool = False


def _mermaid(machine: Machine, view: View, _paint: Paint | None) -> str:
    return mermaid(picture(machine, view))


def _matrix(machine: Machine, _view: View, _paint: Paint | None) -> str:
    return matrix(machine)


def _json(machine: Machine, _view: View, _paint: Paint | None) -> str:
    return to_json(machine)


FORMATS: Mapping[str, Format] = {
    "mermaid": Format(_mermaid, fence="mermaid", captioned=True),
    "matrix": Format(_matrix, fence="", has_views=False),
    "json": Format(_json, fence="json", has_views=False),
}


def render(
    machine: Machine,
    name: str = "mermaid",
    view: View | None = None,
    paint: Paint | None = None,
) -> str:
    """A machine in a format, as text that ends with a newline.

    Raises:
        DiagramError: there is no such format, it is no text, or it has no views or no paint and
            one was asked for; `RendererError` when it needs a renderer that is not there.
    """
    drawn = _draw(machine, name, view, paint)
    if isinstance(drawn, bytes):
        raise DiagramError(f"the format {name!r} is no text; use render_bytes")
    return drawn


def render_bytes(
    machine: Machine,
    name: str = "mermaid",
    view: View | None = None,
    paint: Paint | None = None,
) -> bytes:
    """A machine in a format, as it stands in a file; text is UTF-8.

    Raises:
        DiagramError: as `render`, but any format will do.
    """
    drawn = _draw(machine, name, view, paint)
    return drawn if isinstance(drawn, bytes) else drawn.encode()


def render_block(machine: Machine, name: str = "mermaid", view: View | None = None) -> str:
    """The same as it stands in a Markdown document: fenced, with its caption.

    Raises:
        DiagramError: as `render`, or the format cannot stand in a document.
    """
    known = _format(name)
    if known.fence is None:
        raise DiagramError(f"the format {name!r} cannot stand in a document; write it to a file")
    text = render(machine, name, view)
    if not known.fence:
        return text
    block = f"```{known.fence}\n{text}```\n"
    if not known.captioned:
        return block
    return f"{block}\n{' '.join(picture(machine, view or DEFAULT_VIEW).notes)}\n"


def _draw(machine: Machine, name: str, view: View | None, paint: Paint | None) -> str | bytes:
    known = _format(name)
    if view is not None and not known.has_views:
        raise DiagramError(f"the format {name!r} has no views; leave --view out")
    if paint is not None and not known.has_paint:
        painted = ", ".join(each for each, it in FORMATS.items() if it.has_paint)
        raise DiagramError(f"the format {name!r} has no colours to lay over; {painted} have")
    return known.write(machine, view or DEFAULT_VIEW, paint)


def _format(name: str) -> Format:
    found = FORMATS.get(name)
    if found is None:
        raise DiagramError(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    return found
