"""``python -m tests.examples FILE``: run an application here, and print what was changed in it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.examples.adapt import adapted, difference
from tests.examples.run import SCENARIOS, run
from warm_transfer.testing.clock import VirtualClockLoop


def main(paths: list[str]) -> int:
    """Run each file through all scenarios; the number of those that went wrong."""
    wrong = 0
    for path in paths:
        before = Path(path).read_text(encoding="utf-8")
        after = adapted(before)
        sys.stdout.write(f"{path}\n{difference(before, after)}\n")
        for name, line in SCENARIOS.items():
            with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
                told = runner.run(run(after, line))
            good = told.rung == 1 and told.together is (name == "merged")
            good = good and told.alone is (name != "merged")
            wrong += not good
            sys.stdout.write(f"{'ok' if good else 'WRONG'}  {name}: {told}\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
