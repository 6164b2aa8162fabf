"""Dialling the human and hanging up: exactly one end to each attempt, and no phone rings on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from livekit import api

from warm_transfer.dialable import (
    check_destination,
    check_dtmf,
    check_headers,
    check_number,
    dtmf_seconds,
)
from warm_transfer.effects import Effect
from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.faults import facts_of
from warm_transfer.livekit.legs import Doubt, Legs
from warm_transfer.livekit.naming import check_attributes, check_name
from warm_transfer.livekit.places import OwnRoom, Place
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Dialer, DialRefused, DialRequest, Work

__all__ = ["HUMAN_NAME", "Dial", "DialOptions"]

HUMAN_NAME = "human agent"
"""The display name of the human's leg unless the application gives another."""

#: How often a hang-up is repeated while the dialling request has not ended: in its first
#: milliseconds the server answers "not found" and the phone rings on.
_SWEEP_S = 0.05
_SWEEP_SLOW_S = 0.5
_SWEEP_FAST_TURNS = 40

#: The order of livekit-sip's call states; after a server restart they are reported from the
#: beginning again, so only progress counts.
_PROGRESS = {"dialing": 1, "ringing": 2, "automation": 3, "active": 4, "hangup": 5}


@dataclass(frozen=True, slots=True, kw_only=True)
class DialOptions:
    """Whom to dial and how, checked before anything is dialled.

    Raises (by `checked`):
        InvalidArgument: a value cannot be used.
    """

    destination: str
    """A phone number or a sip:, sips: or tel: URI. Personal data."""
    trunk_id: str | None = None
    """The outbound trunk at the server."""
    connection: api.SIPOutboundConfig | None = None
    """An inline trunk instead of `trunk_id`."""
    number: str = ""
    """The caller id to show; empty for the trunk's own."""
    headers: Mapping[str, str] = field(default_factory=dict)
    dtmf: str = ""
    name: str = HUMAN_NAME
    """The display name of the leg."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Participant attributes of the leg, beside ours."""

    def checked(
        self, policy: TransferPolicy, *, needs_trunk: bool, needs_destination: bool = True
    ) -> DialOptions:
        """The same options, every value checked.

        Args:
            policy: says what may be dialled and sent along.
            needs_trunk: whether LiveKit's SIP API is to ring the human.
            needs_destination: whether whoever rings the human has to be told whom.
        """
        if needs_trunk and not self.trunk_id and self.connection is None:
            raise InvalidArgument(
                "sip_trunk_id",
                "is missing",
                "give it, or `sip_connection`, or set LIVEKIT_SIP_OUTBOUND_TRUNK",
            )
        if not isinstance(self.trunk_id, str | None):
            problem = f"is {type(self.trunk_id).__name__}"
            raise InvalidArgument("sip_trunk_id", problem, "give the trunk's id as a string")
        if not isinstance(self.connection, api.SIPOutboundConfig | None):
            problem = f"is {type(self.connection).__name__}"
            raise InvalidArgument("sip_connection", problem, "give an api.SIPOutboundConfig")
        destination = self.destination
        if destination or needs_destination:
            destination = check_destination(destination, policy)
        return replace(
            self,
            destination=destination,
            number=check_number(self.number),
            headers=check_headers(self.headers, policy),
            dtmf=check_dtmf(self.dtmf),
            name=check_name(self.name),
            attributes=check_attributes(self.attributes),
        )

    def request(self, legs: Legs, attempt: int) -> DialRequest:
        """The request of one attempt."""
        policy = legs.policy
        ours = {"wt.id": legs.transfer_id, "wt.attempt": str(attempt), "wt.role": "human"}
        return DialRequest(
            room=legs.consult_name,
            identity=legs.human_identity,
            name=self.name,
            destination=self.destination,
            ring_timeout_s=policy.ring_timeout_s,
            call_limit_s=policy.call_limit_s,
            timeout_s=policy.ring_timeout_s + dtmf_seconds(self.dtmf) + policy.dial_margin_s,
            attempt=attempt,
            dtmf=self.dtmf,
            number=self.number,
            headers=self.headers,
            attributes={**self.attributes, **ours},
        )


