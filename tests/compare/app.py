"""The front desk with the task class chosen: the incumbent's or ours, all else the same.

Run as ``python -m tests.compare.app start`` it is the worker. It tells the driver when the await
begins and ends, and when the model that talks to the human calls a tool; both sides are told of
in the same way, so nothing of ours is asked that the incumbent cannot answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections.abc import Coroutine
from typing import Any

from livekit import rtc
from livekit.agents import (
    Agent,
    JobContext,
    RunContext,
    StopResponse,
    cli,
    function_tool,
    llm,
)
from livekit.agents.beta.workflows import WarmTransferTask as Incumbent

from tests.compare.facts import words_of
from tests.compare.live import LIVE
from tests.live.app import caller_session, make_server, rehearse
from tests.live.control import Reporter
from tests.live.models import TURN_HANDLING, ScriptedLLM, ScriptedSTT, ScriptedTTS, real_vad
from tests.live.pilots import Pilot
from tests.live.scenarios import GREETING, Reply, Scenario
from warm_transfer import TransferPolicy, WarmTransferTask

__all__ = ["ROOMS_VARIABLE", "entrypoint"]

ROOMS_VARIABLE = "COMPARE_ROOMS_URL"
"""Where the server is for rooms."""
LATER_S = 1.0
"""What is told only for the record waits until nothing is being measured."""
LIMITS: dict[str, Any] = {"decision_timeout_s": 20.0, "call_limit_s": 120.0, "hold_limit_s": 60.0}
"""Ours ends by itself soon, whatever goes wrong; the incumbent has no such limits."""
FINISH_S = 3.0


class TellingLLM(ScriptedLLM):
    """The model that talks to the human, which says when it begins and when it calls a tool."""

    def __init__(self, desk: Desk, replies: tuple[Reply, ...]) -> None:
        super().__init__(replies)
        self._desk = desk

    def chat(self, *, chat_ctx: llm.ChatContext, **rest: Any) -> llm.LLMStream:
        reply = self._reply_to(chat_ctx)
        self._desk.briefing(reply.calls if reply is not None else "")
        return super().chat(chat_ctx=chat_ctx, **rest)


class Desk(Agent):
    """Talks to the caller, and transfers."""

    def __init__(self, scenario: Scenario, job: dict[str, Any], reporter: Reporter) -> None:
        super().__init__(instructions="You are the front desk.")
        self._scenario = scenario
        self._job = job
        self._reporter = reporter
        self._patience: asyncio.Timeout | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._act_begun = False
        self.merged = False

    async def on_enter(self) -> None:
        """Greet."""
        self.session.say(GREETING)

    @function_tool
    async def transfer_to_human(self, context: RunContext[Any]) -> str:
        """Called when the caller asks for a person."""
        del context
        task = self._make()
        entered_s = time.monotonic()
        self._tell("entered", after_s=LATER_S, at_s=entered_s)
        try:
            async with asyncio.timeout(None) as self._patience:
                result = await task
        except BaseException as error:
            self._tell("returned", at_s=time.monotonic(), told=words_of(error), merged=False)
            raise
        self.merged = True
        self._tell("returned", at_s=time.monotonic(), told=type(result).__name__, merged=True)
        # The merged call belongs to the two people; a reply would be spoken into it.
        raise StopResponse

    def _make(self) -> Any:
        ring_s = self._scenario.policy["ring_timeout_s"]
        given: dict[str, Any] = {
            "sip_call_to": "+15105550123",
            "sip_trunk_id": "ST_live",
            "ringing_timeout": ring_s,
            "chat_ctx": self.chat_ctx,
            "stt": ScriptedSTT(self._scenario.human_lines),
            "llm": TellingLLM(self, self._scenario.briefing),
            "tts": ScriptedTTS(Pilot.BRIEFING),
            "vad": real_vad(),
            "turn_handling": TURN_HANDLING,
        }
        if self._job["music"]:
            given["hold_audio"] = self._job["music"]
        if self._job["side"] == "incumbent":
            return Incumbent(**given)
        policy = TransferPolicy(**LIMITS)
        merge, journal = self._job["merge"], self._job["journal"]
        return WarmTransferTask(**given, policy=policy, merge=merge, journal=journal)

    def briefing(self, tool: str) -> None:
        """The model is asked; the first time, the application's own act begins to come."""
        if tool:
            self._tell("tool", at_s=time.monotonic(), tool=tool)
        act = self._scenario.app
        if act is not None and not self._act_begun:
            self._act_begun = True
            self._keep(self._act(act.what, act.after_s))

    async def _act(self, what: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._tell("act", at_s=time.monotonic())
        if what == "close-session":
            await self.session.aclose()
        elif what == "cancel-await":
            assert self._patience is not None
            self._patience.reschedule(asyncio.get_running_loop().time())

    def _tell(self, what: str, after_s: float = 0.0, **facts: Any) -> None:
        async def tell() -> None:
            await asyncio.sleep(after_s)
            await self._reporter.tell(what, **facts)

        self._keep(tell())

    def _keep(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing, name="compare")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logging.getLogger("tests.compare").error("the front desk failed", exc_info=error)

    async def finish(self) -> None:
        """Say what is still to be said."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=FINISH_S)
        await self._reporter.aclose()


def _straight_to_the_server(url: str) -> None:
    """Let rooms connect to the server itself, on either side; requests still pass the recorder.

    Signalling would wait there for the driver's loop, which is busy with sound.
    """
    connect = rtc.Room.connect

    async def straight(self: rtc.Room, _url: str, token: str, *rest: Any, **more: Any) -> None:
        await connect(self, url, token, *rest, **more)

    setattr(rtc.Room, "connect", straight)  # noqa: B010 - the SDK's own class, for this process


async def entrypoint(context: JobContext) -> None:
    """Run one job: a call to the front desk."""
    _straight_to_the_server(os.environ[ROOMS_VARIABLE])
    job = json.loads(context.job.metadata)
    scenario = LIVE[job["scene"]].scenario
    reporter = Reporter()
    desk = Desk(scenario, job, reporter)

    def on_close(_event: object) -> None:
        # After a merge both sides end the call themselves; otherwise that is for the application.
        if not desk.merged:
            context.shutdown()

    context.add_shutdown_callback(desk.finish)
    rehearse(scenario)
    session = caller_session()
    session.on("close", on_close)
    await context.connect()
    await session.start(desk, room=context.room, record=False)
    await reporter.tell("session_started", at_s=time.monotonic(), pid=os.getpid())


if __name__ == "__main__":
    cli.run_app(make_server(entrypoint))
