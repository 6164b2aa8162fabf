"""The command ``fsm-diagrams``, also ``python -m fsm_diagrams``.

Exit codes: 0 done or the same, 1 different, stale or below, 2 error. An error is one sentence on
standard error. Each command is a module of `fsm_diagrams.commands`, loaded when it is asked for.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from fsm_diagrams.console import ERROR, warn
from fsm_diagrams.errors import DiagramError

__all__ = ["COMMANDS", "main"]

COMMANDS: Mapping[str, str] = {
    "check": "compare the generated blocks of documents",
    "cover": "count what recorded runs have taken of a machine",
    "diff": "say what is different between two machines",
    "findings": "list what looks wrong in a machine",
    "paths": "list the simple paths to each final state",
    "html": "write a page with the picture, its rows, and a journal step by step",
    "render": "draw a machine in one of the formats",
    "trace": "show one recorded run as a sequence diagram or a path",
}
"""The commands and what they do. A command is a module of that name with `add` and `run`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and answer its exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser(words).parse_args(words)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A picture must not depend on the terminal: the text is UTF-8 wherever it goes.
        sys.stdout.reconfigure(encoding="utf-8")
    with _working_directory_importable():
        try:
            code: int = arguments.run(arguments)
            sys.stdout.flush()
        except DiagramError as error:
            return warn(error)
        except BrokenPipeError:
            # The reader has seen enough; the interpreter's own flush at exit must not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ERROR
        return code


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fsm-diagrams", description="Draw state machines for review."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=f"{what}.".capitalize())
        # Only the command that is asked for is loaded; its name is certainly among the words.
        if name in words:
            module = importlib.import_module(f"fsm_diagrams.commands.{name}")
            module.add(command)
            command.set_defaults(run=module.run)
    return parser


@contextmanager
def _working_directory_importable() -> Iterator[None]:
    """Let targets of the project one stands in import, as ``python -m`` does anyway."""
    here = str(Path.cwd())
    if here in sys.path or "" in sys.path:
        yield
        return
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


if __name__ == "__main__":
    sys.exit(main())
