"""A worker process in a session of its own, so that nothing of it can get lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

__all__ = ["hurry", "running_worker"]

ROOT = Path(__file__).resolve().parents[2]


def hurry() -> None:
    """Come before other work on the machine where that is allowed; sound cannot wait.

    What is started afterwards inherits it.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)


@contextlib.asynccontextmanager
async def running_worker(
    module: str, environment: Mapping[str, str], log: Path, *, stop_s: float
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Have a worker for the time of the block; after it, it is asked to stop, then killed.

    Args:
        module: what is run, with livekit-agents' command line.
        environment: variables on top of ours.
        log: the file to which it writes.
        stop_s: how long it may take to stop, in seconds.
    """
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            "start",
            "--drain-timeout=0",
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        await _stop(process, stop_s)


async def _stop(process: asyncio.subprocess.Process, stop_s: float) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), stop_s)
    # Also when it has gone: a job of its own may have outlived it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
