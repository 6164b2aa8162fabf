"""``python -m warm_transfer.testing.explorer`` (``make explore``): walk every path of a table.

Writes the totals as JSON and a journal for each invariant that does not hold. Exit codes: 0 all
is reached and holds, 1 something is not, 2 the table cannot be walked.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from warm_transfer.errors import InvalidArgument, WarmTransferError
from warm_transfer.rows import Table
from warm_transfer.testing.explorer.exploring import parts_of
from warm_transfer.testing.explorer.feasible import feasible
from warm_transfer.testing.explorer.journals import write
from warm_transfer.testing.explorer.report import Part, Report, merged
from warm_transfer.testing.explorer.scopes import SCOPES
from warm_transfer.testing.explorer.totals import Totals

__all__ = ["main"]

_MISSED_SHOWN = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return _explore(_table(arguments.table), arguments.out, arguments.processes)
    except (WarmTransferError, OSError) as error:
        sys.stderr.write(f"explorer: {error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m warm_transfer.testing.explorer",
        description="Walk every path of a table, with every invariant on every step.",
    )
    parser.add_argument("--table", metavar="MODULE:NAME", default="warm_transfer.table:TABLE")
    parser.add_argument("--out", metavar="FILE", type=Path, default=Path("build/explore.json"))
    parser.add_argument("--processes", metavar="N", type=int, default=min(2, os.cpu_count() or 1))
    return parser


def _table(name: str) -> Table:
    module, _, attribute = name.partition(":")
    try:
        table = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidArgument("--table", f"is {name!r}: {error}", "give MODULE:NAME") from error
    if not isinstance(table, Table):
        raise InvalidArgument("--table", f"{name!r} is no Table", "give MODULE:NAME of one")
    return table


def _explore(table: Table, out: Path, processes: int) -> int:
    began = time.perf_counter()
    parts: dict[str, Part] = {}
    for name, part in parts_of(table, SCOPES, processes=max(1, processes)):
        parts[name] = part
        found = f", {len(part.found)} broken" if part.found else ""
        _say(f"{len(parts)}/{len(SCOPES)}  {name}: {part.configurations:,} configurations{found}")
    possible = feasible(table, SCOPES)
    seconds = time.perf_counter() - began
    report = merged(table, [parts[scope.name] for scope in SCOPES], seconds)
    totals = Totals(report, possible)
    violations = _violations(report, out.with_suffix(""))
    plain = {
        **totals.plain(),
        "violations": violations,
        "processes": processes,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(sum(os.times()[:4]), 1),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    _show(report, totals, violations)
    _say(f"{out}, {seconds:.0f} s")
    return 1 if violations or plain["missed"] else 0


def _violations(report: Report, folder: Path) -> list[dict[str, object]]:
    """What is broken, with a journal each; those of an earlier run go."""
    for old in folder.glob("*.jsonl"):
        old.unlink()
    told: list[dict[str, object]] = []
    for found in report.violations:
        name = re.sub(r"\W+", "_", found.invariant)
        journal = write(found, report.table, folder / f"{name}.jsonl")
        told.append(
            {
                "invariant": found.invariant,
                "problem": found.problem,
                "scope": found.scope,
                "path": list(found.path),
                "journal": journal and journal.as_posix(),
            }
        )
    return told


def _show(report: Report, totals: Totals, violations: Sequence[dict[str, object]]) -> None:
    table = report.table
    reached = len(report.pairs_row | report.pairs_ignored | totals.core_alone)
    for what, taken, total in (
        ("rows", len(report.rows_taken), report.rows_total),
        ("pairs", reached, len(table.by_pair) + len(table.ignored)),
        ("transition pairs", len(report.switches), len(totals.switches)),
        ("simple paths", len(report.paths), len(totals.feasible.paths)),
    ):
        _say(f"{what:18} {taken:>9,} of {total:,}")
    _say(f"{'configurations':18} {report.configurations:>9,}")
    _say(f"{'edges':18} {report.edges:>9,}")
    _say(f"{'in flight, at most':18} {report.in_flight_max:>9,}")
    missed = list(totals.missed())
    for each in missed[:_MISSED_SHOWN]:
        _say(each)
    if len(missed) > _MISSED_SHOWN:
        _say(f"and {len(missed) - _MISSED_SHOWN} more")
    _say(f"{'violations':18} {len(violations):>9,}")
    for found, told in zip(report.violations, violations, strict=True):
        _say(f"\n{found}\n    journal: {told['journal'] or 'none, the core has taken no event'}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