class Dial:
    """DIAL_CONSULT and HANG_UP_CONSULT; exactly one terminal event for each attempt."""

    def __init__(
        self, legs: Legs, dialer: Dialer, options: DialOptions, place: Place | None = None
    ) -> None:
        self._legs = legs
        self._place = place or OwnRoom()
        self._dialer = dialer
        self._options = options
        self._request: DialRequest | None = None
        self._effect: Effect | None = None
        self._ended = asyncio.Event()
        self._begun = False
        self._cut_off = False
        self._doubt = Doubt()
        self._settled = False
        self._answered = False
        self._hung_up = False
        self._unanswered = False
        self._left: str | None = None
        self._progress = 0

    def dial(self, effect: Effect) -> Work:
        """Prepare the request; the returned work sends it."""
        self._effect = effect
        self._request = self._options.request(self._legs, effect.attempt)
        return self._dial(self._request)

    @property
    def _outstanding(self) -> bool:
        return self._request is not None and not self._ended.is_set()

    async def _dial(self, request: DialRequest) -> None:
        self._begun = True
        try:
            await self._dialer.dial(request)
        except DialRefused as refused:
            self._settle(On.CONSULT_REFUSED, refused.facts)
        except Exception as error:  # noqa: BLE001 - whatever it is, the phone may be ringing
            self._doubt.stands = True
            self._settle(On.DIAL_UNCERTAIN, facts_of(error))
        except asyncio.CancelledError:
            # Somebody cancels all tasks; what the server has begun goes on, and may yet ring.
            self._cut_off = True
            raise
        else:
            self._answer()
        finally:
            self._ended.set()

    # What the consult room tells about the leg.

    def leg_status(self, status: str) -> None:
        """Take the leg's ``sip.callStatus``; only progress counts."""
        progress = _PROGRESS.get(status, 0)
        if progress <= self._progress:
            return
        self._progress = progress
        if status == "ringing":
            self._post(On.CONSULT_RANG)
        elif status == "active":
            self._answer()

    async def leg_left(self, reason: str | None) -> None:
        """Take the leg's departure; unanswered, it waits a moment for the API to say why."""
        if self._answered:
            self._post(On.CONSULT_HUNG_UP, Facts(disconnect_reason=reason))
            return
        self._left = reason
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._legs.policy.refusal_grace_s):
                await self._ended.wait()
        if self._answered:
            self._post(On.CONSULT_HUNG_UP, Facts(disconnect_reason=reason))
        else:
            self._settle(On.CONSULT_REFUSED, Facts(disconnect_reason=reason))

    def _answer(self) -> None:
        if not self._answered:
            self._answered = True
            self._settle(On.CONSULT_ANSWERED)

    def _settle(self, name: On, facts: Facts | None = None) -> None:
        """Exactly one terminal event; the echo of our own hang-up is none."""
        late_answer = name is On.CONSULT_ANSWERED
        if self._settled or (self._hung_up and not late_answer):
            return
        self._settled = True
        if facts is not None and facts.disconnect_reason is None:
            # What the leg told goes with what the API tells a moment later.
            facts = replace(facts, disconnect_reason=self._left)
        self._post(name, facts)

    def _post(self, name: On, facts: Facts | None = None) -> None:
        assert self._effect is not None
        attempt, effect = self._effect.attempt, self._effect.id
        self._legs.post(Event(name, facts or Facts(), attempt=attempt, effect=effect))

    # Hanging up.

    async def hang_up(self) -> None:
        """Take the leg down, and go on until the dialling request has ended."""
        request = self._request
        if request is None:
            return
        if not self._hung_up:
            self._hung_up, self._unanswered = True, not self._answered
        self._doubt.begin(self._legs)
        turn = 0
        while self._outstanding:
            try:
                await self._sweep(request)
            except Exception as error:  # noqa: BLE001 - the phone may ring: go on until it cannot
                self._legs.log.warning("hang-up repeated", detail=type(error).__name__)
            await asyncio.sleep(_SWEEP_S if turn < _SWEEP_FAST_TURNS else _SWEEP_SLOW_S)
            turn += 1
            if not self._begun:
                # Cancelled before its first step: nothing was dialled, and nothing will be.
                self._ended.set()
        await self._doubt.remove(self._sweep(request))
        late = turn > 0 or self._cut_off
        await self._doubt.repeat(lambda: self._sweep(request), also=late)

    async def _sweep(self, request: DialRequest) -> None:
        try:
            async with asyncio.timeout(self._legs.policy.api_timeout_s):
                await self._dialer.hang_up(request)
        finally:
            # Also behind a dialer that fails: whom it has brought into a room is put out of it.
            await self._take_out(request)

    async def _take_out(self, request: DialRequest) -> None:
        legs = self._legs
        remove = legs.api.room.remove_participant
        rooms = [request.room]
        if not self._unanswered:
            # Whoever has answered may have been moved, also when the request has not ended yet.
            rooms.append(legs.caller_room.name)
        try:
            for room in dict.fromkeys(rooms):
                await legs.removed(remove(_who(request, room)))
        finally:
            # Behind an answer that was lost, too: the leg may be gone all the same.
            if self._outstanding or self._cut_off or self._unanswered:
                # A leg that comes late makes the room anew.
                await self._place.clear(legs)


def _who(request: DialRequest, room: str) -> api.RoomParticipantIdentity:
    return api.RoomParticipantIdentity(room=room, identity=request.identity)
