"""Generated blocks in documents: found, compared with what they should be, and rewritten.

A block stands between two lines of its own::

    <!-- fsm-diagrams: render package.module:object --format mermaid -->
    <!-- /fsm-diagrams -->

Markers inside a fenced code block are text. What looks like a marker and is none is an error: a
block that is silently skipped goes stale.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from fsm_diagrams.errors import BlockError, DiagramError
from fsm_diagrams.request import Request

__all__ = ["Block", "Document", "find_blocks"]

_OPEN = re.compile(r"<!-- fsm-diagrams: (?P<words>.+?) -->\s*")
_CLOSE = re.compile(r"<!-- /fsm-diagrams -->\s*")
_LIKE_A_MARKER = re.compile(r"\s*<!--[\s/]*fsm[-_ ]?diagrams?\b", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a document, by the indices of its marker lines."""

    words: str
    first: int
    last: int

    @property
    def line(self) -> int:
        """The number of the opening line, as editors count."""
        return self.first + 1


@dataclass(frozen=True, slots=True)
class Change:
    """A stale block: what stands there, and what should."""

    block: Block
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document with its blocks and what is stale in it."""

    path: Path
    lines: tuple[str, ...]
    blocks: tuple[Block, ...]
    stale: tuple[Change, ...]

    @staticmethod
    def read(path: Path) -> Document:
        """Read a document and render each of its blocks.

        Raises:
            BlockError: it cannot be read, or a block is malformed or cannot be rendered.
        """
        try:
            text = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BlockError(f"{path}: cannot be read: {reason}") from error
        # Split at line feeds only: a carriage return stays with its line and is put back.
        lines = tuple(text.split("\n"))
        blocks = tuple(find_blocks(lines, str(path)))
        changes = [_compare(lines, block, str(path)) for block in blocks]
        return Document(path, lines, blocks, tuple(c for c in changes if c.old != c.new))

    def diff(self) -> str:
        """What is stale, as one unified diff for each block, which it names."""
        parts: list[str] = []
        for change in self.stale:
            name = f"{self.path}:{change.block.line} {change.block.words}"
            parts += difflib.unified_diff(
                change.old, change.new, name, f"{name} (regenerated)", lineterm=""
            )
        return "\n".join(parts)

    def renewed(self) -> Document:
        """The document with every block up to date."""
        lines = list(self.lines)
        for change in reversed(self.stale):
            block = change.block
            ending = "\r" if lines[block.first].endswith("\r") else ""
            lines[block.first + 1 : block.last] = [line + ending for line in change.new]
        return replace(self, lines=tuple(lines))

    def write(self) -> None:
        """Write it where it was read from.

        Raises:
            BlockError: it cannot be written.
        """
        try:
            self.path.write_bytes("\n".join(self.lines).encode())
        except OSError as error:
            raise BlockError(f"{self.path}: cannot be written: {error.strerror}") from error


def find_blocks(lines: tuple[str, ...], name: str) -> Iterator[Block]:
    """The blocks of a document, in order.

    Raises:
        BlockError: a marker is malformed, not closed, or closes nothing; names file and line.
    """
    opened: tuple[int, str] | None = None
    fence = ""
    for index, line in enumerate(lines):
        if opened is None and (fence or _FENCE.fullmatch(line.rstrip())):
            fence = _next_fence(fence, line)
        elif found := _OPEN.fullmatch(line):
            if opened is not None:
                raise BlockError(f"{name}:{index + 1}: the block of line {opened[0] + 1} is open")
            opened = index, found["words"]
        elif _CLOSE.fullmatch(line):
            if opened is None:
                raise BlockError(f"{name}:{index + 1}: closes a block, and none is open")
            yield Block(opened[1], opened[0], index)
            opened = None
        elif _LIKE_A_MARKER.match(line):
            raise BlockError(
                f"{name}:{index + 1}: is no marker; write '<!-- fsm-diagrams: render TARGET -->' "
                "or '<!-- /fsm-diagrams -->' on a line of its own"
            )
    if opened is not None:
        raise BlockError(f"{name}:{opened[0] + 1}: the block is never closed")


def _next_fence(fence: str, line: str) -> str:
    """The fence that is open after a line; empty when none is."""
    found = _FENCE.fullmatch(line.rstrip())
    if not fence:
        return found["fence"] if found else ""
    closes = found and found["fence"].startswith(fence) and not found["rest"].strip()
    return "" if closes else fence


def _compare(lines: tuple[str, ...], block: Block, name: str) -> Change:
    try:
        text = Request.parse(block.words).block()
    except DiagramError as error:
        raise BlockError(f"{name}:{block.line}: {error}") from error
    old = tuple(line.removesuffix("\r") for line in lines[block.first + 1 : block.last])
    return Change(block, old, tuple(text.rstrip("\n").split("\n")))
