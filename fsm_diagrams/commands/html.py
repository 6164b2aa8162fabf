"""``fsm-diagrams html``: a machine as one page that needs no network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fsm_diagrams.console import DONE
from fsm_diagrams.errors import DiagramError
from fsm_diagrams.html import html
from fsm_diagrams.journals import read_journal
from fsm_diagrams.sources import load

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    parser.add_argument("target", metavar="TARGET", help="package.module:object, or a saved JSON")
    parser.add_argument(
        "--journal", type=Path, metavar="FILE", help="runs of the machine, to be played in the page"
    )
    parser.add_argument(
        "--output", "-o", type=Path, metavar="FILE", help="write to a file, not to standard output"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the page, and answer the exit code.

    Raises:
        DiagramError: the target or the journal cannot be read, or the file cannot be written.
    """
    machine = load(arguments.target)
    journal = read_journal(arguments.journal, machine) if arguments.journal else ()
    page = html(machine, journal=journal)
    if arguments.output is None:
        sys.stdout.write(page)
        return DONE
    try:
        arguments.output.write_text(page, encoding="utf-8", newline="\n")
    except OSError as error:
        raise DiagramError(f"{arguments.output}: cannot be written: {error.strerror}") from error
    return DONE
