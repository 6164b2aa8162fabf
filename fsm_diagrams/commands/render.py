"""``fsm-diagrams render``: a machine in one of the formats."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fsm_diagrams.console import DONE
from fsm_diagrams.errors import DiagramError
from fsm_diagrams.request import Request, add_arguments

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    add_arguments(parser)
    parser.add_argument(
        "--output", "-o", type=Path, metavar="FILE", help="write to a file, not to standard output"
    )


def run(arguments: argparse.Namespace) -> int:
    """Draw, and answer the exit code.

    Raises:
        DiagramError: the target cannot be drawn so, or the file cannot be written.
    """
    drawn = Request.of(arguments).data()
    if arguments.output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(drawn)
        return DONE
    try:
        arguments.output.write_bytes(drawn)
    except OSError as error:
        raise DiagramError(f"{arguments.output}: cannot be written: {error.strerror}") from error
    return DONE
