"""``fsm-diagrams cover``: what recorded runs have taken of a machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fsm_diagrams.console import DIFFERENT, DONE
from fsm_diagrams.coverage import cover
from fsm_diagrams.coverage_report import coverage_report
from fsm_diagrams.delivery import add_formats, deliver
from fsm_diagrams.journals import read_journal
from fsm_diagrams.sources import load
from fsm_diagrams.views import View

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument("journals", nargs="+", type=Path, metavar="JOURNAL")
    parser.add_argument(
        "--fail-under",
        type=_percent,
        metavar="PCT",
        help="exit with 1 when a smaller share of the rows was taken, in percent",
    )
    parser.add_argument(
        "--view",
        # An overview would hide what is not covered within its boxes.
        choices=[View.STATES.value, View.FULL.value],
        default=View.FULL.value,
        help="of a picture",
    )
    add_formats(parser)


def run(arguments: argparse.Namespace) -> int:
    """Count, and answer whether it is enough.

    Raises:
        DiagramError: the target or a journal cannot be read, or the result cannot be written.
    """
    machine = load(arguments.target)
    lines = (line for path in arguments.journals for line in read_journal(path, machine))
    found = cover(machine, lines)
    deliver(
        arguments,
        lambda: coverage_report(found),
        lambda: (machine, found.paint()),
        View(arguments.view),
    )
    limit = arguments.fail_under
    if limit is not None and found.percent < limit:
        below = f"{found.percent:.2f} % of the rows were taken, less than {limit:g} %"
        sys.stderr.write(f"fsm-diagrams: {below}\n")
        return DIFFERENT
    return DONE


def _percent(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:  # noqa: PLR2004 - percent
        raise argparse.ArgumentTypeError(f"{text} is no percentage, 0 to 100")
    return value
