"""The conversation with the human: a session of its own, an agent of its own, three tools.

The tools exist on this agent only; nothing the caller says, types or presses reaches them. They
post an event and return, because a tool that waited for the engine's verdict would be waited for
by the release of its own session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from livekit.agents import Agent, function_tool
from livekit.agents.llm import ToolFlag
from livekit.agents.voice.room_io import RoomOptions

from warm_transfer.effects import Effect
from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.sdk import ConsultSession, Room

__all__ = ["Briefing", "ConsultAgent", "ConsultOptions"]

NOTICE = "I am sorry, the transfer has ended. Thank you, goodbye."
"""The fixed sentence for a human who is let go before the merge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultOptions:
    """How the human is talked to."""

    session: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the consult ``AgentSession``: models and turn handling."""
    agent: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the consult ``Agent``: instructions, tools, models of its own."""
    greeting: str | None = None
    """Said as soon as the human answers; None lets the human speak first."""
    notice: str = NOTICE
    """Said to a human who is let go before the merge."""


class ConsultAgent(Agent):
    """Talks to the human, and passes their decision on.

    Args:
        legs: whom to tell.
        options: arguments of ``Agent``.
    """

    def __init__(self, legs: Legs, **options: Any) -> None:
        options.setdefault("instructions", "")
        super().__init__(**options)
        self._legs = legs

    @function_tool(flags=ToolFlag.IGNORE_ON_ENTER)
    async def connect_to_caller(self) -> None:
        """Called when the human has agreed to talk to the caller now."""
        self._say(On.CONSULT_ACCEPTED, Facts(via="tool"))

    @function_tool(flags=ToolFlag.IGNORE_ON_ENTER)
    async def decline_transfer(self, reason: str) -> None:
        """Called when the human has said that they do not want to take the call.

        Args:
            reason: in a few words, why the human does not take the call
        """
        self._say(On.CONSULT_DECLINED, Facts(words=reason))

    @function_tool(flags=ToolFlag.IGNORE_ON_ENTER)
    async def voicemail_detected(self) -> None:
        """Called when a machine has answered, and only after its greeting has been heard."""
        self._say(On.VOICEMAIL_DETECTED, Facts(via="tool"))

    def _say(self, name: On, facts: Facts) -> None:
        self._legs.post(Event(name, facts))


class Briefing:
    """START_BRIEFING, STOP_BRIEFING, NOTIFY_CONSULT, and the consult session they work on."""

    def __init__(self, legs: Legs, options: ConsultOptions) -> None:
        self._legs = legs
        self._options = options
        self._session: ConsultSession | None = None
        self._opened_by: Effect | None = None
        self._spoke = False
        self._closing = False

    async def open(self, room: Room, effect: Effect) -> None:
        """Start the session before anybody answers, so that the human is heard at once."""
        if self._closing:
            return
        # At its close a session waits 2 s for words still to be recognised; the briefing is over
        # by then, and the caller and the human would wait in silence with it.
        options = {"session_close_transcript_timeout": 0.0, **self._options.session}
        session = self._legs.sdk.consult_session(options)
        self._session, self._opened_by = session, effect
        session.on("close", self._on_close)
        # Deaf until the answer: what a ringing leg sends is not the human.
        session.input.set_audio_enabled(False)
        await session.start(
            ConsultAgent(self._legs, **self._options.agent),
            room=room,
            room_options=RoomOptions(
                close_on_disconnect=False,
                delete_room_on_close=False,
                text_input=False,
                text_output=False,
                participant_identity=self._legs.human_identity,
            ),
            # Recording belongs to the caller's session, the primary one of the job.
            record=False,
        )

    async def start(self, effect: Effect) -> None:
        """Open the ears, and greet if there is a greeting."""
        session = self._session
        if session is None or self._closing:
            facts = Facts(detail="there is no consult session")
            self._legs.post(Event(On.BRIEFING_FAILED, facts, effect=effect.id))
            return
        self._spoke = True
        session.input.set_audio_enabled(True)
        if self._options.greeting:
            session.say(self._options.greeting, allow_interruptions=True, add_to_chat_ctx=True)

    async def stop(self, effect: Effect) -> None:
        """Silence the consult agent for good and report; its session closes behind that.

        Closing takes as long as its models want; caller and human would wait in silence for it.
        """
        session = self._session
        if session is not None:
            await self._silence(session)
        self._legs.post(Event(On.BRIEFING_STOPPED, effect=effect.id))
        try:
            await self._end_session()
        except Exception as error:  # noqa: BLE001 - it is silent; CLOSE_CONSULT closes it again
            self._legs.log.warning("consult session not closed", detail=type(error).__name__)

    async def notify(self) -> None:
        """Say the fixed sentence, if anybody has spoken yet; never generated, never long."""
        session = self._session
        if session is None or not self._spoke or self._closing:
            return
        session.input.set_audio_enabled(False)
        await session.interrupt(force=True)
        speech = session.say(self._options.notice, allow_interruptions=False, add_to_chat_ctx=False)
        await speech.wait_for_playout()

    async def close(self) -> None:
        """Close the session; safe to repeat."""
        await self._end_session()

    async def _end_session(self) -> None:
        session = self._session
        if session is None:
            self._closing = True
            return
        await self._silence(session)
        async with asyncio.timeout(self._legs.policy.api_timeout_s):
            await session.aclose()
        self._session = None

    async def _silence(self, session: ConsultSession) -> None:
        """What is being said stops at once, and nothing that is said later is heard."""
        self._closing = True
        session.off("close", self._on_close)
        session.input.set_audio_enabled(False)
        session.output.set_audio_enabled(False)
        try:
            await session.interrupt(force=True)
        except RuntimeError:
            # The session never started or is closing by itself; then it says nothing either.
            self._legs.log.debug("consult session was not running")

    def _on_close(self, event: Any) -> None:
        """The session closed, and not by us: without it nobody can be briefed."""
        error = getattr(event, "error", None)
        cause = getattr(error, "error", None)
        facts = Facts(
            detail="the consult session closed by itself",
            cause=cause if isinstance(cause, BaseException) else None,
        )
        assert self._opened_by is not None
        self._legs.post(Event(On.BRIEFING_FAILED, facts, effect=self._opened_by.id))
