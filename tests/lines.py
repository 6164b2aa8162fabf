"""A scripted `Line`, and what a test of the runner needs around it: no LiveKit, no real time."""

from __future__ import annotations

import asyncio
import functools
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, ParamSpec, cast

from warm_transfer.effects import Do, Effect
from warm_transfer.events import Event, On
from warm_transfer.journal import MemoryJournal
from warm_transfer.outcome import TransferOutcome
from warm_transfer.policy import Plan, TransferPolicy
from warm_transfer.ports import Journal, Post, StateHook, Work
from warm_transfer.runner import Runner
from warm_transfer.states import State
from warm_transfer.testing import clock
from warm_transfer.transfer import Step, Transfer

__all__ = [
    "HANGS",
    "HAPPY",
    "SILENT",
    "WAY_TO",
    "Act",
    "FakeLine",
    "Stage",
    "Steered",
    "on_virtual_clock",
    "stall_until",
    "tasks_left",
    "timers_left",
    "turns",
]

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What an effect does when it is started. By default it is done before the start returns."""

    takes_s: float | None = None
    """How long its work takes; None for no work at all, infinity for work that hangs."""
    posts: On | None = None
    """What it reports at the end."""
    error: Exception | None = None
    """What it raises at the end instead."""


SILENT: Mapping[Do, Act] = {name: Act() for name in Do}
"""Every effect is done at once and reports nothing: the test posts the events."""

HAPPY: Mapping[Do, Act] = {
    **{name: Act(takes_s=0.5) for name in Do},
    Do.HOLD_CALLER: Act(posts=On.CALLER_HELD),
    Do.OPEN_CONSULT: Act(takes_s=1.0, posts=On.CONSULT_OPENED),
    Do.DIAL_CONSULT: Act(takes_s=4.0, posts=On.CONSULT_ANSWERED),
    Do.STOP_BRIEFING: Act(takes_s=0.5, posts=On.BRIEFING_STOPPED),
    Do.MERGE_LEGS: Act(takes_s=1.0, posts=On.MERGE_CONFIRMED),
    Do.LOOK_AT_ROOMS: Act(takes_s=0.5, posts=On.MERGE_CONFIRMED),
    Do.DELIVER_OUTCOME: Act(),
    Do.AWAIT_LAST_WORDS: Act(takes_s=2.0, posts=On.AGENT_HEARD_OUT),
}
"""Every effect does what it is for. The test says what people do."""

HANGS = Act(takes_s=math.inf)

WAY_TO: Mapping[State, tuple[On, ...]] = {
    State.IDLE: (),
    State.HOLDING: (On.TRANSFER_REQUESTED,),
    State.DIALING: (On.TRANSFER_REQUESTED, On.CALLER_HELD),
    State.BRIEFING: (On.TRANSFER_REQUESTED, On.CALLER_HELD, On.CONSULT_ANSWERED),
    State.MERGING: (
        On.TRANSFER_REQUESTED,
        On.CALLER_HELD,
        On.CONSULT_ANSWERED,
        On.CONSULT_ACCEPTED,
    ),
    State.MERGED: (
        On.TRANSFER_REQUESTED,
        On.CALLER_HELD,
        On.CONSULT_ANSWERED,
        On.CONSULT_ACCEPTED,
        On.BRIEFING_STOPPED,
        On.MERGE_CONFIRMED,
    ),
    State.ENDED: (
        On.TRANSFER_REQUESTED,
        On.CALLER_HELD,
        On.CONSULT_ANSWERED,
        On.CONSULT_ACCEPTED,
        On.BRIEFING_STOPPED,
        On.MERGE_CONFIRMED,
        On.CALLER_HUNG_UP,
    ),
    State.CANCELLED: (On.TRANSFER_REQUESTED, On.APP_CANCELLED),
}
"""Events that lead to a state, on a silent line."""


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that happened to an effect."""

    at_s: float
    what: Literal["begins", "returns", "raises", "is cancelled"]
    effect: Effect


