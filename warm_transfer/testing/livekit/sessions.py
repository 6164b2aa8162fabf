"""The two agent sessions of a transfer: the caller's, and the one that talks to the human."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, Literal

from livekit import rtc
from livekit.agents import (
    Agent,
    AgentStateChangedEvent,
    CloseEvent,
    CloseReason,
    StopResponse,
    UserInputTranscribedEvent,
    UserStateChangedEvent,
)
from livekit.agents.llm import ToolContext, ToolError
from livekit.agents.voice.events import AgentState

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.emitter import SimEmitter
from warm_transfer.testing.livekit.humans import Human, Line
from warm_transfer.testing.livekit.judge import SimJudge
from warm_transfer.testing.livekit.participants import SimParticipant
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.sound import SimLocalTrack
from warm_transfer.testing.livekit.switches import Switches
from warm_transfer.testing.livekit.voice import SimSpeech, Voice
from warm_transfer.testing.livekit.world import World

__all__ = ["SimCallerSession", "SimConsultSession"]

Reason = rtc.DisconnectReason
CLOSES = (Reason.CLIENT_INITIATED, Reason.ROOM_DELETED, Reason.USER_REJECTED)
TRACK = "roomio_audio"
ASKS_AGAIN_S = 1.0
"""How long the agent takes to ask once more."""


class SimCallerSession(SimEmitter):
    """The ``AgentSession`` that talks to the caller; its agent is heard as ``"agent"``.

    Args:
        room: the agent's connection to the caller's room.
        caller_identity: whom it is linked to.
        close_on_disconnect: whether it closes by itself when they leave (facts 5.6), as ``RoomIO``
            does unless told otherwise.

    When it begins to close by itself it emits ``"closing"``, for the ``cancel()`` by which the
    framework tells the task that is awaited.
    """

    def __init__(
        self, room: SimRoom, caller_identity: str, *, close_on_disconnect: bool = True
    ) -> None:
        super().__init__()
        self._room = room
        self._world = room.world
        self._identity = caller_identity
        self.input = Switches(self._world, "input", ("audio", "video"), has=("audio",))
        self.output = Switches(
            self._world,
            "output",
            ("audio", "video", "transcription"),
            has=("audio", "transcription"),
        )
        self.voice = Voice(self._world, "agent", lambda: self.output.audio_enabled, self._speaks)
        self.agent_state: AgentState = "listening"
        """``AgentState``: here speaking or listening."""
        self.closed = False
        self._closes = close_on_disconnect
        self._closing: asyncio.Task[None] | None = None

    @property
    def room_io(self) -> Any:
        """``RoomIO``, as far as it is used."""
        linked = self._room.remote_participants.get(self._identity)
        return SimpleNamespace(linked_participant=linked, room=self._room)

    @property
    def takes_words(self) -> bool:
        """Whether anything can be said: it is not closed, and does not begin to."""
        return not self.closed and self._closing is None

    async def start(self) -> None:
        """Publish the agent's voice."""
        track = SimLocalTrack(self._world, TRACK, self.voice.source)
        await self._room.local_participant.publish_track(track)
        if self._closes:
            self._room.on("participant_disconnected", self._on_left)

    def say(self, text: str, *, seconds: float | None = None, **options: Any) -> SimSpeech:
        """Say something to the caller.

        Raises:
            RuntimeError: it closes, or is closed.
        """
        if self.closed:
            raise RuntimeError("AgentSession isn't running")
        if self._closing is not None:
            raise RuntimeError("AgentSession is closing, cannot use say()")
        interruptions = options.get("allow_interruptions", True)
        speech = SimSpeech(text, allow_interruptions=interruptions)
        length_s = len(text) * latency.SECONDS_PER_CHARACTER
        self.voice.say(speech, length_s if seconds is None else seconds)
        return speech

    @property
    def current_speech(self) -> SimSpeech | None:
        """What is being said, or is about to be."""
        return self.voice.current

    def _speaks(self, speaks: bool) -> None:
        old, self.agent_state = self.agent_state, "speaking" if speaks else "listening"
        changed = AgentStateChangedEvent(old_state=old, new_state=self.agent_state)
        self.emit("agent_state_changed", changed)

    async def aclose(self) -> None:
        """Close the session, as an adapter does."""
        await self._world.faults.call("caller_session.aclose", self.close)

    async def close(self, reason: CloseReason = CloseReason.USER_INITIATED) -> None:
        """Close the session, as the application or the framework does."""
        if self.closed:
            return
        self.closed = True
        self._room.off("participant_disconnected", self._on_left)
        await self.voice.aclose()
        self.emit("close", CloseEvent(reason=reason))

    def _on_left(self, participant: SimParticipant) -> None:
        leaves = participant.identity == self._identity and participant.disconnect_reason in CLOSES
        if leaves and self._closing is None:
            close = self._close_by_itself()
            self._closing = self._world.loop.create_task(close, name="sim: caller session close")

    async def _close_by_itself(self) -> None:
        await self._world.wait(latency.SESSION_CLOSING_S)
        self.emit("closing")
        await self._world.wait(latency.SESSION_CLOSED_S)
        await self.close(CloseReason.PARTICIPANT_DISCONNECTED)


