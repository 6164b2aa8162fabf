from __future__ import annotations

import pytest

from warm_transfer.livekit.auto import Choice
from warm_transfer.livekit.doctor.findings import (
    Finding,
    Report,
    Verdict,
    failed,
    ok,
    skipped,
    warning,
)


def report(*verdicts: Verdict) -> Report:
    findings = tuple(Finding(str(each), each, "", "", 0.0) for each in verdicts)
    return Report("ws://here", findings, Choice(("relay",), "why"))


@pytest.mark.parametrize(
    ("verdicts", "worst", "code"),
    [
        ([], Verdict.OK, 0),
        ([Verdict.OK, Verdict.SKIPPED], Verdict.OK, 0),
        ([Verdict.WARNING, Verdict.OK], Verdict.WARNING, 0),
        ([Verdict.WARNING, Verdict.FAILED, Verdict.OK], Verdict.FAILED, 1),
    ],
)
def test_the_worst_verdict_decides_and_only_a_failure_is_an_error(
    verdicts: list[Verdict], worst: Verdict, code: int
) -> None:
    assert report(*verdicts).verdict is worst
    assert report(*verdicts).exit_code == code


def test_each_verdict_has_its_word() -> None:
    found = [ok("f"), warning("f", "r"), failed("f", "r"), skipped("f")]
    assert [each.verdict.value for each in found] == ["ok", "warning", "failed", "skipped"]
    assert [each.remedy for each in found] == ["", "r", "r", ""]
