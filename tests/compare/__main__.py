"""``python -m tests.compare``: play every row on both sides, judge it, write it down."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.compare.drive import drive_again
from tests.compare.facts import Run
from tests.compare.live import LIVE
from tests.compare.page import page
from tests.compare.rows import HELD, Place, Row, hole_row, scene_row
from tests.compare.scenes import SCENES
from tests.compare.setting import setting
from tests.compare.simulated import play
from tests.compare.verdict import Shown, Verdict, shown
from tests.holes.hole import SIDES, Hole, Side
from tests.holes.holes import HOLES
from tests.live.errors import CannotRun, exit_code
from tests.live.server import Server, running_server
from tests.live.worker import hurry
from warm_transfer.testing import clock

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
STORED, PAGE = ROOT / "docs" / "comparison.json", ROOT / "docs" / "comparison.md"
RUNS = 3

Name = tuple[str, Place]


def _names() -> list[Name]:
    """Every row, in the order of the page."""
    holes: list[Name] = [(hole.id, "simulated") for hole in HOLES]
    scenes: list[Name] = [(scene, "simulated") for scene in SCENES]
    return [*holes, *scenes, *((scene, "real") for scene in SCENES)]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.compare", description=__doc__)
    parser.add_argument(
        "--row", action="append", default=[], help="only this row, such as H1, busy or busy@real"
    )
    parser.add_argument(
        "--simulated-only", action="store_true", help="nothing on the real server: half a minute"
    )
    parser.add_argument(
        "--runs", type=int, default=RUNS, help=f"of each side on the real server ({RUNS})"
    )
    parser.add_argument(
        "--update", action="store_true", help="put the rows that were played into docs/"
    )
    return parser.parse_args(arguments)


def _chosen(options: argparse.Namespace) -> list[Name]:
    names = _names()
    for row in options.row:
        if not any(_means(row, name) for name in names):
            known = ", ".join(dict.fromkeys(row_id for row_id, _ in names))
            raise CannotRun(f"unknown row {row!r}: the known ones are {known}")
    chosen = [name for name in names if not options.row or _any_means(options.row, name)]
    return [name for name in chosen if not (options.simulated_only and name[1] == "real")]


def _means(row: str, name: Name) -> bool:
    return row in (name[0], f"{name[0]}@{name[1]}")


def _any_means(rows: Sequence[str], name: Name) -> bool:
    return any(_means(row, name) for row in rows)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's output


# The simulated world.


def _play_hole(hole: Hole) -> Row:
    sides: dict[Side, Shown] = {}
    for side in SIDES:
        if side == "ours" or not hole.not_drivable:
            seen = clock.run(hole.observe(side))
            sides[side] = Shown(owed={HELD: seen.held}, said=seen.said)
    return hole_row(
        hole.id, hole.title, sides.get("incumbent"), sides["ours"], reason=hole.not_drivable
    )


def _simulated(names: Sequence[Name]) -> Iterator[Row]:
    holes = {hole.id: hole for hole in HOLES}
    # What the sides log would hide the rows. It is not switched off, because some holes look at it.
    unread = logging.NullHandler()
    logging.getLogger().addHandler(unread)
    try:
        for name, place in names:
            if name in holes:
                yield _play_hole(holes[name])
            elif place == "simulated":
                theirs, ours = (shown([play(name, side)]) for side in SIDES)
                yield scene_row(SCENES[name], "simulated", theirs, ours)
    finally:
        logging.getLogger().removeHandler(unread)


# The real server.


async def _real(names: Sequence[Name], runs: int, take: Callable[[Row], None]) -> None:
    real = [name for name, place in names if place == "real"]
    if not real:
        return
    running = asyncio.current_task()
    assert running is not None
    # What was started is stopped on SIGTERM as it is on Ctrl-C.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    hurry()
    output = BUILD / "compare"
    output.mkdir(parents=True, exist_ok=True)
    async with running_server(_say, output / "server.log") as server:
        for name in real:
            take(await _play_real(name, server, output / name, runs))


async def _play_real(name: str, server: Server, output: Path, runs: int) -> Row:
    """Play a scene on both sides in turns, and on the incumbent with a moving server."""
    kinds: list[tuple[str, Side, bool]] = [(side, side, False) for side in SIDES]
    if LIVE[name].moving:
        kinds.append(("moving", "incumbent", True))
    seen: dict[str, list[Run]] = {kind: [] for kind, _, _ in kinds}
    for number in range(runs):
        for kind, side, moves in kinds:
            folder = output / f"{kind}-{number + 1}"
            run = await drive_again(_say, name, side, server=server, output=folder, moves=moves)
            seen[kind].append(run)
            _say(f"  {name} {kind} {number + 1}: {run.said}")
    sides = {kind: shown(these) for kind, these in seen.items()}
    return scene_row(SCENES[name], "real", sides["incumbent"], sides["ours"], sides.get("moving"))


# What is written.


def _build(rows: Sequence[Row]) -> dict[str, Any]:
    """Write the rows so far to ``build/``, so that what was played in half an hour is not lost."""
    stored: dict[str, Any] = {"setting": setting(), "rows": [row.stored() for row in rows]}
    BUILD.mkdir(exist_ok=True)
    (BUILD / "compare.json").write_text(_json(stored), encoding="utf-8")
    return stored


def _write(rows: Sequence[Row], *, whole: bool, update: bool) -> None:
    """Write the rows, and to ``docs/`` when they are all or are to be put there."""
    stored = _build(rows)
    if update and not whole:
        stored["rows"] = _put_into(
            json.loads(STORED.read_text(encoding="utf-8"))["rows"], stored["rows"]
        )
    if update or whole:
        STORED.write_text(_json(stored), encoding="utf-8")
        PAGE.write_text(page(stored), encoding="utf-8")


def _put_into(old: list[Any], new: list[Any]) -> list[Any]:
    known = {(row["id"], row["place"]): row for row in (*old, *new)}
    return [known[name] for name in _names() if name in known]


def _json(stored: dict[str, Any]) -> str:
    return json.dumps(stored, indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print and write; 0 when ours is behind nowhere, 1 when it is, 2 could not run."""
    options = _arguments(arguments)
    rows: list[Row] = []

    def take(row: Row) -> None:
        rows.append(row)
        _build(rows)
        _say(f"{row.name:<32} {row.verdict:<12} {row.because}")

    def compare() -> int:
        names = _chosen(options)
        for row in _simulated(names):
            take(row)
        asyncio.run(_real(names, options.runs, take))
        whole = len(rows) == len(_names())
        _write(rows, whole=whole, update=options.update)
        behind = [row.name for row in rows if row.verdict is Verdict.BEHIND]
        _say(f"{len(rows)} rows, behind in {', '.join(behind) or 'none'}")
        return 1 if behind else 0

    return exit_code(compare)


if __name__ == "__main__":
    sys.exit(main())
