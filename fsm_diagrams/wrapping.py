"""Long texts in short lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["wrap"]

#: A line may end after a space or after what joins words in names.
_PIECES = re.compile(r"[^\s_\-/.:,]*(?:[_\-/.:,]+|\s+|$)")


def wrap(text: str, width: int) -> list[str]:
    """The lines of a text, none longer than `width` characters; nothing but spaces is lost.

    Lines end at spaces where they can, else after an underscore or the like, else anywhere.
    """
    return [part for line in text.splitlines() or [""] for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> Iterator[str]:
    current = ""
    for piece in _PIECES.findall(line):
        rest = piece
        if current and len((current + rest).rstrip()) > width:
            yield current.rstrip()
            current = ""
        while len(rest.rstrip()) > width:
            yield rest[:width]
            rest = rest[width:]
        current += rest
    if current.strip() or not line.strip():
        yield current.rstrip()
