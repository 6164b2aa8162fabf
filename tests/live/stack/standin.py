"""``python -m tests.live.stack.standin``: the run on a complete stack, on one that has no SIP.

A recorder in front of a server of our own answers the dials, and a machine that goes on talking
answers the phone; what is run is the same command that a user runs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from google.protobuf.message import Message
from livekit import api

from tests.live.people import Stage
from tests.live.recorder import CREATE_SIP_PARTICIPANT, Recorder
from tests.live.scenarios import Say, Scenario, Wait
from tests.live.server import Server, running_server
from tests.live.trunk import SipPhone, Trunk
from warm_transfer.outcome import Reason
from warm_transfer.states import State

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "build" / "stack"
RUN_S = 240.0
PAUSE_S = 0.8
"""Long enough to be an end of speech."""
SENTENCE = "You have reached a machine that goes on talking. Please go on."
MACHINE = Scenario(
    name="a machine that only plays sound",
    result=State.MERGED,
    reason=Reason.ACCEPTED,
    caller=(),
    human=(Say(SENTENCE), Wait(PAUSE_S)) * 12,
)


class Machines:
    """A phone for each call that comes."""

    def __init__(self, server: Server, client: api.LiveKitAPI) -> None:
        self._server = server
        self._client = client
        self._phones: list[SipPhone] = []

    async def answer(self, body: bytes) -> Message:
        """Ring a new one."""
        phone = SipPhone(self._server, Stage(), MACHINE, self._remove)
        self._phones.append(phone)
        return await Trunk(phone).answers[CREATE_SIP_PARTICIPANT](body)

    async def _remove(self, room: str, identity: str) -> None:
        who = api.RoomParticipantIdentity(room=room, identity=identity)
        await self._client.room.remove_participant(who)

    async def aclose(self) -> None:
        """Put all of them away."""
        for phone in self._phones:
            await phone.aclose()


async def _run(arguments: Sequence[str], accept: str) -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with running_server(lambda _: None, FOLDER / "server.log") as server:
        client = api.LiveKitAPI(server.url, server.key, server.secret, failover=False)
        machines = Machines(server, client)
        recorder = Recorder(server.url, {CREATE_SIP_PARTICIPANT: machines.answer})
        try:
            return await _as_a_user(await recorder.start(), server, arguments, accept)
        finally:
            await machines.aclose()
            await recorder.aclose()
            await client.aclose()


async def _as_a_user(url: str, server: Server, arguments: Sequence[str], accept: str) -> int:
    """Run the command in a process of its own, with the environment of a user."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.live",
        "--phone",
        "real",
        *arguments,
        cwd=ROOT,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("WT_")},
            **server.environment(),
            "LIVEKIT_URL": url,
            "WT_TRUNK_ID": "ST_standin",
            "WT_CALL_TO": "+15105550123",
            "WT_ACCEPT": accept,
        },
    )
    try:
        return await asyncio.wait_for(process.wait(), RUN_S)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


def main() -> int:
    """Run it; the exit code is that of the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.stack.standin", description=__doc__)
    parser.add_argument("--merge", default="all")
    parser.add_argument("--accept", default="app")
    options = parser.parse_args()
    return asyncio.run(_run(("--merge", options.merge), options.accept))


if __name__ == "__main__":
    # The native library's threads that still report while Python ends would abort the process.
    code = main()
    sys.stdout.flush()
    os._exit(code)
