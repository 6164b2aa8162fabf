"""The agent's process: calls one after another, each with a session and a transfer of its own.

Commands come as lines of JSON on stdin; what happened goes to the driver of the call over HTTP,
and figures of the process itself as lines of JSON on stdout. There is no worker and no job: fifty
merges would be fifty starts of a process. Sessions, rooms, engine and merges are the real ones.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import time
from typing import Any

from livekit import api, rtc
from livekit.agents import Agent, AgentSession

from tests.live.control import CONTROL_VARIABLE, PhoneDialer, Reporter
from tests.live.models import TURN_HANDLING, ScriptedLLM, ScriptedSTT, ScriptedTTS, real_vad
from tests.live.pilots import Pilot
from tests.live.scenarios import BRIEFING, HELLO, YES, Reply
from tests.live.server import VARIABLES
from tests.live.voices import speak
from tests.merges.carriers import Carriers
from warm_transfer import TransferPolicy, WarmTransferTask
from warm_transfer.livekit.sdk import LiveKitSdk
from warm_transfer.ports import StateChange
from warm_transfer.states import State

__all__ = ["main"]

LIMITS: dict[str, Any] = {
    "ring_timeout_s": 10.0,
    "decision_timeout_s": 30.0,
    "call_limit_s": 120.0,
    "hold_limit_s": 60.0,
}
TALK = (Reply("Hello", says=BRIEFING), Reply("Yes, please", calls="connect_to_caller"))
CLOSED_TIMEOUT_S = 20.0
GOING_S = 3.0


class Desk(Agent):
    """Transfers its caller at once, and says yes for the human some time into the briefing.

    A job with a ``phone`` rings that one over its trunk instead of the one in the driver; with
    ``accept: "human"`` the yes is left to the person there. What a person says is not understood:
    what they say first is answered with the briefing, and what they say next is taken for a yes.
    """

    def __init__(self, job: dict[str, Any], reporter: Reporter) -> None:
        super().__init__(instructions="You are the front desk.")
        self._job = job
        self._reporter = reporter
        self._acting: asyncio.Task[None] | None = None
        self.transfer: WarmTransferTask | None = None
        self.over = asyncio.Event()
        self._sent_s: float | None = None

    async def on_enter(self) -> None:
        """Transfer, and tell how it went."""
        error = ""
        entered_s = time.monotonic()
        try:
            self.transfer = self._make_transfer()
            await self.transfer
        except Exception as caught:  # noqa: BLE001 - whatever it is, the driver is told
            error = f"{type(caught).__name__}: {caught}"
        outcome = self.transfer.outcome if self.transfer is not None else None
        await self._reporter.tell(
            "outcome",
            result=outcome.result if outcome else None,
            reason=outcome.reason if outcome else None,
            strategy=outcome.strategy if outcome else None,
            detail=outcome.detail if outcome else None,
            error=error,
            entered_s=entered_s,
            sent_s=self._sent_s,
        )
        self.over.set()

    def _make_transfer(self) -> WarmTransferTask:
        job = self._job
        return WarmTransferTask(
            **self._phone(),
            **self._conversation(),
            tts=ScriptedTTS(Pilot.BRIEFING),
            vad=real_vad(),
            turn_handling=TURN_HANDLING,
            hold_audio=job["music"],
            policy=TransferPolicy(**(LIMITS | job.get("policy", {}))),
            merge=job["merge"],
            on_state_change=self._on_state,
            journal=job["journal"],
        )

    def _phone(self) -> dict[str, Any]:
        """Whom to ring, and how."""
        real = self._job.get("phone")
        if real is None:
            ring = {"sip_call_to": "+15105550123", "sip_trunk_id": "ST_live"}
            return {**ring, "dialer": PhoneDialer()}
        return {
            "sip_call_to": real["to"],
            "sip_trunk_id": real["trunk_id"],
            "on_dial_request": self._on_dial_request,
        }

    @property
    def _human_decides(self) -> bool:
        return bool(self._job.get("accept") == "human")

    def _conversation(self) -> dict[str, Any]:
        if self._human_decides:
            return {"stt": ScriptedSTT((HELLO, YES)), "llm": ScriptedLLM(TALK)}
        return {"stt": ScriptedSTT(()), "llm": ScriptedLLM(()), "greeting": BRIEFING}

    async def _on_dial_request(self, request: api.CreateSIPParticipantRequest) -> None:
        """Tell the driver what it has to take away whatever happens, before anybody is rung."""
        room, identity = request.room_name, request.participant_identity
        await self._reporter.tell("dial", room=room, identity=identity)
        self._sent_s = time.monotonic()

    async def _on_state(self, change: StateChange) -> None:
        if change.after is State.BRIEFING and not self._human_decides:
            self._acting = asyncio.create_task(self._accept(), name="merges accept")
        await self._reporter.tell("state", state=change.after, at_s=time.monotonic())

    async def _accept(self) -> None:
        """Accept while the agent speaks to the human and the caller hears music."""
        await asyncio.sleep(self._job["briefing_s"])
        assert self.transfer is not None
        at_s = time.monotonic()
        taken = self.transfer.accept(via="app")
        await self._reporter.tell("act", at_s=at_s, taken=taken)


async def _take_call(sdk: LiveKitSdk, job: dict[str, Any]) -> None:
    """One call, from the agent's arrival to nothing being left."""
    os.environ[CONTROL_VARIABLE] = job["control"]
    reporter = Reporter()
    room = rtc.Room()
    await room.connect(sdk.url, sdk.token(job["room"], "agent", 300.0))
    desk = Desk(job, reporter)
    session: AgentSession[Any] = AgentSession(tts=ScriptedTTS(Pilot.AGENT), llm=ScriptedLLM(()))
    try:
        await session.start(desk, room=room, record=False)
        await desk.over.wait()
        closed = True
        try:
            assert desk.transfer is not None
            await asyncio.wait_for(desk.transfer.wait_closed(), job["limit_s"] + CLOSED_TIMEOUT_S)
        except TimeoutError:
            closed = False
        await reporter.tell("closed", closed=closed, at_s=time.monotonic(), left={})
    finally:
        await session.aclose()
        await room.disconnect()
        await reporter.aclose()


