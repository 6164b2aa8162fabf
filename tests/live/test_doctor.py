"""The doctor at a real livekit-server, without and with Redis; a SIP service there is none."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from tests.live.redis import can_have_redis, running_redis
from tests.live.server import BINARY, VERSION, Server, running_server

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0

#: A server of somebody else's has a Redis and settings that are not known here.
needs_own_server = pytest.mark.skipif(
    bool(os.environ.get("LIVEKIT_URL")) or not (BINARY.exists() or shutil.which("go")),
    reason=f"needs a livekit-server {VERSION} of its own: in .tools/, or Go to build it",
)
needs_redis = pytest.mark.skipif(not can_have_redis(), reason="redis-server is not installed")

HURTING = "\nroom: {auto_create: false, departure_timeout: 5, max_participants: 3}\n"


def at_a_server(
    work: Callable[[Server], Awaitable[None]], tmp_path: Path, *, redis: bool = False
) -> None:
    """Do something at a server that is there for it alone."""

    async def main() -> None:
        log = tmp_path / "server.log"
        if not redis:
            async with running_server(print, log) as server:
                await work(server)
            return
        async with running_redis() as yaml, running_server(print, log, yaml + HURTING) as server:
            await work(server)

    asyncio.run(main())


async def _start(
    server: Server, *arguments: str, module: str = "warm_transfer.cli"
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        module,
        *arguments,
        cwd=ROOT,
        env={**os.environ, **server.environment()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def command(server: Server, *arguments: str) -> tuple[int | None, Any]:
    """Run a command in a process of its own; gives its exit code and its JSON."""
    process = await _start(server, *arguments, "--json")
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert err == b"", err.decode()
    assert server.secret not in out.decode()
    return process.returncode, json.loads(out)


def found_by(report: Any) -> dict[str, Any]:
    return {each["name"]: each for each in report["checks"]}


async def rooms_of(server: Server) -> list[str]:
    async with api.LiveKitAPI(server.url, server.key, server.secret) as client:
        listed = await client.room.list_rooms(api.ListRoomsRequest())
    return [each.name for each in listed.rooms]


@pytest.mark.live
@needs_own_server
def test_without_redis_all_but_sip_is_found_in_order(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        code, report = await command(server, "doctor")
        found = found_by(report)
        assert code == 1
        fine = "address clock credentials room grants settings speed agents join move cleanup"
        for name in fine.split():
            assert found[name]["verdict"] == "ok", found[name]
        assert found["move"]["found"] == "there is none, as always at the open-source server"
        assert found["redis"]["verdict"] == "failed"
        assert "sip not connected" in found["redis"]["found"]
        for name in ("sip service", "trunk", "bridge", "bridge call", "call"):
            assert found[name]["verdict"] == "skipped"
        assert report["auto"]["strategies"] == ["relay"]
        assert await rooms_of(server) == []

    at_a_server(work, tmp_path)


@pytest.mark.live
@needs_own_server
def test_a_secret_that_is_wrong_is_named(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        code, report = await command(server, "doctor", "--api-secret", "w" * 48)
        found = found_by(report)
        assert code == 1
        assert found["address"]["verdict"] == "ok"
        assert found["credentials"]["verdict"] == "failed"
        assert "LIVEKIT_API_SECRET" in found["credentials"]["remedy"]
        assert found["room"]["verdict"] == "skipped"

    at_a_server(work, tmp_path)


@pytest.mark.live
@needs_own_server
def test_stopped_it_leaves_no_room(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        process = await _start(server, "doctor")
        async with asyncio.timeout(PATIENCE_S):
            while not await rooms_of(server):
                assert process.returncode is None
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert process.returncode == 130
        assert err.decode() == "warm-transfer: stopped\n"
        assert "all that was made is removed" in out.decode()
        assert await rooms_of(server) == []

    at_a_server(work, tmp_path)


@pytest.mark.live
@needs_own_server
def test_the_doctors_participants_hear_each_other(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        # In a process of its own: the native library closes its sockets when it likes.
        process = await _start(server, module="tests.live.visitors")
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        assert (process.returncode, err) == (0, b""), err.decode()
        assert out.decode().split() == ["one", "was", "heard", "and", "nobody", "else"]

    at_a_server(work, tmp_path)


@pytest.mark.live
@needs_own_server
@needs_redis
def test_with_redis_the_sip_service_is_missed_and_the_bridge_set_up(tmp_path: Path) -> None:
    async def work(server: Server) -> None:
        code, report = await command(server, "doctor")
        found = found_by(report)
        assert code == 1
        assert found["redis"]["verdict"] == "ok"
        assert found["sip service"]["verdict"] == "failed"
        assert "no SIP service answers" in found["sip service"]["found"]
        assert found["bridge"]["verdict"] == "warning"
        assert report["auto"]["strategies"] == ["relay"]
        assert found["settings"]["verdict"] == "warning"
        for name in ("auto_create", "departure_timeout", "max_participants"):
            assert f"room.{name}" in found["settings"]["found"]

        address = ("--sip-address", "127.0.0.1:5060")
        for action in ("created", "kept"):
            code, done = await command(server, "bridge", "setup", *address)
            assert code == 0
            assert [step["action"] for step in done["steps"]] == [action] * 3
        code, report = await command(server, "doctor")
        assert found_by(report)["bridge"]["verdict"] == "ok"
        assert report["auto"]["strategies"] == ["sip_bridge", "relay"]

        code, done = await command(server, "bridge", "setup", "--sip-address", "127.0.0.2")
        assert [step["action"] for step in done["steps"]] == ["changed", "changed", "kept"]
        code, done = await command(server, "bridge", "setup", "--remove")
        assert [step["action"] for step in done["steps"]] == ["removed"] * 3
        code, done = await command(server, "bridge", "setup", "--remove")
        assert done["steps"] == []
        assert await rooms_of(server) == []

    at_a_server(work, tmp_path, redis=True)
