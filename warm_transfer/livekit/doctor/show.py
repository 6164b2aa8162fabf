"""A report as lines for a person, and as JSON for a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from warm_transfer.livekit.doctor.findings import Finding, Report

__all__ = ["HEAD", "as_json", "conclusion", "lines_of"]

FORMAT = 1
"""Raised when a key of the JSON changes its meaning."""

_NAME, _VERDICT = 12, 8

HEAD = f"{'check':{_NAME}} {'verdict':{_VERDICT}} {'seconds':>8}  found"


def lines_of(finding: Finding) -> Iterator[str]:
    """One finding as lines of the table under `HEAD`."""
    row = f"{finding.name:{_NAME}} {finding.verdict:{_VERDICT}} {finding.seconds:8.2f}"
    yield f"{row}  {finding.found}"
    if finding.remedy:
        yield f"{'':{_NAME + _VERDICT + 12}}-> {finding.remedy}"


def conclusion(report: Report) -> Iterator[str]:
    """What follows from all findings."""
    yield f'merge="auto" chooses {", then ".join(report.auto.strategies)}: {report.auto.why}'
    counts = {"failed": 0, "warning": 0}
    for each in report.findings:
        if each.verdict in counts:
            counts[each.verdict] += 1
    found = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    yield f"{_host(report.url)}: {found or 'all is well'}"


def as_json(report: Report) -> str:
    """The report as one JSON object; what its keys mean stands in ``docs/doctor.md``."""
    content = {
        "v": FORMAT,
        "url": _host(report.url),
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "auto": {"strategies": report.auto.strategies, "why": report.auto.why},
        "checks": [
            {
                "name": each.name,
                "verdict": each.verdict,
                "found": each.found,
                "remedy": each.remedy,
                "seconds": each.seconds,
            }
            for each in report.findings
        ],
    }
    return json.dumps(content, indent=2)


def _host(url: str) -> str:
    """An address without what may stand in it beside scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
