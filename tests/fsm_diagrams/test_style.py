from __future__ import annotations

from fsm_diagrams.model import Kind
from fsm_diagrams.style import ANY, LEGEND, STYLES


def _light(colour: str) -> float:
    """The relative luminance of a colour, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_kind_has_a_look_and_words_of_its_own() -> None:
    assert set(STYLES) == set(LEGEND) == set(Kind)
    assert len({style.fill for style in STYLES.values()}) == len(Kind)
    assert len(set(LEGEND.values())) == len(Kind)


def test_text_stands_out_from_its_state_as_wcag_wants_for_the_highest_level() -> None:
    for style in (*STYLES.values(), ANY):
        assert (_light(style.fill) + 0.05) / (_light(style.text) + 0.05) >= 7
