"""One call with a transfer in it, on either side: the same world, people and framework.

A script says what people do and asks what they got, never which side it is on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Literal
from unittest import mock

from livekit import rtc
from livekit.agents import Agent, AgentSession, AgentTask, JobContext, function_tool
from livekit.agents.beta.workflows import WarmTransferTask as Incumbent
from livekit.agents.llm import ToolError

from tests.holes.framework import CALLER_OPTIONS, URL, HolesSdk, Room, job_on
from tests.holes.hole import Side
from tests.holes.incumbent import incumbent_on
from tests.holes.models import ASKS, TableLLM
from warm_transfer.livekit.task import WarmTransferTask
from warm_transfer.testing.clock import VirtualClockLoop
from warm_transfer.testing.livekit.application import Quiet, Screen
from warm_transfer.testing.livekit.faults import Fault, Faults
from warm_transfer.testing.livekit.phones import At, Phone
from warm_transfer.testing.livekit.rooms import make_token
from warm_transfer.testing.livekit.world import World

__all__ = ["Call", "call_on"]

CALLER_ROOM, CALLER, AGENT = "call", "caller", "agent"
NUMBER, TRUNK = "+15105550123", "ST_x"
CREDENTIALS = {"LIVEKIT_URL": URL, "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret" * 6}
Reason = rtc.DisconnectReason
SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP


class FrontDesk(Agent):
    """The application's own agent, which transfers in a tool."""

    def __init__(self, call: Call, **models: Any) -> None:
        super().__init__(instructions="You are at the front desk.", **models)
        self._call = call

    @function_tool
    async def transfer(self) -> str:
        """Transfer the caller to a human."""
        await self._call.await_transfer()
        return "back from the transfer"


