"""How Sphinx builds the site: ``make docs``."""

from __future__ import annotations

import re

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


def draw(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the picture in the place of each Mermaid block that was drawn from the table."""
    del app, name
    source[0] = BLOCK.sub(_picture, source[0])


def _picture(found: re.Match[str]) -> str:
    view = found[1]
    kind = "picture wide" if view else "picture"
    return f"```{{figure}} /{PICTURES[view]}\n:figclass: {kind}\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", draw)
