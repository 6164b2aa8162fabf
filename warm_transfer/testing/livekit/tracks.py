"""The simulated server's tracks: who is subscribed to which, and what everybody hears.

A member *asks* for tracks, and a while later they reach it, if nobody forbids it. Three things can:
the server's API takes a subscription away (``UpdateSubscriptions``) or the right to subscribe
(``UpdateParticipant``), and a publisher limits its own tracks (``SubscriptionPermission``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from livekit import rtc

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.ears import Ears, Heard
from warm_transfer.testing.livekit.server import Member, Permissions, ServerRoom, Track
from warm_transfer.testing.livekit.timeline import Timeline

__all__ = ["Tracks"]

MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE


class Tracks(Timeline):
    """Publications, subscriptions and sound.

    Args:
        seed: see `Timeline`.
    """

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(seed)
        self.ears = Ears()

    def heard(self, listener: str) -> tuple[Heard, ...]:
        """What a listener, such as ``"caller"``, has heard, by time."""
        return self.ears.heard(listener, self.now_s)

    # Publications.

    def publish(
        self, member: Member, name: str, *, source: int = MICROPHONE, tag: str = ""
    ) -> Track:
        """Publish a track; the others know at once and hear it a little later."""
        track = Track(self.number("TR_"), name, source, member, tag)
        member.tracks[track.sid] = track
        self._announce(track)
        return track

    def republish(self, track: Track) -> None:
        """Publish a track again under another sid: the publisher has a new session."""
        del track.member.tracks[track.sid]
        self._withdraw(track)
        track.sid = self.number("TR_")
        track.member.tracks[track.sid] = track
        track.cut = False
        self._announce(track)

    def unpublish(self, track: Track) -> None:
        """Take a track away."""
        if not track.live:
            return
        member = track.member
        member.tracks.pop(track.sid, None)
        self._silence(track)
        for other in member.room.others(member):
            if other.client is not None:
                self.tell(other, latency.NEWS_S, other.client.track_closed, track)
        self._refresh(member.room)

    def _announce(self, track: Track) -> None:
        """Tell the others of a track; it is heard when it has been subscribed."""
        legs: list[Member] = []
        subscribed_s = latency.NEWS_S + latency.SUBSCRIBE_S
        for other in track.member.room.others(track.member):
            if other.hears:
                if other.asks:
                    legs.append(other)
                else:
                    other.asked.add(track.sid)
            if other.client is not None:
                self.tell(other, latency.NEWS_S, other.client.track_published, track)
                self.tell(other, subscribed_s, self.follow, other, track)
        if legs:
            self.after(latency.NEWS_S + latency.ASK_S, self._asked_by, legs, track)
        self.after(subscribed_s, self._open, track)

    def _asked_by(self, legs: Iterable[Member], track: Track) -> None:
        for leg in legs:
            self._ask(leg, track)

    def _open(self, track: Track) -> None:
        if not track.live:
            return
        track.open = True
        for other in track.member.room.others(track.member):
            # A client has followed when it was told.
            if other.client is None:
                self.follow(other, track)
        self._heard_once(track)
        self.sounds(track)

    def _heard_once(self, track: Track) -> None:
        """Tell a publisher of its first subscriber."""
        client = track.member.client
        if track.heard_once or not track.open or client is None:
            return
        if any(track in other.receives for other in track.member.room.others(track.member)):
            track.heard_once = True
            self.tell(track.member, latency.NEWS_S, client.own_track_heard, track)

    # Subscriptions.

    def start_hearing(self, member: Member) -> None:
        """A member subscribes to everything in its room, and from now on to all that comes."""
        member.hears = True
        for other in member.room.others(member):
            for track in other.tracks.values():
                self._ask(member, track)

    def _ask(self, member: Member, track: Track) -> None:
        """A member subscribes to a track, also to one that was taken away from it."""
        member.asked.add(track.sid)
        if track.open:
            self.after(latency.SUBSCRIBE_S, self.follow, member, track)

    def gate(self, member: Member, sids: Collection[str], *, subscribe: bool) -> None:
        """Subscribe a member to tracks, or unsubscribe it (``UpdateSubscriptions``).

        Unsubscribing changes nothing where the member has not asked yet, and does not last: when
        it asks again, it gets the track (facts A.0).
        """
        change = member.asked.update if subscribe else member.asked.difference_update
        change(sids)
        for other in member.room.others(member):
            for track in other.tracks.values():
                if track.sid in sids:
                    self._settle(member, track)

    def allow_subscribing(self, member: Member, allowed: bool) -> None:
        """Let a member subscribe or not; what it has asked for stays asked for (facts A.0)."""
        member.can_subscribe = allowed
        for other in member.room.others(member):
            for track in other.tracks.values():
                self._settle(member, track)

    def permit(self, member: Member, permissions: Permissions | None) -> None:
        """Limit who may subscribe to a member's own tracks, those to come included."""
        member.permissions = permissions
        for track in member.tracks.values():
            for other in member.room.others(member):
                self._settle(other, track)

    def _settle(self, member: Member, track: Track) -> None:
        if member.may_receive(track) != (track in member.receives):
            self.after(latency.GATE_S, self.follow, member, track)

    def follow(self, member: Member, track: Track) -> None:
        """Let a track reach a member, or no more, as it is now wished and permitted."""
        may = member.may_receive(track)
        if may == (track in member.receives):
            return
        client = member.client
        if may:
            member.receives.add(track)
            if not track.heard_once:
                self._heard_once(track)
            if client is not None:
                client.track_opened(track)
        else:
            member.receives.discard(track)
            if client is not None:
                client.track_shut(track)
        self._refresh_one(member)

    def forget(self, member: Member) -> None:
        """The server knows nothing more of what a member asked for, set and received."""
        member.asked.clear()
        member.receives.clear()
        member.permissions = None
        self._refresh_one(member)

    # Sound.

    def mute(self, track: Track, muted: bool) -> None:
        """Mute or unmute a track."""
        if track.muted == muted or not track.live:
            return
        track.muted = muted
        for each in tuple(track.member.room.members.values()):
            if each.client is not None:
                self.tell(each, latency.NEWS_S, each.client.track_muted, track, muted)
        self.sounds(track)

    def set_tag(self, track: Track, tag: str) -> None:
        """Let a track carry another sound from now on."""
        if track.tag != tag:
            track.tag = tag
            if track.live:
                self.sounds(track)

    def cut(self, track: Track) -> None:
        """The connection of a track's publisher is down."""
        track.cut = True
        self.sounds(track)

    def sounds(self, track: Track) -> None:
        """The sound of a track has changed."""
        for tap in tuple(track.taps):
            tap()
        self._refresh(track.member.room)

    def _silence(self, track: Track) -> None:
        # No last frame either: a stream on an unpublished track just stops (integration 6).
        track.live = False
        self._withdraw(track)
        for tap in tuple(track.taps):
            tap()

    def _withdraw(self, track: Track) -> None:
        """A track reaches nobody any more."""
        track.open = False
        for other in track.member.room.others(track.member):
            other.receives.discard(track)

    def _refresh(self, room: ServerRoom) -> None:
        for member in room.members.values():
            self._refresh_one(member)

    def _refresh_one(self, member: Member) -> None:
        if member.ear is not None:
            self.ears.hear(member.ear, member.identity, member.mix(), self.now_s)
        if member.on_mix is not None:
            member.on_mix(member.mix())
