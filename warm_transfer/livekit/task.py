"""`WarmTransferTask`: the transfer as livekit-agents awaits it.

The engine starts when the task is awaited, not in ``on_enter``, which waits for old speech to
end. The framework's own await runs in an inner task that is never cancelled, because a cancelled
one leaves the session with a dead agent; every way of leaving is an event to the engine. The task
itself has no models, no tools and no instructions: nothing the held caller says can reach one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from livekit import api as lkapi
from livekit.agents import NOT_GIVEN, Agent, AgentSession, AgentTask, NotGivenOr
from livekit.agents.llm import LLM, ChatContext, RealtimeModel, Tool, Toolset
from livekit.agents.llm.chat_context import Instructions
from livekit.agents.stt import STT
from livekit.agents.tts import TTS
from livekit.agents.utils import is_given
from livekit.agents.vad import VAD
from livekit.agents.voice.background_audio import AudioConfig, AudioSource
from livekit.agents.voice.turn import TurnDetectionMode, TurnHandlingOptions

from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.awaiting import Awaiting, framework_await
from warm_transfer.livekit.briefing import ConsultOptions
from warm_transfer.livekit.callersession import caller_of, refuse_room_deletion, refuse_second
from warm_transfer.livekit.compat import (
    complete_outside_speech,
    current_activity,
    is_closing,
    take_tools,
)
from warm_transfer.livekit.consult import unguessable
from warm_transfer.livekit.dial import HUMAN_NAME, DialOptions
from warm_transfer.livekit.dialhook import DialHook
from warm_transfer.livekit.engine import Engine
from warm_transfer.livekit.hold import DEFAULT_HOLD_AUDIO, check_hold_audio
from warm_transfer.livekit.models import turns_given
from warm_transfer.livekit.naming import check_identity, check_room_name
from warm_transfer.livekit.options import (
    Greeting,
    TaskOptions,
    WorkflowInstructions,
    greeting_of,
    hooks_of,
    instructions_of,
    journal_of,
    policy_of,
    real_sdk,
    tools_of,
)
from warm_transfer.livekit.origination import Origination
from warm_transfer.livekit.phrases import ENGLISH, Phrases
from warm_transfer.livekit.result import WarmTransferResult, result_of
from warm_transfer.livekit.sdk import Sdk
from warm_transfer.livekit.strategies import MergeChoice, strategies_of
from warm_transfer.livekit.taskhost import TaskHost
from warm_transfer.outcome import TransferOutcome
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Dialer, Journal, StateHook
from warm_transfer.states import State

__all__ = ["WarmTransferTask"]


class WarmTransferTask(Origination, AgentTask[WarmTransferResult]):
    """Hand the caller to a human: hold, ring, brief in private, merge.

    ``await`` it in a function tool or in ``on_enter`` of an agent.

    Args:
        sip_call_to: the human's number, or a sip:, sips: or tel: URI.
        sip_trunk_id: the outbound trunk; else, without `sip_connection`, the variable
            ``LIVEKIT_SIP_OUTBOUND_TRUNK``.
        sip_connection: an inline trunk instead.
        sip_number: the caller id to show; else the variable ``LIVEKIT_SIP_NUMBER``; None for the
            trunk's own.
        sip_headers: SIP headers, see `TransferPolicy.allowed_headers`.
        dtmf: key tones after the answer; ``w`` pauses half a second.
        ringing_timeout: seconds to ring, at most 70; comes before `policy`, None does not.
        hold_audio: what the caller hears on hold; None for silence. A file has to be there.
        instructions: the consult agent's persona, or a whole ``WorkflowInstructions``.
        chat_ctx: the conversation with the caller, given to the human as a record.
        turn_handling: of the consult session; `turn_detection` and `allow_interruptions` are
            the older way to say parts of it.
        tools: further tools of the consult agent.
        stt, vad, llm, tts: models of the consult session; else the agent's, else the session's.
        extra_instructions: the older way to say ``WorkflowInstructions(extra=...)``.
        target_phone_number: the older name of `sip_call_to`.
        policy: every limit and choice.
        on_state_change: a hook, or several; sync or async.
        merge: ``"auto"``, a merge strategy, or an ordered list.
        dialer: rings the human instead of LiveKit's SIP API.
        api: a ``LiveKitAPI`` to use; build it with ``failover=False``. It stays open.
        journal: a file to append to, or a `Journal`.
        greeting: said when the human answers, or a plain function that returns it; None lets them
            speak first.
        notice: the fixed sentence for a human who is let go before the merge; comes before
            that of `phrases`.
        phrases: every other fixed sentence and prompt, to replace or to translate.
        consent: ``"judged"``: the human's own words are judged, apart from what the caller said,
            before the two are connected. ``"tool"``: that the consult model uses its tool is
            enough, as in livekit-agents.
        consent_llm: judges the words instead of the consult session's own model.
        room_name: the consult room; else a name that cannot be guessed. The room is deleted at
            the end, so no other transfer may have its name meanwhile, not even the next try. A
            guessable name lets others in who may join rooms. The bridge reaches it only if it ends
            in an underscore and 24 or more random hex digits.
        human_identity: the identity of the human's leg; else one that is unique. It must not be in
            the consult room or the caller's room already.
        participant_name: the display name of the human's leg.
        participant_attributes: participant attributes of the human's leg.
        on_dial_request: is shown each request of LiveKit's SIP API before it is sent, sync or
            async, and may change it or return another; see `warm_transfer.livekit.dialhook`.
        sdk: another SDK than LiveKit's, for tests.

    Raises:
        InvalidArgument: a value cannot be used. Nothing has been dialled.
        TransferFailed: by the await, when it ends without a merge; a ``ToolError``.
        SessionBusy: by the await, when the session already has a transfer; a ``ToolError``.
        CallerMissing: by the await, when the session is linked to no participant, as when the
            caller has just hung up; a `CallerUnclear` and a ``ToolError``.
        ServerUnusable: by the await, when the server cannot be asked what it is good for.
        JournalError: by the await, when `journal` cannot be written to.
    """

    def __init__(
        self,
        sip_call_to: NotGivenOr[str] = NOT_GIVEN,
        *,
        sip_trunk_id: NotGivenOr[str | None] = NOT_GIVEN,
        sip_connection: NotGivenOr[lkapi.SIPOutboundConfig] = NOT_GIVEN,
        sip_number: NotGivenOr[str] = NOT_GIVEN,
        sip_headers: NotGivenOr[dict[str, str]] = NOT_GIVEN,
        dtmf: NotGivenOr[str | None] = NOT_GIVEN,
        ringing_timeout: NotGivenOr[float | None] = NOT_GIVEN,
        hold_audio: NotGivenOr[AudioSource | AudioConfig | list[AudioConfig] | None] = NOT_GIVEN,
        instructions: NotGivenOr[WorkflowInstructions | Instructions | str] = NOT_GIVEN,
        chat_ctx: NotGivenOr[ChatContext] = NOT_GIVEN,
        turn_handling: NotGivenOr[TurnHandlingOptions] = NOT_GIVEN,
        turn_detection: NotGivenOr[TurnDetectionMode | None] = NOT_GIVEN,
        tools: NotGivenOr[list[Tool | Toolset]] = NOT_GIVEN,
        stt: NotGivenOr[STT[Any] | None] = NOT_GIVEN,
        vad: NotGivenOr[VAD | None] = NOT_GIVEN,
        llm: NotGivenOr[LLM[Any] | RealtimeModel | None] = NOT_GIVEN,
        tts: NotGivenOr[TTS[Any] | None] = NOT_GIVEN,
        allow_interruptions: NotGivenOr[bool] = NOT_GIVEN,
        extra_instructions: str = "",
        target_phone_number: NotGivenOr[str] = NOT_GIVEN,
        policy: TransferPolicy | None = None,
        on_state_change: StateHook | Sequence[StateHook] | None = None,
        merge: MergeChoice = "auto",
        dialer: Dialer | None = None,
        api: lkapi.LiveKitAPI | None = None,
        journal: Journal | str | Path | None = None,
        greeting: Greeting | None = None,
        notice: str | None = None,
        phrases: Phrases | None = None,
        consent: Literal["judged", "tool"] = "judged",
        consent_llm: LLM[Any] | None = None,
        room_name: str | None = None,
        human_identity: str | None = None,
        participant_name: str = HUMAN_NAME,
        participant_attributes: Mapping[str, str] | None = None,
        on_dial_request: DialHook | None = None,
        sdk: Sdk | None = None,
    ) -> None:
        super().__init__(instructions="", stt=None, vad=None, llm=None, tts=None)
        self._refuse_what_is_never_called()
        policy = policy_of(policy, ringing_timeout)
        self._ringing_timeout = policy.ring_timeout_s
        self._setup_origination(
            sip_call_to=sip_call_to,
            sip_trunk_id=sip_trunk_id,
            sip_connection=sip_connection,
            sip_number=sip_number,
            sip_headers=sip_headers,
            dtmf=dtmf,
            target_phone_number=target_phone_number,
        )
        by_sip = dialer is None and not self._rings_itself()
        dial = DialOptions(
            destination=self._sip_call_to,
            trunk_id=self._sip_trunk_id,
            connection=self._sip_connection,
            number=self._sip_number,
            headers=self._sip_headers,
            dtmf=self._dtmf or "",
            name=participant_name,
            attributes={} if participant_attributes is None else participant_attributes,
        )
        phrases = ENGLISH if phrases is None else phrases
        words = instructions_of(instructions, chat_ctx, extra_instructions, phrases)
        consult = ConsultOptions(
            agent={"instructions": words, "tools": tools_of(tools, take_tools(self))},
            notice=notice or None,
            phrases=phrases,
            consent=consent,
            consent_llm=consent_llm,
        )
        # What cannot be made is found here, and made at the await.
        strategies_of(merge, room_name=None if room_name is None else check_room_name(room_name))
        self._options = TaskOptions(
            policy=policy,
            dial=dial.checked(
                policy, needs_trunk=by_sip, needs_destination=not self._rings_itself()
            ),
            consult=consult,
            greeting=greeting_of(greeting),
            merge=merge,
            hooks=hooks_of(on_state_change),
            hold_audio=check_hold_audio(hold_audio if is_given(hold_audio) else DEFAULT_HOLD_AUDIO),
            models={"stt": stt, "vad": vad, "llm": llm, "tts": tts},
            turns=turns_given(turn_handling, turn_detection, allow_interruptions),
            rings_itself=self._rings_itself(),
            dialer=dialer,
            on_dial_request=on_dial_request,
            client=api,
            journal=journal_of(journal),
            room_name=room_name,
            human_identity=None if human_identity is None else check_identity(human_identity),
            sdk=sdk,
        )
        self._engine: Engine | None = None
        self._built: asyncio.Event | None = None
        self._cancelled_early: str | None = None
        self._host: TaskHost | None = None
        self._transfer_id = unguessable()[:12]

    # What an application reads and says.

    @property
    def transfer_id(self) -> str:
        """The id under which journal and logs speak of this transfer."""
        return self._transfer_id

    @property
    def state(self) -> State:
        """Where the transfer stands."""
        return self._engine.state if self._engine else State.IDLE

    @property
    def outcome(self) -> TransferOutcome | None:
        """How it ended, once that is decided."""
        return self._engine.outcome if self._engine else None

    def accept(self, via: str = "app") -> bool:
        """Accept on the human's behalf, for example after a key press. True if it was taken."""
        return self._engine.accept(via) if self._engine else False

    def decline(self, reason: str) -> bool:
        """Decline on the human's behalf. True if it was taken."""
        return self._engine.decline(reason) if self._engine else False

    def cancel(self, reason: str | None = None) -> Any:
        """Cancel the transfer; the caller goes back to the agent. True if it was taken.

        The framework calls it as well, without a reason, when the session closes.
        """
        engine, host = self._engine, self._host
        if reason is None and engine is not None and host is not None and is_closing(host.session):
            return self._close(engine)
        if engine is not None:
            return engine.cancel(reason or "")
        if self._built is None or self._built.is_set():
            return False
        # The await still looks what the server is good for: kept until there is an engine.
        self._cancelled_early = reason or ""
        return True

    def _close(self, engine: Engine) -> bool:
        """End with the session."""
        taken = engine.take(Event(On.SESSION_CLOSED))
        if engine.outcome is not None:
            # Ours says more than the framework's "is cancelled".
            self.complete_with(engine.outcome)
        super().cancel()
        return taken

    async def wait_closed(self) -> None:
        """Return when the transfer is over and nothing of it is left."""
        if self._built is not None:
            # Asked while the await still looks what the server is good for.
            await self._built.wait()
        if self._engine is not None:
            await self._engine.wait_closed()

    async def connect_to_caller(self) -> None:
        """Accept on the human's behalf. Not a tool: nothing the caller says can call it."""
        self._post(On.APP_ACCEPTED, Facts(via="connect_to_caller"))

    async def decline_transfer(self, reason: str) -> None:
        """Decline on the human's behalf. Not a tool."""
        self._post(On.APP_DECLINED, Facts(words=reason))

    async def voicemail_detected(self) -> None:
        """Say that a machine answered, for an answering-machine detector. Not a tool."""
        self._post(On.VOICEMAIL_DETECTED, Facts(via="app"))

    # The framework's side.

    async def on_enter(self) -> None:
        """The agent's last words are out: the hold may be heard."""
        if self._host is not None:
            self._host.speech_over.set()

    async def on_exit(self) -> None:
        """The session leaves the task; without an outcome that is an end of its own."""
        engine, host = self._engine, self._host
        if engine is None or host is None or engine.outcome is not None:
            return
        if host.session.current_agent in (self, host.agent):
            engine.post(Event(On.SESSION_CLOSED))
        else:
            # Somebody switched agents: the framework would let the await hang, and the caller is
            # to be heard by the new agent.
            engine.cancel("the agent was switched")
            host.switched.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.policy.release_timeout_s):
                await engine.wait_closed()

    def __await__(self) -> Generator[None, None, WarmTransferResult]:
        """Run the transfer.

        Its engine starts within this turn of the loop, unless ``merge="auto"`` has to look first
        what the server is good for: once a process, for at most `TransferPolicy.api_timeout_s`.
        """
        return self._drive().__await__()

    async def _drive(self) -> WarmTransferResult:
        here = current_activity()
        if here is None:
            # The framework says what is wrong.
            return await framework_await(self)
        session, agent = here
        refuse_second(session)
        self._built = asyncio.Event()
        try:
            auto = await self._options.auto()
            # Another tool of the same turn may have begun one while the server was asked.
            refuse_second(session)
            engine, host = self._build(session, agent, auto)
            awaiting = Awaiting(self, engine, host, self._options)
            if not await awaiting.is_admitted():
                return awaiting.refusal()
            self._engine, self._host = engine, host
            if self._cancelled_early is not None:
                engine.cancel(self._cancelled_early)
        finally:
            self._built.set()
        return await awaiting.run()

    def complete_with(self, outcome: TransferOutcome) -> None:
        """Complete with what an outcome gives to who awaits. The engine's own; once."""
        assert self._engine is not None
        human, phrases = self._engine.human_identity, self._options.consult.phrases
        complete_outside_speech(self, result_of(outcome, human, phrases))

    def _build(
        self, session: AgentSession[Any], agent: Agent, auto: Sequence[str]
    ) -> tuple[Engine, TaskHost]:
        """Everything that can be wrong is found here, before the framework is asked."""
        options = self._options
        room, caller = caller_of(session)
        if options.room_name is not None and options.room_name == room.name:
            remedy = "give another: the human would hear the caller during the briefing"
            raise InvalidArgument("room_name", "is the caller's own room", remedy)
        # Also somebody else's there: hanging up on the human would put them out.
        if options.human_identity in (room.local_participant.identity, *room.remote_participants):
            remedy = "give one of its own: LiveKit puts out who has it already"
            raise InvalidArgument("human_identity", "is in the caller's room already", remedy)
        if options.policy.after_merge == "leave":
            refuse_room_deletion(session)
        host = TaskHost(session, agent, self.complete_with)
        try:
            engine = Engine(
                host=host,
                sdk=options.sdk or real_sdk(),
                caller_room=room,
                caller_identity=caller,
                dial=options.dial,
                consult=options.consult_in(session, agent),
                hold_audio=options.hold_audio,
                policy=options.policy,
                merge=options.merge,
                auto=auto,
                dialer_of=partial(self._dialer_of, given=options.dialer, last=options.last),
                consult_name=options.room_name,
                human_identity=options.human_identity,
                api=options.client,
                journal=options.open_journal(),
                hooks=options.hooks,
                transfer_id=self._transfer_id,
            )
        except BaseException:
            options.close_journal()
            raise
        return engine, host

    def _post(self, name: On, facts: Facts | None = None) -> None:
        if self._engine is not None:
            self._engine.post(Event(name, facts or Facts()))
