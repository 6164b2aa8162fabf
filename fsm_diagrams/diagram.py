"""A machine and how it is drawn, as one object that notebooks show by themselves.

    from fsm_diagrams import draw

    draw("warm_transfer.table:TABLE")                    # a picture
    draw("warm_transfer.table:TABLE", interactive=True)  # the page, in a frame

Neither needs a renderer. The picture is shown as an image and the page in a sandboxed frame, so
that nothing of a notebook is styled or run by a diagram.
"""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from pathlib import Path

from fsm_diagrams.delivery import write
from fsm_diagrams.errors import DiagramError, TargetError
from fsm_diagrams.formats import DEFAULT_VIEW, FORMATS, render_block, render_bytes
from fsm_diagrams.html import html
from fsm_diagrams.journals import Recorded, read_journal
from fsm_diagrams.model import Machine
from fsm_diagrams.overlay import Paint
from fsm_diagrams.plain_svg import plain_svg
from fsm_diagrams.sources import load, read
from fsm_diagrams.views import View

__all__ = ["Diagram", "draw"]

#: Pixels; a page of a notebook is about as high.
FRAME_HEIGHT = 640


@dataclass(frozen=True)
class Diagram:
    """A machine to look at. Make one with `draw`."""

    machine: Machine
    view: View = DEFAULT_VIEW
    paint: Paint | None = None
    journal: tuple[Recorded, ...] = ()
    interactive: bool = False
    """Whether a notebook shows the page instead of the picture."""

    def svg(self) -> str:
        """The picture as SVG, laid out here: no renderer is needed."""
        return plain_svg(self.machine, self.view, self.paint)

    def html(self) -> str:
        """The page, with the journal to play if there is one."""
        return html(self.machine, self.paint, self.journal)

    def markdown(self) -> str:
        """The picture as a Mermaid block of a Markdown document, without a paint."""
        return render_block(self.machine, "mermaid", self.view)

    def save(self, path: str | Path) -> None:
        """Write it to a file; the ending of the name says the format.

        ``.html`` and ``.svg`` are as here, ``.png`` and ``.dot`` are Graphviz', ``.md`` is a
        Mermaid block, ``.json`` is the saved machine.

        Raises:
            DiagramError: there is no such format, its renderer is missing, or the file cannot be
                written.
        """
        path = Path(path)
        own = {".html": self.html, ".svg": self.svg, ".md": self.markdown}
        if path.suffix in own:
            write(path, own[path.suffix]().encode())
            return
        name = path.suffix.removeprefix(".")
        if name not in FORMATS:
            known = ", ".join(sorted({*own, ".dot", ".json", ".png"}))
            raise DiagramError(f"{path}: the ending says no format; there are {known}")
        known_format = FORMATS[name]
        view = self.view if known_format.has_views else None
        paint = self.paint if known_format.has_paint else None
        write(path, render_bytes(self.machine, name, view, paint))

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_html_(self) -> str:
        if self.interactive:
            page = escape(self.html())
            return (
                f'<iframe srcdoc="{page}" sandbox="allow-scripts" '
                f'style="width: 100%; height: {FRAME_HEIGHT}px; border: 0"></iframe>'
            )
        picture = base64.b64encode(self.svg().encode()).decode()
        name = escape(self.machine.name or "state machine")
        source = f"data:image/svg+xml;base64,{picture}"
        return f'<img style="max-width: 100%" alt="{name}" src="{source}">'

    def _repr_mimebundle_(
        self,
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
    ) -> dict[str, str]:
        """All of them by media type, for the notebook to choose from."""
        made = {
            "text/html": self._repr_html_,
            "image/svg+xml": self._repr_svg_,
            "text/markdown": self._repr_markdown_,
            "text/plain": self.__str__,
        }
        wanted = (set(include) if include else set(made)) - set(exclude or ())
        return {name: make() for name, make in made.items() if name in wanted}

    def __str__(self) -> str:
        machine = self.machine
        return (
            f"{machine.name or 'state machine'}: {len(machine.states)} states, "
            f"{len(machine.events)} events, {len(machine.edges)} rows"
        )


def draw(
    target: object,
    *,
    view: View | str = DEFAULT_VIEW,
    paint: Paint | None = None,
    journal: str | Path | None = None,
    interactive: bool = False,
) -> Diagram:
    """A diagram of a machine.

    Args:
        target: a `Machine`, a table, a `transitions` machine, ``package.module:object``, or the
            path of a saved JSON.
        view: ``overview``, ``states`` or ``full``.
        paint: what a review lays over it.
        journal: a file of runs of this machine, to be played in the page.
        interactive: whether a notebook shows the page instead of the picture.

    Raises:
        TargetError: it does not import, does not exist, or is no machine.
        JournalError: the journal cannot be read, or is of another machine.
        ValueError: there is no such view.
    """
    machine = load(str(target)) if isinstance(target, str | Path) else read(target)
    if machine is None:
        raise TargetError(f"a {type(target).__qualname__} is no machine")
    lines = read_journal(journal, machine) if journal is not None else ()
    return Diagram(machine, View(view), paint, lines, interactive)
