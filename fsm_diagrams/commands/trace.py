"""``fsm-diagrams trace``: one recorded run as a sequence diagram or as its path."""

from __future__ import annotations

import argparse
from pathlib import Path

from fsm_diagrams.console import DONE
from fsm_diagrams.delivery import add_formats, drawn, write
from fsm_diagrams.errors import DiagramError, JournalError
from fsm_diagrams.from_table import OWN_TARGET, lifelines
from fsm_diagrams.journals import read_journal, table_of
from fsm_diagrams.model import Machine
from fsm_diagrams.sources import load
from fsm_diagrams.tracing import one_run, path_of, sequence
from fsm_diagrams.views import View

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    parser.add_argument("journal", type=Path, metavar="JOURNAL")
    parser.add_argument(
        "--target",
        metavar="TARGET",
        help=f"whose journal it is; {OWN_TARGET} for the journal of a warm transfer",
    )
    parser.add_argument(
        "--transfer", metavar="ID", help="which run to show when the journal holds several"
    )
    # "path" is the path as a flowchart; the other pictures show the path as well.
    add_formats(parser, ("sequence", "path"))


def run(arguments: argparse.Namespace) -> int:
    """Show one run.

    Raises:
        DiagramError: the journal or the target cannot be read, or the result cannot be written.
    """
    machine = _machine(arguments)
    lines = read_journal(arguments.journal, machine)
    try:
        chosen = one_run(lines, arguments.transfer)
    except JournalError as error:
        raise JournalError(f"{arguments.journal}: {error}") from error
    if arguments.format == "sequence":
        title = ", ".join(filter(None, (machine.name if machine else "", chosen[0].transfer)))
        text = sequence(chosen, lifelines(machine) if machine else None, title=title)
        write(arguments.output, text.encode())
        return DONE
    if machine is None:
        raise DiagramError("a path needs --target, the machine to draw it in")
    name = "flowchart" if arguments.format == "path" else arguments.format
    part, paint = path_of(machine, chosen)
    write(arguments.output, drawn(part, name, View.FULL, paint))
    return DONE


def _machine(arguments: argparse.Namespace) -> Machine | None:
    if arguments.target:
        return load(arguments.target)
    # A journal that names a table and comes without a target is one of a transfer.
    return load(OWN_TARGET) if table_of(arguments.journal) else None
