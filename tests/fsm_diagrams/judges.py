"""The programs that read our texts for real: Mermaid in a headless browser, and Graphviz.

Mermaid is looked for at ``MERMAID_JS`` or in ``build/mermaid`` (``npm install --prefix
build/mermaid mermaid``).
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.sources import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DOT = shutil.which("dot")
MERMAID = Path(
    os.environ.get("MERMAID_JS")
    or ROOT / "build" / "mermaid" / "node_modules" / "mermaid" / "dist" / "mermaid.min.js"
)
NO_MERMAID = (
    "no chromium here"
    if not CHROMIUM
    else "no mermaid here: set MERMAID_JS or npm install --prefix build/mermaid mermaid"
    if not MERMAID.is_file()
    else ""
)
NO_DOT = "" if DOT else "no dot of Graphviz here"

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
        paths: all("g.edgePaths path").length,
        messages: all("text.messageText").map(say),
      });
    } catch (x) { out.push({error: "" + x}); }
  }
  res.textContent = JSON.stringify(out);
})()</script>"""


def mermaid_sees(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What real Mermaid draws of each text: nodes, boxes, labels, paths, messages; or its error."""
    assert CHROMIUM
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        data = json.dumps(list(texts)).replace("</", "<\\/")
        page.write_text(_PAGE % (MERMAID.resolve().as_uri(), data), encoding="utf-8")
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
        )
    found = re.search(r'<pre id="res">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    answer: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    return answer


def dot_sees(texts: Sequence[str]) -> list[dict[str, Any]]:
    """What real Graphviz lays out of each text, as its JSON."""
    assert DOT
    done = subprocess.run(  # noqa: S603 - our own text
        [DOT, "-Tjson"],
        check=True,
        capture_output=True,
        encoding="utf-8",
        input="\n".join(texts),
    )
    assert not done.stderr, done.stderr[-2000:]
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(done.stdout.rstrip()):
        one, end = decoder.raw_decode(done.stdout, at)
        found.append(one)
        at = end + re.match(r"\s*", done.stdout[end:]).end()  # type: ignore[union-attr]
    return found
