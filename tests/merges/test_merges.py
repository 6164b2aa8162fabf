"""Three merges a strategy on a real server: nobody hears what is not for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.marks import needs_server
from tests.merges.strategies import RUNNABLE

ROOT = Path(__file__).resolve().parents[2]
MERGES = 3
RUN_S = 150.0


@pytest.mark.live
@needs_server
@pytest.mark.parametrize("name", RUNNABLE)
def test_a_few_merges_are_heard_by_both_and_leak_nothing(name: str) -> None:
    # A process of its own: the SDK's native part keeps files and threads until it ends.
    command = ["--strategy", name, "--merges", str(MERGES), "--no-cpu", "--no-trouble"]
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.merges", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((ROOT / "build" / "merge.json").read_text(encoding="utf-8"))
    assert found["faults"] == []
    figures = found["strategies"][name]
    assert figures["merges"] == MERGES
    assert set(figures["leaks"].values()) == {0}
