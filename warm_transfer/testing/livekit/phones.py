"""Scripted phones behind the SIP API, and the call that rings one (facts, timeline of a dial)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from livekit import api, rtc

from warm_transfer.errors import InvalidArgument
from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.leg_errors import (
    Service,
    leg_reason,
    ring_timeout,
    sip_refusal,
    stopped_reason,
    unanswered_reason,
)
from warm_transfer.testing.livekit.server import Member, Refused, Track
from warm_transfer.testing.livekit.world import World

__all__ = ["At", "Call", "Phone"]

Reason = rtc.DisconnectReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """What a phone does when it is called. Times count from the INVITE unless said otherwise."""

    rings_after_s: float | None = 0.01
    """When it says that it rings (180); None: never."""
    answers_after_s: float | None = 4.0
    """When it answers; None: never."""
    refuses_with: int | None = None
    """The SIP status with which it refuses."""
    refuses_after_s: float = 1.0
    hangs_up_after_s: float | None = None
    """Seconds after its answer until it hangs up."""
    answers_on_cancel: bool = False
    """Its answer crosses our CANCEL on the wire."""
    loses_media_after_s: float | None = None
    """Seconds after its answer until the server misses its sound and drops the leg."""
    service_stops_after_s: float | None = None
    """Seconds after its answer until the SIP service shuts down, which drops the leg."""
    service: Service = "measured"
    """Which livekit-sip says why the leg leaves."""
    voice: str = "human"
    """What its track sounds like once it has answered; empty for a phone that sends nothing."""
    request_lost_after_s: float | None = None
    """The connection of the dialling request breaks then; the phone rings on."""
    request_hangs: bool = False
    """The dialling request gets no answer, so that the client's own timeout ends it."""

    def __post_init__(self) -> None:
        for name in ("rings_after_s", "answers_after_s", "refuses_after_s", "hangs_up_after_s"):
            value = getattr(self, name)
            if value is not None and value < 0:
                raise InvalidArgument(name, f"is {value!r}", "give seconds from 0 on")
        status = self.refuses_with
        if status is not None and not 300 <= status <= 699:  # noqa: PLR2004 - RFC 3261 section 21
            raise InvalidArgument("refuses_with", f"is {status!r}", "give a SIP status, 300 to 699")


class At(StrEnum):
    """Where a call stands, as the phone sees it."""

    NOT_CALLED = "not called"
    CALLED = "called"
    RINGING = "ringing"
    TALKING = "talking"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    OVER = "over"


_OVER = (At.OVER, At.CANCELLED, At.REFUSED)


