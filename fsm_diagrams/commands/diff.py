"""``fsm-diagrams diff``: what is different between two machines."""

from __future__ import annotations

import argparse

from fsm_diagrams.console import DIFFERENT, DONE
from fsm_diagrams.delivery import add_formats, deliver
from fsm_diagrams.diff_report import diff_picture, diff_report
from fsm_diagrams.differences import diff
from fsm_diagrams.errors import DiagramError
from fsm_diagrams.model import Machine
from fsm_diagrams.revisions import load_at
from fsm_diagrams.sources import load
from fsm_diagrams.views import View

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    parser.add_argument(
        "targets",
        nargs="+",
        metavar="TARGET",
        help="OLD NEW, each package.module:object or a saved machine; one alone with --git",
    )
    parser.add_argument(
        "--git", metavar="REV", help="compare one target with itself at this revision"
    )
    parser.add_argument(
        "--view",
        # An overview would hide the changes within its boxes.
        choices=["changes", View.STATES.value, View.FULL.value],
        default="changes",
        help="what a picture shows: the changed rows alone (default), or more",
    )
    add_formats(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare, and answer whether they are the same.

    Raises:
        DiagramError: a target cannot be read, or the result cannot be written.
    """
    found = diff(*_machines(arguments))
    whole = arguments.view != "changes"
    view = View(arguments.view) if whole else View.FULL
    deliver(
        arguments,
        lambda: diff_report(found),
        lambda: diff_picture(found, whole=whole),
        view,
    )
    return DONE if found.same else DIFFERENT


def _machines(arguments: argparse.Namespace) -> tuple[Machine, Machine]:
    targets = arguments.targets
    wanted = 1 if arguments.git else 2
    if len(targets) != wanted:
        raise DiagramError(
            f"diff needs {'one target with --git' if arguments.git else 'two targets, or --git'}, "
            f"and there are {len(targets)}"
        )
    if arguments.git:
        return load_at(arguments.git, targets[0]), load(targets[0])
    return load(targets[0]), load(targets[1])
