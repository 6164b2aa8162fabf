"""Troubles: what goes wrong beside the people and the calls of the seam, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from warm_transfer.events import Event
from warm_transfer.livekit.engine import Engine
from warm_transfer.states import FINAL, State
from warm_transfer.testing import clock
from warm_transfer.testing.clock import VirtualClockLoop
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.play import Stage
from warm_transfer.testing.livekit.script import Scenario
from warm_transfer.testing.livekit.server import Member
from warm_transfer.testing.livekit.when import When
from warm_transfer.transfer import Step

__all__ = ["Kind", "Met", "Trouble", "TroubledStage", "What"]

OURS = "warm-transfer "
"""How the names of the transfer's tasks begin."""


class Kind(StrEnum):
    """The kinds of faults, as they are counted."""

    ERROR = "errors"
    HANG = "hangs"
    DELAY = "delays"
    DUPLICATE = "duplicates"
    REORDERING = "reorderings"
    DISCONNECT = "disconnects"
    RECONNECT = "reconnects"
    RESTART = "restarts"
    STALL = "stalls"
    CANCELLATION = "cancellations"


KIND_OF: Mapping[How, Kind] = {
    How.FAILS: Kind.ERROR,
    How.FAILS_AFTER: Kind.ERROR,
    How.HANGS: Kind.HANG,
    How.HANGS_AFTER: Kind.HANG,
    How.LATE: Kind.DELAY,
    How.TWICE: Kind.DUPLICATE,
}


class What(StrEnum):
    """What a trouble is."""

    STALL = "stall"
    """The event loop is kept busy: the clock goes on and nothing runs."""
    SLOW_NEWS = "slow_news"
    """What one of the agent's rooms tells comes late, behind the news of the other room and behind
    answers of the API that were sent after it; its own order it keeps."""
    REPEATED_EVENT = "repeated_event"
    """The next event of an adapter is delivered again a while later."""
    TASK_CANCELLED = "task_cancelled"
    """Somebody cancels one of the transfer's tasks."""
    ALL_CANCELLED = "all_cancelled"
    """Somebody cancels all of them at once, as ``asyncio.run`` does at its end."""
    AWAIT_CANCELLED = "await_cancelled"
    """Who awaits the transfer is cancelled."""
    CALLER_RECONNECTS = "caller_reconnects"
    """The caller's connection is lost and begins anew."""
    HUMAN_RECONNECTS = "human_reconnects"
    """That of the human's leg."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One of them."""

    what: What
    when: When
    seconds: float = 0.0
    """How long a stall takes, how late news and repeated events come, how long a leg is away."""
    which: int = 0
    """Which task is cancelled, which room's news are slow; counted around."""


@dataclass(frozen=True, slots=True)
class Met:
    """A fault that has happened."""

    kind: Kind
    name: str
    """The method of the seam, or what else went wrong."""
    state: State
    """Where the transfer stood."""


class TroubledEngine(Engine):
    """An engine whose adapters' events can be listened to, and which keeps its steps."""

    posted: Callable[[Event], None] | None = None

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.steps: list[Step] = []
        """Those that the core has taken."""
        receive = self._transfer.receive

        def keep(event: Event, now_s: float) -> Step:
            step = receive(event, now_s)
            self.steps.append(step)
            return step

        vars(self._transfer)["receive"] = keep

    def post(self, event: Event) -> None:
        """Put an event into the transfer's inbox, and tell."""
        super().post(event)
        if self.posted is not None:
            self.posted(event)


