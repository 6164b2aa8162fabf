from __future__ import annotations

import pytest

from fsm_diagrams.markdown import escape


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("CALLER_HUNG_UP", "CALLER_HUNG_UP"),
        ("_x_", "\\_x\\_"),
        ("a|b", "a\\|b"),
        ("*a*", "\\*a\\*"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("`a`", "\\`a\\`"),
        ("two\nlines", "two<br>lines"),
        ("", "&nbsp;"),
    ],
)
def test_nothing_in_a_text_is_read_as_markup(text: str, escaped: str) -> None:
    assert escape(text) == escaped
