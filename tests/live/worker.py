"""A worker process in a session of its own, so that nothing of it can get lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

__all__ = ["hurry", "left_processes", "running_worker"]

ROOT = Path(__file__).resolve().parents[2]
NICENESS = -10


def hurry(pid: int | None = None) -> None:
    """Let a process come before other work on the machine where that is allowed.

    Sound cannot wait. What the process starts afterwards inherits it, but for a new session: where
    Linux groups tasks by session (``sched_autogroup_enabled``, see sched(7)), the niceness of a
    process counts only within its group, and each group has one of its own.

    Args:
        pid: which; this one unless given.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid or 0, NICENESS)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid or 'self'}/autogroup").write_text(f"{NICENESS}\n")


@contextlib.asynccontextmanager
async def running_worker(
    module: str, environment: Mapping[str, str], log: Path, *, drain_s: int, stop_s: float
) -> AsyncIterator[Process]:
    """Have a worker for the time of the block; after it, it is asked to stop, then killed.

    Args:
        module: what is run, with livekit-agents' command line.
        environment: variables on top of ours.
        log: the file to which it writes.
        drain_s: how long it lets its jobs go on when it is to stop, in whole
            seconds.
        stop_s: how long it may take to stop, in seconds.
    """
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            "start",
            f"--drain-timeout={drain_s}",
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    hurry(process.pid)
    try:
        yield process
    finally:
        await _stop(process, stop_s)


async def _stop(process: Process, stop_s: float) -> None:
    """Ask it to stop, as an orchestrator does, and kill it when it does not."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), stop_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def left_processes(session: int, patience_s: float) -> list[str]:
    """Name the processes of a worker's session that have outlived it, and end them.

    Python's own helpers (fork server, resource tracker) see the end of the worker by a closed
    pipe, a moment later.
    """
    end_s = time.monotonic() + patience_s
    while found := _processes_of(session):
        if time.monotonic() > end_s:
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            break
        await asyncio.sleep(0.1)
    return [f"{pid} {command}" for pid, command in found.items()]


def _processes_of(session: int) -> dict[int, str]:
    """The living processes of a session, by the fields of ``/proc/PID/stat`` (see proc(5))."""
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            state, _, _, its = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
            if int(its) == session and state != "Z":
                command = (entry / "cmdline").read_text().replace("\0", " ").strip()
                found[int(entry.name)] = command[:80]
    return found
