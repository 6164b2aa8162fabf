"""Data in the simulated world: key tones and packets, sent to everybody in a room or to some.

A key that is pressed at any SIP leg is a packet to the whole room, and every other leg plays it to
its phone (facts A.0). Gates do not touch it: subscriptions are for tracks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from warm_transfer.errors import InvalidArgument
from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.server import Member
from warm_transfer.testing.livekit.tracks import Tracks

__all__ = ["Packets", "Received"]

KEYS = "0123456789*#ABCD"
"""In the order of their codes (RFC 4733, section 3.2)."""


@dataclass(frozen=True, slots=True)
class Received:
    """Something that has reached somebody who is listened to."""

    at_s: float
    listener: str
    """Who: ``"caller"``, ``"human"``."""
    identity: str
    """The participant that received it."""
    digit: str = ""
    """A key, played to a phone or told to a client."""
    data: bytes = b""
    """A packet of an application."""


class Packets(Tracks):
    """Packets of data.

    Args:
        seed: see `Timeline`.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed)
        self.received: list[Received] = []
        """What has reached the listeners so far, in order."""

    def digits_at(self, who: str) -> str:
        """The keys that somebody has received; `who` is a listener or an identity."""
        return "".join(
            each.digit for each in self.received if who in (each.listener, each.identity)
        )

    def data_at(self, who: str) -> tuple[bytes, ...]:
        """The packets that a listener's client has received."""
        return tuple(
            each.data
            for each in self.received
            if each.data and who in (each.listener, each.identity)
        )

    def press(self, member: Member, digit: str) -> None:
        """Somebody presses a key at the phone of a leg.

        Raises:
            InvalidArgument: there is no such key.
        """
        if len(digit) != 1 or digit not in KEYS:
            raise InvalidArgument("digit", f"is {digit!r}", f"give one of {KEYS}")
        self.send_digit(member, KEYS.index(digit), digit)

    def send_digit(self, sender: Member, code: int, digit: str) -> None:
        """Tell the whole room of a key."""
        for other in self._reached_by(sender, ()):
            if other.client is not None:
                self.tell(other, latency.NEWS_S, other.client.digit_received, sender, code, digit)
            self.after(latency.NEWS_S, self._take_digit, other, digit)

    def send_data(
        self,
        sender: Member,
        data: bytes,
        *,
        reliable: bool = True,
        to: Collection[str] = (),
        topic: str = "",
    ) -> None:
        """Send a packet to everybody, or to the identities in `to`."""
        for other in self._reached_by(sender, to):
            if other.client is not None:
                client = other.client
                self.tell(
                    other, latency.NEWS_S, client.data_received, sender, data, reliable, topic
                )
            # livekit-sip takes key tones only (``pkg/sip/room.go``, OnDataPacket).
            if not other.asks:
                self.after(latency.NEWS_S, self._take, other, Received(0.0, "", "", data=data))

    def _reached_by(self, sender: Member, to: Collection[str]) -> Iterator[Member]:
        if not sender.joined or not sender.can_publish_data:
            return
        for other in sender.room.others(sender):
            if not to or other.identity in to:
                yield other

    def _take_digit(self, member: Member, digit: str) -> None:
        # Before the answer a leg has no phone to play it to.
        if not member.joined or (member.asks and not member.hears):
            return
        if member.on_digit is not None:
            member.on_digit(digit)
        self._take(member, Received(0.0, "", "", digit=digit))

    def _take(self, member: Member, what: Received) -> None:
        if member.ear is not None and member.joined:
            self.received.append(
                Received(self.now_s, member.ear, member.identity, what.digit, what.data)
            )
