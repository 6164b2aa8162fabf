"""``python -m tests.properties`` (``make proof``): try everything, and write the totals down.

Longer than what every test run does: all scenarios with every fault, and all kinds of troubles at
every instant, one at a time and two at once. Writes `build/proof.json`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.properties.anywhen import PAIRS, TRANSFERS, TROUBLES, troubled_anywhen_each
from tests.properties.everywhere import BY_STRATEGY, Found, cancelled_everywhere, failed_everywhere
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import explore
from warm_transfer.testing.scenario import SCENARIOS

OUTPUT = Path("build/proof.json")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _explored() -> dict[str, Any]:
    report = explore()
    return {
        "rows": {"total": len(TABLE.rows), "taken": len(report.rows_taken)},
        "pairs": {
            "rows": len(report.pairs_row),
            "ignored": len(report.pairs_ignored),
            "impossible_reached": len(report.pairs_impossible),
            "total": len(TABLE.by_pair) + len(TABLE.ignored) + len(TABLE.impossible),
        },
        "configurations": report.configurations,
        "edges": report.edges,
        "in_flight_max": report.in_flight_max,
        "cut": report.cut,
        "problems": [str(each) for each in report.violations],
    }


def _everywhere() -> Iterator[tuple[str, dict[str, Any]]]:
    scenarios = {**SCENARIOS, **BY_STRATEGY}
    for title, try_all in (
        ("cancellations", cancelled_everywhere),
        ("faults", failed_everywhere),
    ):
        each = ((name, try_all(told)) for name, told in scenarios.items())
        yield title, {"scenarios": len(scenarios), **_totals(title, each)}


def _anywhen() -> Iterator[tuple[str, dict[str, Any]]]:
    for title, troubles in (
        ("troubles", [(each,) for each in TROUBLES]),
        ("troubles, two at once", PAIRS),
    ):
        each = troubled_anywhen_each(troubles, os.cpu_count() or 1)
        sizes = {"transfers": len(TRANSFERS), "kinds": len(troubles)}
        yield title, {**sizes, **_totals(title, each)}


def _totals(title: str, each: Iterable[tuple[str, Found]]) -> dict[str, Any]:
    tried, problems = 0, []
    for name, found in each:
        tried += found.tried
        problems += [f"{name}: {problem}" for problem in found.problems]
        _say(f"{title}: {name}, {found.tried} tried, {len(found.problems)} problems")
    return {"tried": tried, "problems": problems}


def main() -> int:
    """Run it; 1 if anything was found."""
    began_s = time.monotonic()
    proof: dict[str, Any] = {"table": TABLE.version, "explorer": _explored()}
    proof.update(_everywhere())
    proof.update(_anywhen())
    proof["seconds"] = round(time.monotonic() - began_s)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(proof, indent=2) + "\n")
    _say(json.dumps(proof, indent=2))
    return 1 if any(each["problems"] for each in proof.values() if isinstance(each, dict)) else 0


if __name__ == "__main__":
    sys.exit(main())
