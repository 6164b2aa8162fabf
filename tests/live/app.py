"""The application under test: a front desk on a real livekit-agents worker.

Run as ``python -m tests.live.app start`` it is the worker, under livekit-agents' own command line;
its jobs run in processes of their own. What a job is to do comes as the dispatch's metadata; what
happened goes to the driver over HTTP.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    JobContext,
    RunContext,
    StopResponse,
    cli,
    function_tool,
    get_job_context,
)

from tests.live.control import PhoneDialer, Reporter
from tests.live.leftovers import Snapshot
from tests.live.models import TURN_HANDLING, ScriptedLLM, ScriptedSTT, ScriptedTTS, real_vad
from tests.live.pilots import Pilot
from tests.live.sabotage import SABOTAGE_VARIABLE, sabotage
from tests.live.scenarios import GREETING, PERSON, SCENARIOS, SORRY, Act, Reply, Scenario
from tests.live.voices import speak
from warm_transfer import TransferPolicy, WarmTransferTask
from warm_transfer.ports import StateChange
from warm_transfer.states import State

__all__ = ["AGENT_NAME", "caller_session", "entrypoint", "make_server", "rehearse"]

AGENT_NAME = "front-desk"

LIMITS: dict[str, Any] = {
    "ring_timeout_s": 10.0,
    "decision_timeout_s": 20.0,
    "call_limit_s": 120.0,
    "hold_limit_s": 40.0,
}
"""A run has to end soon, whatever goes wrong in it."""

CLOSED_TIMEOUT_S = 25.0
SETTLE_S = 3.0


class FrontDesk(Agent):
    """Talks to the caller, and transfers."""

    def __init__(self, scenario: Scenario, job: dict[str, Any], reporter: Reporter) -> None:
        super().__init__(instructions="You are the front desk.")
        self._scenario = scenario
        self._job = job
        self._reporter = reporter
        self._transfer: WarmTransferTask | None = None
        self.watch: asyncio.Task[None] | None = None
        self.states: set[State] = set()
        self._patience: asyncio.Timeout | None = None

    async def on_enter(self) -> None:
        """Greet."""
        self.session.say(GREETING)

    @function_tool
    async def transfer_to_human(self, context: RunContext[Any]) -> str:
        """Called when the caller asks for a person."""
        del context
        before = Snapshot.take()
        entered_s = time.monotonic()
        try:
            self._transfer = self._make_transfer()
            self.watch = asyncio.create_task(self._until_closed(before), name="live watch")
            async with asyncio.timeout(None) as self._patience:
                await self._transfer
        except Exception as error:
            await self._tell_outcome(entered_s, error)
            raise
        await self._tell_outcome(entered_s, None)
        # The merged call belongs to the two people; a reply would be spoken into it.
        raise StopResponse

    def _make_transfer(self) -> WarmTransferTask:
        scenario = self._scenario
        return WarmTransferTask(
            "+15105550123",
            sip_trunk_id="ST_live",
            chat_ctx=self.chat_ctx,
            stt=ScriptedSTT(scenario.human_lines),
            llm=ScriptedLLM(scenario.briefing),
            tts=ScriptedTTS(Pilot.BRIEFING),
            vad=real_vad(),
            turn_handling=TURN_HANDLING,
            dialer=PhoneDialer(),
            hold_audio=self._job["music"],
            policy=TransferPolicy(**(LIMITS | dict(scenario.policy))),
            on_state_change=self._on_state,
            journal=self._job["journal"],
            merge=self._job.get("merge", "auto"),
        )

    async def _on_state(self, change: StateChange) -> None:
        self.states.add(change.after)
        await self._reporter.tell("state", state=change.after, at_s=time.monotonic())

        act = self._scenario.app
        if act is not None and change.after is act.at:
            asyncio.create_task(self._act(act), name="live act").add_done_callback(_look)

    async def _act(self, act: Act) -> None:
        """Do what the application of this scenario does by itself."""
        assert self._transfer is not None
        await asyncio.sleep(act.after_s)
        await self._reporter.tell("act", at_s=time.monotonic())
        match act.what:
            case "accept":
                self._transfer.accept(via="app")
            case "close-session":
                await self.session.aclose()
            case "cancel-await":
                assert self._patience is not None
                self._patience.reschedule(asyncio.get_running_loop().time())
            case "shut-down":
                get_job_context().shutdown()
            case "terminate":
                # The worker leads the session of its processes.
                os.kill(os.getsid(0), signal.SIGTERM)

    async def _tell_outcome(self, entered_s: float, error: Exception | None) -> None:
        outcome = self._transfer.outcome if self._transfer is not None else None
        await self._reporter.tell(
            "outcome",
            entered_s=entered_s,
            returned_s=time.monotonic(),
            result=outcome.result if outcome else None,
            reason=outcome.reason if outcome else None,
            error=f"{type(error).__name__}: {error}" if error else None,
        )

    async def _until_closed(self, before: Snapshot) -> None:
        """Wait until the transfer says that nothing is left, then look whether that is so."""
        assert self._transfer is not None
        closed = True
        try:
            await asyncio.wait_for(self._transfer.wait_closed(), CLOSED_TIMEOUT_S)
        except TimeoutError:
            closed = False
        closed_s = time.monotonic()
        left = await before.left_after(SETTLE_S)
        await self._reporter.tell("closed", closed=closed, at_s=closed_s, left=left)


def _look(task: asyncio.Task[None]) -> None:
    """Take the result, so that an error is logged where it happened."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logging.getLogger("tests.live").error("%s failed", task.get_name(), exc_info=error)


