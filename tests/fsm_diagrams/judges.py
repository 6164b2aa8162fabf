"""The programs that read our texts for real: Mermaid in a headless browser, and Graphviz.

Mermaid is the file at ``MERMAID_JS``, or that of the release `MERMAID`, which npm brings once into
``.tools``. Where there is neither, nor Chromium, a test that asks Mermaid is skipped with the
reason.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.sources import ROOT

__all__ = ["dot_sees", "mermaid_sees"]

MERMAID = "mermaid@11.17.2"
_SCRIPT = "package/dist/mermaid.min.js"
_TOOLS = ROOT / ".tools"
#: Seconds to bring 18 MB; here it took 3.
_FETCH_LIMIT_S = 60
#: Seconds for a judge to look at a few hundred texts; here it took 20.
_LOOK_LIMIT_S = 300
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@cache
def _graphviz() -> str:
    """Graphviz, or the extra's build of it; one of them is there wherever tests run."""
    found = shutil.which("dot")
    found = found or shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    assert found, "no judge of dot here: pip install -e '.[test]' brings graphviz-pure"
    return found


def _mermaid() -> Path:
    """Mermaid, brought when it is not there yet; skips the test when that cannot be done."""
    if not CHROMIUM:
        pytest.skip("Mermaid is asked in chromium, which is not on PATH")
    if named := os.environ.get("MERMAID_JS"):
        assert Path(named).is_file(), f"MERMAID_JS is no file: {named}"
        return Path(named).resolve()
    place = _TOOLS / f"{MERMAID}.min.js"
    if not place.is_file() and (why_not := _fetch(place)):
        pytest.skip(f"{why_not}; set MERMAID_JS to mermaid.min.js of {MERMAID}")
    return place


@cache
def _fetch(place: Path) -> str:
    """Bring the package with npm and keep its one file; the reason when that cannot be done."""
    npm = shutil.which("npm")
    if not npm:
        return "no npm on PATH that could bring Mermaid"
    _TOOLS.mkdir(exist_ok=True)
    # Two test processes may do this at once: each puts its own in place, whole.
    with tempfile.TemporaryDirectory(dir=_TOOLS) as folder:
        try:
            subprocess.run(  # noqa: S603 - found on PATH, with our own words
                [npm, "pack", MERMAID, "--pack-destination", folder, "--silent"],
                check=True,
                capture_output=True,
                timeout=_FETCH_LIMIT_S,
            )
        except (subprocess.SubprocessError, OSError) as error:
            return f"npm pack {MERMAID} did not work ({error})"
        (packed,) = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as pack:
            script = pack.extractfile(_SCRIPT)
            assert script is not None
            whole = Path(folder) / "whole.js"
            whole.write_bytes(script.read())
        whole.replace(place)
    return ""


_PAGE = """<meta charset=utf-8><body><pre id=res></pre><div id=w></div>
<script src="%s"></script><script>const D=%s;
mermaid.initialize({startOnLoad:false, securityLevel:"strict"});
const say = e => {
  e.querySelectorAll("br").forEach(b => b.replaceWith("\\n"));
  return e.textContent.replace(/\\u00a0/g, " ").trim();
};
(async () => {
  const out = [];
  for (let i = 0; i < D.length; i++) {
    try {
      const r = await mermaid.render("g" + i, D[i]);
      w.innerHTML = r.svg;
      const all = q => [...w.querySelectorAll(q)];
      out.push({
        nodes: all("g.node").map(g => [...g.querySelectorAll("foreignObject")].map(say)),
        boxes: all("g.cluster-label foreignObject, g.cluster-label text").map(say),
        labels: all("g.edgeLabel foreignObject").map(say).filter(x => x),
        titles: all("text.statediagramTitleText, text.flowchartTitleText").map(say),
        paths: all("g.edgePaths path").length,
        messages: all("text.messageText").map(say),
      });
    } catch (x) { out.push({error: "" + x}); }
  }
  res.textContent = JSON.stringify(out);
})()</script>"""


def mermaid_sees(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What real Mermaid draws of each text, or its error.

    Nodes, boxes, labels of arrows, titles, paths and messages.
    """
    script = _mermaid()
    assert CHROMIUM
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        data = json.dumps(list(texts)).replace("</", "<\\/")
        page.write_text(_PAGE % (script.as_uri(), data), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own page
            [
                CHROMIUM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--allow-file-access-from-files",
                f"--user-data-dir={folder}/profile",
                "--virtual-time-budget=600000",
                "--dump-dom",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=_LOOK_LIMIT_S,
        )
    found = re.search(r'<pre id="res">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    answer: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    return answer


def dot_sees(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What real Graphviz lays out of each text, as its JSON."""
    done = subprocess.run(  # noqa: S603 - our own text
        [_graphviz(), "-Tjson"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        input="\n".join(texts),
        timeout=_LOOK_LIMIT_S,
    )
    # graphviz-pure says that it guesses widths; what is in the graph is the same.
    said = [line for line in done.stderr.splitlines() if "width of non-ASCII" not in line]
    assert not said, said[-20:]
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(done.stdout.rstrip()):
        one, end = decoder.raw_decode(done.stdout, at)
        found.append(one)
        at = end + re.match(r"\s*", done.stdout[end:]).end()  # type: ignore[union-attr]
    return found
