"""A machine as one page that needs no network: pan, zoom, rows on click, a journal step by step.

Names of states, events and rows reach the page twice, as text of the drawing and as JSON that the
script writes with ``textContent``; and the page allows no script but its own, by its digest.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from fsm_diagrams.journals import Recorded, transfers
from fsm_diagrams.model import Edge, Kind, Machine
from fsm_diagrams.overlay import Paint, legend_of
from fsm_diagrams.plain_svg import BRIEF, WHOLE, drawing, drawing_style
from fsm_diagrams.scene import Scene, scene
from fsm_diagrams.style import LEGEND
from fsm_diagrams.unshown import shown
from fsm_diagrams.views import View

__all__ = ["html"]

_PAGE = Path(__file__).parent / "page"


def html(machine: Machine, paint: Paint | None = None, journal: Sequence[Recorded] = ()) -> str:
    """A machine as a page, ending with a newline; the same input gives the same bytes.

    Args:
        machine: what is shown.
        paint: what a review lays over it.
        journal: runs of this machine, to be played step by step.
    """
    looks = paint or Paint()
    drawn = scene(machine, View.FULL, WHOLE if paint else BRIEF, paint)
    title = _plain(looks.title or machine.name or "state machine")
    script = (_PAGE / "page.js").read_text(encoding="utf-8")
    parts = [
        _head(title, script),
        "<body>",
        _header(title, machine.version),
        '<section id="picture" aria-label="state diagram">',
        f'<svg id="drawing" viewBox="0 0 {drawn.width} {drawn.height}" {_reach(title)}>',
        *drawing(drawn, paint, live=True),
        "</svg>",
        *_legend(machine, looks),
        "</section>",
        _PANEL,
        _PLAYER,
        f'<script type="application/json" id="data">{_json(_data(drawn, looks, journal))}</script>',
        f"<script>{script}</script>",
        "</body>",
        "</html>",
        "",
    ]
    return "\n".join(parts)


def _reach(title: str) -> str:
    """How a keyboard and a screen reader meet the drawing."""
    keys = "arrow keys move, plus and minus zoom, 0 fits"
    return f'tabindex="0" role="group" aria-label="{title}: {keys}"'


def _head(title: str, script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    style = (_PAGE / "page.css").read_text(encoding="utf-8")
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>\n{style}{drawing_style(within='svg')}",
            f"{drawing_style(dark=True, within=':root.dark svg')}\n</style>",
            "</head>",
        ]
    )


def _header(title: str, version: str) -> str:
    said = f"version {_plain(version)}" if version else ""
    return f"""<header>
<h1>{title}</h1>
<span class="version">{said}</span>
<button type="button" id="zoom-out" aria-label="zoom out">&minus;</button>
<button type="button" id="zoom-in" aria-label="zoom in">+</button>
<button type="button" id="fit">Fit</button>
<button type="button" id="theme" aria-label="switch between light and dark">Dark</button>
</header>"""


_PANEL = """<aside aria-label="rows">
<div class="find">
<input id="find" type="search" placeholder="Find an event" aria-label="find an event">
<button type="button" id="all-events" disabled>All</button>
</div>
<div id="events" role="group" aria-label="show these events only"></div>
<section id="rows" aria-label="rows of what is chosen"></section>
<noscript>The rows, the filter and the journal need JavaScript; the picture does not.</noscript>
</aside>"""

_PLAYER = """<section id="player" aria-label="journal" hidden>
<div class="buttons">
<select id="run" aria-label="run"></select>
<button type="button" id="previous">Previous</button>
<button type="button" id="play" aria-pressed="false">Play</button>
<button type="button" id="next">Next</button>
</div>
<input id="step" type="range" min="0" max="0" value="0" aria-label="step">
<div id="told" role="status"></div>
</section>"""


def _legend(machine: Machine, paint: Paint) -> Iterator[str]:
    yield '<ul id="legend" aria-label="legend">'
    for kind in Kind:
        if any(state.kind is kind for state in machine.states):
            mark = '<rect x="1" y="1" width="20" height="14" rx="4"/>'
            yield _legend_entry(f"state k-{kind}", mark, LEGEND[kind])
    if any(state.final for state in machine.states):
        mark = '<rect x="1" y="1" width="20" height="14" rx="4"/>'
        inner = '<rect x="4" y="4" width="14" height="8" rx="2"/>'
        yield _legend_entry("state k-over", mark + inner, "final: double border")
    for look, words in legend_of(paint):
        dashed = " dashed" if look.dashed else ""
        mark = '<path d="M1 8H21"/>'
        yield _legend_entry(f"arrow l-{look.colour}{dashed}", mark, words)
    yield "</ul>"


def _legend_entry(kind: str, mark: str, words: str) -> str:
    picture = f'<svg viewBox="0 0 22 16" aria-hidden="true"><g class="{kind}">{mark}</g></svg>'
    return f"<li>{picture}{_plain(words)}</li>"


def _data(drawn: Scene, paint: Paint, journal: Sequence[Recorded]) -> dict[str, object]:
    """What the script knows; states, events and rows by their index."""
    machine = drawn.picture.machine
    state = {each.name: index for index, each in enumerate(machine.states)}
    event = {name: index for index, name in enumerate(machine.events)}
    reason = {each.code: index for index, each in enumerate(machine.reasons)}
    row = {edge.id: index for index, edge in enumerate(machine.edges)}
    return {
        "initial": [state[name] for name in machine.initial],
        "kinds": {str(kind): LEGEND[kind] for kind in Kind},
        "states": [
            {
                "text": each.text,
                "kind": each.kind,
                "final": each.final,
                "parent": state[each.parent] if each.parent is not None else -1,
            }
            for each in machine.states
        ],
        "events": list(machine.events),
        "rows": [_row(edge, state, event, paint) for edge in machine.edges],
        "ignored": [[state[i.state], event[i.event], reason[i.reason]] for i in machine.ignored],
        "impossible": [[state[name], event[of]] for name, of in machine.impossible],
        "reasons": [{"code": each.code, "text": each.text} for each in machine.reasons],
        "arrows": [
            [row[edge.id] for line in arrow.lines for edge in line.edges]
            for arrow in drawn.picture.arrows
        ],
        "runs": [
            {"name": name, "steps": [_step(line, state, event, row) for line in lines]}
            for name, lines in transfers(tuple(journal)).items()
        ],
    }


def _row(
    edge: Edge, state: dict[str, int], event: dict[str, int], paint: Paint
) -> dict[str, object]:
    look = paint.edge(edge.id)
    said = {
        "guard": edge.guard,
        "effects": edge.effects,
        "clock": edge.clock,
        "reason": edge.reason,
        "notes": edge.notes,
        "internal": edge.internal,
        "look": " ".join(filter(None, (paint.meaning.get(look.colour), look.text))) if look else "",
    }
    ends = {
        "source": state[edge.source],
        "event": event[edge.event],
        "target": state[edge.target],
    }
    return ends | {key: value for key, value in said.items() if value}


def _step(
    line: Recorded, state: dict[str, int], event: dict[str, int], row: dict[str, int]
) -> dict[str, object]:
    return {
        "t": line.t_s,
        "event": event[line.event],
        "before": [state[name] for name in line.befores],
        "after": [state[name] for name in line.afters],
        "row": row.get(line.row, -1),
        "handling": line.handling,
        "why": line.why,
        "effects": line.effects,
    }


def _json(value: object) -> str:
    """JSON that no HTML parser finds an end or a comment in; all of it ASCII."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plain(text: str) -> str:
    """A text for one line of HTML."""
    return escape(" ".join(shown(text).split()))
