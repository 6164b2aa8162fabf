"""From the text of a graph to a picture: one function, and whoever can draw behind it.

`graphviz-pure` (``pip install ".[svg]"`` in a clone) draws the same bytes on every machine, since
it brings its fonts. Those have Latin, Greek, Cyrillic and Hebrew letters; a PNG with others, or
with emoji, needs Graphviz. Without graphviz-pure any ``dot`` of Graphviz on the path does; its
bytes are the same on the same machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Literal

from fsm_diagrams.errors import RendererError

__all__ = ["LIMIT_S", "PictureKind", "draw"]

PictureKind = Literal["svg", "png"]

LIMIT_S = 120.0
"""Seconds after which a renderer is given up. 60 states and 300 rows took 4 s of CPU; see
docs/performance.md."""

#: What the fonts of graphviz-pure 0.2.2 have no letter for, seen in its PNGs.
_FOREIGN = re.compile(
    r"[^\u0000-\u052f\u0590-\u05ff\u1e00-\u206f\u20a0-\u20bf\u2100-\u218f"
    r"\u2190-\u2195\u2202\u2206\u220f\u2211\u2212\u221a\u221e\u2229\u222b\u2248\u2260\u2261\u2264\u2265]"
)


def draw(text: str, kind: PictureKind) -> bytes:
    """Draw a graph in the language of Graphviz.

    Raises:
        RendererError: there is no renderer, it has no such letters, or it does not draw this text
            in `LIMIT_S`.
    """
    # A reader's own fonts show what stands in an SVG; in a PNG a missing letter is an empty box.
    program = _find(lacking=_FOREIGN.search(text) if kind == "png" else None)
    try:
        done = subprocess.run(  # noqa: S603 - a program of the user, our own words
            [program, f"-T{kind}"],
            input=text.encode(),
            capture_output=True,
            check=False,
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise RendererError(f"{program} did not draw it in {LIMIT_S:g} s") from error
    except OSError as error:
        raise RendererError(f"{program} does not run: {error.strerror}") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RendererError(f"{program} does not draw it: {said[-1] if said else 'no word why'}")
    return done.stdout


def _find(lacking: re.Match[str] | None) -> str:
    """The renderer: that of this environment, whether or not it is active, or one on the path."""
    folders = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent), None)
    pure = next(filter(None, (shutil.which("graphviz-pure", path=each) for each in folders)), None)
    if pure and not lacking:
        return pure
    if found := shutil.which("dot"):
        return found
    if lacking and pure:
        raise RendererError(
            f"graphviz-pure has no letter {lacking[0]!r} (U+{ord(lacking[0]):04X}) for a png; svg "
            "and html are shown with the reader's fonts, or install Graphviz, so that 'dot' is on "
            "the path"
        )
    raise RendererError(
        'svg and png need a renderer: pip install ".[svg]" in a clone of warm-transfer brings '
        "graphviz-pure, or install Graphviz, so that 'dot' is on the path"
    )
