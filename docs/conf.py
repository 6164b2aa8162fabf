"""How Sphinx builds the site: ``make docs``."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

project = "warm-transfer"
author = "the warm-transfer authors"
project_copyright = author

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxcontrib.mermaid",
]
root_doc = "index"
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
# A fence that the code hosts draw is drawn here too.
myst_fence_as_directive = ["mermaid"]
# As tall as it is: at a height for all, the words of a long one cannot be read.
mermaid_height = "auto"
mermaid_fullscreen = False

# A fence without a language is a terminal or a picture in letters.
highlight_language = "none"

# Names in docstrings stand between single back-ticks; what is on the site becomes a link.
default_role = "py:obj"
# A default is shown as it is written; some are a page long.
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autoclass_content = "both"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = "warm-transfer"
html_static_path = ["_static"]
html_css_files = ["site.css"]

# Pages are read at the code hosts too, which draw Mermaid. The site has the same pictures as files,
# which need no script from elsewhere and can be read at their own size.
PICTURES = {"": "diagrams/states.svg", " --view full": "diagrams/full.svg"}
BLOCK = re.compile(
    r"^<!-- fsm-diagrams: render warm_transfer\.table:TABLE --format mermaid(.*?) -->\n"
    r"```mermaid\n.*?^```\n",
    re.DOTALL | re.MULTILINE,
)


# Characters; the longest of a class that is called by hand has some 900.
SIGNATURE_MAX = 2000


def draw(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the picture in the place of each Mermaid block that was drawn from the table."""
    del app, name
    source[0] = BLOCK.sub(_picture, source[0])


def _picture(found: re.Match[str]) -> str:
    path = PICTURES[found[1]]
    # A click shows it at its own size.
    target = f"_images/{path.rpartition('/')[2]}"
    return f"```{{figure}} /{path}\n:figclass: picture\n:target: {target}\n```\n"


HELD: dict[str, list[str]] = {}


def hold(app: Sphinx, what: str, name: str, *rest: Any) -> None:
    """Keep a field's sentence from napoleon, which takes what is before a colon for its type."""
    del app
    lines = rest[2]
    if what in ("attribute", "property"):
        HELD[name] = lines[:]
        lines[:] = ["-"]


def let_go(app: Sphinx, what: str, name: str, *rest: Any) -> None:
    """Put it back."""
    del app, what
    rest[2][:] = HELD.pop(name, rest[2])


def shorten(app: Sphinx, what: str, name: str, *rest: Any) -> tuple[str, str | None] | None:
    """Leave out a signature that is longer than its documentation: its defaults are whole texts."""
    del app, what, name
    _thing, _options, signature, returns = rest
    return ("(...)", returns) if signature and len(signature) > SIGNATURE_MAX else None


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", draw)
    app.connect("autodoc-process-signature", shorten)
    # Napoleon comes at 500.
    app.connect("autodoc-process-docstring", hold, priority=400)
    app.connect("autodoc-process-docstring", let_go, priority=600)
