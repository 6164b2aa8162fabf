"""The formats by name: what ``--format`` may say, and how a format stands in a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fsm_diagrams.dot import dot
from fsm_diagrams.errors import DiagramError
from fsm_diagrams.flowchart import flowchart
from fsm_diagrams.matrix import matrix
from fsm_diagrams.mermaid import mermaid
from fsm_diagrams.model import Machine
from fsm_diagrams.overlay import Paint
from fsm_diagrams.renderer import draw
from fsm_diagrams.saved import to_json
from fsm_diagrams.views import View, picture

__all__ = ["DEFAULT_VIEW", "FORMATS", "Format", "render", "render_block", "render_bytes"]

DEFAULT_VIEW = View.STATES


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


def _flowchart(machine: Machine, view: View, paint: Paint | None) -> str:
    return flowchart(picture(machine, view, paint))


def _dot(machine: Machine, view: View, paint: Paint | None) -> str:
    return dot(picture(machine, view, paint))


def _svg(machine: Machine, view: View, paint: Paint | None) -> str:
    return draw(_dot(machine, view, paint), "svg").decode()


def _png(machine: Machine, view: View, paint: Paint | None) -> bytes:
    return draw(_dot(machine, view, paint), "png")


def _matrix(machine: Machine, _view: View, _paint: Paint | None) -> str:
    return matrix(machine)


def _json(machine: Machine, _view: View, _paint: Paint | None) -> str:
    return to_json(machine)


def _html(machine: Machine, _view: View, paint: Paint | None) -> str:
    from fsm_diagrams.html import html  # noqa: PLC0415 - the page is loaded when it is asked for

    return html(machine, paint)


FORMATS: Mapping[str, Format] = {
    "mermaid": Format(_mermaid, fence="mermaid", captioned=True),
    "flowchart": Format(_flowchart, fence="mermaid", captioned=True, has_paint=True),
    "dot": Format(_dot, fence="dot", has_paint=True),
    "matrix": Format(_matrix, fence="", has_views=False),
    "json": Format(_json, fence="json", has_views=False),
    "svg": Format(_svg, has_paint=True),
    "png": Format(_png, has_paint=True),
    "html": Format(_html, has_views=False, has_paint=True),
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
