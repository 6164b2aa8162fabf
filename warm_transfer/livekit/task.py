"""`WarmTransferTask`: the transfer as livekit-agents awaits it.

The engine starts when the task is awaited, not in ``on_enter``, which waits for old speech to
end. The framework's own await runs in an inner task that is never cancelled, because a cancelled
one leaves the session with a dead agent; every way of leaving is an event to the engine. The task
itself has no models, no tools and no instructions: nothing the held caller says can reach one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import warnings
import weakref
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from livekit import api as lkapi
from livekit.agents import NOT_GIVEN, Agent, AgentSession, AgentTask, NotGivenOr, get_job_context
from livekit.agents.job import DEFAULT_PARTICIPANT_KINDS
from livekit.agents.llm import ToolError
from livekit.agents.utils import is_given

from warm_transfer.errors import CallerUnclear, InvalidArgument, ServerUnusable
from warm_transfer.events import Event, Facts, On
from warm_transfer.journal import FileJournal
from warm_transfer.livekit.briefing import NOTICE, ConsultOptions
from warm_transfer.livekit.compat import (
    FrameworkAwait,
    complete_outside_speech,
    current_activity,
    pass_task_mark,
    server_url,
)
from warm_transfer.livekit.consult import unguessable
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.engine import Engine
from warm_transfer.livekit.hold import DEFAULT_HOLD_AUDIO
from warm_transfer.livekit.merge import strategies_of
from warm_transfer.livekit.models import (
    consult_models,
    resolve_instructions,
    turn_handling_of,
    turns_given,
)
from warm_transfer.livekit.result import SessionBusy, TransferFailed, WarmTransferResult
from warm_transfer.livekit.sdk import LiveKitSdk, Sdk
from warm_transfer.outcome import TransferOutcome
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Dialer, Journal, StateHook
from warm_transfer.states import State

__all__ = ["WarmTransferTask"]

#: The transfer each session has; a second one would ring a second human.
_BUSY: weakref.WeakKeyDictionary[AgentSession[Any], WarmTransferTask]
_BUSY = weakref.WeakKeyDictionary()


class WarmTransferTask(AgentTask[WarmTransferResult]):
    """Hand the caller to a human: hold, ring, brief in private, merge.

    ``await`` it in a function tool or in ``on_enter`` of an agent.

    Args:
        sip_call_to: the human's number, or a sip:, sips: or tel: URI.
        sip_trunk_id: the outbound trunk; else the variable ``LIVEKIT_SIP_OUTBOUND_TRUNK``.
        sip_connection: an inline trunk instead.
        sip_number: the caller id to show; else the variable ``LIVEKIT_SIP_NUMBER``.
        sip_headers: SIP headers, see `TransferPolicy.allowed_headers`.
        dtmf: key tones after the answer; ``w`` pauses half a second.
        ringing_timeout: seconds to ring; comes before `policy`.
        hold_audio: what the caller hears on hold; None for silence.
        instructions: the consult agent's persona, or a whole ``WorkflowInstructions``.
        chat_ctx: the conversation with the caller, given to the human as a record.
        turn_handling: of the consult session; `turn_detection` and `allow_interruptions` are
            the older way to say parts of it.
        tools: further tools of the consult agent.
        stt, vad, llm, tts: models of the consult session; else the agent's, else the session's.
        policy: every limit and choice.
        on_state_change: a hook, or several; sync or async.
        merge: ``"auto"``, a merge strategy, or an ordered list.
        dialer: rings the human instead of LiveKit's SIP API.
        api: a ``LiveKitAPI`` to use; build it with ``failover=False``. It stays open.
        journal: a file to append to, or a `Journal`.
        greeting: said when the human answers; None lets them speak first.
        notice: the fixed sentence for a human who is let go before the merge.
        sdk: another SDK than LiveKit's, for tests.

    Raises:
        InvalidArgument: a value cannot be used. Nothing has been dialled.
        TransferFailed: by the await, when it ends without a merge; a ``ToolError``.
        SessionBusy: by the await, when the session already has a transfer; a ``ToolError``.
        CallerUnclear: by the await, when the session is linked to no participant.
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
        hold_audio: Any = NOT_GIVEN,
        instructions: Any = NOT_GIVEN,
        chat_ctx: Any = NOT_GIVEN,
        turn_handling: Any = NOT_GIVEN,
        turn_detection: Any = NOT_GIVEN,
        tools: NotGivenOr[list[Any]] = NOT_GIVEN,
        stt: Any = NOT_GIVEN,
        vad: Any = NOT_GIVEN,
        llm: Any = NOT_GIVEN,
        tts: Any = NOT_GIVEN,
        allow_interruptions: NotGivenOr[bool] = NOT_GIVEN,
        extra_instructions: str = "",
        target_phone_number: NotGivenOr[str] = NOT_GIVEN,
        policy: TransferPolicy | None = None,
        on_state_change: StateHook | Sequence[StateHook] | None = None,
        merge: object = "auto",
        dialer: Dialer | None = None,
        api: lkapi.LiveKitAPI | None = None,
        journal: Journal | str | Path | None = None,
        greeting: str | None = None,
        notice: str = NOTICE,
        sdk: Sdk | None = None,
    ) -> None:
        super().__init__(instructions="", stt=None, vad=None, llm=None, tts=None)
        policy = policy or TransferPolicy()
        if is_given(ringing_timeout) and ringing_timeout is not None:
            policy = _ring_timeout(policy, ringing_timeout)
        if is_given(target_phone_number):
            text = "`target_phone_number` is deprecated, use `sip_call_to`"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
            sip_call_to = sip_call_to or target_phone_number
        self._policy = policy
        self._dial_options = DialOptions(
            destination=sip_call_to or "",
            trunk_id=_trunk_id(sip_trunk_id, sip_connection),
            connection=sip_connection or None,
            number=sip_number if is_given(sip_number) else os.getenv("LIVEKIT_SIP_NUMBER", ""),
            headers=sip_headers if is_given(sip_headers) else {},
            dtmf=dtmf if is_given(dtmf) and dtmf is not None else "",
        ).checked(policy, needs_trunk=dialer is None)
        self._strategies = strategies_of(merge)
        self._hooks = () if on_state_change is None else _hooks(on_state_change)
        self._dialer = dialer
        self._client = api
        self._journal = journal
        self._opened: FileJournal | None = None
        self._hold_audio = hold_audio if is_given(hold_audio) else DEFAULT_HOLD_AUDIO
        self._given_models = {"stt": stt, "vad": vad, "llm": llm, "tts": tts}
        self._given_turns = turns_given(turn_handling, turn_detection, allow_interruptions)
        self._consult_agent = {
            "instructions": resolve_instructions(instructions, chat_ctx, extra_instructions),
            "tools": list(tools) if is_given(tools) else [],
        }
        self._words = {"greeting": greeting, "notice": notice}
        self._sdk = sdk
        self._engine: Engine | None = None
        self._host: _TaskHost | None = None
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

        Without a reason it is the framework's own call: the session is closing.
        """
        if reason is not None:
            return self._engine.cancel(reason) if self._engine else False
        if self._engine is not None:
            self._engine.take(Event(On.SESSION_CLOSED))
            if self._engine.outcome is not None:
                # Ours says more than the framework's "is cancelled".
                self.complete_with(self._engine.outcome)
        super().cancel()
        return None

    async def wait_closed(self) -> None:
        """Return when the transfer is over and nothing of it is left."""
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
            async with asyncio.timeout(self._policy.release_timeout_s):
                await engine.wait_closed()

    def __await__(self) -> Generator[None, None, WarmTransferResult]:
        """Run the transfer. Its engine starts within this turn of the loop."""
        return self._drive().__await__()

    async def _drive(self) -> WarmTransferResult:
        here = current_activity()
        if here is None:
            # The framework says what is wrong.
            return await self._framework_await()
        session, agent = here
        if session in _BUSY:
            first = _BUSY[session]
            raise SessionBusy(first.transfer_id, first.state)
        engine, host = self._build(session, agent)
        # From here on, because two tools of one turn get this far in the same turn of the loop.
        _BUSY[session] = self
        inner = asyncio.get_running_loop().create_task(self._framework_await())
        inner.add_done_callback(host.take_back)
        pass_task_mark(inner)
        if not await self._is_admitted(inner, session, engine):
            return inner.result()
        self._engine, self._host = engine, host
        watch = _SessionWatch(session, engine)
        self._watch_job(engine)
        engine.start()
        try:
            return await self._wait(inner, engine)
        finally:
            self._forget_when_closed(session, engine, watch)

    async def _is_admitted(
        self, inner: asyncio.Task[WarmTransferResult], session: AgentSession[Any], engine: Engine
    ) -> bool:
        """Whether the framework takes the task; else let go of what was built."""
        try:
            # It refuses in its first synchronous step, before anything is dialled.
            await asyncio.sleep(0)
            admitted = not inner.done()
        except asyncio.CancelledError:
            # It has begun already, and would leave the session with an agent that never ends.
            complete_outside_speech(self, ToolError("the await was cancelled"))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._policy.release_timeout_s):
                    await asyncio.wait([inner])
            await self._discard(session, engine)
            raise
        if not admitted:
            await self._discard(session, engine)
        return admitted

    async def _discard(self, session: AgentSession[Any], engine: Engine) -> None:
        _BUSY.pop(session, None)
        self._close_journal()
        await engine.discard()

    async def _framework_await(self) -> WarmTransferResult:
        result: WarmTransferResult = await FrameworkAwait(self)
        return result

    async def _wait(
        self, inner: asyncio.Task[WarmTransferResult], engine: Engine
    ) -> WarmTransferResult:
        host = self._host
        assert host is not None
        switched = asyncio.ensure_future(host.switched.wait())
        try:
            await asyncio.wait([inner, switched], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            engine.cancel("the await was cancelled")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._policy.release_timeout_s):
                    await asyncio.wait([inner])
                    await engine.wait_resumed()
            raise
        finally:
            switched.cancel()
        if engine.outcome is None:
            # The framework ended the await by itself: the session closed before it began.
            engine.post(Event(On.SESSION_CLOSED))
        host.back.set()
        await engine.wait_resumed()
        if inner.done():
            return inner.result()
        assert engine.outcome is not None
        raise TransferFailed(engine.outcome)

    def complete_with(self, outcome: TransferOutcome) -> None:
        """Complete with what an outcome gives to who awaits. The engine's own; once."""
        assert self._engine is not None
        result: object = TransferFailed(outcome)
        if outcome.merged:
            result = WarmTransferResult(self._engine.human_identity, outcome)
        complete_outside_speech(self, result)

    def _build(self, session: AgentSession[Any], agent: Agent) -> tuple[Engine, _TaskHost]:
        """Everything that can be wrong is found here, before the framework is asked."""
        room, caller = _caller_of(session)
        host = _TaskHost(self, session, agent)
        turns = turn_handling_of(self._given_turns, session)
        models = consult_models(self._given_models, session, agent)
        consult = ConsultOptions(
            session={**models, "turn_handling": turns},
            agent=self._consult_agent,
            greeting=self._words["greeting"],
            notice=self._words["notice"] or NOTICE,
        )
        sdk = self._sdk or _real_sdk()
        engine = Engine(
            host=host,
            sdk=sdk,
            caller_room=room,
            caller_identity=caller,
            dial=self._dial_options,
            consult=consult,
            hold_audio=self._hold_audio,
            policy=self._policy,
            merge=self._strategies,
            dialer=self._dialer,
            api=self._client,
            journal=self._open_journal(),
            hooks=self._hooks,
            transfer_id=self._transfer_id,
        )
        return engine, host

    def _open_journal(self) -> Journal | None:
        journal = self._journal
        if not isinstance(journal, str | Path):
            return journal
        self._opened = FileJournal(journal)
        return self._opened

    def _close_journal(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _watch_job(self, engine: Engine) -> None:
        context = get_job_context(required=False)
        if context is None:
            return

        async def shut_down() -> None:
            engine.post(Event(On.JOB_SHUTTING_DOWN))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._policy.release_timeout_s):
                    await engine.wait_closed()

        context.add_shutdown_callback(shut_down)

    def _forget_when_closed(
        self, session: AgentSession[Any], engine: Engine, watch: _SessionWatch
    ) -> None:
        assert self._host is not None
        if engine.outcome is not None and self._host.back.is_set():
            # Also a merged call, which lives on: the session may start another transfer.
            _BUSY.pop(session, None)

        async def forget() -> None:
            await engine.wait_closed()
            watch.close()
            self._close_journal()
            if _BUSY.get(session) is self:
                del _BUSY[session]

        task = asyncio.get_running_loop().create_task(
            forget(), name=f"warm-transfer {engine.id} forgetting"
        )
        watch.keep(task)

    def _post(self, name: On, facts: Facts | None = None) -> None:
        if self._engine is not None:
            self._engine.post(Event(name, facts or Facts()))


