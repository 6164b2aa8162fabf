from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from fsm_diagrams import renderer
from fsm_diagrams.errors import RendererError
from fsm_diagrams.formats import render_bytes
from fsm_diagrams.from_table import from_table
from fsm_diagrams.renderer import draw
from warm_transfer.table import TABLE

RENDERERS = [
    found
    for name in ("graphviz-pure", "dot")
    if (found := shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name))
]

PYTHON = sys.executable

#: A program that stands in for a renderer: what it is asked goes to a file, its answer is fixed.
FAKE = """#!{python}
import sys
{body}
"""


def _program(folder: Path, name: str, body: str) -> Path:
    path = folder / name
    path.write_text(FAKE.format(python=PYTHON, body=body))
    path.chmod(0o755)
    return path


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only place where programs are found."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    return tmp_path


ANSWER = "print(sys.argv[1], sys.stdin.read())"


def test_dot_on_the_path_draws_when_there_is_nothing_else(alone: Path) -> None:
    _program(alone, "dot", ANSWER)
    assert draw("digraph {}", "svg") == b"-Tsvg digraph {}\n"


def test_the_renderer_of_the_extra_comes_first(alone: Path) -> None:
    _program(alone, "dot", "print('dot')")
    _program(alone, "graphviz-pure", "print('pure')")
    assert draw("digraph {}", "png") == b"pure\n"


FOREIGN = "\N{GRINNING FACE}"


def test_a_png_with_letters_that_the_extra_lacks_is_drawn_by_dot_or_not_at_all(
    alone: Path,
) -> None:
    _program(alone, "graphviz-pure", "print('pure')")
    text = f'digraph {{ a [label="{FOREIGN}"] }}'
    with pytest.raises(RendererError, match=r"no letter '.' \(U\+1F600\) for a png; svg and html"):
        draw(text, "png")
    assert draw(text, "svg") == b"pure\n"
    assert draw('digraph { a [label="größe Ω Ж א ≤ €"] }', "png") == b"pure\n"
    _program(alone, "dot", "print('dot')")
    assert draw(text, "png") == b"dot\n"


def test_without_a_renderer_both_are_named(alone: Path) -> None:
    with pytest.raises(RendererError, match=r"\.\[svg\].*graphviz-pure.*'dot' is on"):
        draw("digraph {}", "svg")
    assert not [*alone.iterdir()]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.stderr.write('one\\nbad graph\\n'); sys.exit(1)", "does not draw it: bad graph"),
        ("pass", "does not draw it: no word why"),
    ],
)
def test_a_renderer_that_fails_is_told(alone: Path, body: str, said: str) -> None:
    _program(alone, "dot", body)
    with pytest.raises(RendererError, match=said):
        draw("digraph {}", "svg")


def test_a_renderer_that_does_not_run_is_told(alone: Path) -> None:
    (alone / "dot").write_text("#!/no/such/program\n")
    (alone / "dot").chmod(0o755)
    with pytest.raises(RendererError, match="does not run: No such file"):
        draw("digraph {}", "svg")


def test_a_renderer_that_hangs_is_given_up(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(alone, "dot", "import time; time.sleep(60)")
    monkeypatch.setattr(renderer, "LIMIT_S", 0.3)
    with pytest.raises(RendererError, match=r"did not draw it in 0\.3 s"):
        draw("digraph {}", "svg")


@pytest.mark.skipif(not RENDERERS, reason="neither graphviz-pure nor dot here")
def test_a_second_run_gives_the_same_bytes() -> None:
    machine = from_table(TABLE)
    svg, png = render_bytes(machine, "svg"), render_bytes(machine, "png")
    assert svg.rstrip().endswith(b"</svg>")
    assert png.startswith(b"\x89PNG")
    assert render_bytes(machine, "svg") == svg
    assert render_bytes(machine, "png") == png
