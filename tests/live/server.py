"""A LiveKit server for the run: the one in the environment, or one of our own on loopback.

Our own is installed with Go into ``.tools/`` once. It listens on 127.0.0.1 only, on free ports,
with a key made for the run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.live.errors import CannotRun
from tests.live.worker import hurry

__all__ = ["VARIABLES", "VERSION", "Server", "can_have_server", "find_or_install", "running_server"]

VERSION = "1.13.5"
PACKAGE = f"github.com/livekit/livekit-server/cmd/server@v{VERSION}"
TOOLS = Path(__file__).resolve().parents[2] / ".tools"
BINARY = TOOLS / "livekit-server"

INSTALL_TIMEOUT_S = 1500.0
READY_TIMEOUT_S = 15.0
VARIABLES = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is and how to get in."""

    url: str
    key: str
    secret: str
    process: asyncio.subprocess.Process | None = None
    """None when it is somebody else's."""

    def environment(self) -> dict[str, str]:
        """The variables by which livekit finds it."""
        return dict(zip(VARIABLES, (self.url, self.key, self.secret), strict=True))


def can_have_server() -> bool:
    """Say whether a run is possible here: a server, its binary, or Go to make it."""
    return bool(os.environ.get("LIVEKIT_URL") or BINARY.exists() or shutil.which("go"))


async def _version(binary: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        str(binary), "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    return out.decode(errors="replace")


async def find_or_install(say: Say) -> Path:
    """Find the server's binary in ``.tools/``, or build it there with Go.

    Raises:
        CannotRun: there is no Go, or the build failed.
    """
    if BINARY.exists() and VERSION in await _version(BINARY):
        return BINARY
    go = shutil.which("go")
    if go is None:
        raise CannotRun(
            f"no livekit-server {VERSION} in .tools/ and no Go to build it:"
            " install Go, or set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
        )
    TOOLS.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        go,
        "install",
        PACKAGE,
        env={**os.environ, "GOBIN": str(TOOLS)},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    errors = await _watch_build(process, say)
    if process.returncode != 0:
        last = errors.strip().splitlines()[-1:] or ["no reason given"]
        raise CannotRun(f"`go install {PACKAGE}` failed: {last[0]}")
    # Go names it after its folder; a rename is atomic, so a half-built binary is never used.
    (TOOLS / "server").replace(BINARY)
    return BINARY


async def _watch_build(process: asyncio.subprocess.Process, say: Say) -> str:
    """Wait for the build and keep saying that it goes on."""
    begun = time.monotonic()
    rest = asyncio.ensure_future(process.communicate())
    try:
        while True:
            spent = time.monotonic() - begun
            if spent > INSTALL_TIMEOUT_S:
                raise CannotRun(f"building livekit-server took more than {INSTALL_TIMEOUT_S:g} s")
            say(f"building livekit-server {VERSION} with Go, {spent:.0f} s so far")
            done, _ = await asyncio.wait({rest}, timeout=5.0)
            if done:
                return rest.result()[1].decode(errors="replace")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await asyncio.gather(rest, return_exceptions=True)


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _config(port: int, key: str, secret: str) -> str:
    # Media over TCP would listen on every address of the machine, so it is off.
    return f"""
port: {port}
bind_addresses: ["127.0.0.1"]
rtc:
  tcp_port: 0
  udp_port: {_free_port(socket.SOCK_DGRAM)}
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
  interfaces: {{includes: ["lo"]}}
keys: {{"{key}": "{secret}"}}
logging: {{level: warn}}
"""


@contextlib.asynccontextmanager
async def running_server(say: Say, log: Path, more: str = "") -> AsyncIterator[Server]:
    """Have a server for the time of the block.

    Args:
        say: is told what takes long.
        log: where our own server writes to.
        more: YAML to add to its configuration; nothing for somebody else's.

    Raises:
        CannotRun: there is none and none can be had.
    """
    if os.environ.get("LIVEKIT_URL"):
        url, key, secret = (os.environ.get(name, "") for name in VARIABLES)
        if not (key and secret):
            raise CannotRun("LIVEKIT_URL is set: set LIVEKIT_API_KEY and LIVEKIT_API_SECRET too")
        yield Server(url, key, secret)
        return
    binary = await find_or_install(say)
    port = _free_port(socket.SOCK_STREAM)
    key, secret = f"live{secrets.token_hex(6)}", secrets.token_hex(24)
    environment = {**os.environ, "LIVEKIT_CONFIG": _config(port, key, secret) + more}
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            str(binary), env=environment, stdout=out, stderr=out, start_new_session=True
        )
    hurry(process.pid)
    try:
        await _until_ready(process, port)
        yield Server(f"ws://127.0.0.1:{port}", key, secret, process)
    finally:
        await _stop(process)


async def _until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    end_s = time.monotonic() + READY_TIMEOUT_S
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < end_s and process.returncode is None:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(f"http://127.0.0.1:{port}/") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)
    raise CannotRun("livekit-server did not come up: see build/live/server.log")


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Stop the server: it waits for its rooms to empty, but not for long."""
    for number, patience_s in ((signal.SIGTERM, 2.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0)):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience_s)
