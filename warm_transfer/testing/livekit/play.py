"""Plays a scenario: sets the simulated world up, starts a transfer, lets everybody act."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from livekit import rtc
from livekit.agents import CloseEvent, CloseReason

from warm_transfer.effects import Do
from warm_transfer.events import Event, On
from warm_transfer.livekit.briefing import ConsultOptions
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.engine import Engine
from warm_transfer.outcome import TransferOutcome
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Journal, StateHook
from warm_transfer.states import FINAL, State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.faults import Faults
from warm_transfer.testing.livekit.host import SimHost
from warm_transfer.testing.livekit.leftovers import Left, tasks_beyond
from warm_transfer.testing.livekit.prompter import Prompter
from warm_transfer.testing.livekit.rooms import SimRoom, make_token
from warm_transfer.testing.livekit.script import Scenario
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.server import Member, Refused
from warm_transfer.testing.livekit.sessions import SimCallerSession
from warm_transfer.testing.livekit.when import When
from warm_transfer.testing.livekit.world import World

__all__ = ["Result", "Stage", "play"]

Reason = rtc.DisconnectReason
CALLER_ROOM, CALLER, AGENT, OBSERVER = "call", "caller", "agent", "observer"
DESTINATION, TRUNK = "+15105550123", "ST_x"

TALK_S = 1.0
"""Caller and agent talk for a moment before the transfer."""
GOODBYE_AFTER_S = 0.3
"""What an application does between the await and the first word after it."""
SETTLE_S = 3.0
"""After the end: a hang-up on its way arrives, the agent says a word to the caller."""
LIMIT_S = 6 * 3600.0
"""A transfer that has not closed by then never will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a scenario."""

    outcome: TransferOutcome | None
    """None when none was ever delivered, which is a fault."""
    journal: tuple[Mapping[str, Any], ...]
    world: World
    sdk: SimSdk
    host: SimHost
    states: tuple[tuple[float, State], ...]
    """When which state was entered, in the world's time."""
    seconds: Mapping[State, float]
    """How long the transfer was in each state; final ones count until it was closed."""
    began_s: float
    """When the transfer was asked for, in the world's time."""
    took_s: float
    """From the request to the transfer being closed."""
    closed: bool
    """Whether the transfer has closed; anything else is a fault."""
    left: Left
    """What is left behind."""

    @property
    def state(self) -> State:
        """The last state."""
        return self.states[-1][1]


