"""From the text of a graph to a picture: one function, and whoever can draw behind it.

`graphviz-pure` (``pip install 'warm-transfer[svg]'``) draws the same bytes on every machine, since
it brings its fonts. Without it, any ``dot`` of Graphviz on the path does; its bytes are the same
on the same machine.
"""

from __future__ import annotations

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


def draw(text: str, kind: PictureKind) -> bytes:
    """Draw a graph in the language of Graphviz.

    Raises:
        RendererError: there is no renderer, or it does not draw this text in `LIMIT_S`.
    """
    program = _find()
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


def _find() -> str:
    """The renderer: that of this environment, whether or not it is active, or one on the path."""
    folders = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent))
    for folder in folders:
        if found := shutil.which("graphviz-pure", path=folder):
            return found
    for name in ("graphviz-pure", "dot"):
        if found := shutil.which(name):
            return found
    raise RendererError(
        "svg and png need a renderer: pip install 'warm-transfer[svg]' brings graphviz-pure, "
        "or install Graphviz, so that 'dot' is on the path"
    )