class _Telling(logging.StreamHandler[Any]):
    """Writes a line with what the library has bound to it."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, and the values that structlog has added."""
        known = vars(logging.makeLogRecord({}))
        bound = {name: value for name, value in vars(record).items() if name not in known}
        return f"{record.levelname} {record.getMessage()} {bound}"


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)  # noqa: T201 - how the driver is told


async def main() -> None:
    """Do what comes on stdin until it closes, as it does when the driver dies."""
    logging.basicConfig(level=logging.WARNING, handlers=[_Telling()])
    logging.getLogger("warm_transfer").setLevel(logging.INFO)
    url, key, secret = (os.environ[name] for name in VARIABLES)
    sdk = LiveKitSdk(url, key, secret)
    carriers = Carriers(sdk)
    speak(BRIEFING, Pilot.BRIEFING)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    calls: set[asyncio.Task[None]] = set()
    commands: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    working = asyncio.create_task(_work(sdk, carriers, commands, calls), name="merges work")
    _say(ready=True)
    # Read beside the work: nothing that it waits for may keep an orphan alive.
    while line := await reader.readline():
        commands.put_nowait(json.loads(line))
    for task in (working, *calls):
        task.cancel()
    await asyncio.wait({working, *calls}, timeout=GOING_S)
    sys.stdout.flush()
    # The SDK's threads may wait for a server that is gone.
    os._exit(0)


async def _work(
    sdk: LiveKitSdk,
    carriers: Carriers,
    commands: asyncio.Queue[dict[str, Any]],
    calls: set[asyncio.Task[None]],
) -> None:
    while True:
        command = await commands.get()
        match command.pop("do"):
            case "call":
                task = asyncio.create_task(_take_call(sdk, command), name="merges call")
                calls.add(task)
                task.add_done_callback(calls.discard)
            case "carry":
                await carriers.open(command["kind"], command["rooms"])
                _say(carrying=len(command["rooms"]))
            case "cpu":
                begun_s, spent_s = time.monotonic(), time.process_time()
                await asyncio.sleep(command["seconds"])
                share = (time.process_time() - spent_s) / (time.monotonic() - begun_s)
                _say(cpu_pct=round(100 * share, 1))
            case "drop":
                await carriers.close()
                _say(carrying=0)


if __name__ == "__main__":
    asyncio.run(main())
