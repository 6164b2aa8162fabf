"""One transfer on LiveKit, put together: the core, the shell, and the adapters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from warm_transfer.dialable import dtmf_seconds
from warm_transfer.effects import Do
from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.briefing import Briefing, ConsultOptions
from warm_transfer.livekit.consult import Consult, unguessable
from warm_transfer.livekit.dial import Dial, DialOptions
from warm_transfer.livekit.hold import DEFAULT_HOLD_AUDIO, Hold
from warm_transfer.livekit.host import Host
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.line import LiveKitLine
from warm_transfer.livekit.merge import Merge
from warm_transfer.livekit.places import place_of
from warm_transfer.livekit.sdk import Room, Sdk
from warm_transfer.livekit.signals import Signals
from warm_transfer.livekit.sip import SipDialer
from warm_transfer.livekit.strategies import strategies_of
from warm_transfer.logs import transfer_log
from warm_transfer.outcome import TransferOutcome
from warm_transfer.policy import Plan, TransferPolicy
from warm_transfer.ports import Dialer, Journal, StateHook
from warm_transfer.runner import Runner
from warm_transfer.states import State
from warm_transfer.transfer import Transfer

__all__ = ["DialerOf", "Engine"]

DialerOf = Callable[[Legs, DialOptions], Dialer]


class Engine:
    """One transfer, from the request to nothing being left.

    Args:
        host: the side that awaits it.
        sdk: the real SDK, or the simulated one.
        caller_room: the room the caller is in, connected.
        caller_identity: who the caller is there.
        dial: whom to dial and how; checked here.
        consult: how the human is talked to.
        hold_audio: what the caller hears; None for silence.
        policy: the limits.
        merge: ``"auto"``, a strategy, or an ordered list of them.
        auto: the names that ``"auto"`` stands for at this server; see `preflight.auto_at`.
        dialer: rings the human; the SIP API unless given.
        dialer_of: makes the dialer once the legs are known; its options have been checked.
        consult_name: the name of the consult room; unguessable unless given.
        human_identity: the identity of the human's leg; unique unless given.
        api: a client to use instead of one of our own; it is not closed then.
        journal: keeps the steps.
        hooks: told of every change of state.
        transfer_id: the id to go by; made up unless given.

    Raises:
        InvalidArgument: a value cannot be used. Nothing has been started.
    """

    def __init__(
        self,
        *,
        host: Host,
        sdk: Sdk,
        caller_room: Room,
        caller_identity: str,
        dial: DialOptions,
        consult: ConsultOptions | None = None,
        hold_audio: Any = DEFAULT_HOLD_AUDIO,
        policy: TransferPolicy | None = None,
        merge: object = "auto",
        auto: Sequence[str] = ("relay",),
        dialer: Dialer | None = None,
        dialer_of: DialerOf | None = None,
        consult_name: str | None = None,
        human_identity: str | None = None,
        api: Any = None,
        journal: Journal | None = None,
        hooks: Sequence[StateHook] = (),
        transfer_id: str | None = None,
    ) -> None:
        policy = policy or TransferPolicy()
        options = dial if dialer_of else dial.checked(policy, needs_trunk=dialer is None)
        strategies = strategies_of(merge, auto=auto, room_name=consult_name)
        place = place_of(strategies)
        place.check(caller_room, caller_identity)
        secret = unguessable()
        consult_name = place.room_name(caller_room.name, consult_name, f"wt_{secret}")
        self.id = transfer_id or unguessable()[:12]
        legs = Legs(
            transfer_id=self.id,
            sdk=sdk,
            api=_Borrowed(api) if api is not None else sdk.api(),
            policy=policy,
            host=host,
            caller_room=caller_room,
            caller_identity=caller_identity,
            consult_name=consult_name,
            human_identity=human_identity or f"human-agent-sip-{secret[:8]}",
            post=self.post,
            log=transfer_log(self.id),
        )
        self._legs = legs
        merging = Merge(legs, strategies)
        plan = Plan(strategies=merging.plan, dtmf_s=dtmf_seconds(options.dtmf))
        if dialer_of is not None:
            dialer = dialer_of(legs, options)
        dialing = Dial(legs, dialer or SipDialer(legs.api, options), options, place)
        briefing = Briefing(legs, consult or ConsultOptions(), lambda: self._transfer.state)
        self._signals = Signals(legs, dialing)
        self._line = LiveKitLine(
            legs,
            hold=Hold(legs, hold_audio),
            dial=dialing,
            briefing=briefing,
            consult=Consult(legs, briefing, self._signals, place),
            merge=merging,
            signals=self._signals,
        )
        self._transfer = Transfer(self.id, policy=policy, plan=plan)
        self._runner = Runner(self._transfer, self._line, journal=journal, hooks=hooks)

    @property
    def state(self) -> State:
        """Where the transfer stands."""
        return self._transfer.state

    @property
    def outcome(self) -> TransferOutcome | None:
        """How it ended, once that is decided."""
        return self._transfer.outcome

    @property
    def human_identity(self) -> str:
        """The identity of the human's leg."""
        return self._legs.human_identity

    @property
    def closed(self) -> bool:
        """Whether nothing is left of the transfer."""
        return self._runner.closed

    def start(self) -> None:
        """Ask for the transfer: the caller's input is off when this returns."""
        self._signals.look_at_caller()
        self._runner.post_now(Event(On.TRANSFER_REQUESTED))

    async def discard(self) -> None:
        """Let go of an engine that is not to be started."""
        await self._line.aclose()

    def post(self, event: Event) -> None:
        """Put an event into the transfer's inbox."""
        self._runner.post(event)

    def take(self, event: Event) -> bool:
        """Post an event and take it at once; True if a row was taken for it."""
        return self._runner.post_now(event)

    def accept(self, via: str = "app") -> bool:
        """Accept on the human's behalf; True if the transfer took it."""
        return self.take(Event(On.APP_ACCEPTED, Facts(via=via)))

    def decline(self, reason: str) -> bool:
        """Decline on the human's behalf; True if the transfer took it."""
        return self.take(Event(On.APP_DECLINED, Facts(via="app", words=reason)))

    def cancel(self, reason: str) -> bool:
        """Cancel; True if the transfer took it. While merging, a merge that succeeds wins."""
        return self.take(Event(On.APP_CANCELLED, Facts(via="app", detail=reason)))

    async def wait_resumed(self) -> None:
        """Return when the caller's input and output are as the outcome wants them."""
        await self._runner.wait_returned(Do.RESUME_CALLER, Do.RESUME_OUTPUT)

    async def wait_closed(self) -> None:
        """Return when the transfer is final and nothing of it is left."""
        await self._runner.wait_closed()


class _Borrowed:
    """A client that belongs to the application and is left open."""

    def __init__(self, client: Any) -> None:
        self.room = client.room
        self.sip = client.sip

    async def aclose(self) -> None:
        """Leave it open."""
