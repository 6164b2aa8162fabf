"""A coverage in words."""

from __future__ import annotations

from fsm_diagrams.coverage import Coverage
from fsm_diagrams.report import Report, Section

__all__ = ["coverage_report"]


def coverage_report(found: Coverage) -> Report:
    """How much was taken, and all that was not."""
    missing, all_rows = len(found.uncovered), len(found.rows)
    summary = f"{all_rows - missing} of {all_rows} rows taken ({found.percent:.1f} %)"
    if found.ignored:
        all_pairs = len(found.ignored)
        came = all_pairs - len(found.never_ignored)
        summary += f", {came} of {all_pairs} ignored pairs seen ({found.pairs_percent:.1f} %)"
    runs = "1 run" if found.runs == 1 else f"{found.runs} runs"
    lines = "1 line" if found.lines == 1 else f"{found.lines} lines"
    never = tuple(edge.id for edge in found.uncovered)
    pairs = tuple(f"{it.state} x {it.event} ({it.reason})" for it in found.never_ignored)
    taken = tuple(f"{found.rows[edge.id]:>6}  {edge.id}" for edge in found.machine.edges)
    return Report(
        f"Coverage of {found.machine.name or 'the machine'}",
        f"{summary}, in {runs} of {lines}.",
        (
            Section("Rows never taken", never),
            Section("Pairs never seen", pairs),
            Section(
                "Rows taken", tuple(line for line in taken if not line.lstrip().startswith("0 "))
            ),
        ),
    )
