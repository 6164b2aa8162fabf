from __future__ import annotations

import pytest

from fsm_diagrams.errors import DiagramError
from fsm_diagrams.formats import FORMATS, render, render_block
from fsm_diagrams.views import View
from tests.fsm_diagrams.machines import door


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_ends_with_one_newline(name: str) -> None:
    text = render(door(), name)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_a_picture_in_a_document_is_fenced_and_has_its_caption() -> None:
    text = render_block(door())
    assert text.startswith("```mermaid\n" + render(door()) + "```\n")
    assert "Left out: 1 row" in text.rpartition("```")[2]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(DiagramError, match=r"no format 'gif'; there are mermaid"):
        render(door(), "gif")


def test_a_view_of_a_format_without_views_is_refused() -> None:
    with pytest.raises(DiagramError, match="no views"):
        render(door(), "matrix", View.FULL)
