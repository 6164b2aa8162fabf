"""The hooks by which subclasses of livekit-agents' own class ring the human another way.

``_setup_origination`` reads whom to ring, ``_originate_human_agent`` rings them. Their names,
arguments and attributes are those of livekit-agents 1.8, private as they are there, so that a
subclass written for that class works here. An override is a `Dialer` to the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Mapping
from typing import Protocol, cast

from livekit import api, rtc
from livekit.agents import NOT_GIVEN, NotGivenOr
from livekit.agents.utils import is_given

from warm_transfer.dialable import number_from_environment
from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Facts
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.dialhook import Last
from warm_transfer.livekit.faults import refusal
from warm_transfer.livekit.legs import Legs, look_away
from warm_transfer.livekit.options import deprecated
from warm_transfer.livekit.sip import SipDialer
from warm_transfer.ports import Dialer, DialRefused, DialRequest

__all__ = ["Originate", "Origination", "OverrideDialer"]

#: Overrides that nothing here would call, with what to do instead. To ignore them silently would
#: leave an application without what it relies on.
_NEVER_CALLED: Mapping[str, str] = {
    "_dial_human_agent": "override `_originate_human_agent`, or give `on_dial_request=`",
    "_format_conversation_history": "give `instructions=`, or a `chat_ctx=` of your own",
    "_merge_calls": "give a strategy as `merge=`",
    "_on_caller_participant_disconnected": "set `TransferPolicy.on_human_left`",
    "_on_human_agent_room_close": "give `on_state_change=`",
    "_set_io_enabled": "give `on_state_change=`",
    "_set_result": "give `on_state_change=`",
}


class Originate(Protocol):
    """``_originate_human_agent``: ring, and return when the human has answered."""

    def __call__(self, *, room_name: str, identity: str, room: rtc.Room) -> Awaitable[None]:
        """Ring the human into a room, as an identity."""
        ...


class Origination:
    """Whom to ring and how, as livekit-agents' own class keeps it.

    The attributes are what ``_setup_origination`` leaves for the rest; a subclass may set them.
    """

    _sip_call_to: str = ""
    _sip_trunk_id: str | None = None
    _sip_connection: api.SIPOutboundConfig | None = None
    _sip_number: str = ""
    _sip_headers: Mapping[str, str] = {}
    _dtmf: str | None = None
    _override: OverrideDialer | None = None

    def _setup_origination(
        self,
        *,
        sip_call_to: NotGivenOr[str] = NOT_GIVEN,
        sip_trunk_id: NotGivenOr[str | None] = NOT_GIVEN,
        sip_connection: NotGivenOr[api.SIPOutboundConfig] = NOT_GIVEN,
        sip_number: NotGivenOr[str | None] = NOT_GIVEN,
        sip_headers: NotGivenOr[dict[str, str]] = NOT_GIVEN,
        dtmf: NotGivenOr[str | None] = NOT_GIVEN,
        target_phone_number: NotGivenOr[str] = NOT_GIVEN,
    ) -> None:
        """Read the arguments; what is not given comes from the environment."""
        if target_phone_number:
            deprecated("`target_phone_number` is deprecated, use `sip_call_to` instead")
        self._sip_call_to = sip_call_to or target_phone_number or ""
        self._sip_connection = sip_connection or None
        if is_given(sip_trunk_id):
            self._sip_trunk_id = sip_trunk_id
        elif self._sip_connection is None:
            # Beside an inline trunk, that of the environment is not meant.
            self._sip_trunk_id = os.getenv("LIVEKIT_SIP_OUTBOUND_TRUNK")
        number = sip_number if is_given(sip_number) else number_from_environment(os.environ)
        # An application passes ``os.getenv(...)`` on, which is None where nothing is set.
        self._sip_number = "" if number is None else number
        self._sip_headers = sip_headers if is_given(sip_headers) and sip_headers is not None else {}
        self._dtmf = dtmf if is_given(dtmf) else None

    async def _originate_human_agent(
        self, *, room_name: str, identity: str, room: rtc.Room
    ) -> None:
        """Ring the human and return when they have answered; here by LiveKit's SIP API.

        An override may call this as well. It is cancelled when the transfer gives the dial up.

        Raises:
            DialRefused: nobody is being rung; so do the API's errors that say so.
            Exception: anything else counts as uncertain: the phone may be ringing.
        """
        del room
        assert self._override is not None, "called by the library, once for each attempt"
        await self._override.by_sip(room_name, identity)

    @classmethod
    def _rings_itself(cls) -> bool:
        """Whether a subclass rings the human by other means."""
        return cls._originate_human_agent is not Origination._originate_human_agent

    @classmethod
    def _refuse_what_is_never_called(cls) -> None:
        """Raise `InvalidArgument` for overrides that would be without effect."""
        for name, remedy in _NEVER_CALLED.items():
            if hasattr(cls, name):
                problem = f"is overridden in {cls.__name__}, but nothing would call it"
                raise InvalidArgument(name, problem, remedy)

    def _dialer_of(
        self, legs: Legs, options: DialOptions, given: Dialer | None, last: Last | None
    ) -> Dialer:
        """Who rings the human: the given dialer, an override, or LiveKit's SIP API."""
        if given is not None:
            return given
        sip = SipDialer(legs.api, options, last)
        if not self._rings_itself():
            return sip
        self._override = OverrideDialer(self._originate_human_agent, sip, legs)
        return self._override


