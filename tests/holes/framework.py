"""livekit-agents itself on the simulated server: real sessions, a real ``RoomIO``, a real job.

Only sound is left out, because it needs the SDK's native part.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from livekit.agents import AgentSession, JobContext, UserInputTranscribedEvent
from livekit.agents.testing import fake_job_context
from livekit.agents.voice.room_io import RoomOptions

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.application import Quiet, Screen
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.service import SimApi
from warm_transfer.testing.livekit.world import World

__all__ = ["Consult", "HolesSdk", "Room", "job_on"]

URL = "ws://simulated"


class Room(SimRoom):
    """A room that also takes typed messages."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._handlers: dict[str, Callable[[Any, str], None]] = {}
        self.token = ""

    async def connect(self, url: str, token: str, options: Any = None) -> None:
        self.token = token
        await super().connect(url, token, options)

    def register_text_stream_handler(self, topic: str, handler: Callable[[Any, str], None]) -> None:
        self._handlers[topic] = handler

    def unregister_text_stream_handler(self, topic: str) -> None:
        self._handlers.pop(topic, None)

    def type(self, text: str, identity: str) -> None:
        """Somebody in the room types a message to the agent."""
        handler = self._handlers.get("lk.chat")
        if handler is not None:
            handler(_Typed(text), identity)


class _Typed:
    """A text stream that has arrived."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.info: Any = None

    async def read_all(self) -> str:
        return self._text

    async def __aiter__(self) -> AsyncIterator[str]:
        yield self._text


class Consult(AgentSession[Any]):
    """The session that talks to the human."""

    def __init__(self, world: World, **options: Any) -> None:
        super().__init__(**options)
        self._world = world
        self.input.audio = Quiet(label="human")
        self.output.transcription = Screen(label="human", next_in_chain=None)

    def hear(self, text: str) -> None:
        """The human's words are recognised, and answered."""
        self._user_input_transcribed(UserInputTranscribedEvent(transcript=text, is_final=True))
        with contextlib.suppress(RuntimeError):
            # Without a model nobody answers.
            self.generate_reply(user_input=text)

    async def _teardown_activity(self, **options: Any) -> None:
        """Closing takes a moment, or longer with a recogniser that still listens."""
        await super()._teardown_activity(**options)
        wait = self._world.wait
        await self._world.faults.call("session.closing", lambda: wait(latency.SESSION_CLOSE_S))

    async def _update_activity_task(self, *args: Any, **options: Any) -> None:
        """The models start; that can be made to fail under ``session.models``."""
        work = super()._update_activity_task
        await self._world.faults.call("session.models", lambda: work(*args, **options))

    async def start(self, agent: Any, *, room: Any, room_options: Any, record: bool) -> None:  # type: ignore[override]  # as both sides call it
        silent = dataclasses.replace(
            room_options, audio_input=False, audio_output=False, text_output=False
        )
        await super().start(agent, room=room, room_options=silent, record=record)


class HolesSdk(SimSdk):
    """The simulated SDK, but with real sessions."""

    def room(self) -> Room:
        room = Room(self.world)
        self.rooms.append(room)
        return room

    def __init__(self, world: World, **options: Any) -> None:
        super().__init__(world, **options)
        self.consults: list[Consult] = []
        """Every session that was to talk to a human, in order."""
        self.sip: Any = None
        """A SIP service to use instead of the simulated one."""

    def api(self) -> SimApi:
        client = super().api()
        client.sip = self.sip or client.sip
        return client

    def consult_session(self, options: Mapping[str, Any]) -> Any:
        session = Consult(self.world, **options)
        self.consults.append(session)
        return session


@contextlib.contextmanager
def job_on(room: Room, api: Any) -> Iterator[JobContext]:
    """A real job context whose room and API are simulated."""
    with fake_job_context(room=room) as job:  # type: ignore[arg-type]  # a simulated room
        # A fake job would not delete rooms.
        job._info = dataclasses.replace(job._info, fake_job=False, url=URL)
        job.__dict__["api"] = api
        try:
            yield job
        finally:
            job._tempdir.cleanup()


#: The caller's session has no sound either, but hears and types as `RoomIO` lets it.
CALLER_OPTIONS = RoomOptions(audio_input=False, audio_output=False, text_output=False)
__all__ += ["CALLER_OPTIONS", "URL"]
