"""``python -m warm_transfer.testing.livekit.sim`` (``make sim``): play transfers drawn by chance.

With ``--n 1`` the one transfer is shown whole. Exit codes: 0 nothing is wrong, 1 an invariant is
broken or there were too few of a kind, 2 the request cannot be met. Ctrl-C ends with what there is.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from warm_transfer.table import TABLE
from warm_transfer.testing.livekit.sim.counting import Tally, replayed_by
from warm_transfer.testing.livekit.sim.drawing import draw
from warm_transfer.testing.livekit.sim.farm import play_many
from warm_transfer.testing.livekit.sim.progress import Progress
from warm_transfer.testing.livekit.sim.running import run
from warm_transfer.testing.livekit.sim.telling import in_python, in_words

__all__ = ["main"]

OUTPUT = Path("build/sim.json")
N = 50_000
SHOWN_MAX = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    try:
        asked = _parser().parse_args(argv)
    except SystemExit as stop:
        # The parser has said what is wrong, or has shown its help.
        return stop.code if isinstance(stop.code, int) else 0
    if asked.n == 1:
        return _show(asked.seed)
    try:
        return _play(asked.seed, asked.n, asked.processes, asked.output)
    except OSError as error:
        sys.stderr.write(f"sim: {error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sim", description="Plays transfers drawn by chance.")
    parser.add_argument("--n", type=_count, default=N, help=f"how many ({N}); 1 is shown whole")
    parser.add_argument("--seed", type=int, default=0, help="the first one's seed (0)")
    parser.add_argument("--processes", type=_count, default=os.cpu_count() or 1)
    parser.add_argument("--output", type=Path, default=OUTPUT, help=f"({OUTPUT})")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _show(seed: int) -> int:
    drawn = draw(seed)
    ran = run(drawn)
    _say(in_python(drawn))
    _say(in_words(ran))
    return 1 if ran.problems else 0


def _play(seed: int, n: int, processes: int, output: Path) -> int:
    output.parent.mkdir(parents=True, exist_ok=True)
    progress, began_s, tally = Progress(n, sys.stderr), time.monotonic(), Tally()

    def told(now: Tally) -> None:
        nonlocal tally
        tally = now
        progress.show(now, time.monotonic() - began_s)

    try:
        play_many(seed, n, processes=processes, told=told)
    except KeyboardInterrupt:
        stopped = True
    else:
        stopped = False
    progress.end()
    seconds = time.monotonic() - began_s
    report = {
        "table": TABLE.version,
        "seed": seed,
        "asked": n,
        "stopped": stopped,
        "processes": processes,
        "seconds": round(seconds, 1),
        "per_second": round(tally.n / seconds, 1),
        **tally.in_json(),
    }
    output.write_text(json.dumps(report, indent=2) + "\n")
    _summarize(tally, seconds)
    return 1 if tally.violations or tally.missed() else 0


def _summarize(tally: Tally, seconds: float) -> None:
    told = tally.in_json()
    outcomes = [f"{name} {each['share']:.1%}" for name, each in told["outcomes"].items()]
    faults = told["faults"]
    _say(f"{tally.n:,} transfers, {tally.steps:,} steps in {seconds:.1f} s: {', '.join(outcomes)}")
    _say(
        f"with a fault {faults['transfers']['share']:.1%}, "
        f"while merging {faults['while_merging']['share']:.1%}"
    )
    for missed in tally.missed():
        _say(f"TOO FEW: {missed}")
    for each in tally.violations[:SHOWN_MAX]:
        _say(f"WRONG: {'; '.join(each.problems)}\n  {replayed_by(each)}")
    _say(f"{len(tally.violations)} violations")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
