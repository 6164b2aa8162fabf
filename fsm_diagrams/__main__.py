"""The command ``fsm-diagrams``, also ``python -m fsm_diagrams``.

Exit codes: 0 done or up to date, 1 stale, 2 error. An error is one sentence on standard error.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fsm_diagrams.blocks import Document
from fsm_diagrams.errors import DiagramError
from fsm_diagrams.request import Request, add_arguments

__all__ = ["main"]

DONE, STALE, ERROR = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and answer its exit code."""
    arguments = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A picture must not depend on the terminal: the text is UTF-8 wherever it goes.
        sys.stdout.reconfigure(encoding="utf-8")
    with _working_directory_importable():
        try:
            code = _render(arguments) if arguments.command == "render" else _check(arguments)
            sys.stdout.flush()
        except DiagramError as error:
            return _failed(error)
        except BrokenPipeError:
            # The reader has seen enough; the interpreter's own flush at exit must not complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ERROR
        return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fsm-diagrams", description="Draw state machines for review."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_arguments(commands.add_parser("render", help="write a machine in a text format"))
    check = commands.add_parser("check", help="compare the generated blocks of documents")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.add_argument("--write", action="store_true", help="bring stale blocks up to date")
    return parser


def _render(arguments: argparse.Namespace) -> int:
    sys.stdout.write(Request.of(arguments).text())
    return DONE


def _check(arguments: argparse.Namespace) -> int:
    code = DONE
    for path in arguments.files:
        try:
            code = max(code, _check_file(path, write=arguments.write))
        except DiagramError as error:
            code = _failed(error)
    return code


def _check_file(path: Path, *, write: bool) -> int:
    document = Document.read(path)
    count = f"{len(document.stale)} of {len(document.blocks)} blocks"
    if not document.stale:
        state = f"{len(document.blocks)} up to date" if document.blocks else "no blocks"
        _say(f"{path}: {state}")
        return DONE
    if write:
        document.renewed().write()
        _say(f"{path}: {count} written")
        return DONE
    _say(document.diff())
    _say(f"{path}: {count} stale; 'fsm-diagrams check --write {path}' renews them")
    return STALE


def _failed(error: DiagramError) -> int:
    sys.stderr.write(f"fsm-diagrams: {error}\n")
    return ERROR


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


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
