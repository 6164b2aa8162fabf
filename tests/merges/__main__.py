"""``python -m tests.merges``: merge many calls on a real server, measure, and write the figures."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.live.errors import CannotRun, exit_code
from tests.merges.strategies import NAMES, RUNNABLE, why_not

__all__ = ["main"]

OUTPUT = Path(__file__).resolve().parents[2] / "build" / "merge.json"
MERGES = 50
RELAYS = (1, 5, 10, 20)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.merges", description=__doc__)
    parser.add_argument(
        "--strategy", action="append", choices=NAMES, help="only this one; may be repeated"
    )
    parser.add_argument("--merges", type=int, default=MERGES, help="how many calls a strategy")
    parser.add_argument("--no-cpu", action="store_true", help="without the share of the CPU")
    parser.add_argument(
        "--no-trouble", action="store_true", help="without restarts and without killing the agent"
    )
    return parser.parse_args(arguments)


def _wanted(asked: Sequence[str] | None) -> tuple[str, ...]:
    """The strategies to run.

    Raises:
        CannotRun: one that was asked for by name cannot run here.
    """
    for name in asked or ():
        if reason := why_not(name):
            raise CannotRun(f"{name} cannot run here: {reason}")
    return tuple(name for name in asked or RUNNABLE if why_not(name) is None)


def _write(found: dict[str, Any]) -> None:
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(found, indent=2) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, write ``build/merge.json``, and say by the exit code: 0 good, 1 not, 2 could not run."""
    options = _arguments(arguments)
    begun_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - begun_s:6.1f} s  {text}", flush=True)  # noqa: T201 - a command's output

    def merge() -> int:
        wanted = _wanted(options.strategy)
        from tests.merges.run import run  # noqa: PLC0415 - heavy imports come late

        found = asyncio.run(
            run(
                wanted,
                options.merges,
                say,
                relays=() if options.no_cpu else RELAYS,
                trouble=not options.no_trouble,
                keep=_write,
            )
        )
        _write(found)
        for fault in found["faults"]:
            say(f"RED  {fault}")
        say(f"written to {OUTPUT}")
        return 1 if found["faults"] else 0

    return exit_code(merge)


if __name__ == "__main__":
    sys.exit(main())
