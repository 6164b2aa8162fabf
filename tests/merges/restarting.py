"""A server of our own, with Redis behind it, that can be restarted at the same address."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.live.errors import CannotRun
from tests.live.redis import running_redis
from tests.live.server import (
    Say,
    Server,
    _config,
    _free_port,
    _stop,
    _until_ready,
    find_or_install,
)

__all__ = ["Restarting", "restarting_server"]


class Restarting:
    """The server, which is another process after each restart."""

    def __init__(self, binary: Path, settings: str, port: int, log: Path) -> None:
        self._binary = binary
        self._settings = settings
        self._port = port
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                str(self._binary),
                env={**os.environ, "LIVEKIT_CONFIG": self._settings},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        await _until_ready(self._process, self._port)

    async def restart(self) -> float:
        """Kill it, as a crash would, and start it again.

        Returns:
            Seconds until it answered again.
        """
        begun_s = time.monotonic()
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        await self.start()
        return time.monotonic() - begun_s

    async def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            await _stop(self._process)


@contextlib.asynccontextmanager
async def restarting_server(say: Say, log: Path) -> AsyncIterator[tuple[Server, Restarting]]:
    """Have such a server for the time of the block.

    Raises:
        CannotRun: there is no Redis or no server; or it is somebody else's server.
    """
    if os.environ.get("LIVEKIT_URL"):
        raise CannotRun("LIVEKIT_URL is set: a server of somebody else's is not restarted")
    binary = await find_or_install(say)
    port = _free_port(socket.SOCK_STREAM)
    key, secret = f"live{secrets.token_hex(6)}", secrets.token_hex(24)
    async with running_redis() as redis:
        standing = Restarting(binary, _config(port, key, secret) + redis, port, log)
        try:
            await standing.start()
            yield Server(f"ws://127.0.0.1:{port}", key, secret), standing
        finally:
            await standing.stop()
