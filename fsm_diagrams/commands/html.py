"""``fsm-diagrams html``: a machine as one page that needs no network."""

from __future__ import annotations

import argparse
from pathlib import Path

from fsm_diagrams.console import DONE
from fsm_diagrams.delivery import add_output, write
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
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the page, and answer the exit code.

    Raises:
        DiagramError: the target or the journal cannot be read, or the file cannot be written.
    """
    machine = load(arguments.target)
    journal = read_journal(arguments.journal, machine) if arguments.journal else ()
    write(arguments.output, html(machine, journal=journal).encode())
    return DONE
