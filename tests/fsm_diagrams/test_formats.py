from __future__ import annotations

import pytest

from fsm_diagrams.errors import DiagramError
from fsm_diagrams.formats import FORMATS, render, render_block, render_bytes
from fsm_diagrams.overlay import Paint
from fsm_diagrams.views import View
from tests.fsm_diagrams.machines import door

TEXTS = ["mermaid", "flowchart", "dot", "matrix", "json"]
PICTURES = ["svg", "png"]


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_ends_with_one_newline(name: str) -> None:
    text = render(door(), name)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_a_picture_in_a_document_is_fenced_and_has_its_caption() -> None:
    text = render_block(door())
    assert text.startswith("```mermaid\n" + render(door()) + "```\n")
    assert "Left out: 1 row" in text.rpartition("```")[2]


@pytest.mark.parametrize("name", TEXTS)
def test_bytes_are_the_text(name: str) -> None:
    assert render_bytes(door(), name) == render(door(), name).encode()


@pytest.mark.parametrize(("name", "fence"), [("flowchart", "mermaid"), ("dot", "dot")])
def test_other_texts_are_fenced_too(name: str, fence: str) -> None:
    assert render_block(door(), name).startswith(f"```{fence}\n{render(door(), name)}```\n")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_in_a_file_cannot_stand_in_a_document(name: str) -> None:
    with pytest.raises(DiagramError, match=f"{name!r} cannot stand in a document"):
        render_block(door(), name)


@pytest.mark.parametrize("name", ["mermaid", "matrix", "json"])
def test_a_format_without_colours_refuses_paint(name: str) -> None:
    with pytest.raises(DiagramError, match="no colours to lay over; flowchart, dot, svg, png"):
        render(door(), name, paint=Paint())


def test_every_format_is_tested_here() -> None:
    assert {*TEXTS, *PICTURES, "html"} >= set(FORMATS)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(DiagramError, match=r"no format 'gif'; there are mermaid"):
        render(door(), "gif")


def test_a_view_of_a_format_without_views_is_refused() -> None:
    with pytest.raises(DiagramError, match="no views"):
        render(door(), "matrix", View.FULL)
