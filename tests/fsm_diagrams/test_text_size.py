from __future__ import annotations

import pytest

from fsm_diagrams.text_size import columns, title_width, wrapped


def test_wide_letters_take_two_columns_and_accents_none() -> None:
    assert columns("abc") == 3
    assert columns("\N{CJK UNIFIED IDEOGRAPH-4E2D}") == 2
    assert columns("\N{GRINNING FACE}") == 2
    assert columns("e\N{COMBINING ACUTE ACCENT}") == 1


def test_a_wide_letter_is_wider_than_a_narrow_one() -> None:
    assert title_width("W") > title_width("A") > title_width("a") > title_width("i")
    assert title_width("\N{CJK UNIFIED IDEOGRAPH-4E2D}") > title_width("W")


def test_lines_break_at_spaces_and_keep_every_word() -> None:
    assert wrapped("one two three", 7) == ("one two", "three")


def test_a_word_too_long_breaks_after_an_underscore() -> None:
    assert wrapped("CALLER_ROOM_LOST", 13) == ("CALLER_ROOM_", "LOST")


@pytest.mark.parametrize("text", ["", "a\nb", "x" * 50, "\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 9, "  "])
def test_no_line_is_too_long_and_nothing_is_lost(text: str) -> None:
    lines = wrapped(text, 5)
    assert all(columns(line) <= 5 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace("\n", "").replace(" ", "")


def test_one_letter_wider_than_the_line_stands_alone() -> None:
    wide = "\N{CJK UNIFIED IDEOGRAPH-4E2D}"
    assert wrapped(wide * 2, 1) == (wide, wide)
