from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.live.worker import hurry, left_processes, running_worker

STUBBORN = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.environ["GIVEN"], *sys.argv[1:], flush=True)
child.wait()
"""
CARELESS = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("gone", flush=True)
"""


async def words_of(log: Path) -> list[str]:
    read = log.read_text
    async with asyncio.timeout(20):
        while not read().endswith("\n"):  # noqa: ASYNC110 - a process has no event
            await asyncio.sleep(0.02)
    return read().split()


@pytest.mark.asyncio
async def test_a_worker_that_does_not_stop_is_killed_with_all_it_has_started(
    tmp_path: Path,
) -> None:
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    given, log = {"PYTHONPATH": str(tmp_path), "GIVEN": "given"}, tmp_path / "log"
    async with running_worker("stubborn", given, log, drain_s=3, stop_s=0.1) as worker:
        assert await words_of(log) == ["given", "start", "--drain-timeout=3"]
        assert os.getsid(worker.pid) == worker.pid
    assert worker.returncode == -9
    assert await left_processes(worker.pid, 5.0) == []


@pytest.mark.asyncio
async def test_what_outlives_a_worker_is_named_and_ended(tmp_path: Path) -> None:
    (tmp_path / "careless.py").write_text(CARELESS)
    given, log = {"PYTHONPATH": str(tmp_path)}, tmp_path / "log"
    async with running_worker("careless", given, log, drain_s=0, stop_s=5.0) as worker:
        assert await words_of(log) == ["gone"]
    (left,) = await left_processes(worker.pid, 0.0)
    assert left.endswith("import time; time.sleep(60)")
    assert await left_processes(worker.pid, 5.0) == []


def test_who_may_not_hurry_goes_on_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.setpriority", refused)
    monkeypatch.setattr(Path, "write_text", refused)
    hurry()


@pytest.mark.asyncio
async def test_a_worker_is_in_a_hurry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hurried: list[int | None] = []
    monkeypatch.setattr("tests.live.worker.hurry", hurried.append)
    async with running_worker("this", {}, tmp_path / "log", drain_s=0, stop_s=5.0) as worker:
        assert hurried == [worker.pid]
