from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.live.worker import running_worker

STUBBORN = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.environ["GIVEN"], *sys.argv[1:], child.pid, flush=True)
child.wait()
"""


def _lives(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "XZ"
    except OSError:
        return False


@pytest.mark.asyncio
async def test_a_worker_that_does_not_stop_is_killed_with_all_it_has_started(
    tmp_path: Path,
) -> None:
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    environment = {"PYTHONPATH": str(tmp_path), "GIVEN": "given"}
    log = tmp_path / "log"
    async with running_worker("stubborn", environment, log, stop_s=0.1) as worker:
        async with asyncio.timeout(20):
            while not log.read_text().endswith("\n"):  # noqa: ASYNC110 - a process has no event
                await asyncio.sleep(0.02)
        words = log.read_text().split()
        assert words[:3] == ["given", "start", "--drain-timeout=0"]
        assert os.getsid(worker.pid) == worker.pid
        assert _lives(int(words[3]))
    assert worker.returncode is not None
    async with asyncio.timeout(20):
        while _lives(int(words[3])):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