class TroubledStage(Stage):
    """A stage on which troubles come beside what the scenario tells, and all faults are noted.

    Args:
        scenario: what everybody does.
        troubles: what else goes wrong.
        seed: varies the latencies.
    """

    engine_class = TroubledEngine

    def __init__(
        self, scenario: Scenario, troubles: tuple[Trouble, ...] = (), *, seed: int | None = None
    ) -> None:
        super().__init__(scenario, seed=seed)
        self._troubles = troubles
        self._engine: Engine | None = None
        self.met: list[Met] = []
        """The faults that have happened before the transfer was closed."""

    def begins(self, engine: Engine) -> None:
        """Listen to the faults of the seam."""
        self._engine = engine
        self.world.faults.on_met = self._seam_failed

    def _seam_failed(self, name: str, fault: Fault) -> None:
        self._note(KIND_OF[fault.how], name)

    def _note(self, kind: Kind, name: str) -> None:
        assert self._engine is not None
        if not self._engine.closed:
            self.met.append(Met(kind, name, self._engine.state))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that the transfer has taken."""
        assert isinstance(self._engine, TroubledEngine)
        return tuple(self._engine.steps)

    # What the scenario tells and is a fault.

    def model_fails(self, engine: Engine) -> None:
        """The consult session closes by itself."""
        self._note(Kind.ERROR, "model")
        super().model_fails(engine)

    def agent_loses_caller_room(self, engine: Engine) -> None:
        """The server puts the agent out of the caller's room."""
        self._note(Kind.DISCONNECT, "caller room")
        super().agent_loses_caller_room(engine)

    def agent_loses_consult_room(self, engine: Engine) -> None:
        """The consult room is deleted."""
        self._note(Kind.DISCONNECT, "consult room")
        super().agent_loses_consult_room(engine)

    async def agent_reconnects(self, engine: Engine) -> None:
        """Every connection of the agent is lost for a while."""
        self._note(Kind.RECONNECT, "agent")
        await super().agent_reconnects(engine)

    async def server_restarts(self, engine: Engine) -> None:
        """The server restarts."""
        self._note(Kind.RESTART, "server")
        await super().server_restarts(engine)

    # Troubles.

    def acts(self) -> list[tuple[When, Callable[[Engine], Any]]]:
        """What happens when."""
        return [*super().acts(), *((each.when, self._come(each)) for each in self._troubles)]

    def _come(self, trouble: Trouble) -> Callable[[Engine], None]:
        do: Callable[[Engine, Trouble], None] = {
            What.STALL: self._stall,
            What.SLOW_NEWS: self._slow_news,
            What.REPEATED_EVENT: self._repeat,
            What.TASK_CANCELLED: self._cancel_task,
            What.ALL_CANCELLED: self._cancel_all,
            What.AWAIT_CANCELLED: self._cancel_await,
            What.CALLER_RECONNECTS: self._caller_reconnects,
            What.HUMAN_RECONNECTS: self._human_reconnects,
        }[trouble.what]
        return lambda engine: do(engine, trouble)

    def _stall(self, _: Engine, trouble: Trouble) -> None:
        self._note(Kind.STALL, trouble.what)
        loop = self.world.loop
        assert isinstance(loop, VirtualClockLoop)
        # The world stands still as well, which a real one would not: nobody knows what it did.
        self.world.stalls_s.append((self.world.now_s, trouble.seconds))
        loop.stall(trouble.seconds)

    def _slow_news(self, _: Engine, trouble: Trouble) -> None:
        rooms = [each for each in (self.room, *self.sdk.rooms) if each.isconnected()]
        if rooms:
            self._note(Kind.REORDERING, trouble.what)
            member = rooms[trouble.which % len(rooms)].local_participant.member
            self.world.late_news_s.append((self.world.now_s, trouble.seconds))
            member.told_until_s = max(member.told_until_s, self.world.now_s + trouble.seconds)

    def _repeat(self, engine: Engine, trouble: Trouble) -> None:
        assert isinstance(engine, TroubledEngine)

        def again(event: Event) -> None:
            engine.posted = None
            self._note(Kind.DUPLICATE, event.name)
            self.world.loop.call_later(trouble.seconds, engine.post, event)

        engine.posted = again

    def _cancel_task(self, _: Engine, trouble: Trouble) -> None:
        found = _tasks_of_ours()
        if found:
            task = found[trouble.which % len(found)]
            self._note(Kind.CANCELLATION, _work_of(task))
            self._cancel(task)

    def _cancel_all(self, _: Engine, trouble: Trouble) -> None:
        found = _tasks_of_ours()
        if found:
            self._note(Kind.CANCELLATION, trouble.what)
        for task in found:
            self._cancel(task)

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        self.world.cancelled_s.append(self.world.now_s)
        task.cancel()

    def _cancel_await(self, engine: Engine, trouble: Trouble) -> None:
        if engine.state not in FINAL | {State.MERGED}:
            self._note(Kind.CANCELLATION, trouble.what)
        engine.cancel("the await was cancelled")

    def _caller_reconnects(self, _: Engine, trouble: Trouble) -> None:
        self._reconnect(self.caller, trouble)

    def _human_reconnects(self, _: Engine, trouble: Trouble) -> None:
        for call in self.sdk.switchboard.calls:
            self._reconnect(call.leg, trouble)

    def _reconnect(self, member: Member | None, trouble: Trouble) -> None:
        if member is not None and member.joined:
            self._note(Kind.RECONNECT, trouble.what)
            self.world.reconnect(member, trouble.seconds)


def _tasks_of_ours() -> list[asyncio.Task[Any]]:
    """The transfer's tasks that can be told apart, in an order that no run changes."""
    found = [each for each in clock.tasks() if each.get_name().startswith(OURS)]
    return sorted(found, key=lambda each: each.get_name())


def _work_of(task: asyncio.Task[Any]) -> str:
    """What a task of the transfer does; not for whom, whose name is another one in every run."""
    work = task.get_name().partition(" of ")[0]
    return " ".join(each for each in work.split()[2:] if "-" not in each)
