"""``python -m tests.bench``: measure, and keep the figures in ``build/bench.json`` as they come."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from tests.bench.goals import goals
from tests.bench.kinds import KINDS
from tests.compare.setting import setting
from tests.live.errors import exit_code

__all__ = ["main"]

OUTPUT = Path(__file__).resolve().parents[2] / "build" / "bench.json"

Say = Callable[[str], None]
Keep = Callable[[Any], None]


def _engine(options: argparse.Namespace, say: Say, keep: Keep) -> Any:
    from tests.bench.engine import engine  # noqa: PLC0415 - no part loads what another one needs

    del say, keep
    return engine(options.rounds)


def _imports(options: argparse.Namespace, say: Say, keep: Keep) -> Any:
    from tests.bench.imports import imports  # noqa: PLC0415 - as above

    del say, keep
    return imports(options.runs)


def _scale(options: argparse.Namespace, say: Say, keep: Keep) -> Any:
    from tests.bench.scale import scale  # noqa: PLC0415 - as above

    del say, keep
    return scale(tuple(options.held))


def _real(options: argparse.Namespace, say: Say, keep: Keep) -> Any:
    from tests.bench.real import real  # noqa: PLC0415 - as above

    before = _read().get("real", {}).get("played", {})
    return real(options.runs, say, keep, kinds=options.kinds, before=before)


def _load(options: argparse.Namespace, say: Say, keep: Keep) -> Any:
    from tests.bench.load import load  # noqa: PLC0415 - as above

    return load(say, keep, options.calls)


PARTS: dict[str, Callable[[argparse.Namespace, Say, Keep], Any]] = {
    "engine": _engine,
    "imports": _imports,
    "scale": _scale,
    "real": _real,
    "load": _load,
}


def _some_of(known: Collection[str], what: str) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        given = text.split(",")
        if unknown := [name for name in given if name not in known]:
            raise argparse.ArgumentTypeError(
                f"unknown {what} {unknown[0]!r}: the known ones are {', '.join(known)}"
            )
        return given

    return names


def _counts(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only",
        type=_some_of(PARTS, "part"),
        default=list(PARTS),
        help=f"these parts, of {','.join(PARTS)}; the others stay as they are in build/bench.json",
    )
    parser.add_argument(
        "--runs", type=int, default=20, help="of each side on the real server, and of each import"
    )
    parser.add_argument(
        "--kinds",
        type=_some_of(KINDS, "kind"),
        default=list(KINDS),
        help=f"on the real server these alone, of {','.join(KINDS)}; the others' runs stay",
    )
    parser.add_argument("--rounds", type=int, default=30, help="of the engine")
    parser.add_argument(
        "--held",
        type=_counts,
        default=[10, 100, 1000, 10_000],
        help="how many callers are held in one process: 10,100",
    )
    parser.add_argument(
        "--calls",
        type=_counts,
        default=[1, 2, 4, 8, 12, 16, 24, 32, 48, 64],
        help="how many transfers there are at once on the real server, until it is full: 1,2",
    )
    return parser.parse_args(arguments)


def _read() -> dict[str, Any]:
    if not OUTPUT.exists():
        return {}
    found: dict[str, Any] = json.loads(OUTPUT.read_text(encoding="utf-8"))
    return found


def _write(found: dict[str, Any]) -> None:
    """Write all of it or nothing, so that a run that is killed leaves what was there."""
    found["goals"] = goals(found)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    draft = OUTPUT.with_suffix(".draft")
    draft.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(OUTPUT)


def _of(kinds: Sequence[str]) -> str:
    return f"real ({' and '.join(kinds)})"


def _run(options: argparse.Namespace, say: Say) -> dict[str, Any]:
    found = _read()
    found["setting"] = setting()
    taken = found.setdefault("taken", {})
    for name in options.only:

        def keep(figures: Any, name: str = name) -> None:
            found[name] = figures
            _write(found)

        say(f"{name} …")
        part = name if name != "real" or len(options.kinds) == len(KINDS) else _of(options.kinds)
        # What else the machine does is in the figures.
        taken[part] = {
            "at": datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="minutes"),
            "load_before": round(os.getloadavg()[0], 1),
        }
        keep(PARTS[name](options, say, keep))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 when it ran, whatever came out of it, 2 when it could not run, 130 stopped."""
    options = _arguments(arguments)
    begun_s = time.monotonic()

    def say(text: str) -> None:
        line = f"{time.monotonic() - begun_s:6.0f} s  {text}"
        print(line, flush=True)  # noqa: T201 - a command's output

    def measure() -> int:
        for goal in _run(options, say)["goals"]:
            how = "met   " if goal["met"] else "MISSED"
            say(f"{how} {goal['what']}: {goal['found']}, goal {goal['goal']}")
        say(f"written to {OUTPUT}")
        return 0

    return exit_code(measure)


if __name__ == "__main__":
    sys.exit(main())