class _TaskHost:
    """The `Host` port on an agent task."""

    def __init__(self, task: WarmTransferTask, session: AgentSession[Any], agent: Agent) -> None:
        self._task = task
        self._session = session
        self.agent = agent
        self.speech_over = asyncio.Event()
        self.back = asyncio.Event()
        self.switched = asyncio.Event()

    def take_back(self, inner: asyncio.Task[WarmTransferResult]) -> None:
        """The framework's await is over, also behind a cancelled one: the agent is back."""
        self.back.set()
        if not inner.cancelled():
            inner.exception()

    @property
    def session(self) -> AgentSession[Any]:
        return self._session

    async def speech_ended(self) -> None:
        await self.speech_over.wait()

    def complete(self, outcome: TransferOutcome) -> None:
        asyncio.get_running_loop().call_soon(self._task.complete_with, outcome)

    async def handed_back(self) -> None:
        await self.back.wait()


class _SessionWatch:
    """Tells the engine when the caller's session closes, also after the await has returned."""

    def __init__(self, session: AgentSession[Any], engine: Engine) -> None:
        self._session = session
        self._engine = engine
        self._task: asyncio.Task[None] | None = None
        session.on("close", self._on_close)

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to the task that will close this watch."""
        self._task = task

    def close(self) -> None:
        """Stop listening."""
        self._session.off("close", self._on_close)

    def _on_close(self, _event: object) -> None:
        self._engine.post(Event(On.SESSION_CLOSED))


def _caller_of(session: AgentSession[Any]) -> tuple[Any, str]:
    """The room and the identity of the one participant the session is linked to."""
    try:
        room_io = session.room_io
    except RuntimeError:
        raise CallerUnclear(0) from None
    linked = room_io.linked_participant
    if linked is not None:
        return room_io.room, linked.identity
    present = room_io.room.remote_participants.values()
    raise CallerUnclear(sum(each.kind in DEFAULT_PARTICIPANT_KINDS for each in present))


def _trunk_id(given: NotGivenOr[str | None], connection: object) -> str | None:
    if is_given(given):
        return given
    return None if connection else os.getenv("LIVEKIT_SIP_OUTBOUND_TRUNK")


def _ring_timeout(policy: TransferPolicy, given: float) -> TransferPolicy:
    try:
        return replace(policy, ring_timeout_s=given)
    except InvalidArgument as error:
        if error.argument != "ring_timeout_s":
            raise
        raise InvalidArgument("ringing_timeout", error.problem, error.remedy) from None


def _hooks(given: StateHook | Sequence[StateHook]) -> tuple[StateHook, ...]:
    hooks = tuple(given) if isinstance(given, list | tuple) else (given,)
    for hook in hooks:
        if not callable(hook):
            remedy = "give a function, a coroutine function, or a list of them"
            raise InvalidArgument("on_state_change", f"is {hook!r}", remedy)
    return hooks


def _real_sdk() -> Sdk:
    url, key, secret = server_url(), os.getenv("LIVEKIT_API_KEY"), os.getenv("LIVEKIT_API_SECRET")
    if not url or not key or not secret:
        remedy = "set LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"
        raise ServerUnusable(url or "LIVEKIT_URL", "address or credentials are missing", remedy)
    return LiveKitSdk(url, key, secret)