class Call:
    """A caller, their agent, and a transfer to a human.

    Args:
        side: whose transfer it is.
        phone: what the human's phone does.
        options: arguments of the task that both sides take.
        ours: arguments of the task that only ours has.
    """

    def __init__(
        self, side: Side, phone: Phone, options: dict[str, Any], ours: dict[str, Any]
    ) -> None:
        self.side = side
        self.world = World(cloud=True)
        self.sdk = HolesSdk(self.world, phones={"": [phone]})
        self.room = Room(self.world)
        self.llm = TableLLM()
        self.agent: FrontDesk
        self.session: AgentSession[Any]
        self.job: JobContext
        self.tasks: list[Any] = []
        self.got: list[Any] = []
        """What each await gave: a result or an exception."""
        self.got_at_s: list[float] = []
        self.limits: list[asyncio.Timeout] = []
        self._options, self._ours = options, ours
        self.caller: Any = None
        self.asked_at_s = 0.0

    # Setting up and tearing down.

    async def set_up(self, models_on: str) -> None:
        """Caller and agent meet; the models stand on the session, or on the agent."""
        world = self.world
        self.caller = world.join(CALLER_ROOM, CALLER, kind=SIP, ear=CALLER)
        world.set_tag(world.publish(self.caller, "microphone"), CALLER)
        await self.room.connect(URL, make_token(CALLER_ROOM, AGENT, "agent", None))
        turns: Any = {"turn_detection": None}
        models: Any = {"llm": self.llm} if models_on == "session" else {}
        self.agent = FrontDesk(self, **({} if models else {"llm": self.llm}))
        self.session = AgentSession(**models, vad=None, turn_handling=turns, user_away_timeout=None)
        self.session.input.audio = Quiet(label=CALLER)
        self.session.output.transcription = Screen(label=CALLER, next_in_chain=None)
        room: Any = self.room
        await self.session.start(
            self.agent, room=room, room_options=CALLER_OPTIONS, record=False, session_host=False
        )
        await asyncio.sleep(1.0)
        world.keep()

    async def tear_down(self) -> None:
        """Everybody leaves, nothing goes wrong any more, and the session closes."""
        self.world.faults = Faults()
        self.caller_leaves()
        self.human_hangs_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60.0):
                await self.session.aclose()
                for task in self.tasks if self.side == "ours" else ():
                    await task.wait_closed()
        await asyncio.sleep(5.0)
        await self.room.disconnect()

    def make(self) -> AgentTask[Any]:
        """The task of this side."""
        given = {"sip_call_to": NUMBER, "sip_trunk_id": TRUNK, **self._options}
        if self.side == "incumbent":
            return Incumbent(**given)
        return WarmTransferTask(**given, **self._ours, sdk=self.sdk)

    async def await_transfer(self) -> None:
        """Await a transfer, as the application's tool does."""
        try:
            self.tasks.append(self.make())
            async with asyncio.timeout(None) as limit:
                self.limits.append(limit)
                self._take(await self.tasks[-1])
        except BaseException as error:
            self._take(error)
            raise

    def _take(self, got: Any) -> None:
        self.got.append(got)
        self.got_at_s.append(self.world.now_s)

    # What people do.

    def ask(self) -> None:
        """The caller asks for a human."""
        self.asked_at_s = self.world.now_s
        self.session.generate_reply(user_input=ASKS)

    def caller_leaves(self, reason: int = Reason.CLIENT_INITIATED) -> None:
        self.world.leave(self.caller, reason)

    def caller_types(self, text: str) -> None:
        """The caller sends a typed message."""
        self.room.type(text, CALLER)

    def human_says(self, text: str) -> None:
        """The human says something to the consult agent, if it listens to them."""
        session = self.sdk.consults[-1] if self.sdk.consults else None
        if session is not None and self.human_on_line and session.input.audio_enabled:
            session.hear(text)

    def human_hangs_up(self, reason: int = Reason.CLIENT_INITIATED) -> None:
        """The human's leg ends."""
        for call in self.sdk.switchboard.calls:
            if reason == Reason.CLIENT_INITIATED:
                call.hang_up()
            else:
                call._bye(reason, "")

    def app_gives_up(self) -> None:
        """The application's own time limit cancels the await."""
        self.limits[-1].reschedule(self.world.now_s)

    def breaks(self, plan: Mapping[tuple[str, int], Fault]) -> None:
        """From now on calls of the SDK go wrong as planned, counted from here."""
        self.world.faults = Faults(plan)

    def arrives_late(self, seconds: float) -> None:
        """The server says "done", but whoever is joined is there and heard only later."""
        world = self.world
        move, opened = world.move, world._open
        world.move = lambda *who: world.after(seconds, move, *who)  # type: ignore[method-assign,assignment]
        world._open = lambda track: world.after(seconds, opened, track)  # type: ignore[method-assign,assignment]

    async def job_shuts_down(self) -> None:
        """The job ends in the order of livekit-agents: session, room, shutdown callbacks."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60.0):
                await self.session.aclose()
        await self.room.disconnect()
        for callback in self.job._shutdown_callbacks:
            await callback("")

    # Waiting.

    async def until(self, what: Callable[[], object], within_s: float = 60.0) -> bool:
        """Wait until something is so; False if it is not in time."""
        end_s = self.world.now_s + within_s
        while not what():
            if self.world.now_s >= end_s:
                return False
            await asyncio.sleep(0.01)
        return True

    async def until_ringing(self) -> None:
        assert await self.until(lambda: self.phone_is(At.RINGING)), "never rang"
        await asyncio.sleep(1.0)

    async def until_briefing(self) -> None:
        """The human is on the line, has said hello and was answered."""
        await self.until_answered()
        self.human_says("hello?")
        await asyncio.sleep(1.0)

    async def until_answered(self) -> None:
        """The human is on the line and the consult agent listens."""

        def listens() -> bool:
            consults = self.sdk.consults
            return self.human_on_line and bool(consults) and consults[-1]._started

        assert await self.until(listens), "never answered"
        await asyncio.sleep(1.0)

    # What they got.

    def phone_is(self, *states: At) -> bool:
        return any(each.at in states for each in self.sdk.switchboard.calls)

    @property
    def human_on_line(self) -> bool:
        """Whether a human has picked up and has not been let go."""
        return self.phone_is(At.TALKING)

    @property
    def phones_busy(self) -> bool:
        """Whether a phone rings or a human is on the line."""
        return self.phone_is(At.CALLED, At.RINGING, At.TALKING)

    @property
    def dials(self) -> int:
        return len(self.sdk.switchboard.calls)

    def hears(self, listener: str, sound: str) -> bool:
        """Whether somebody hears a sound now."""
        return sound in self.world.ears.hears(listener)

    @property
    def bridged(self) -> bool:
        """Whether caller and human hear each other."""
        return self.hears(CALLER, "human") and self.hears("human", CALLER)

    @property
    def merged(self) -> bool:
        """Whether success was reported."""
        return bool(self.got) and hasattr(self.got[-1], "human_agent_identity")

    @property
    def agent_back(self) -> bool:
        """Whether the caller talks to the application's own agent again, and hears no music."""
        mine = self.session._started and self.session.current_agent is self.agent
        return mine and self.session.input.audio_enabled and not self.hears(CALLER, "music")

    @property
    def joins(self) -> int:
        """How often joining was begun, since `breaks`; each join of ours publishes two tracks."""
        calls = self.world.faults.calls
        return calls["room.move_participant"] + calls["room.publish_track"] // 2

    @property
    def over(self) -> bool:
        """Whether the await has given something."""
        return bool(self.got)

    @property
    def left(self) -> str:
        """What is left behind, in short."""
        return str(self.world.left())

    @property
    def said(self) -> str:
        """What the await gave, in short."""
        if not self.got:
            return "the await has given nothing"
        got = self.got[-1]
        if isinstance(got, ToolError):
            return f"the await gave {got.message!r}"
        return f"the await gave {type(got).__name__}"

    @property
    def consult_open(self) -> bool:
        """Whether a consult session still runs."""
        return any(each._started for each in self.sdk.consults)

    @property
    def consult_rooms(self) -> list[str]:
        return [name for name in self.world.rooms if name != CALLER_ROOM]


@contextlib.asynccontextmanager
async def call_on(
    side: Side,
    *,
    phone: Phone | None = None,
    ours: dict[str, Any] | None = None,
    models_on: Literal["session", "agent"] = "session",
    **options: Any,
) -> AsyncIterator[Call]:
    """A call that is set up, and is taken down however it stands."""
    before = asyncio.all_tasks()
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, CREDENTIALS))
        call = Call(side, phone or Phone(answers_after_s=4.0), options, ours or {})
        call.job = stack.enter_context(job_on(call.room, call.sdk.api()))
        stack.enter_context(incumbent_on(call.sdk))
        await call.set_up(models_on)
        try:
            yield call
        finally:
            await call.tear_down()
            if side == "incumbent":
                await _sweep(asyncio.all_tasks() - before - {asyncio.current_task()})


async def _sweep(tasks: set[Any]) -> None:
    """End what the incumbent has left behind; some of it waits for ever.

    Ours gets no such help: the test fails when anything of it runs on.
    """
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=60.0)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualClockLoop)
    for timer in loop.timers():
        timer.cancel()
