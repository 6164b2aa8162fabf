"""The conversation with the human: a session of its own, opened before the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from livekit.agents import Agent
from livekit.agents.llm import LLM, RealtimeModel
from livekit.agents.voice.room_io import RoomOptions

from warm_transfer.effects import Effect
from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.consent import Consent
from warm_transfer.livekit.consultagent import ConsultAgent
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.phrases import ENGLISH, Phrases
from warm_transfer.livekit.sdk import ConsultSession, Room, Speech
from warm_transfer.states import State

__all__ = ["Briefing", "ConsultOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultOptions:
    """How the human is talked to.

    Raises:
        InvalidArgument: a value cannot be used.
    """

    session: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the consult ``AgentSession``: models and turn handling."""
    agent: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the consult ``Agent``: instructions, tools, models of its own."""
    greeting: str | None = None
    """Said as soon as the human answers; None lets the human speak first."""
    notice: str | None = None
    """Said to a human who is let go before the merge; None for that of `phrases`."""
    phrases: Phrases = ENGLISH
    """Every other fixed sentence."""
    consent: Literal["judged", "tool"] = "judged"
    """``"judged"``: the human's own words are judged apart before the two are connected.
    ``"tool"``: that the consult model calls its tool is enough, as in livekit-agents."""
    consent_llm: LLM[Any] | None = None
    """Judges the words instead of the consult session's own model."""

    def __post_init__(self) -> None:
        for name in ("greeting", "notice"):
            if not isinstance(getattr(self, name), str | None):
                raise InvalidArgument(name, "is no text", "give a sentence, or None")
        if not isinstance(self.phrases, Phrases):
            raise InvalidArgument("phrases", f"is {self.phrases!r}", "give `Phrases(...)`")
        if self.consent not in ("judged", "tool"):
            raise InvalidArgument("consent", f"is {self.consent!r}", 'give "judged" or "tool"')
        if not isinstance(self.consent_llm, LLM | None):
            raise InvalidArgument("consent_llm", "is no LLM", "give an `llm.LLM`, or None")


_NO_MODELS: Mapping[str, Any] = {"stt": None, "vad": None, "llm": None}


class Briefing:
    """START_BRIEFING, STOP_BRIEFING, NOTIFY_CONSULT, and the consult session they work on.

    Args:
        legs: where the human is, and whom to tell.
        options: how the human is talked to.
        state: the state of the transfer, for the tools' answers; without it they give none.
    """

    def __init__(
        self, legs: Legs, options: ConsultOptions, state: Callable[[], State] | None = None
    ) -> None:
        self._legs = legs
        self._options = options
        self._state = state
        self._consent = Consent(options.phrases, legs.policy.consent_timeout_s, legs.log)
        self._session: ConsultSession | None = None
        self._opened_by: Effect | None = None
        self._spoke = False
        self._died = False
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
        agent = ConsultAgent(self._legs, self._consent, self._standing, **self._options.agent)
        await self._start(session, agent, room)

    async def _start(self, session: ConsultSession, agent: Agent, room: Room) -> None:
        await session.start(
            agent,
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

    @property
    def over(self) -> bool:
        """Whether the agent has been silenced for good."""
        return self._closing

    def _standing(self) -> str | None:
        return self._options.phrases.standing.get(self._state()) if self._state else None

    async def start(self, effect: Effect) -> None:
        """Open the ears, and greet if there is a greeting."""
        session = self._session
        if session is None or self._closing:
            facts = Facts(detail="there is no consult session")
            self._legs.post(Event(On.BRIEFING_FAILED, facts, effect=effect.id))
            return
        self._spoke = True
        self._consent.begin(session, self._judge(session))
        session.input.set_audio_enabled(True)
        if self._options.greeting:
            self._speak(session, self._options.greeting, final=False)

    def _judge(self, session: ConsultSession) -> LLM[Any] | None:
        """Who judges the human's words; a speech-to-speech model has no chat to ask it in."""
        if self._options.consent == "tool":
            return None
        model = self._options.consent_llm or session.llm
        if isinstance(model, LLM):
            return model
        self._legs.log.warning("consent is not judged", detail="give `consent_llm`")
        return None

    def _speak(self, session: ConsultSession, words: str, *, final: bool) -> Speech:
        """Say fixed words; `final` ones are not interrupted and belong to no conversation."""
        if _can_only_be_asked(session):
            asked = self._options.phrases.read_aloud.format(words=words)
            return session.generate_reply(instructions=asked, tool_choice="none")
        return session.say(words, allow_interruptions=not final, add_to_chat_ctx=not final)

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
        """Say the fixed sentence, if anybody has spoken yet; never long."""
        session = self._session
        if session is None or not self._spoke or self._closing:
            return
        if self._died:
            session = await self._voice_alone(session)
        else:
            session.input.set_audio_enabled(False)
            await session.interrupt(force=True)
        if session is not None:
            words = self._options.notice or self._options.phrases.notice
            await self._speak(session, words, final=True).wait_for_playout()

    async def _voice_alone(self, dead: ConsultSession) -> ConsultSession | None:
        """A session that can only speak, in the place of one whose models failed."""
        room, voice = self._legs.consult_room, dead.tts
        if room is None or voice is None:
            return None
        options = {"tts": voice, "turn_handling": {"turn_detection": None}}
        session = self._legs.sdk.consult_session({**_NO_MODELS, **options})
        self._session = session
        session.input.set_audio_enabled(False)
        await self._start(session, Agent(instructions=""), room)
        return session

    async def close(self) -> None:
        """Close the session; safe to repeat."""
        await self._end_session()

    async def _end_session(self) -> None:
        session = self._session
        if session is None:
            self._closing = True
            return
        try:
            await self._silence(session)
        except Exception as error:  # noqa: BLE001 - closed, it says nothing either
            self._legs.log.debug("consult session not silenced", detail=type(error).__name__)
        async with asyncio.timeout(self._legs.policy.api_timeout_s):
            await session.aclose()
        self._session = None

    async def _silence(self, session: ConsultSession) -> None:
        """What is being said stops at once, and nothing that is said later is heard."""
        self._closing = True
        self._consent.close()
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
        self._died = True
        error = getattr(event, "error", None)
        cause = getattr(error, "error", None)
        facts = Facts(
            detail="the consult session closed by itself",
            cause=cause if isinstance(cause, BaseException) else None,
        )
        assert self._opened_by is not None
        self._legs.post(Event(On.BRIEFING_FAILED, facts, effect=self._opened_by.id))


def _can_only_be_asked(session: ConsultSession) -> bool:
    """Whether there is nothing to say given words with but a speech-to-speech model."""
    model = session.llm
    realtime = session.tts is None and isinstance(model, RealtimeModel)
    return realtime and not model.capabilities.supports_say
