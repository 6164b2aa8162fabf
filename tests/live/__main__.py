"""``python -m tests.live --scenario merged``: run a scenario on real audio and report.

With ``--phone real`` it is one call for each merge strategy instead, on a complete stack.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.live.errors import CannotRun, exit_code
from tests.live.scenarios import SABOTAGES, SCENARIOS, Scenario

__all__ = ["main"]

ALL = "all"


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.live", description=__doc__)
    parser.add_argument("--scenario", default="", help=f"one of {', '.join(SCENARIOS)}, {ALL}")
    parser.add_argument(
        "--sabotage", default="", help=f"a fault put in on purpose: one of {', '.join(SABOTAGES)}"
    )
    parser.add_argument(
        "--merge",
        default="",
        help='how the legs are joined: "auto" or the name of a strategy; with --phone real "all"',
    )
    parser.add_argument(
        "--phone",
        default="stand-in",
        choices=("stand-in", "real"),
        help="real: LIVEKIT_URL has a SIP service, and WT_CALL_TO is rung over WT_TRUNK_ID",
    )
    return parser.parse_args(arguments)


def _check(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        names = ", ".join(filter(None, known))
        raise CannotRun(f"unknown {what} {name!r}: the known ones are {names}")


def _say(begun_s: float, text: str) -> None:
    print(f"{time.monotonic() - begun_s:6.1f} s  {text}", flush=True)  # noqa: T201 - a command's output


async def _run(scenario: Scenario, sabotage: str, merge: str, folder: str) -> dict[str, Any]:
    # Heavy imports come late, so that a wrong argument is answered at once.
    from tests.live.report import make_report  # noqa: PLC0415
    from tests.live.run import OUTPUT, run_scenario  # noqa: PLC0415
    from tests.live.same import differences  # noqa: PLC0415

    begun_s = time.monotonic()
    # What was started is stopped on SIGTERM as it is on Ctrl-C.
    running = asyncio.current_task()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    output = OUTPUT / folder
    evidence = await run_scenario(
        scenario, sabotage, lambda text: _say(begun_s, text), output, merge
    )
    if not sabotage:
        # In a thread, because the simulated world has an event loop of its own.
        journal = output / "journal.jsonl"
        evidence.faults += await asyncio.to_thread(differences, scenario.name, journal, merge)
    report = make_report(evidence)
    (output / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    return report


def _run_all(sabotage: str, merge: str) -> list[dict[str, Any]]:
    """Run every scenario, each with a loop and a folder of its own, and print a table."""
    from tests.live.report import summary, table  # noqa: PLC0415 - as above

    reports: list[dict[str, Any]] = []
    for name, scenario in SCENARIOS.items():
        print(f"--- {name}", flush=True)  # noqa: T201 - a command's output
        reports.append(asyncio.run(_run(scenario, sabotage, merge, name)))
        print(summary(reports[-1]), flush=True)  # noqa: T201 - a command's output
    print("\n" + table(reports))  # noqa: T201 - a command's output
    return reports


def _run_one(scenario: Scenario, sabotage: str, merge: str) -> list[dict[str, Any]]:
    report = asyncio.run(_run(scenario, sabotage, merge, ""))
    from tests.live.report import summary  # noqa: PLC0415 - as above

    print(summary(report))  # noqa: T201 - a command's output
    return [report]


def _stand_in(scenario: str, sabotage: str, merge: str) -> int:
    _check("scenario", scenario, (*SCENARIOS, ALL))
    _check("sabotage", sabotage, ("", *SABOTAGES))
    if scenario == ALL:
        reports = _run_all(sabotage, merge)
    else:
        reports = _run_one(SCENARIOS[scenario], sabotage, merge)
    return 1 if any(report["violations"] for report in reports) else 0


def _real(scenario: str, sabotage: str, merge: str) -> int:
    if scenario or sabotage:
        raise CannotRun("--phone real plays no scenario: leave --scenario and --sabotage out")
    from tests.live.stack.run import run_on_stack  # noqa: PLC0415 - as above

    return run_on_stack(merge)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and say by the exit code: 0 clean, 1 red, 2 could not run."""
    options = _arguments(arguments)
    if options.phone == "real":
        merge = options.merge or ALL
        return exit_code(lambda: _real(options.scenario, options.sabotage, merge))
    scenario, merge = options.scenario or "merged", options.merge or "auto"
    return exit_code(lambda: _stand_in(scenario, options.sabotage, merge))


if __name__ == "__main__":
    sys.exit(main())
