"""Characters that a text must not hold where it is shown."""

from __future__ import annotations

import re

__all__ = ["UNSHOWN", "shown"]

#: Controls, of which a terminal obeys some; halves of surrogate pairs, which no encoding holds; and
#: what turns the direction of a line, so that it reads as another one (CVE-2021-42574).
UNSHOWN = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)


def shown(text: str) -> str:
    """The text with a replacement mark for each of them."""
    return UNSHOWN.sub("\N{REPLACEMENT CHARACTER}", text)
