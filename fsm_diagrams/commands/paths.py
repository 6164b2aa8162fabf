"""``fsm-diagrams paths``: the simple paths to each final state."""

from __future__ import annotations

import argparse

from fsm_diagrams.console import DONE
from fsm_diagrams.delivery import TEXTS, add_output, write
from fsm_diagrams.paths_report import paths_report
from fsm_diagrams.routes import LIMIT, paths
from fsm_diagrams.sources import load

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    parser.add_argument("target", metavar="TARGET")
    parser.add_argument(
        "--to",
        action="append",
        default=[],
        metavar="STATE",
        help="go to this state instead of the final ones; may be repeated",
    )
    parser.add_argument(
        "--rows", action="store_true", help="two rows with the same ends are two paths"
    )
    parser.add_argument(
        "--limit",
        type=_count,
        default=LIMIT,
        metavar="N",
        help="how many paths to list for each state (default: %(default)s)",
    )
    parser.add_argument("--format", choices=TEXTS, default=TEXTS[0])
    add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the paths.

    Raises:
        DiagramError: the target cannot be read, or it has no end.
    """
    machine = load(arguments.target)
    found = paths(machine, to=arguments.to, rows=arguments.rows, limit=arguments.limit)
    report = paths_report(machine, found, rows=arguments.rows)
    text = report.text() if arguments.format == "text" else report.markdown()
    write(arguments.output, text.encode())
    return DONE


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value