class Stage:
    """The world of one scenario, ready for its transfer.

    Args:
        scenario: what everybody does.
        seed: varies the latencies; see `World`.
    """

    engine_class: type[Engine] = Engine

    def __init__(self, scenario: Scenario, *, seed: int | None = None) -> None:
        self.scenario = scenario
        self.world = World(seed=seed, sip=scenario.server.sip, cloud=scenario.server.moves)
        self.sdk = SimSdk(self.world, phones={"": [scenario.phone]}, humans=[scenario.human])
        self.room = SimRoom(self.world)
        closes = scenario.app.close_on_disconnect
        self.session = SimCallerSession(self.room, CALLER, close_on_disconnect=closes)
        self.host = SimHost(self.session)
        self.caller: Member | None = None

    async def set_up(self) -> None:
        """Let caller and agent meet and talk; from here on everything new is the transfer's."""
        kinds = rtc.ParticipantKind
        by_phone = self.scenario.caller.by_phone
        kind = kinds.PARTICIPANT_KIND_SIP if by_phone else kinds.PARTICIPANT_KIND_STANDARD
        world = self.world
        self.caller = world.join(CALLER_ROOM, CALLER, kind=kind, ear=CALLER)
        world.set_tag(world.publish(self.caller, "microphone"), "caller")
        await self.room.connect(self.sdk.url, make_token(CALLER_ROOM, AGENT, "agent", None))
        await self.session.start()
        await asyncio.sleep(TALK_S)
        if self.scenario.agent.speaks_s:
            self.session.say("One moment please.", seconds=self.scenario.agent.speaks_s)
            await asyncio.sleep(0)
        world.keep()
        world.faults = Faults(self.scenario.faults)

    def begins(self, engine: Engine) -> None:
        """The transfer is about to be asked for. For stages that want to know."""

    def watch_session(self, engine: Engine) -> None:
        """Tell the engine when the caller's session closes by itself, as task and watch do."""

        def closing() -> None:
            # The framework cancels a task until the agent that awaits it is current again.
            if not self.host.agent_back.is_set():
                engine.post(Event(On.SESSION_CLOSED))

        def closed(event: CloseEvent) -> None:
            if event.reason is CloseReason.PARTICIPANT_DISCONNECTED:
                engine.post(Event(On.SESSION_CLOSED))
                self.host.leave()

        self.session.on("closing", closing)
        self.session.on("close", closed)

    # What can happen.

    def caller_hangs_up(self, _: Engine) -> None:
        """The caller is gone."""
        assert self.caller is not None
        self.world.leave(self.caller, Reason.CLIENT_INITIATED)

    def human_hangs_up(self, _: Engine) -> None:
        """The human is gone."""
        for call in self.sdk.switchboard.calls:
            call.hang_up()

    def app_accepts(self, engine: Engine) -> None:
        """The application accepts."""
        engine.accept()

    def app_declines(self, engine: Engine) -> None:
        """The application declines."""
        engine.decline(self.scenario.app.words)

    def app_cancels(self, engine: Engine) -> None:
        """The application cancels."""
        engine.cancel("taken back")

    async def session_closes(self, engine: Engine) -> None:
        """The caller's session closes; the engine is told before anything else happens."""
        engine.post(Event(On.SESSION_CLOSED))
        await asyncio.sleep(0.1)
        await self.session.close()
        self.host.leave()

    async def job_shuts_down(self, engine: Engine) -> None:
        """The job ends: its session, its room, then its shutdown callbacks (integration 3)."""
        if self.scenario.app.session_closes_first:
            engine.post(Event(On.SESSION_CLOSED))
            await asyncio.sleep(latency.SHUTDOWN_CALLBACK_S)
            await self.room.leave()
        engine.post(Event(On.JOB_SHUTTING_DOWN))
        await asyncio.sleep(0.1)
        await self.session.close()
        self.host.leave()

    def agent_says_goodbye(self, _: Engine) -> None:
        """The application speaks into the merged call."""
        if self.session.takes_words:
            self.session.say("You are connected, goodbye.", seconds=self.scenario.agent.goodbye_s)

    def observer_joins(self, _: Engine) -> None:
        """Somebody listens in, if the call is still there."""
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
        if CALLER_ROOM in self.world.rooms:
            self.world.join(CALLER_ROOM, OBSERVER, kind=kind)

    def observer_leaves(self, _: Engine) -> None:
        """They hang up."""
        observer = self.world.member(CALLER_ROOM, OBSERVER)
        if observer is not None:
            self.world.leave(observer, Reason.CLIENT_INITIATED)

    def model_fails(self, _: Engine) -> None:
        """The consult session closes by itself."""
        for session in self.sdk.consult_sessions:
            session.close_by_itself()

    def agent_loses_caller_room(self, _: Engine) -> None:
        """The server puts the agent out of the caller's room."""
        self.world.leave(self.room.local_participant.member, Reason.PARTICIPANT_REMOVED)

    def agent_loses_consult_room(self, _: Engine) -> None:
        """The consult room is deleted."""
        for name in [name for name in self.world.rooms if name != CALLER_ROOM]:
            self.world.delete_room(name)

    async def agent_reconnects(self, _: Engine) -> None:
        """Every connection of the agent is lost for a while."""
        await self._agent_is_away(self.scenario.agent.reconnect_s)

    async def _agent_is_away(self, away_s: float) -> None:
        rooms = [room for room in self.sdk.rooms if room.isconnected()]
        loop = self.world.loop
        losses = (room.lose_signal(away_s) for room in [self.room, *rooms])
        await asyncio.gather(*(loop.create_task(loss, name="sim: loss") for loss in losses))

    async def server_restarts(self, _: Engine) -> None:
        """Legs re-join with the attributes that they were created with, then clients reconnect."""
        for call in self.sdk.switchboard.calls:
            call.start_over()
        self.world.restart()
        await self._agent_is_away(latency.AGENT_AWAY_S)

    def server_dispatches(self, _: Engine) -> None:
        """A worker without a name is sent into the consult room."""
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        for name in [name for name in self.world.rooms if name != CALLER_ROOM]:
            # A room that is full takes nobody.
            with contextlib.suppress(Refused):
                stray = self.world.join(name, "agent-stray", kind=kind)
                self.world.publish(stray, "voice", tag="stray")

    def acts(self) -> list[tuple[When, Callable[[Engine], Any]]]:
        """What happens when."""
        told = self.scenario
        leaves = told.caller.hangs_up
        if leaves is None and told.human.hangs_up is None:
            leaves = When(20.0, "merge")
        goodbye = When(GOODBYE_AFTER_S, "merge") if told.agent.goodbye_s else None
        planned: list[tuple[When | None, Callable[[Engine], Any]]] = [
            (leaves, self.caller_hangs_up),
            (told.human.hangs_up, self.human_hangs_up),
            (told.app.accepts, self.app_accepts),
            (told.app.declines, self.app_declines),
            (told.app.cancels, self.app_cancels),
            (told.app.closes_session, self.session_closes),
            (told.app.shuts_down, self.job_shuts_down),
            (goodbye, self.agent_says_goodbye),
            (told.observer.joins, self.observer_joins),
            (told.observer.leaves, self.observer_leaves),
            (told.agent.model_fails, self.model_fails),
            (told.agent.loses_caller_room, self.agent_loses_caller_room),
            (told.agent.loses_consult_room, self.agent_loses_consult_room),
            (told.agent.reconnects, self.agent_reconnects),
            (told.server.restarts, self.server_restarts),
            (told.server.dispatches, self.server_dispatches),
        ]
        return [(when, act) for when, act in planned if when is not None]


