"""``fsm-diagrams check``: the generated blocks of documents, compared with what they should be."""

from __future__ import annotations

import argparse
from pathlib import Path

from fsm_diagrams.blocks import Document
from fsm_diagrams.console import DIFFERENT, DONE, say, warn
from fsm_diagrams.errors import DiagramError

__all__ = ["add", "run"]


def add(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of the command."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--write", action="store_true", help="bring stale blocks up to date")


def run(arguments: argparse.Namespace) -> int:
    """Check every file, and answer the worst exit code."""
    code = DONE
    for path in arguments.files:
        try:
            code = max(code, _check_file(path, write=arguments.write))
        except DiagramError as error:
            code = warn(error)
    return code


def _check_file(path: Path, *, write: bool) -> int:
    document = Document.read(path)
    count = f"{len(document.stale)} of {len(document.blocks)} blocks"
    if not document.stale:
        state = f"{len(document.blocks)} up to date" if document.blocks else "no blocks"
        say(f"{path}: {state}")
        return DONE
    if write:
        document.renewed().write()
        say(f"{path}: {count} written")
        return DONE
    say(document.diff())
    say(f"{path}: {count} stale; 'fsm-diagrams check --write {path}' renews them")
    return DIFFERENT
