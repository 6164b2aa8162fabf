from __future__ import annotations

import base64
import re
from html import unescape
from pathlib import Path

import pytest

from fsm_diagrams import draw
from fsm_diagrams.errors import DiagramError, JournalError, TargetError
from fsm_diagrams.html import html
from fsm_diagrams.overlay import Look, Paint
from fsm_diagrams.plain_svg import plain_svg
from fsm_diagrams.saved import from_json
from fsm_diagrams.views import View
from tests.fsm_diagrams.foreign import coffee
from tests.fsm_diagrams.machines import door, hostile
from warm_transfer.table import TABLE


def test_a_notebook_shows_the_picture_as_an_image() -> None:
    shown = draw(TABLE)._repr_html_()
    found = re.fullmatch(r'<img [^>]*src="data:image/svg\+xml;base64,([^"]+)">', shown)
    assert found
    assert base64.b64decode(found[1]).decode() == draw(TABLE).svg()


def test_an_interactive_one_is_the_page_in_a_frame_that_may_only_run_scripts() -> None:
    diagram = draw(hostile(), interactive=True)
    found = re.fullmatch(
        r'<iframe srcdoc="([^"]*)" sandbox="allow-scripts" .*></iframe>',
        diagram._repr_html_(),
        re.DOTALL,
    )
    assert found
    assert unescape(found[1]) == diagram.html() == html(hostile())


def test_the_bundle_has_all_of_them_and_obeys_what_is_asked_for() -> None:
    diagram = draw("warm_transfer.table:TABLE")
    bundle = diagram._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/markdown", "text/plain"}
    assert bundle["image/svg+xml"] == diagram._repr_svg_()
    assert bundle["text/markdown"].startswith("```mermaid\n")
    rows = len(TABLE.rows)
    assert bundle["text/plain"] == f"warm transfer: 13 states, 32 events, {rows} rows"
    assert set(diagram._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert "text/html" not in diagram._repr_mimebundle_(exclude=["text/html"])


def test_a_machine_of_transitions_and_a_saved_one_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "coffee.json"
    draw(coffee()).save(path)
    assert draw(path).svg() == draw(coffee()).svg()
    assert from_json(path.read_text(), "it") == draw(coffee()).machine


def test_the_view_and_the_paint_reach_the_picture() -> None:
    paint = Paint({"shut x BURNT": Look("added", text="new")})
    assert draw(door(), view="full", paint=paint).svg() == plain_svg(door(), View.FULL, paint)


@pytest.mark.parametrize("ending", ["html", "svg", "md", "dot", "json"])
def test_the_ending_of_a_file_says_the_format(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"door.{ending}"
    draw(door()).save(path)
    starts = {"html": "<!DOCTYPE html>", "svg": "<svg ", "md": "```mermaid", "dot": "digraph"}
    assert path.read_text().startswith(starts.get(ending, "{"))


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="a int is no machine"):
        draw(3)
    with pytest.raises(TargetError, match="no module"):
        draw("no_such_package:X")
    with pytest.raises(ValueError, match="huge"):
        draw(door(), view="huge")
    with pytest.raises(JournalError):
        draw(door(), journal=tmp_path / "none.jsonl")
    with pytest.raises(DiagramError, match=r"\.html, \.json"):
        draw(door()).save(tmp_path / "door.gif")
    with pytest.raises(DiagramError, match="cannot be written"):
        draw(door()).save(tmp_path / "none" / "door.svg")
