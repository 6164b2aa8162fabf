"""What the doctor finds: one verdict a check, and all of them in a report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from warm_transfer.livekit.auto import Choice

__all__ = ["Finding", "Found", "Report", "Verdict", "failed", "ok", "skipped", "warning"]


class Verdict(StrEnum):
    """What a check says."""

    OK = "ok"
    WARNING = "warning"
    """Transfers work, but something will hurt."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not asked for, or an earlier check had to pass first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one check has found, and what to do about it."""

    verdict: Verdict
    found: str
    remedy: str = ""
    """Names the argument, the variable or the setting; empty when there is nothing to do."""


def ok(found: str, remedy: str = "") -> Found:
    """All is as it should be; `remedy` may be a hint."""
    return Found(Verdict.OK, found, remedy)


def warning(found: str, remedy: str) -> Found:
    """It works, but it will hurt."""
    return Found(Verdict.WARNING, found, remedy)


def failed(found: str, remedy: str) -> Found:
    """It does not work."""
    return Found(Verdict.FAILED, found, remedy)


def skipped(why: str, remedy: str = "") -> Found:
    """It was not looked at."""
    return Found(Verdict.SKIPPED, why, remedy)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found, with its name and how long it took."""

    name: str
    verdict: Verdict
    found: str
    remedy: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """All findings in order, and what ``merge="auto"`` would choose."""

    url: str
    findings: tuple[Finding, ...]
    auto: Choice

    @property
    def verdict(self) -> Verdict:
        """The worst of the verdicts; what was skipped does not count."""
        found = {each.verdict for each in self.findings}
        for worst in (Verdict.FAILED, Verdict.WARNING):
            if worst in found:
                return worst
        return Verdict.OK

    @property
    def exit_code(self) -> int:
        """0 unless something has failed, then 1."""
        return int(self.verdict is Verdict.FAILED)
