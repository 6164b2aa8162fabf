"""A front desk: a real ``AgentSession`` whose agent transfers, on the simulated LiveKit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, function_tool

from tests.livekit.models import CUE, CallingLLM
from warm_transfer.livekit.task import WarmTransferTask
from warm_transfer.states import State
from warm_transfer.testing.livekit.application import Quiet, Screen
from warm_transfer.testing.livekit.play import CALLER, Stage
from warm_transfer.testing.scenario import scenario

__all__ = ["Desk", "FrontDesk", "link"]

NUMBER, TRUNK = "+15105550123", "ST_x"


def link(session: AgentSession[Any], room: Any, linked: Any = CALLER) -> None:
    """Stand in for ``RoomIO``, which needs a real room; links the session to the caller."""

    async def aclose() -> None: ...

    if linked == CALLER:
        linked = room.remote_participants.get(CALLER)
    room_io: Any = SimpleNamespace(
        linked_participant=linked, room=room, subscribed_fut=None, aclose=aclose
    )
    session._room_io = room_io


class FrontDesk(Agent):
    """Awaits a transfer in a tool, or in ``on_enter``; keeps what came of it."""

    def __init__(self, desk: Desk, *, on_enter: bool = False) -> None:
        super().__init__(instructions="You are at the front desk.")
        self._desk = desk
        self._at_once = on_enter

    async def on_enter(self) -> None:
        if self._at_once:
            self._desk.link_caller()
            # The framework does not look at what ``on_enter`` raises; the test finds it in `got`.
            with contextlib.suppress(Exception):
                await self._desk.await_task()

    @function_tool
    async def transfer(self) -> str:
        """Transfer the caller to a human."""
        await self._desk.await_task()
        return "back from the transfer"


class Desk:
    """The stage, the session, and every transfer that was awaited in it."""

    def __init__(self, line: str, **options: Any) -> None:
        self.stage = Stage(scenario(line))
        self.options = options
        self.llm = CallingLLM()
        self.session: AgentSession[Any]
        self.agent: FrontDesk
        self.tasks: list[WarmTransferTask] = []
        self.got: list[Any] = []
        self.limits: list[asyncio.Timeout] = []
        self.waiting: list[asyncio.Task[Any]] = []
        """The tasks that await, so that a test can cancel them."""
        self.over = asyncio.Event()
        self.make: Callable[[], WarmTransferTask] = self._make

    @classmethod
    async def open(cls, line: str, *, on_enter: bool = False, **options: Any) -> Desk:
        desk = cls(line, **options)
        await desk.stage.set_up()
        turns: Any = {"turn_detection": None}
        desk.session = AgentSession(
            llm=desk.llm, vad=None, turn_handling=turns, user_away_timeout=None
        )
        desk.session.input.audio = Quiet(label="caller")
        desk.session.output.transcription = Screen(label="caller", next_in_chain=None)
        desk.agent = FrontDesk(desk, on_enter=on_enter)
        desk.tasks_before = asyncio.all_tasks()
        await desk.session.start(desk.agent, record=False)
        desk.link_caller()
        return desk

    def link_caller(self) -> None:
        """The session is linked to the caller, as ``RoomIO`` would have it."""
        link(self.session, self.stage.room)

    def link(self, linked: Any) -> None:
        """Link the session to somebody, or to nobody."""
        link(self.session, self.stage.room, linked)

    def _make(self) -> WarmTransferTask:
        return WarmTransferTask(
            **{
                "sip_call_to": NUMBER,
                "sip_trunk_id": TRUNK,
                "sdk": self.stage.sdk,
                **self.options,
            }
        )

    async def await_task(self) -> None:
        """Await a transfer; the test can end the await at any time by `time_out`."""
        try:
            current = asyncio.current_task()
            assert current is not None
            self.waiting.append(current)
            task = self.make()
            self.tasks.append(task)
            async with asyncio.timeout(None) as limit:
                self.limits.append(limit)
                self.got.append(await task)
        except BaseException as error:
            self.got.append(error)
            if not isinstance(error, TimeoutError):
                raise
        finally:
            self.over.set()

    # What a test does.

    @property
    def task(self) -> WarmTransferTask:
        return self.tasks[-1]

    @property
    def now_s(self) -> float:
        return self.stage.world.now_s

    def ask(self) -> None:
        """The caller asks for a human."""
        self.over.clear()
        self.session.generate_reply(user_input=CUE)

    async def ask_and_wait(self) -> Any:
        """The same, and wait for what the await gives."""
        self.ask()
        await self.over.wait()
        return self.got[-1]

    async def until(self, state: State) -> None:
        """Return when the transfer is in a state."""
        for _ in range(100_000):
            if self.tasks and self.task.state is state:
                return
            await asyncio.sleep(0.001)
        raise AssertionError(f"never {state}")

    def time_out(self) -> None:
        """The application's own time limit cancels the await."""
        self.limits[-1].reschedule(asyncio.get_running_loop().time())

    def caller_leaves(self) -> None:
        assert self.stage.caller is not None
        self.stage.world.leave(self.stage.caller, rtc.DisconnectReason.CLIENT_INITIATED)

    # What a test asks.

    def switches(self) -> dict[str, bool]:
        ins, outs = self.session.input, self.session.output
        return {
            "input.audio": ins.audio_enabled,
            "input.video": ins.video_enabled,
            "output.audio": outs.audio_enabled,
            "output.video": outs.video_enabled,
            "output.transcription": outs.transcription_enabled,
        }

    def state(self) -> State:
        """Where the transfer stands now."""
        return self.task.state

    @property
    def calls(self) -> int:
        """How many phones were rung."""
        return len(self.stage.sdk.switchboard.calls)

    async def assert_usable(self) -> None:
        """The agent is back, and answers."""
        assert self.session.current_agent is self.agent
        before = len(self.llm.asked)
        await self.session.run(user_input="hello again")
        assert "hello again" in self.llm.asked[before:]

    def assert_nothing_left(self) -> None:
        left = self.stage.world.left()
        assert not left, str(left)

    async def close(self) -> None:
        await self.session.aclose()
        for task in self.tasks:
            await task.wait_closed()
        await asyncio.sleep(3.0)
        self.assert_nothing_left()
        ours = asyncio.all_tasks() - self.tasks_before - {asyncio.current_task()}
        assert [each.get_name() for each in ours if not each.get_name().startswith("sim:")] == []

    tasks_before: set[asyncio.Task[Any]]
