from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fsm_diagrams.wrapping import wrap


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("   ", [""]),
        ("one two three", ["one two", "three"]),
        ("CALLER_HUNG_UP", ["CALLER_", "HUNG_UP"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
        ("two\nlines", ["two", "lines"]),
        ("a\n\nb", ["a", "", "b"]),
    ],
)
def test_lines_end_where_a_reader_expects(text: str, lines: list[str]) -> None:
    assert wrap(text, 8) == lines


@given(st.text(), st.integers(1, 30))
def test_no_line_is_too_long_and_nothing_but_spaces_is_lost(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert lines
    assert all(len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
