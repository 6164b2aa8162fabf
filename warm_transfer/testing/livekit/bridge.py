"""A call of the SIP service to itself, which joins two rooms (facts A.4).

One end is the leg that was asked for, in the given room. The other comes out where the dispatch
rule says. What an end hears in its room is said by the other one in the other room: everything.
"""

from __future__ import annotations

from livekit import api, rtc

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.phones import At, Call, Phone
from warm_transfer.testing.livekit.server import Member, Refused, Track, tag_of
from warm_transfer.testing.livekit.trunks import Inbound, NotLetIn
from warm_transfer.testing.livekit.world import World

__all__ = ["Bridge"]

Reason = rtc.DisconnectReason
SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
_NOBODY = Phone(rings_after_s=None, answers_after_s=None, voice="")
_WRONG_PASSWORD, _NOT_AVAILABLE = 407, 480

KEYS_MAX = 256
"""Two bridges between the same rooms pass a key on for ever; here they do so this often."""


class _Wire:
    """One direction: what is heard at one end is what the other one says, a little later."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._delay_s = world.lag(latency.BRIDGE_ONE_WAY_S)
        self._mix: frozenset[str] = frozenset()
        self._said = ""
        self._said_at_s = 0.0
        self._track: Track | None = None

    def hear(self, mix: frozenset[str]) -> None:
        """From now on exactly this is heard."""
        self._mix = mix
        self._say()

    def lead_to(self, track: Track | None) -> None:
        """From now on it is carried."""
        self._track = track
        self._say()

    def _say(self) -> None:
        tag = tag_of(self._mix)
        if self._track is None or tag == self._said:
            return
        self._said = tag
        # In the order in which it was heard, also what was heard in one instant.
        at_s = max(self._world.now_s + self._delay_s, self._said_at_s + 1e-6)
        self._said_at_s = at_s
        self._world.loop.call_at(at_s, self._world.set_tag, self._track, tag)


class Bridge(Call):
    """One call: a leg at each end and nobody between.

    Args:
        world: the server.
        request: what ``CreateSIPParticipant`` was asked, over a trunk to the service itself.
    """

    name = "bridge"

    def __init__(self, world: World, request: api.CreateSIPParticipantRequest) -> None:
        super().__init__(world, request, _NOBODY, None)
        self.end: Member | None = None
        """The end that comes out where the dispatch rule says."""
        self._end_track: Track | None = None
        self._there, self._back = _Wire(world), _Wire(world)
        self._limit_s = 0.0
        self._keys = 0

    # The way up.

    def _joined(self, leg: Member) -> None:
        leg.on_mix = self._there.hear
        leg.on_digit = lambda digit: self._pass_on(self.end, digit)

    def _reach(self) -> None:
        self._later(latency.BRIDGE_JOINS_S, self._arrive)

    def _arrive(self) -> None:
        request = self.request
        numbers = self.world.trunks.outbound[request.sip_trunk_id].numbers
        try:
            inbound = self.world.trunks.let_in(
                request.sip_trunk_id, request.sip_number or numbers[0], request.sip_call_to
            )
            self._come_out(inbound)
        except NotLetIn as not_let_in:
            self._stay_out(not_let_in.status)
        except Refused:
            # Not measured; livekit-sip answers what it cannot put into a room with an error.
            self._refuse(_NOT_AVAILABLE)

    def _stay_out(self, status: int | None) -> None:
        if status is None:
            # Dropped without a word.
            self._at(latency.INVITE_LIMIT_S, self._ring_out)
        elif status == _WRONG_PASSWORD:
            # Our own service asks again and gives up, without a SIP status (facts 5.3, 401/407).
            words = "max auth retry attempts reached for SIP invite"
            error = api.ServerError("failed_precondition", words, status=412)
            self._turn_away(Reason.USER_REJECTED, error)
        else:
            self._refuse(status)

    def _come_out(self, inbound: Inbound) -> None:
        status = {"sip.callID": self.world.number("SCL_"), "sip.callStatus": "ringing"}
        self.end = self.world.join(
            inbound.room,
            inbound.identity,
            kind=SIP,
            name=inbound.name,
            attributes={**inbound.attributes, **status},
        )
        self._limit_s = inbound.limit_s
        self.end.on_removed = self._end_removed
        self.end.on_mix = self._back.hear
        self.end.on_digit = lambda digit: self._pass_on(self.leg, digit)
        self._end_track = self.world.publish(self.end, self.end.identity)
        self._later(latency.BRIDGE_ANSWERS_S, self._answer_if_somebody_is_there)

    def _answer_if_somebody_is_there(self) -> None:
        """An inbound leg rings until it hears somebody, or another leg is there (facts)."""
        assert self.end is not None
        others = self.end.room.others(self.end)
        if any(other.tracks or other.kind == SIP for other in others):
            self._answer()
        else:
            self._later(latency.BRIDGE_LOOKS_S, self._answer_if_somebody_is_there)

    def _talk(self) -> None:
        assert self.end is not None
        active = {"sip.callStatus": "active", "sip.callIDFull": f"{self.id}@sim"}
        self.world.set_own_attributes(self.end, active)
        self._at(self._limit_s or None, self._bye, Reason.CLIENT_INITIATED, "hangup")
        self._later(latency.BRIDGE_CARRIES_S, self._carry)

    def _carry(self) -> None:
        self._there.lead_to(self._end_track)
        self._back.lead_to(self.track)

    def _pass_on(self, to: Member | None, digit: str) -> None:
        if self.at is At.TALKING and to is not None and self._keys < KEYS_MAX:
            self._keys += 1
            self.world.after(latency.BRIDGE_ONE_WAY_S, self.world.press, to, digit)

    # The way down: whichever end goes, the other one follows.

    def _done(self) -> None:
        if self.end is not None:
            self.world.set_own_attributes(self.end, {"sip.callStatus": "hangup"})
            self.world.leave(self.end, Reason.CLIENT_INITIATED)

    def _end_removed(self, reason: int) -> None:
        del reason
        if not self._over:
            self.world.after(latency.WIRE_S, self._follow_the_end)

    def _follow_the_end(self) -> None:
        if self._over:
            return
        if self._answered:
            self._bye(Reason.CLIENT_INITIATED, "hangup")
        else:
            self._refuse(_NOT_AVAILABLE)
