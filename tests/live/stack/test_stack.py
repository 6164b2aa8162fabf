"""The command that a user runs on a complete stack, on one whose SIP service is a stand-in."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.marks import needs_server

ROOT = Path(__file__).resolve().parents[3]
REPORT = ROOT / "build" / "stack.json"
BUILD_AND_RUN_S = 1700


@pytest.mark.live
@needs_server
def test_a_call_to_a_machine_is_clean_and_says_what_was_not_run() -> None:
    REPORT.unlink(missing_ok=True)
    # In processes of their own: the SDK's native part keeps files and threads until it ends.
    done = subprocess.run(
        [sys.executable, "-m", "tests.live.stack.standin", "--merge", "relay"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=BUILD_AND_RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(REPORT.read_text(encoding="utf-8"))
    found = report["strategies"]["relay"]
    assert (found["outcome"], found["merged_by"]) == ("merged", "relay")
    assert found["caller_before_merge"]["leaked_frames"] == 0
    assert found["caller_before_merge"]["music_frames"] > 50
    assert found["caller_hears_phone"]
    assert found["phone_leg"]["callers_track"] == "the agent's relay"
    assert found["left"] == {"transfer_closed": True, "rooms": [], "participants": 0}
    assert all(value is not None for value in found["timings_ms"].values())
    assert "cloud" in report["strategies"]["move"]["not_run"]
    assert report["faults"] == []
    assert "merged/accepted" in done.stdout
