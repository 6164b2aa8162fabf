"""Runs an application's own agent in the simulated world: its session, its tool, its transfer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from unittest import mock

from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.io import AudioInput, TextOutput

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit import options, task
from warm_transfer.outcome import TransferOutcome
from warm_transfer.ports import StateChange
from warm_transfer.testing import clock
from warm_transfer.testing.coverage import recorded
from warm_transfer.testing.livekit.callermodel import CUE, SimCallerModel
from warm_transfer.testing.livekit.grammar import scenario
from warm_transfer.testing.livekit.leftovers import tasks_beyond
from warm_transfer.testing.livekit.phones import At
from warm_transfer.testing.livekit.play import CALLER, Stage
from warm_transfer.testing.livekit.prompter import Prompter
from warm_transfer.testing.livekit.script import App, Scenario
from warm_transfer.testing.livekit.when import When

__all__ = ["Quiet", "Screen", "Told", "play_agent", "run_agent"]

_LEAVES_S = 5.0
"""After the caller has left, everything is given back within this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of it."""

    outcome: TransferOutcome | None
    """The last transfer's; None when none was asked for, or none has ended."""
    states: tuple[str, ...]
    """The states that it went through."""
    journal: tuple[Mapping[str, Any], ...]
    """Every step of every transfer."""
    rung: int
    """How many phones were rung."""
    together: bool
    """Whether, at the end, caller and human hear each other and nobody else."""
    alone: bool
    """Whether, at the end, nobody is on the phone any more."""
    closed: bool
    """Whether the agent's session is closed: by the agent, or because the caller has left."""
    heard: tuple[str, ...]
    """What the agent's model was asked to go on with, the last thing of each time."""
    left: str
    """What is left behind when the caller has gone; empty when nothing is."""


class Quiet(AudioInput):
    """Somebody of whom no sound comes."""

    async def __anext__(self) -> rtc.AudioFrame:
        await asyncio.get_running_loop().create_future()
        raise StopAsyncIteration


class Screen(TextOutput):
    """Takes the agent's text and drops it."""

    async def capture_text(self, text: str) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Nothing is kept."""


def run_agent(
    make: Callable[[], Agent],
    told: str | Scenario,
    *,
    tool: str,
    arguments: Mapping[str, Any] | None = None,
    watch_s: float = 120.0,
) -> Told:
    """Let the caller of an agent ask for a person, on a fresh virtual clock.

    The agent runs as it stands, in a real ``AgentSession`` with a model that uses one tool; its
    `WarmTransferTask` finds the simulated LiveKit by itself.

    Args:
        make: makes the agent.
        told: what everybody else does, as a line of English or a `Scenario`.
        tool: the name of the agent's tool that transfers.
        arguments: with which the model uses it.
        watch_s: how long it is watched, in virtual seconds.

    Raises:
        InvalidArgument: the agent does not offer the tool, or its model is not the simulated one.
    """
    return clock.run(play_agent(make, told, tool=tool, arguments=arguments or {}, watch_s=watch_s))


async def play_agent(
    make: Callable[[], Agent],
    told: str | Scenario,
    *,
    tool: str,
    arguments: Mapping[str, Any],
    watch_s: float,
) -> Told:
    """The same on the running loop, which should have a virtual clock."""
    told = scenario(told) if isinstance(told, str) else told
    changes: list[StateChange] = []
    stage = Stage(told)
    prompter = Prompter(_acts(stage))
    await stage.set_up()
    before = clock.tasks()
    agreements = [line.utterance for line in told.human.lines if line.says == "yes"]
    model = SimCallerModel(tool, arguments, agreements)
    with recorded(prompter.take, changes.append):
        async with _session_of(make(), stage, model) as session:
            closed = asyncio.Event()
            session.on("close", lambda _: closed.set())
            session.generate_reply(user_input=CUE)
            await asyncio.sleep(watch_s)
            ears, calls = stage.world.ears, stage.sdk.switchboard.calls
            together = ears.hears("caller") == {"human"} and ears.hears("human") == {"caller"}
            alone = all(call.at is not At.TALKING for call in calls)
            was_closed = closed.is_set()
            if stage.caller is not None and stage.caller.joined:
                stage.world.leave(stage.caller, rtc.DisconnectReason.CLIENT_INITIATED)
            await asyncio.sleep(_LEAVES_S)
    _check_offered(tool, model)
    left = replace(stage.world.left(), tasks=tasks_beyond(before))
    return Told(
        outcome=next((each.outcome for each in reversed(changes) if each.outcome), None),
        states=tuple(each.after.value for each in changes),
        journal=tuple(prompter.lines),
        rung=len(calls),
        together=together,
        alone=alone,
        closed=was_closed,
        heard=tuple(model.heard),
        left=str(left) if left else "",
    )


def _check_offered(tool: str, model: SimCallerModel) -> None:
    """Without its tool nothing happens, and what a test says of nothing is mostly true."""
    if model.offered is None:
        problem = "makes an agent that never asks the simulated model"
        raise InvalidArgument("make", problem, "leave out its `llm`: the session's is simulated")
    if tool not in model.offered:
        offered = ", ".join(model.offered) or "none, so decorate one with `@function_tool`"
        raise InvalidArgument("tool", f"is {tool!r}, which the agent lacks", f"it has {offered}")


def _acts(stage: Stage) -> list[tuple[When, Callable[[Any], Any]]]:
    """What happens when, but for what the application does itself."""
    told = stage.scenario
    if replace(told.app, close_on_disconnect=True) != App():
        problem = "says what the application does, which is the agent's to do"
        raise InvalidArgument("told", problem, "leave it out, or use `run`")
    # Nobody leaves by default: the application says goodbye, and is watched.
    stays = stage.caller_hangs_up if told.caller.hangs_up is None else None
    return [each for each in stage.acts() if each[1] not in (stage.agent_says_goodbye, stays)]


@asynccontextmanager
async def _session_of(
    agent: Agent, stage: Stage, model: SimCallerModel
) -> AsyncIterator[AgentSession[Any]]:
    """The agent's session, in the room of the stage."""
    turns: Any = {"turn_detection": None}
    session: AgentSession[Any] = AgentSession(
        llm=model, vad=None, turn_handling=turns, user_away_timeout=None
    )
    session.input.audio = Quiet(label="caller")
    session.output.transcription = Screen(label="caller", next_in_chain=None)
    # ``RoomIO`` needs a real room; it tells who the caller is, and that is asked only.
    linked = stage.room.remote_participants.get(CALLER)
    room_io = SimpleNamespace(linked_participant=linked, room=stage.room, subscribed_fut=None)
    with (
        mock.patch.object(AgentSession, "room_io", room_io),
        mock.patch.object(task, "real_sdk", return_value=stage.sdk),
        mock.patch.object(options, "real_sdk", return_value=stage.sdk),
    ):
        await session.start(agent, record=False)
        stage.session.on("closing", lambda: session.shutdown(drain=False))
        try:
            yield session
        finally:
            await session.aclose()