class OverrideDialer:
    """The `Dialer` port on an override of ``_originate_human_agent``.

    Args:
        originate: the override.
        sip: what the overridden method does.
        legs: for the room, which the override is given when the agent has joined it.
    """

    def __init__(self, originate: Originate, sip: SipDialer, legs: Legs) -> None:
        self._originate = originate
        self._sip = sip
        self._legs = legs
        self._request: DialRequest | None = None
        self._work: asyncio.Task[None] | None = None
        self._posted: asyncio.Task[None] | None = None
        self._given_up: DialRequest | None = None

    async def dial(self, request: DialRequest) -> None:
        """Run the override within the time that the request has."""
        if self._given_up is request:
            raise DialRefused(Facts(detail="given up before it was begun"))
        self._request, self._posted = request, None
        loop = asyncio.get_running_loop()
        self._work = loop.create_task(self._run(request), name="warm-transfer origination")
        self._work.add_done_callback(look_away)
        try:
            done, _ = await asyncio.wait([self._work], timeout=request.timeout_s)
            if not done:
                await self._cut_off(self._work)
            if self._posted is not None:
                # It ends by itself, whatever became of the override; until then the phone rings.
                await asyncio.wait([self._posted])
        except asyncio.CancelledError:
            for each in (self._work, self._posted):
                if each is not None:
                    each.cancel()
            raise
        _raise_as_a_dialer(self._work)

    async def hang_up(self, request: DialRequest) -> None:
        """Cancel the override, once: its own cleaning up must not be cut off by a repetition."""
        await self._sip.hang_up(request)
        if self._given_up is not request:
            self._given_up = request
            if self._work is not None:
                self._work.cancel()

    async def by_sip(self, room_name: str, identity: str) -> None:
        """Dial by LiveKit's SIP API, for an override that calls what it overrides."""
        request = self._request
        assert request is not None
        if (room_name, identity) != (request.room, request.identity):
            problem = "passes another room or identity on"
            remedy = "pass `room_name` and `identity` on as they are: the leg is watched by them"
            cause = InvalidArgument("_originate_human_agent", problem, remedy)
            raise DialRefused(Facts(detail=str(cause), cause=cause))
        self._posted = asyncio.ensure_future(self._sip.dial(request))
        self._posted.add_done_callback(look_away)
        # The request itself is never cancelled: the phone would ring on.
        await asyncio.shield(self._posted)

    async def _run(self, request: DialRequest) -> None:
        await self._legs.consult_joined.wait()
        room = cast("rtc.Room", self._legs.consult_room)
        await self._originate(room_name=request.room, identity=request.identity, room=room)

    async def _cut_off(self, work: asyncio.Task[None]) -> None:
        work.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._legs.policy.api_timeout_s):
                await asyncio.wait([work])


def _raise_as_a_dialer(work: asyncio.Task[None]) -> None:
    """Raise what the override raised, as a `Dialer` raises it."""
    if not work.done() or work.cancelled():
        # Cut off at its limit, or by the hang-up: what it had begun is not known.
        raise TimeoutError("the origination was cut off")
    error = work.exception()
    if error is None:
        return
    refused = refusal(error) if isinstance(error, Exception) else None
    if refused is None:
        raise error
    raise refused from error
