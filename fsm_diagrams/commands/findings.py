"""``fsm-diagrams findings``: what looks wrong in a machine."""

from __future__ import annotations

import argparse

from fsm_diagrams.console import DIFFERENT, DONE
from fsm_diagrams.delivery import TEXTS, add_output, write
from fsm_diagrams.inspection import Flaw, findings
from fsm_diagrams.report import Report, Section
from fsm_diagrams.sources import load

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument("--format", choices=TEXTS, default=TEXTS[0])
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """List what looks wrong, and answer whether anything does.

    Raises:
        DiagramError: the target cannot be read.
    """
    machine = load(arguments.target)
    found = findings(machine)
    count = {0: "none", 1: "1 finding"}.get(len(found), f"{len(found)} findings")
    sections = tuple(
        Section(
            flaw.value.capitalize(),
            tuple(f"{it.where}: {it.why}" for it in found if it.flaw is flaw),
        )
        for flaw in Flaw
    )
    report = Report(f"Findings in {machine.name or 'the machine'}", f"{count}.", sections)
    text = report.text() if arguments.format == "text" else report.markdown()
    write(arguments.output, text.encode())
    return DIFFERENT if found else DONE
