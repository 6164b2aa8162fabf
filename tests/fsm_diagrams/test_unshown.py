"""No name reaches a terminal or a reader as something else than it is."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from fsm_diagrams.diff_report import diff_report
from fsm_diagrams.differences import diff
from fsm_diagrams.formats import FORMATS, render
from fsm_diagrams.html import html
from fsm_diagrams.inspection import findings
from fsm_diagrams.journals import Recorded
from fsm_diagrams.model import Edge, Machine, State
from fsm_diagrams.plain_svg import plain_svg
from fsm_diagrams.tracing import sequence
from fsm_diagrams.unshown import UNSHOWN, shown
from fsm_diagrams.views import View
from tests.sources import ROOT

MARK = "\N{REPLACEMENT CHARACTER}"
#: A terminal's colour, an override, an isolate.
NAMES = ("red \x1b[31m", "gnp \N{RIGHT-TO-LEFT OVERRIDE}", "x \N{FIRST STRONG ISOLATE} y")
MACHINE = Machine.of(
    NAMES[0],
    [State(name) for name in NAMES],
    NAMES,
    [NAMES[0]],
    [Edge(a, a, b, guard=a, reason=b) for a, b in pairwise(NAMES)],
)
TEXTS = {name for name, known in FORMATS.items() if known.fence is not None} - {"json"}
FOUND = [char for name in NAMES for char in name if UNSHOWN.match(char)]
#: As Mermaid writes them, and as JSON does.
NUMBERS = {f"#{ord(char)};" for char in FOUND} | {f"\\u{ord(char):04x}" for char in FOUND}


def _is_clean(text: str) -> bool:
    return not UNSHOWN.search(text) and not any(number in text for number in NUMBERS)


def test_exactly_these_are_replaced() -> None:
    found = [chr(code) for code in range(sys.maxunicode + 1) if shown(chr(code)) == MARK]
    turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    assert {*turning, "\x00", "\x1b", "\x7f", "\ud800", MARK} <= {*found}
    kept = "\n\t \u2028\x85\u200d\u200e\u200f\u061c\U0001f600"
    assert shown(kept) == kept
    assert len(found) == 9 + 14 + 6 + 26 + 2048 + 9 + 1


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_format_of_text_holds_one(name: str) -> None:
    view = View.FULL if FORMATS[name].has_views else None
    text = render(MACHINE, name, view)
    assert _is_clean(text)
    assert MARK in text or f"#{ord(MARK)};" in text


def test_neither_do_the_pictures_and_the_reports() -> None:
    other = replace(MACHINE, edges=MACHINE.edges[:1])
    report = diff_report(diff(other, MACHINE))
    for text in (report.text(), report.markdown(), plain_svg(MACHINE)):
        assert _is_clean(text)
        assert MARK in text
    assert findings(MACHINE)


def test_neither_does_a_sequence() -> None:
    ends: dict[str, Any] = {
        "befores": NAMES[:1],
        "afters": NAMES[1:2],
        "handling": "row",
        "row": "",
    }
    line = Recorded("a", 1, 0.0, "\x1b", effects=("\N{RIGHT-TO-LEFT OVERRIDE}",), **ends)
    assert _is_clean(sequence([line], title=NAMES[1]))


def test_the_page_replaces_the_same_ones() -> None:
    script = (ROOT / "fsm_diagrams" / "page" / "page.js").read_text(encoding="utf-8")
    found = re.search(r"const UNSHOWN = /(.+)/gu;", script)
    assert found
    assert found[1] == UNSHOWN.pattern.replace("{", "").replace("}", "")
    before, data = html(MACHINE).split('<script type="application/json"')
    assert _is_clean(before)
    assert data.isascii()