class SimConsultSession(SimEmitter):
    """The ``AgentSession`` that talks to the human, with a scripted model and a scripted human.

    Once the human is on the line and the input is on, the agent briefs them, heard as
    ``"briefing"``; then the human's lines come, and each makes the session call the tool of the
    given agent that a model would call. When a yes is not taken, the agent asks again, and the
    human says it again.

    Args:
        world: the server.
        human: what the human does.
        options: what ``AgentSession`` was given; kept, not interpreted.
    """

    def __init__(self, world: World, human: Human, options: dict[str, Any]) -> None:
        super().__init__()
        self._world = world
        self.human = human
        self.options = options
        self.input = Switches(world, "consult input", ("audio", "video"), has=("audio",))
        self.output = Switches(
            world, "consult output", ("audio", "video", "transcription"), has=("audio",)
        )
        self.input.changed = self._look
        self.llm = options.get("llm") or SimJudge(
            [line.utterance for line in human.lines if line.says == "yes"]
        )
        self.tts = options.get("tts", "a voice")
        self.voice = Voice(world, "briefing", lambda: self.output.audio_enabled, self._speaks)
        self._agent_state: Literal["listening", "speaking"] = "listening"
        self.tool_calls: list[tuple[float, str]] = []
        """Which tools were called, and when."""
        self._agent: Agent | None = None
        self._room: SimRoom | None = None
        self._room_options: Any = None
        self._play: asyncio.Task[None] | None = None
        self._models: set[asyncio.Task[None]] = set()
        self._tools: set[asyncio.Task[object]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._linked: SimParticipant | None = None
        self._answered = False
        self._talking = asyncio.Event()
        self.started = False
        self.closed = False

    async def start(self, agent: Agent, *, room: Any, room_options: Any, record: bool) -> None:
        """Start on a room; returns without waiting for the human (integration 4).

        Raises:
            RuntimeError: `record` is on: only the caller's session may be recorded.
            ValueError: two tools of the agent have one name.
        """
        await self._world.faults.call(
            "session.start", lambda: self._start(agent, room, room_options, record=record)
        )

    async def _start(self, agent: Agent, room: SimRoom, options: Any, *, record: bool) -> None:
        if record:
            raise RuntimeError("Only one AgentSession can be the primary")
        if self.closed:
            # A call that happens twice, the second time behind the close: no process does that.
            return
        # Refuses what the real session refuses.
        ToolContext(agent.tools)
        self._world.ledger.opened(self, "consult session")
        self._agent, self._room, self._room_options = agent, room, options
        await self._world.wait(latency.SESSION_START_S)
        track = SimLocalTrack(self._world, TRACK, self.voice.source)
        await room.local_participant.publish_track(track)
        if self.closed:
            return
        self.started = True
        room.on("participant_connected", self._on_joined)
        room.on("participant_attributes_changed", self._on_attributes)
        room.on("participant_disconnected", self._on_left)
        for participant in room.remote_participants.values():
            self._on_joined(participant)

    # Who is on the line.

    def _on_joined(self, participant: SimParticipant) -> None:
        wanted = getattr(self._room_options, "participant_identity", None)
        agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        if agent or (isinstance(wanted, str) and participant.identity != wanted):
            return
        if self._linked is None:
            self._linked = participant
        self._look()

    def _on_attributes(self, changed: dict[str, str], participant: SimParticipant) -> None:
        del changed
        if participant is self._linked:
            self._look()

    def _on_left(self, participant: SimParticipant) -> None:
        if participant is not self._linked:
            return
        # During a reconnect they come back and are linked again, as by RoomIO; until then nothing
        # they say is heard.
        self._linked = None
        self._look()
        if self._room_options.close_on_disconnect and participant.disconnect_reason in CLOSES:
            self.close_by_itself(CloseReason.PARTICIPANT_DISCONNECTED)

    def _look(self) -> None:
        """Begin when the human is there and can be heard."""
        if self._linked is not None and not self._answered:
            # Only forwards: after a server restart an answered leg says "dialing" (facts 0.5).
            self._answered = self._linked.attributes.get("sip.callStatus", "active") == "active"
        on_line = self._linked is not None and self._answered
        if on_line and self.input.audio_enabled and self.started and not self.closed:
            self._talking.set()
            if self._play is None:
                self._play = self._world.loop.create_task(self._converse(), name="sim: human")
        else:
            self._talking.clear()

    # The conversation.

    async def _converse(self) -> None:
        """The agent briefs, the human answers; lines are timed from the first word."""
        await asyncio.sleep(latency.FIRST_WORD_S)
        began_s = self._world.now_s
        if self.human.briefing_s:
            self.voice.say(SimSpeech("briefing"), self.human.briefing_s)
        for line in self.human.lines:
            await asyncio.sleep(max(0.0, began_s + line.after_s - self._world.now_s))
            # A deaf session hears no yes.
            await self._talking.wait()
            self._react(line)

    def _react(self, line: Line) -> None:
        """The session hears a line, and its model answers."""
        if line.utterance:
            self._hear(line.utterance)
        task = self._world.loop.create_task(self._answer(line), name="sim: model")
        self._models.add(task)
        task.add_done_callback(self._models.discard)

    def _hear(self, words: str) -> None:
        """The human talks, which cuts the agent short."""
        self.emit(
            "user_state_changed", UserStateChangedEvent(old_state="listening", new_state="speaking")
        )
        self.voice.interrupt(force=False)
        self.emit(
            "user_state_changed", UserStateChangedEvent(old_state="speaking", new_state="listening")
        )
        self.emit(
            "user_input_transcribed", UserInputTranscribedEvent(transcript=words, is_final=True)
        )

    async def _answer(self, line: Line) -> None:
        """What a model does when the human has said a line."""
        tool, arguments = line.tool()
        while tool is not None:
            call = self._world.loop.create_task(self._call(tool, arguments), name="sim: tool")
            self._tools.add(call)
            call.add_done_callback(self._tools.discard)
            await asyncio.wait([call])
            if not call.result() or line.says != "yes":
                return
            again = SimSpeech("so, do you take it")
            self.voice.say(again, ASKS_AGAIN_S)
            await again.wait_for_playout()
            await self._talking.wait()
            self._hear(line.utterance)

    async def _call(self, name: str, arguments: dict[str, str]) -> object:
        self.tool_calls.append((self._world.now_s, name))
        # What a tool raises goes to the model, never to the session.
        with contextlib.suppress(StopResponse, ToolError):
            return await self._world.faults.call(
                f"tool.{name}", lambda: _tool(self._agent, name)(**arguments)
            )
        return None

    def _speaks(self, speaks: bool) -> None:
        old, self._agent_state = self._agent_state, "speaking" if speaks else "listening"
        if old != self._agent_state:
            self.emit(
                "agent_state_changed",
                AgentStateChangedEvent(old_state=old, new_state=self._agent_state),
            )

    # What adapters use.

    def say(self, text: str, *, allow_interruptions: bool, add_to_chat_ctx: bool) -> SimSpeech:
        """Say a fixed sentence, heard as ``"agent"``.

        Raises:
            RuntimeError: not running.
        """
        del add_to_chat_ctx
        return self._world.faults.call_now(
            "session.say", lambda: self._say(text, allow_interruptions=allow_interruptions)
        )

    def generate_reply(self, *, instructions: str, tool_choice: Any) -> SimSpeech:
        """Say what a speech-to-speech model is asked to say, heard as ``"agent"``.

        Raises:
            RuntimeError: not running.
        """
        del tool_choice
        return self._world.faults.call_now(
            "session.generate_reply", lambda: self._say(instructions, allow_interruptions=True)
        )

    def _say(self, text: str, *, allow_interruptions: bool) -> SimSpeech:
        if not self.started or self.closed:
            raise RuntimeError("AgentSession isn't running")
        speech = SimSpeech(text, allow_interruptions=allow_interruptions)
        self.voice.say(speech, len(text) * latency.SECONDS_PER_CHARACTER, "agent")
        return speech

    def interrupt(self, *, force: bool = False) -> asyncio.Future[None]:
        """Cut the speech off at once; a running tool runs on (integration 4).

        Raises:
            RuntimeError: not running.
        """
        return self._world.faults.call_now("session.interrupt", lambda: self._cut(force=force))

    def _cut(self, *, force: bool) -> asyncio.Future[None]:
        if not self.started or self.closed:
            raise RuntimeError("AgentSession isn't running")
        self.voice.interrupt(force=force)
        done: asyncio.Future[None] = self._world.loop.create_future()
        done.set_result(None)
        return done

    async def aclose(self) -> None:
        """Close; waits for a running tool (integration 4)."""
        await self._world.faults.call("session.aclose", self._aclose)

    async def _aclose(self) -> None:
        if self._closing is None:
            close = self._close(CloseReason.USER_INITIATED)
            self._closing = self._world.loop.create_task(close, name="sim: session close")
        await asyncio.shield(self._closing)

    def close_by_itself(self, reason: CloseReason = CloseReason.ERROR) -> None:
        """The session closes on its own, for example because its model keeps failing."""
        if self._closing is None and not self.closed:
            self._closing = self._world.loop.create_task(
                self._close(reason), name="sim: session close"
            )

    async def _close(self, reason: CloseReason) -> None:
        was_started, self.started = self.started, False
        self.closed = True
        for task in (self._play, *self._models):
            if task is not None:
                task.cancel()
        tools = [each for each in self._tools if each is not asyncio.current_task()]
        if tools:
            await asyncio.wait(tools)
        await self.voice.aclose()
        await self._leave_room()
        self._world.ledger.closed(self)
        if was_started:
            self.emit("close", CloseEvent(reason=reason))

    async def _leave_room(self) -> None:
        room = self._room
        if room is None:
            return
        room.off("participant_connected", self._on_joined)
        room.off("participant_attributes_changed", self._on_attributes)
        room.off("participant_disconnected", self._on_left)
        # The track stays published, silent: RoomIO closes its source and no more
        # (livekit-agents `room_io/_output.py`).
        await self._world.wait(latency.SESSION_CLOSE_S)


def _tool(agent: Agent | None, name: str) -> Callable[..., Awaitable[object]]:
    """The agent's tool of a name, as a method or among its tools."""
    found: Any = getattr(agent, name, None)
    if found is None and agent is not None:
        found = next((each for each in agent.tools if getattr(each, "id", "") == name), None)
    if found is None:
        raise ToolError(f"Unknown function: {name}")
    tool: Callable[..., Awaitable[object]] = found
    return tool
