"""A Redis for our own server: with it the SIP API is connected, and rooms outlive a restart."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import time
from collections.abc import AsyncIterator

from tests.live.errors import CannotRun

__all__ = ["can_have_redis", "running_redis"]

PROGRAM = "redis-server"
READY_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0


def can_have_redis() -> bool:
    """Say whether Redis is installed (Debian package ``redis-server``)."""
    return shutil.which(PROGRAM) is not None


@contextlib.asynccontextmanager
async def running_redis() -> AsyncIterator[str]:
    """Have a Redis on loopback for the time of the block; gives the YAML that leads to it.

    Raises:
        CannotRun: it is not installed, or does not come up.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise CannotRun(f"no {PROGRAM}: install the Debian package of that name")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no")
    process = await asyncio.create_subprocess_exec(
        program,
        "--port",
        str(port),
        *settings,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await _until_ready(process, port)
        yield f"\nredis: {{address: '127.0.0.1:{port}'}}\n"
    finally:
        await _stop(process)


async def _until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    end_s = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < end_s and process.returncode is None:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"PING\r\n")
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
            if answer == b"+PONG\r\n":
                return
        await asyncio.sleep(0.05)
    raise CannotRun(f"{PROGRAM} did not come up on port {port}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    for stop in (process.terminate, process.kill):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            stop()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
