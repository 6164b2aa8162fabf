"""What the simulated server keeps: rooms, members and their tracks. Data, and what follows from it.

A *member* is a participant as the server sees it; the clients' views of it are in `rooms`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from livekit import rtc

__all__ = ["Client", "Member", "Refused", "ServerRoom", "Track"]

AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


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

    def track_closed(self, track: Track) -> None:
        """A track has been unpublished."""
        ...

    def track_muted(self, track: Track, muted: bool) -> None:
        """A track was muted or unmuted."""
        ...

    def own_track_heard(self, track: Track) -> None:
        """The first subscriber of an own track is there."""
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
    """Whether it has subscribed; a leg does so only after the answer."""
    can_subscribe: bool = True
    unsubscribed: set[str] = field(default_factory=set)
    joined: bool = True
    disconnect_reason: int | None = None
    on_removed: Callable[[int], None] | None = None
    """Told when the server has taken the member out, with the reason."""
    told_until_s: float = 0.0

    def mix(self) -> frozenset[str]:
        """Return the sounds of all others that reach this member.

        A leg mixes every track of its room (facts 0.1).
        """
        if not (self.joined and self.hears and self.can_subscribe):
            return frozenset()
        return frozenset(
            track.sound
            for other in self.room.members.values()
            if other is not self
            for track in other.tracks.values()
            if track.sound and track.sid not in self.unsubscribed
        )


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

    def others(self, member: Member) -> Iterator[Member]:
        """Everybody else who has a connection that is told things."""
        return (each for each in tuple(self.members.values()) if each is not member)

    @property
    def keeps_open(self) -> bool:
        """Whether somebody is here who is not an agent; agents alone do not keep a room."""
        return any(member.kind != AGENT for member in self.members.values())
