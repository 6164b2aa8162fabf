"""What all calls of a run share: the server, the agent's process, and how to talk to it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.live.errors import CannotRun
from tests.live.server import Server

__all__ = ["AgentProcess", "Bench", "running_agent"]

ROOT = Path(__file__).resolve().parents[2]
READY_S = 40.0
ANSWER_S = 90.0
STOP_S = 10.0


@dataclass
class AgentProcess:
    """The process of ``tests.merges.agent``."""

    process: asyncio.subprocess.Process

    def send(self, do: str, **facts: object) -> None:
        """Tell it to do something."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **facts}).encode() + b"\n")

    async def answer(self) -> dict[str, Any]:
        """Read its next answer.

        Raises:
            CannotRun: it says nothing more.
        """
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), ANSWER_S)
        if not line:
            raise CannotRun("the agent's process has ended: see build/merges/agent.log")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        self.process.send_signal(signal.SIGKILL)


@dataclass
class Bench:
    """A server, an agent, and a folder for what is left of a run."""

    server: Server
    agent: AgentProcess
    output: Path
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _run: str = field(default_factory=lambda: secrets.token_hex(3))

    def room(self) -> str:
        """Give a room's name that was not used before."""
        return f"merges-{self._run}-{next(self._numbers)}"


@contextlib.asynccontextmanager
async def running_agent(server: Server, output: Path) -> AsyncIterator[AgentProcess]:
    """Have an agent's process for the time of the block."""
    with (output / "agent.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.merges.agent",
            cwd=ROOT,
            env={**os.environ, **server.environment(), "PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    agent = AgentProcess(process)
    try:
        async with asyncio.timeout(READY_S):
            await agent.answer()
        yield agent
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    if process.returncode is None:
        process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
