"""What is asked for with ``render``, on the command line and in a block of a document alike."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from typing import NoReturn

from fsm_diagrams.errors import BlockError
from fsm_diagrams.formats import DEFAULT_VIEW, FORMATS, render_block, render_bytes
from fsm_diagrams.sources import load
from fsm_diagrams.views import View

__all__ = ["Request", "add_arguments"]


@dataclass(frozen=True, slots=True)
class Request:
    """A target, and how to draw it."""

    target: str
    format: str
    view: View | None

    @staticmethod
    def of(arguments: argparse.Namespace) -> Request:
        """The request in parsed arguments."""
        view = View(arguments.view) if arguments.view else None
        return Request(arguments.target, arguments.format, view)

    @staticmethod
    def parse(words: str) -> Request:
        """The request in the words of a block, such as ``render a.b:C --format matrix``.

        Raises:
            BlockError: they are no such words.
        """
        try:
            command, *rest = shlex.split(words)
        except ValueError as error:
            raise BlockError(str(error)) from error
        if command != "render":
            raise BlockError(f"{command!r} is no command of a block; there is 'render'")
        parser = _BlockParser(add_help=False)
        add_arguments(parser)
        return Request.of(parser.parse_args(rest))

    def data(self) -> bytes:
        """The drawing alone, as it stands in a file."""
        return render_bytes(load(self.target), self.format, self.view)

    def block(self) -> str:
        """The drawing as it stands in a Markdown document."""
        return render_block(load(self.target), self.format, self.view)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give a parser the arguments of ``render``."""
    parser.add_argument(
        "target", metavar="TARGET", help="package.module:object, or a saved machine"
    )
    parser.add_argument("--format", choices=list(FORMATS), default="mermaid")
    parser.add_argument(
        "--view",
        choices=[view.value for view in View],
        help=f"how much of it a picture shows (default: {DEFAULT_VIEW})",
    )


class _BlockParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BlockError(message)
