"""What the simulated server keeps: rooms, members and their tracks. Data, and what follows from it.

A *member* is a participant as the server sees it; the clients' views of it are in `rooms`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from livekit import rtc

__all__ = ["Client", "Member", "Permissions", "Refused", "ServerRoom", "Track", "tag_of"]

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
BOTH = "+"

Permissions = Mapping[str, frozenset[str] | None]
"""Who may subscribe to a publisher's tracks: the track sids by identity, None for all of them."""


def tag_of(sounds: Iterable[str]) -> str:
    """The tag of a track that carries several sounds at once, as a bridge does."""
    return BOTH.join(sorted(sounds))


class Refused(Exception):
    """The server refuses something, with the code of its API."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message


class Client(Protocol):
    """A member's own connection, which is told what happens in its room."""

    def member_joined(self, member: Member, attributes: dict[str, str]) -> None:
        """Somebody has joined."""
        ...

    def member_left(self, member: Member, reason: int) -> None:
        """Somebody has left."""
        ...

    def attributes_changed(
        self, member: Member, changed: dict[str, str], attributes: dict[str, str]
    ) -> None:
        """Somebody's attributes have changed."""
        ...

    def track_published(self, track: Track) -> None:
        """Somebody has published a track."""
        ...

    def track_opened(self, track: Track) -> None:
        """A track is subscribed from now on."""
        ...

    def track_shut(self, track: Track) -> None:
        """A track is not subscribed any more, but still published."""
        ...

    def track_closed(self, track: Track) -> None:
        """A track has been unpublished."""
        ...

    def track_muted(self, track: Track, muted: bool) -> None:
        """A track was muted or unmuted."""
        ...

    def own_track_heard(self, track: Track) -> None:
        """The first subscriber of an own track is there."""
        ...

    def digit_received(self, sender: Member, code: int, digit: str) -> None:
        """A key was pressed at a leg, or sent by a client."""
        ...

    def data_received(self, sender: Member, data: bytes, reliable: bool, topic: str) -> None:
        """A packet has come."""
        ...

    def moved(self, room: str) -> None:
        """The client itself is in another room now."""
        ...

    def removed(self, reason: int) -> None:
        """The server has put the client out."""
        ...


@dataclass(eq=False, slots=True)
class Track:
    """A published track, with the sound that it carries at this moment."""

    sid: str
    name: str
    source: int
    member: Member
    tag: str = ""
    muted: bool = False
    open: bool = False
    """Whether subscribers receive it: a while after it was published."""
    live: bool = True
    """Whether it is still published."""
    cut: bool = False
    """Whether its publisher's connection is down."""
    heard_once: bool = False
    taps: dict[Callable[[], None], None] = field(default_factory=dict)
    """Streams that are told when the sound changes."""

    @property
    def sound(self) -> str:
        """What a subscriber hears of it."""
        return self.tag if self.live and self.open and not self.muted and not self.cut else ""


@dataclass(eq=False, slots=True)
class Member:
    """A participant, as the server sees it."""

    sid: str
    identity: str
    name: str
    kind: int
    room: ServerRoom
    client: Client | None = None
    ear: str | None = None
    """Under which name the hearing log keeps what this member hears; None for nothing."""
    attributes: dict[str, str] = field(default_factory=dict)
    metadata: str = ""
    tracks: dict[str, Track] = field(default_factory=dict)
    visible: bool = True
    """Whether the others have been told; a leg is registered before that."""
    hears: bool = True
    """Whether it subscribes to everything; a leg does so only after the answer."""
    can_subscribe: bool = True
    can_update_metadata: bool = True
    """Whether it may write its own attributes; a leg that may not keeps its status (facts)."""
    can_publish_data: bool = True
    """Whether its key tones and packets are passed on."""
    asked: set[str] = field(default_factory=set)
    """The sids of the tracks that it is subscribed to, if it may be."""
    receives: set[Track] = field(default_factory=set)
    """The tracks that reach it: what it asked for and may have, a little later."""
    permissions: Permissions | None = None
    """Who may subscribe to its tracks; None for everybody."""
    joined: bool = True
    disconnect_reason: int | None = None
    on_removed: Callable[[int], None] | None = None
    """Told when the server has taken the member out, with the reason."""
    on_mix: Callable[[frozenset[str]], None] | None = None
    """Told what a bridge's end hears, to be carried to the other one."""
    on_digit: Callable[[str], None] | None = None
    """Told which key a leg plays to its phone."""
    told_until_s: float = 0.0
    first_status: str = field(init=False)
    """The ``sip.callStatus`` with which a leg was created."""

    def __post_init__(self) -> None:
        self.first_status = self.attributes.get("sip.callStatus", "")

    @property
    def asks(self) -> bool:
        """Whether it asks for each track itself, as livekit-sip does (facts 0.1).

        For others the server subscribes in the moment in which a track is published.
        """
        return self.kind == SIP

    def permits(self, identity: str, sid: str) -> bool:
        """Whether somebody may subscribe to one of its tracks."""
        if self.permissions is None:
            return True
        sids = self.permissions.get(identity, frozenset())
        return sids is None or sid in sids

    def may_receive(self, track: Track) -> bool:
        """Whether a track of the same room should reach this member, as the server sees it."""
        return (
            track.sid in self.asked
            and self.can_subscribe
            and self.joined
            and track.live
            and track.member.room is self.room
            and track.member.permits(self.identity, track.sid)
        )

    def mix(self) -> frozenset[str]:
        """Return the sounds of all others that reach this member.

        A leg mixes every track of its room (facts 0.1).
        """
        if not (self.joined and self.receives):
            return frozenset()
        found = frozenset([sound for track in self.receives if (sound := track.sound)])
        if BOTH in "".join(found):
            return frozenset(each for sound in found for each in sound.split(BOTH))
        return found


@dataclass(eq=False, slots=True)
class ServerRoom:
    """A room."""

    name: str
    sid: str
    members: dict[str, Member] = field(default_factory=dict)
    max_participants: int = 0
    empty_timeout_s: float = 0.0
    departure_timeout_s: float = 0.0
    open: bool = True
    closing: asyncio.TimerHandle | None = None

    def others(self, member: Member) -> list[Member]:
        """Everybody else who has a connection that is told things."""
        return [each for each in self.members.values() if each is not member]

    @property
    def keeps_open(self) -> bool:
        """Whether somebody is here who is not an agent; agents alone do not keep a room."""
        return any(member.kind != AGENT for member in self.members.values())
