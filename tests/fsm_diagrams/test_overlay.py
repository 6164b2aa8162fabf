from __future__ import annotations

import re

from fsm_diagrams.overlay import COLOURS, RANK, Look, Paint, legend_of


def test_every_colour_word_has_a_colour_and_a_rank() -> None:
    assert set(RANK) == set(COLOURS)
    assert len(RANK) == len(COLOURS)
    assert all(re.fullmatch(r"#[0-9a-f]{6}", value) for value in COLOURS.values())


def test_what_is_not_painted_has_no_look() -> None:
    paint = Paint(edges={"a": Look("added")}, states={"s": Look("removed", dashed=True)})
    assert paint.edge("a") == Look("added")
    assert paint.edge("b") is None
    assert paint.state("s") == Look("removed", dashed=True)
    assert paint.state("a") is None


def test_the_legend_says_each_colour_once_and_only_what_occurs() -> None:
    paint = Paint(
        edges={"a": Look("added", text="1"), "b": Look("added"), "c": Look("removed", dashed=True)},
        meaning={"removed": "gone", "added": "new", "changed": "other"},
    )
    assert legend_of(paint) == (
        (Look("added"), "new"),
        (Look("removed", dashed=True), "gone"),
    )


def test_a_colour_without_a_meaning_is_not_in_the_legend() -> None:
    assert legend_of(Paint(edges={"a": Look("added")})) == ()