class Call:
    """One outbound SIP call: the leg in the room at one end, the phone at the other.

    Args:
        world: the server.
        request: what ``CreateSIPParticipant`` was asked.
        phone: what the phone does.
        ear: the name of the phone's owner in the hearing log; None for nobody.
    """

    name = "phone"

    def __init__(
        self, world: World, request: api.CreateSIPParticipantRequest, phone: Phone, ear: str | None
    ) -> None:
        self.world = world
        self.request = request
        self.phone = phone
        self.ear = ear
        self.id = world.number("SCL_")
        self.at = At.NOT_CALLED
        self.log: list[tuple[float, At]] = []
        """When the phone saw what."""
        self.leg: Member | None = None
        self.track: Track | None = None
        self.result: asyncio.Future[api.SIPParticipantInfo] = world.loop.create_future()
        # A request that nobody waits for any more must not be reported as forgotten.
        self.result.add_done_callback(_look_at)
        self._answered = False
        self._over = False
        self._timers: list[asyncio.TimerHandle] = []
        world.ledger.called(self)
        self._later(latency.REGISTERED_S - latency.REQUEST_S, self._register)

    @property
    def busy(self) -> str:
        """The phone's state while it rings or talks, else empty."""
        busy = self.at in (At.CALLED, At.RINGING, At.TALKING)
        return f"{self.ear or self.name} {self.at}" if busy else ""

    def when(self, what: At) -> float | None:
        """When the phone first saw something; None if never."""
        return next((at_s for at_s, seen in self.log if seen is what), None)

    def hang_up(self) -> None:
        """The human hangs up (BYE), or refuses while it rings."""
        if self.at is At.TALKING:
            self._bye(Reason.CLIENT_INITIATED, status="hangup")
        elif self.at in (At.CALLED, At.RINGING):
            self._refuse(603)

    def press(self, digit: str) -> None:
        """The human presses a key, which the whole room is told (facts A.0)."""
        if self.at is At.TALKING and self.leg is not None:
            self.world.press(self.leg, digit)

    def start_over(self) -> None:
        """The server restarts: who waits for the answer waits no more, but the call goes on.

        What becomes of the leg: `World.restart`.
        """
        self._lose_request()

    # The way up.

    def _register(self) -> None:
        if self.world.down:
            # The SIP service calls nobody whose leg cannot join; `start_over` fails the request.
            self._over = True
            return
        request = self.request
        attributes = {
            **request.participant_attributes,
            "sip.callID": self.id,
            "sip.callStatus": "dialing",
            "sip.trunkID": request.sip_trunk_id,
        }
        if not request.hide_phone_number:
            attributes["sip.phoneNumber"] = request.sip_call_to
        try:
            self.leg = self.world.join(
                request.room_name,
                request.participant_identity,
                kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
                name=request.participant_name,
                ear=self.ear,
                attributes={key: value for key, value in attributes.items() if value},
                visible=False,
                hears=False,
            )
        except Refused as refused:
            self._fail(api.ServerError(refused.code, refused.message, status=refused.status))
            return
        self.leg.on_removed = self._removed
        self._joined(self.leg)
        self._later(latency.INVITED_S - latency.REGISTERED_S, self._invite)

    def _invite(self) -> None:
        self._see(At.CALLED)
        sent_s = latency.INVITED_S
        self._later(latency.LEG_SEEN_S - sent_s - 0.002, self._show)
        self._later(latency.LEG_TRACK_S - sent_s, self._publish)
        ring_s = self.request.ringing_timeout.ToTimedelta().total_seconds() or 180.0
        self._at(ring_s, self._ring_out)
        self._reach()
        if not self.request.wait_until_answered:
            self._succeed()

    def _joined(self, leg: Member) -> None:
        """The leg is in the room. For what is no phone."""

    def _reach(self) -> None:
        """The INVITE is at the phone, which does as it is told."""
        phone = self.phone
        self._at(phone.rings_after_s, self._ring)
        if phone.refuses_with is not None:
            self._at(phone.refuses_after_s, self._refuse, phone.refuses_with)
        else:
            self._at(phone.answers_after_s, self._answer)
        if phone.request_lost_after_s is not None:
            self._at(phone.request_lost_after_s, self._lose_request)

    def _show(self) -> None:
        if self.leg is not None:
            self.world.show(self.leg)

    def _publish(self) -> None:
        # Before the answer already, without sound (facts A.0).
        if self.leg is not None and self.leg.joined and self.track is None:
            self.track = self.world.publish(self.leg, self.leg.identity)

    def _ring(self) -> None:
        if self.at is At.CALLED:
            self._see(At.RINGING)
            self._later(latency.RINGING_SEEN_S, self._status, "ringing")

    def _answer(self) -> None:
        """200: the phone is on the line; the room knows a little later."""
        self._answered = True
        self._see(At.TALKING)
        self._stop_timers()
        self._publish()
        self._show()
        keys_s = _key_tones_s(self.request.dtmf)
        if keys_s:
            self._later(latency.ANSWER_SEEN_S, self._status, "automation")
        self._timers.append(
            self.world.loop.call_later(
                keys_s + self.world.lag(latency.ANSWER_SEEN_S), self._activate
            )
        )
        limit_s = self.request.max_call_duration.ToTimedelta().total_seconds()
        if limit_s:
            self._at(limit_s, self._bye, Reason.CLIENT_INITIATED, "hangup")
        self._at(self.phone.hangs_up_after_s, self._bye, Reason.CLIENT_INITIATED, "hangup")
        self._at(self.phone.loses_media_after_s, self._bye, Reason.UNKNOWN_REASON, "")
        stopped = stopped_reason(self.phone.service)
        self._at(self.phone.service_stops_after_s, self._bye, stopped, "")
        self._talk()

    def _talk(self) -> None:
        """Both ends are on the line. For what is no phone."""

    def _activate(self) -> None:
        assert self.leg is not None
        self.world.set_own_attributes(
            self.leg,
            {
                "sip.callStatus": "active",
                "sip.callIDFull": f"{self.id}@sim",
                "sip.callTag": f"tag-{self.id}",
            },
        )
        if self.track is not None:
            self.world.set_tag(self.track, self.phone.voice)
        self._later(latency.LEG_HEARS_S, self.world.start_hearing, self.leg)
        self._later(latency.NEWS_S, self._succeed)

    # The ways down.

    def _refuse(self, status: int) -> None:
        self._turn_away(leg_reason(status, self.phone.service), sip_refusal(status))

    def _turn_away(self, reason: int, error: Exception) -> None:
        self._end(At.REFUSED)
        # What refuses writes no status: the last one stands (facts 5.5).
        self._leave_later(latency.REFUSAL_SEEN_S, reason)
        self.world.after(latency.REFUSAL_TOLD_S, self._fail, error)

    def _ring_out(self) -> None:
        reason = unanswered_reason(self.phone.service, rang=self.at is At.RINGING)
        self._end(At.CANCELLED)
        self._leave_later(latency.REFUSAL_SEEN_S, reason)
        self.world.after(latency.REFUSAL_TOLD_S, self._fail, ring_timeout())

    def _bye(self, reason: int, status: str) -> None:
        """The call ends from the phone's side or by a limit."""
        if self._over or self.leg is None:
            return
        self._end(At.OVER)
        if status:
            self._status(status)
        self._leave_later(0.0, reason)
        self._fail(ring_timeout())

    def _removed(self, reason: int) -> None:
        """The server has taken the leg out: CANCEL while ringing, BYE when answered."""
        del reason
        if self._over:
            return
        self._over = True
        self._stop_timers()
        if self.at is At.NOT_CALLED:
            # The INVITE is never sent; the request learns of it late (integration 7).
            error = api.ServerError(
                "internal", "update room failed: could not connect after timeout", status=500
            )
            self.world.after(latency.JOIN_CUT_S, self._fail, error)
            return
        if self._answered:
            self.world.after(latency.WIRE_S, self._see, At.OVER)
        else:
            self.world.after(latency.WIRE_S, self._cancelled)
        self.world.after(latency.CANCEL_TOLD_S, self._fail, ring_timeout())

    def _cancelled(self) -> None:
        if self.phone.answers_on_cancel:
            # ACK, then BYE: the human hears a click (facts A.0, glare).
            self._see(At.TALKING)
            self.world.after(0.001, self._see, At.OVER)
        else:
            self._see(At.CANCELLED)

    def _lose_request(self) -> None:
        if not self.result.done():
            self.result.set_exception(ConnectionResetError("connection lost"))

    # Helpers.

    def _end(self, how: At) -> None:
        self._over = True
        self._stop_timers()
        self._see(how)

    def _leave_later(self, seconds: float, reason: int) -> None:
        if self.leg is not None:
            self.world.after(seconds, self.world.leave, self.leg, reason)

    def _see(self, what: At) -> None:
        self.at = what
        self.log.append((self.world.now_s, what))
        if what in _OVER:
            self._done()

    def _done(self) -> None:
        """The phone knows that the call is over. For what is no phone."""

    def _status(self, status: str) -> None:
        if (self.leg is not None and self.leg.attributes.get("sip.callStatus") != "active") or (
            self.leg is not None and status == "hangup"
        ):
            self.world.set_own_attributes(self.leg, {"sip.callStatus": status})

    def _succeed(self) -> None:
        if not self.result.done() and not self.phone.request_hangs:
            info = api.SIPParticipantInfo(
                participant_id=self.leg.sid if self.leg else "",
                participant_identity=self.request.participant_identity,
                room_name=self.request.room_name,
                sip_call_id=self.id,
            )
            self.result.set_result(info)

    def _fail(self, error: Exception) -> None:
        self._over = True
        if not self.result.done() and not self.phone.request_hangs:
            self.result.set_exception(error)

    def _later(self, seconds: float, what: Any, *args: Any) -> None:
        self._timers.append(self.world.after(seconds, what, *args))

    def _at(self, seconds: float | None, what: Any, *args: Any) -> None:
        """A time of the script, which does not vary."""
        if seconds is not None:
            self._timers.append(self.world.loop.call_later(seconds, what, *args))

    def _stop_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


def _key_tones_s(dtmf: str) -> float:
    return sum(latency.KEY_PAUSE_S if key == "w" else latency.KEY_TONE_S for key in dtmf)


def _look_at(result: asyncio.Future[api.SIPParticipantInfo]) -> None:
    if not result.cancelled():
        result.exception()
