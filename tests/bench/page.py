"""``python -m tests.bench.page``: put ``build/bench.json`` into ``docs/``, with its pictures.

What stands between the marks in ``docs/performance.md`` is written from ``docs/bench.json`` and
from nothing else; ``--check`` changes nothing and says what is stale.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.pictures import pictures

__all__ = ["BEGIN", "END", "files", "main", "section"]

ROOT = Path(__file__).resolve().parents[2]
MEASURED = ROOT / "build" / "bench.json"
DOCS = ROOT / "docs"
STORED, PAGE, FOLDER = "bench.json", "performance.md", "bench"
BEGIN = "<!-- bench: written by python -m tests.bench.page from bench.json; do not edit -->"
END = "<!-- /bench -->"

Rows = Sequence[Sequence[object]]


def section(stored: Mapping[str, Any]) -> str:
    """What stands between the marks."""
    told: dict[str, Callable[[Any], str]] = {
        "real": _real,
        "engine": _engine,
        "imports": _imports,
        "scale": _scale,
        "load": _load,
    }
    parts = [_setting(stored)]
    parts += [tell(stored[name]) for name, tell in told.items() if stored.get(name)]
    parts.append(_goals(stored["goals"]))
    return "\n\n".join(parts)


def _setting(stored: Mapping[str, Any]) -> str:
    given = stored["setting"]
    taken = ", ".join(
        f"{name} {each['at'].replace('T', ' ').split('+')[0]} (load {each['load_before']})"
        for name, each in stored["taken"].items()
    )
    return (
        f"livekit-agents {given['agents']}, livekit-server {given['server']}, Python"
        f" {given['python']}, {given['cores']} cores. Measured, and the machine's load before it:"
        f" {taken}. Medians, quarters in brackets; all figures are in"
        " [bench.json](bench.json) and made by `make bench`."
    )


def _real(real: Mapping[str, Any]) -> str:
    rounds = len(real["played"]["decline"]["ours"])
    rows = [
        (
            figure["what"],
            _side(figure["incumbent_ms"]),
            _side(figure["ours_ms"]),
            "" if figure["ratio"] is None else f"{figure['ratio']:.2f}",
            f"{figure['goal']:g}",
            "met" if figure["met"] else "**missed**",
        )
        for figure in real["figures"]
    ]
    return (
        "## Against livekit-agents' own (`make bench`)\n\n"
        f"On a real server with real audio, {rounds} runs of each kind in turns, by the same front"
        " desk\nwith the task class chosen. Both play the same file as hold audio, which is loud"
        " from its first\nsample, but where a row says that each plays its default: livekit-agents'"
        " clip, which is silent for\n0.42 s, and ours leaves that out. A recorder in front of the"
        " server sees the dial. Milliseconds; a\nrun in which it did not come is counted as never,"
        " and a goal of 1 leaves 40 ms, two frames of\nsound, to noise.\n\n"
        + _table(("from → to", "theirs", "ours", "ratio", "goal", ""), rows)
        + "\n\n![Times on a real server](bench/real.svg)\n\n"
        "livekit-agents merges by moving the human to the caller's room, which the open-source\n"
        "server cannot. For the accepted calls a recorder that does move stands in front of it;\n"
        "ours is played both by its relay, on the plain server, and by a move, on that one."
    )


def _side(told: Mapping[str, Any]) -> str:
    never = f"never in {told['never']}" if told["never"] else ""
    if told["p50"] is None:
        return never
    spread = f"{told['p50']:.0f} ({told['p25']:.0f} to {told['p75']:.0f})"
    return f"{spread}, {never}" if never else spread


def _engine(engine: Mapping[str, Any]) -> str:
    by = engine["core_and_journal_by"]
    rows = [
        (
            name.replace("_", " "),
            f"{told['p50']:g} ({told['p25']:g} to {told['p75']:g})",
            f"{by[name]:g}",
        )
        for name, told in engine["event_us"].items()
    ]
    return (
        "## The engine\n\n"
        f"One event, of the {engine['events']} of a whole merged call; the table has"
        f" {engine['rows']} rows. The bare machines\nknow neither guards nor effects nor what has"
        " happened before.\n\n"
        + _table(("", "µs an event", "core and journal by it"), rows)
        + f"\n\nA transfer in its merged call keeps {engine['bytes_per_transfer']:,} bytes.\n\n"
        "![Time of one event](bench/engine.svg)"
    )


def _imports(imports: Mapping[str, Any]) -> str:
    rows = [
        (
            f"`{name}`",
            f"{told['p50']:.0f} ({told['p25']:.0f} to {told['p75']:.0f})",
            imports["goals_ms"].get(name, ""),
        )
        for name, told in imports["over_python_ms"].items()
    ]
    return (
        "### Imports\n\n"
        f"Milliseconds over bare Python, which takes {imports['python_ms']['p50']:.0f}.\n\n"
        + _table(("", "over bare Python", "goal"), rows)
        + "\n\n![Time of imports](bench/imports.svg)"
    )


def _scale(scale: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            f"{each['held']:,}",
            f"{each['bytes_each'] / 1000:.0f}",
            f"{each['cpu_at_rest_pct']:g}",
            f"{each['release_s']:g}",
            f"{each['release_cpu_s']:g}",
            f"{each['release_gc_s']:g}",
            each["left"],
        )
        for each in scale
    ]
    head = (
        "held callers",
        "kB each",
        "CPU at rest, % of a core",
        "released in, s",
        "CPU of that, s",
        "garbage collector of that, s",
        "calls with something left",
    )
    return (
        "## Scale\n\n"
        "Callers held in one process of the simulated world, each with a world of its own, whose\n"
        "memory is counted with the transfer's. All are released at once.\n\n"
        + _table(head, rows)
        + "\n\n![Memory of a held caller](bench/scale.svg)"
    )


def _load(load: Sequence[Mapping[str, Any]]) -> str:
    names = ("server_pct", "agent_pct", "driver_pct", "sum_pct", "others_pct")
    rows = [(each["calls"], each["briefed"], *(each[name] for name in names)) for each in load]
    head = ("at once", "came up", "server", "agent", "driver", "sum", "anything else")
    return (
        "### On a real server\n\n"
        "Transfers at once in one agent process, a human in each briefing (with a real VAD) and a\n"
        "caller who hears music. Percent of one core, until the cores are full or a call does not\n"
        "come up. The driver is callers and phones, which a SIP service would be.\n\n"
        + _table(head, rows)
        + "\n\n![CPU by process](bench/load.svg)"
    )


def _goals(goals: Sequence[Mapping[str, Any]]) -> str:
    missed = [goal for goal in goals if not goal["met"]]
    met = f"{len(goals) - len(missed)} of {len(goals)} goals are met."
    if not missed:
        return f"### Goals\n\n{met}"
    rows = [(goal["what"], goal["found"], goal["goal"]) for goal in missed]
    return f"### Goals\n\n{met} Missed:\n\n{_table(('', 'found', 'goal'), rows)}"


def _table(head: Sequence[str], rows: Rows) -> str:
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (head, *_rule(head), *rows))


def _rule(head: Sequence[str]) -> Rows:
    return [["---", *["---:"] * (len(head) - 1)]]


def files(text: str, page: str) -> dict[str, str]:
    """What has to stand in ``docs/``, by name, for a ``bench.json`` and the page as it is.

    Raises:
        ValueError: the page has not the marks.
    """
    stored = json.loads(text)
    before, mark, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise ValueError(f"{PAGE} has not the marks {BEGIN!r} and {END!r}")
    drawn = {f"{FOLDER}/{name}": picture for name, picture in pictures(stored).items()}
    told = f"{before}{BEGIN}\n\n{section(stored)}\n\n{END}{after}"
    return {STORED: text, PAGE: told, **drawn}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or compare; 0 when all is as it should be, 1 when something is stale or missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.page", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, say what is stale")
    check = parser.parse_args(arguments).check
    source = DOCS / STORED if check else MEASURED
    page = (DOCS / PAGE).read_text(encoding="utf-8")
    if check and not source.exists() and f"{BEGIN}\n{END}" in page:
        # Nothing is told yet, so nothing can be stale.
        return 0
    if not source.exists():
        print(f"{source} is missing; `make bench` makes it", file=sys.stderr)  # noqa: T201 - a command's output
        return 1
    wanted = files(source.read_text(encoding="utf-8"), page)
    stale = [name for name, text in wanted.items() if not _stands(name, text)]
    for name in stale:
        print(f"{name}: {'stale' if check else 'written'}")  # noqa: T201 - a command's output
        if not check:
            (DOCS / name).parent.mkdir(exist_ok=True)
            (DOCS / name).write_text(wanted[name], encoding="utf-8")
    return 1 if check and stale else 0


def _stands(name: str, text: str) -> bool:
    path = DOCS / name
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
