"""How much room a text takes, without a font at hand: a little more than common fonts need."""

from __future__ import annotations

import unicodedata

__all__ = ["columns", "title_width", "wrapped"]

#: Widths at 14 px semi-bold, a little over those of Arial, DejaVu Sans and Segoe UI.
_NARROW, _USUAL, _CAPITAL, _WIDE = 6, 10, 11, 15


def columns(text: str) -> int:
    """The columns of a text in a fixed-width font: East Asian letters and emoji take two."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def title_width(text: str) -> int:
    """The width in pixels of a name as it stands in a box."""
    return sum(_title_width(char) for char in text)


def _title_width(char: str) -> int:
    if char in "iljftrI.,:;|!'() -":
        return _NARROW
    if char in "mwMW@%&" or _columns(char) > 1:
        return _WIDE + 4 if _columns(char) > 1 else _WIDE
    return _CAPITAL if char.isupper() else _USUAL


def wrapped(text: str, most: int) -> tuple[str, ...]:
    """A text in lines of at most `most` columns, broken at spaces, and in a word when it must."""
    found: list[str] = []
    for line in text.splitlines() or [""]:
        found += _wrapped(line, most)
    return tuple(found)


def _wrapped(line: str, most: int) -> list[str]:
    found: list[str] = []
    now = ""
    for word in line.split(" "):
        joined = f"{now} {word}" if now else word
        if columns(joined) <= most:
            now = joined
            continue
        if now:
            found.append(now)
        now = word
        while columns(now) > most and len(now) > 1:
            cut = _fitting(now, most)
            found.append(now[:cut])
            now = now[cut:]
    return [*found, now]


def _fitting(word: str, most: int) -> int:
    """How many characters of a word fit; after an underscore or a full stop when there is one."""
    fits, width = 0, 0
    for char in word:
        width += _columns(char)
        if width > most:
            break
        fits += 1
    soft = max(word.rfind(char, 0, fits) for char in "_.-/") + 1
    return max(soft if soft > fits // 2 else fits, 1)
