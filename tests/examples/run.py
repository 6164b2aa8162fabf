"""Runs an application in the simulated world: its entrypoint, its session, its transfer.

Only what the world is made of is put in place: the room, the server's API, the environment, and
``dotenv``, which need not be installed. The application's code runs as it stands.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from livekit import rtc
from livekit.agents import AgentSession

from tests.livekit.desk import link
from tests.livekit.models import CUE, CallingLLM
from warm_transfer.testing.livekit.application import Quiet, Screen
from warm_transfer.testing.livekit.phones import At
from warm_transfer.testing.livekit.play import Stage
from warm_transfer.testing.scenario import scenario

__all__ = ["SCENARIOS", "Told", "run"]

ENVIRONMENT = {
    "LIVEKIT_SIP_OUTBOUND_TRUNK": "ST_x",
    "LIVEKIT_SUPERVISOR_PHONE_NUMBER": "+15105550123",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "secret",
    "LIVEKIT_URL": "ws://simulated",
    "SUPPORT_PHONE": "+15105550123",
    "SUPPORT_STT": "tests.examples.offline:recogniser",
    "SUPPORT_LLM": "tests.examples.offline:language_model",
    "SUPPORT_TTS": "tests.examples.offline:voice",
}

SCENARIOS = {
    "merged": "human answers after 3 s, says yes after 2 s",
    "busy": "human is busy after 0.5 s",
    "declined": 'human answers after 3 s, says no "in a meeting" after 2 s',
    "no answer": "human never answers",
}
WATCHED_S = 60.0
"""How long the application is watched; a phone rings for half of it at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What came of a run."""

    rung: int
    """How many phones were rung."""
    together: bool
    """Whether caller and human hear each other at the end, and nobody else."""
    alone: bool
    """Whether nobody is on the phone any more."""
    closed: bool
    """Whether the application has closed its session."""
    to_model: tuple[str, ...]
    """What the caller's model was asked, the last thing of each time."""


async def run(source: str, line: str) -> Told:
    """Run an application's entrypoint, let its caller ask for a human, and watch.

    Args:
        source: the application; it has an ``entrypoint(ctx)`` that starts one session.
        line: what the human does.
    """
    stage = Stage(scenario(line))
    await stage.set_up()
    async with _session_of(source, stage) as session:
        assert isinstance(session.llm, CallingLLM)
        session.generate_reply(user_input=CUE)
        await asyncio.sleep(WATCHED_S)
        ears = stage.world.ears
        told = Told(
            rung=len(stage.sdk.switchboard.calls),
            together=ears.hears("caller") == {"human"} and ears.hears("human") == {"caller"},
            alone=all(call.at is not At.TALKING for call in stage.sdk.switchboard.calls),
            closed=session.closed.is_set(),  # type: ignore[attr-defined]  # see `_session_of`
            to_model=tuple(session.llm.asked),
        )
        assert stage.caller is not None
        stage.world.leave(stage.caller, rtc.DisconnectReason.CLIENT_INITIATED)
        await asyncio.sleep(5.0)
    left = stage.world.left()
    assert not left, str(left)
    return told


@asynccontextmanager
async def _session_of(source: str, stage: Stage) -> AsyncIterator[AgentSession[Any]]:
    """The session that the application starts, in the room of the stage."""
    started: list[AgentSession[Any]] = []
    start = AgentSession.start

    async def start_here(self: AgentSession[Any], agent: Any, **_options: Any) -> None:
        # ``RoomIO`` needs a real room; what it would do for a session is done here.
        started.append(self)
        closed = asyncio.Event()
        self.closed = closed  # type: ignore[attr-defined]  # for the test
        self.on("close", lambda _: closed.set())
        self.input.audio = Quiet(label="caller")
        self.output.transcription = Screen(label="caller", next_in_chain=None)
        await start(self, agent, record=False)
        link(self, stage.room)

    with (
        mock.patch.object(AgentSession, "start", start_here),
        mock.patch("warm_transfer.livekit.task.real_sdk", return_value=stage.sdk),
        _module(source) as application,
    ):
        await application.entrypoint(SimpleNamespace(room=stage.room))
        (session,) = started
        try:
            yield session
        finally:
            await session.aclose()


@contextmanager
def _module(source: str) -> Iterator[Any]:
    application = ModuleType("application")
    dotenv = ModuleType("dotenv")
    vars(dotenv)["load_dotenv"] = lambda: None
    with (
        mock.patch.dict(sys.modules, {"application": application, "dotenv": dotenv}),
        mock.patch.dict("os.environ", ENVIRONMENT),
    ):
        exec(compile(source, "application", "exec"), vars(application))  # noqa: S102 - the purpose
        yield application