class _Journal(Prompter):
    """Keeps the journal, and the states with the world's times; passes the lines on."""

    def __init__(self, stage: Stage, to: Journal | None) -> None:
        super().__init__(stage.acts())
        self._world = stage.world
        self._to = to
        self.states: list[tuple[float, State]] = []

    def write(self, line: Mapping[str, object]) -> None:
        """Take one journal line (`warm_transfer.ports.Journal`)."""
        if self._to is not None:
            self._to.write(line)
        if line["before"] != line["after"]:
            self.states.append((self._world.now_s, State(str(line["after"]))))
        self.take(line)


def _strategies(scenario: Scenario) -> tuple[str, ...]:
    return scenario.merge or (("move", "relay") if scenario.server.moves else ("relay",))


async def play(
    scenario: Scenario,
    *,
    policy: TransferPolicy | None = None,
    seed: int | None = None,
    journal: Journal | None = None,
    on_state_change: StateHook | None = None,
    transfer_id: str = "simulated",
    consult: ConsultOptions | None = None,
    stage: Stage | None = None,
    merge: object = None,
) -> Result:
    """Play a scenario on the running event loop, which should have a virtual clock.

    Args:
        scenario: what everybody does.
        policy: instead of the one that the scenario asks for.
        seed: varies the latencies; the same seed gives the same run.
        journal: takes the steps as well.
        on_state_change: told of every change of state.
        transfer_id: the id of the transfer.
        consult: how the human is talked to.
        stage: a stage of the caller's own, for example with a world that has been changed.
        merge: the merge strategies; None for those of the scenario.
    """
    stage = stage or Stage(scenario, seed=seed)
    await stage.set_up()
    kept = _Journal(stage, journal)
    world, before = stage.world, clock.tasks()
    began_s = world.now_s
    engine = kept.engine = stage.engine_class(
        host=stage.host,
        sdk=stage.sdk,
        caller_room=stage.room,
        caller_identity=CALLER,
        dial=DialOptions(destination=DESTINATION, trunk_id=TRUNK),
        consult=consult,
        policy=policy or TransferPolicy(**scenario.policy),
        merge=merge or _strategies(scenario),
        journal=kept,
        hooks=(on_state_change,) if on_state_change is not None else (),
        transfer_id=transfer_id,
    )
    stage.watch_session(engine)
    stage.begins(engine)
    engine.start()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LIMIT_S):
            await engine.wait_closed()
    ended_s = world.now_s
    if _goes_on(kept.lines):
        await _play_out(stage)
    await _settle(stage)
    left = world.left()
    return Result(
        outcome=stage.host.outcomes[0] if stage.host.outcomes else None,
        journal=tuple(kept.lines),
        world=world,
        sdk=stage.sdk,
        host=stage.host,
        states=((began_s, State.IDLE), *kept.states),
        seconds=_seconds([(began_s, State.IDLE), *kept.states], ended_s),
        began_s=began_s,
        took_s=ended_s - began_s,
        closed=engine.closed,
        left=replace(left, tasks=tasks_beyond(before), participants=_strangers(left.participants)),
    )


def _strangers(left: tuple[str, ...]) -> tuple[str, ...]:
    """Whoever is left; an observer has come by themselves, and goes when they like."""
    return tuple(each for each in left if each != f"{CALLER_ROOM}/{OBSERVER}")


def _goes_on(lines: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the two have been left to themselves: a merged call that nobody has ended."""
    ends = [each for each in lines if each["before"] == State.MERGED and each["after"] in FINAL]
    done = {effect["name"] for each in ends for effect in each["effects"]}
    return bool(ends) and not done & {Do.END_CALL, Do.RESUME_CALLER}


async def _play_out(stage: Stage) -> None:
    """Let the two that the agent has left behind talk until they are gone, and their room too."""
    for _ in range(int(LIMIT_S / SETTLE_S)):
        talking = any(call.busy for call in stage.sdk.switchboard.calls)
        if not talking and set(stage.world.rooms) <= {CALLER_ROOM}:
            return
        await asyncio.sleep(SETTLE_S)


async def _settle(stage: Stage) -> None:
    """Let what is on its way arrive; an agent that has the caller again says something."""
    session = stage.session
    there = stage.caller is not None and stage.caller.joined
    if there and session.takes_words and session.output.audio_enabled and stage.host.outcomes:
        session.say("I am with you again.", seconds=SETTLE_S / 2)
    await asyncio.sleep(SETTLE_S)


def _seconds(states: list[tuple[float, State]], ended_s: float) -> dict[State, float]:
    spent: dict[State, float] = {}
    ends = [at_s for at_s, _ in states[1:]] + [ended_s]
    for (from_s, state), to_s in zip(states, ends, strict=True):
        spent[state] = spent.get(state, 0.0) + to_s - from_s
    return spent
