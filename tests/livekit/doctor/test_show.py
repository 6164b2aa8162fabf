from __future__ import annotations

import json

from warm_transfer.livekit.auto import Choice
from warm_transfer.livekit.doctor.findings import Finding, Report, Verdict
from warm_transfer.livekit.doctor.show import HEAD, as_json, conclusion, lines_of

FINE = Finding("address", Verdict.OK, "it answers", "", 0.0123)
BAD = Finding("redis", Verdict.FAILED, "there is none", "give it one", 1.5)
AUTO = Choice(("sip_bridge", "relay"), "the bridge is set up")


def test_a_finding_is_a_row_with_its_remedy_below() -> None:
    assert list(lines_of(FINE)) == ["address      ok           0.01  it answers"]
    row, remedy = lines_of(BAD)
    assert row == "redis        failed       1.50  there is none"
    assert remedy.strip() == "-> give it one"
    assert HEAD.index("found") == row.index("there is none") == remedy.index("->")


def test_the_conclusion_counts_and_says_what_auto_chooses() -> None:
    first, last = conclusion(Report("ws://user:pass@here:7880/x?y=z", (FINE, BAD, BAD), AUTO))
    assert first == 'merge="auto" chooses sip_bridge, then relay: the bridge is set up'
    assert last == "ws://here:7880: 2 failed"
    _, last = conclusion(Report("ws://here", (FINE,), AUTO))
    assert last == "ws://here: all is well"


def test_the_json_has_everything_and_no_credentials_of_the_address() -> None:
    content = json.loads(as_json(Report("ws://user:pass@here:7880", (FINE, BAD), AUTO)))
    assert content == {
        "v": 1,
        "url": "ws://here:7880",
        "verdict": "failed",
        "exit_code": 1,
        "auto": {"strategies": ["sip_bridge", "relay"], "why": "the bridge is set up"},
        "checks": [
            {
                "name": "address",
                "verdict": "ok",
                "found": "it answers",
                "remedy": "",
                "seconds": 0.0123,
            },
            {
                "name": "redis",
                "verdict": "failed",
                "found": "there is none",
                "remedy": "give it one",
                "seconds": 1.5,
            },
        ],
    }