async def entrypoint(context: JobContext) -> None:
    """Run one job: a call to the front desk."""
    sabotage(os.environ.get(SABOTAGE_VARIABLE, ""))
    job = json.loads(context.job.metadata)
    scenario = SCENARIOS[job["scenario"]]
    reporter = Reporter()
    desk = FrontDesk(scenario, job, reporter)

    async def finish() -> None:
        if desk.watch is not None:
            await asyncio.wait([desk.watch], timeout=8)
        await reporter.aclose()

    def on_close(_event: object) -> None:
        # After a merge the library ends the call; otherwise that is for the application to do.
        if State.MERGED not in desk.states:
            context.shutdown()

    context.add_shutdown_callback(finish)
    rehearse(scenario)
    session = caller_session()
    session.on("close", on_close)
    await context.connect()
    await session.start(desk, room=context.room, record=False)
    await reporter.tell("session_started", at_s=time.monotonic(), pid=os.getpid())


def rehearse(scenario: Scenario) -> None:
    """Make the voices' first words, which cost a tenth of a second; not while somebody waits."""
    for text, pilot in ((GREETING, Pilot.AGENT), (SORRY, Pilot.AGENT)):
        speak(text, pilot)
    for reply in scenario.briefing:
        if reply.says:
            speak(reply.says, Pilot.BRIEFING)


def caller_session() -> AgentSession[Any]:
    """The session that talks to the caller."""
    return AgentSession(
        stt=ScriptedSTT((PERSON,)),
        llm=ScriptedLLM((Reply(PERSON, calls="transfer_to_human"), Reply("", says=SORRY))),
        tts=ScriptedTTS(Pilot.AGENT),
        vad=real_vad(),
        turn_handling=TURN_HANDLING,
        session_close_transcript_timeout=0.1,
    )


def make_server(job: Callable[[JobContext], Awaitable[None]]) -> AgentServer:
    """A worker whose jobs run in processes of their own, and which tells when it is registered."""
    server = AgentServer(
        # A small machine is always busy by the measure of a big one.
        load_threshold=math.inf,
        load_fnc=lambda: 0.0,
        # A spare process would start during the call and take its CPU.
        num_idle_processes=0,
        host="127.0.0.1",
        port=0,
        log_level="INFO",
    )
    server.rtc_session(job, agent_name=AGENT_NAME)

    def on_registered(*_: object) -> None:
        asyncio.create_task(_tell_registered(), name="live registered").add_done_callback(_look)

    server.on("worker_registered", on_registered)
    return server


async def _tell_registered() -> None:
    reporter = Reporter()
    await reporter.tell("worker_registered", at_s=time.monotonic())
    await reporter.aclose()


if __name__ == "__main__":
    # As in production: SIGTERM drains the worker, then closes it (livekit-agents, cli/cli.py).
    cli.run_app(make_server(entrypoint))
