from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from fsm_diagrams.delivery import TEXTS, add_formats, deliver, drawn, write
from fsm_diagrams.errors import DiagramError
from fsm_diagrams.formats import FORMATS
from fsm_diagrams.model import Machine
from fsm_diagrams.overlay import Look, Paint
from fsm_diagrams.report import Report
from fsm_diagrams.views import View
from tests.fsm_diagrams.machines import door

PAINT = Paint({"open x BURNT": Look("added", text="painted")}, meaning={"added": "new"})


def _picture() -> tuple[Machine, Paint]:
    return door(), PAINT


def _asked(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_formats(parser)
    return parser.parse_args(words)


def test_the_formats_are_the_texts_and_what_can_be_painted() -> None:
    assert _asked().format == TEXTS[0]
    for name in ("flowchart", "dot", "svg", "png", "html"):
        assert _asked("--format", name).format == name
    with pytest.raises(SystemExit):
        _asked("--format", "matrix")


@pytest.mark.parametrize(
    ("words", "starts"),
    [((), b"T: s"), (("--format", "markdown"), b"### T"), (("--format", "dot"), b"digraph")],
)
def test_what_is_asked_for_is_written(
    words: tuple[str, ...], starts: bytes, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    deliver(_asked(*words), lambda: Report("T", "s"), _picture)
    assert capsysbinary.readouterr().out.startswith(starts)


def test_a_picture_is_painted_in_every_format_that_says_so() -> None:
    for name in ("flowchart", "dot", "html"):
        assert FORMATS[name].has_paint
        assert b"painted" in drawn(door(), name, View.FULL, PAINT)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "x", b"a")
    assert (tmp_path / "x").read_bytes() == b"a"
    with pytest.raises(DiagramError, match="cannot be written: No such file"):
        write(tmp_path / "none" / "x", b"a")
