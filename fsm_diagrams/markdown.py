"""Text that Markdown shows as it is."""

from __future__ import annotations

import re

from fsm_diagrams.unshown import shown

__all__ = ["escape"]

#: Snake case is left readable: Markdown reads an underscore inside a word as itself.
_SPECIAL = re.compile(r"[\\`*{}\[\]#|~!$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    """A text for one cell or one line: neither Markdown, HTML nor a terminal obeys it."""
    lines = shown(text).splitlines() or [""]
    return "<br>".join(_line(line) for line in lines) or "&nbsp;"


def _line(text: str) -> str:
    plain = "".join(_HTML.get(char, char) for char in text)
    return _SPECIAL.sub(lambda found: f"\\{found.group()}", plain)
