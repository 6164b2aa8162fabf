"""How a review tool is asked for: as text, as Markdown, or as a painted picture; and where to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from fsm_diagrams.errors import DiagramError
from fsm_diagrams.formats import FORMATS, render_bytes
from fsm_diagrams.model import Machine
from fsm_diagrams.overlay import Paint
from fsm_diagrams.report import Report
from fsm_diagrams.views import View

__all__ = ["TEXTS", "add_formats", "deliver", "drawn", "write"]

TEXTS = ("text", "markdown")
"""The formats of a report."""


def add_formats(parser: argparse.ArgumentParser, texts: Sequence[str] = TEXTS) -> None:
    """Give a parser ``--format`` with these and every picture that can be painted."""
    painted = [name for name, known in FORMATS.items() if known.has_paint]
    parser.add_argument(
        "--format", choices=[*texts, *painted], default=texts[0], help=f"default: {texts[0]}"
    )
    add_output(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Give a parser ``--output``."""
    parser.add_argument(
        "--output", "-o", type=Path, metavar="FILE", help="write to a file, not to standard output"
    )


def deliver(
    arguments: argparse.Namespace,
    report: Callable[[], Report],
    picture: Callable[[], tuple[Machine, Paint | None]],
    view: View = View.FULL,
) -> None:
    """Write a report or a picture, whichever the arguments ask for.

    Raises:
        DiagramError: it cannot be drawn or written.
    """
    if arguments.format == "text":
        write(arguments.output, report().text().encode())
    elif arguments.format == "markdown":
        write(arguments.output, report().markdown().encode())
    else:
        machine, paint = picture()
        write(arguments.output, drawn(machine, arguments.format, view, paint))


def drawn(machine: Machine, name: str, view: View, paint: Paint | None) -> bytes:
    """A painted picture in a format."""
    has_views = FORMATS[name].has_views
    return render_bytes(machine, name, view if has_views else None, paint)


def write(output: Path | None, data: bytes) -> None:
    """Write to a file, or to standard output when there is none.

    Raises:
        DiagramError: the file cannot be written.
    """
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise DiagramError(f"{output}: cannot be written: {error.strerror}") from error