class FakeLine:
    """Does with each effect what its script says, and notes what was done when.

    Args:
        script: what each effect does; of several acts each start takes the next, and the last
            one stays.
        closing: what `aclose` does.
    """

    def __init__(
        self, script: Mapping[Do, Act | Sequence[Act]], *, closing: Act | None = None
    ) -> None:
        self._script: dict[Do, list[Act]] = {}
        self.learn(script)
        self._closing = closing or Act()
        self.post: Post = _nobody
        self.calls: list[Call] = []
        self.outcomes: list[TransferOutcome] = []
        self.closings = 0
        self.in_flight = 0

    def learn(self, script: Mapping[Do, Act | Sequence[Act]]) -> None:
        """Do these effects as this script says from now on."""
        for name, acts in script.items():
            self._script[name] = [acts] if isinstance(acts, Act) else list(acts)

    def start(self, effect: Effect) -> Work | None:
        """Begin an effect."""
        acts = self._script[effect.name]
        act = acts.pop(0) if len(acts) > 1 else acts[0]
        self._note("begins", effect)
        if act.takes_s is not None:
            return self._work(act, effect)
        if act.error is not None:
            self._note("raises", effect)
            raise act.error
        self._note("returns", effect)
        self._report(act, effect)
        return None

    def deliver(self, outcome: TransferOutcome) -> None:
        """Keep the outcome."""
        self.outcomes.append(outcome)

    async def aclose(self) -> None:
        """Note that it was called, then do what was told."""
        self.closings += 1
        await _take(self._closing)

    def begins_s(self, name: Do) -> list[float]:
        """When effects of this name were started."""
        return [
            call.at_s for call in self.calls if (call.what, call.effect.name) == ("begins", name)
        ]

    def count(self, what: str, name: Do) -> int:
        """How often something happened to effects of this name."""
        return sum((call.what, call.effect.name) == (what, name) for call in self.calls)

    async def _work(self, act: Act, effect: Effect) -> None:
        self.in_flight += 1
        try:
            await _take(act)
        except asyncio.CancelledError:
            self._note("is cancelled", effect)
            raise
        except Exception:
            self._note("raises", effect)
            raise
        finally:
            self.in_flight -= 1
        self._note("returns", effect)
        self._report(act, effect)

    def _note(
        self, what: Literal["begins", "returns", "raises", "is cancelled"], effect: Effect
    ) -> None:
        self.calls.append(Call(asyncio.get_running_loop().time(), what, effect))

    def _report(self, act: Act, effect: Effect) -> None:
        if act.posts is not None:
            self.post(Event(act.posts, attempt=effect.attempt, effect=effect.id))


async def _take(act: Act) -> None:
    if act.takes_s is not None and math.isinf(act.takes_s):
        await asyncio.get_running_loop().create_future()
    elif act.takes_s is not None:
        await asyncio.sleep(act.takes_s)
    if act.error is not None:
        raise act.error


def _nobody(event: Event) -> None:
    raise AssertionError(f"{event.name} was posted before there was a runner")


class Steered(Transfer):
    """A core that starts the effects a test wants, each time it is told CONSULT_RANG."""

    def __init__(self, *wanted: tuple[Do, ...], policy: TransferPolicy | None = None) -> None:
        super().__init__("steered", policy=policy)
        self.received: list[Event] = []
        self._wanted = list(wanted)

    def receive(self, event: Event, now_s: float) -> Step:
        """Decide as the table says, except for the effects of CONSULT_RANG."""
        self.received.append(event)
        step = super().receive(event, now_s)
        if event.name is not On.CONSULT_RANG:
            return step
        wanted = self._wanted.pop(0)
        return replace(step, effects=tuple(self._new_effect(name) for name in wanted))


class Stage:
    """One transfer on a scripted line. To be made while the loop runs.

    Args:
        script: what effects do, where it is not what `base` says.
        base: the script underneath.
    """

    def __init__(
        self,
        script: Mapping[Do, Act | Sequence[Act]] | None = None,
        *,
        base: Mapping[Do, Act] = SILENT,
        closing: Act | None = None,
        transfer: Transfer | None = None,
        transfer_id: str = "t1",
        policy: TransferPolicy | None = None,
        plan: Plan | None = None,
        journal: Journal | None = None,
        hooks: Sequence[StateHook] = (),
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.transfer = transfer or Transfer(transfer_id, policy=policy, plan=plan)
        self.line = FakeLine({**base, **(script or {})}, closing=closing)
        self.kept = MemoryJournal()
        self.runner = Runner(self.transfer, self.line, journal=journal or self.kept, hooks=hooks)
        self.line.post = self.runner.post

    @property
    def state(self) -> State:
        """Where the transfer stands."""
        return self.transfer.state

    def take(self, *names: On) -> None:
        """Post events, each in a turn of its own."""
        for name in names:
            self.runner.post_now(Event(name))

    def go_to(self, state: State) -> None:
        """Lead the transfer to a state, on a silent line."""
        self.take(*WAY_TO[state])
        assert self.state is state

    def events(self) -> list[str]:
        """The events in the journal, in order."""
        return [str(line["event"]) for line in self.kept.lines]

    def went(self) -> list[str]:
        """The states that the transfer went through, in order."""
        lines = self.kept.lines
        return [str(line["after"]) for line in lines if line["before"] != line["after"]]


def on_virtual_clock(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test on a virtual clock of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        clock.run(test(*args, **kwargs))

    return run


def stall_until(at_s: float) -> None:
    """Let time pass while the loop does nothing, as a blocking call would."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, clock.VirtualClockLoop)
    assert at_s >= loop.time()
    loop.stall(at_s - loop.time())


async def turns(count: int = 3) -> None:
    """Let the loop turn without letting time pass."""
    for _ in range(count):
        await asyncio.sleep(0)


def timers_left() -> list[asyncio.TimerHandle]:
    """The timers of the running loop that will still fire."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, clock.VirtualClockLoop)
    return list(loop.timers())


def tasks_left() -> set[asyncio.Task[Any]]:
    """The tasks of the running loop, without the one that asks."""
    return asyncio.all_tasks() - {cast("asyncio.Task[Any]", asyncio.current_task())}
