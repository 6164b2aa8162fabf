"""What is open in a simulated world, for the question what a transfer has left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Protocol

from warm_transfer.testing import clock
from warm_transfer.testing.livekit.server import ServerRoom

__all__ = ["Ledger", "Left", "tasks_beyond"]


@dataclass(frozen=True, slots=True)
class Left:
    """What is left behind; false when there is nothing."""

    rooms: tuple[str, ...] = ()
    participants: tuple[str, ...] = ()
    """As ``room/identity``."""
    tracks: tuple[str, ...] = ()
    """As ``room/identity/name``."""
    phones: tuple[str, ...] = ()
    """Phones that ring or are on the line."""
    listeners: tuple[str, ...] = ()
    """As ``room: event`` once for each listener."""
    open: tuple[str, ...] = ()
    """Sessions, players, streams, sources, clients and connections."""
    tasks: tuple[str, ...] = ()
    """Tasks of the event loop that have not ended."""

    def __bool__(self) -> bool:
        return any(getattr(self, each.name) for each in fields(self))

    def __str__(self) -> str:
        parts = [
            f"{each.name}: {', '.join(getattr(self, each.name))}"
            for each in fields(self)
            if getattr(self, each.name)
        ]
        return "; ".join(parts) or "nothing"


def tasks_beyond(before: set[asyncio.Task[Any]]) -> tuple[str, ...]:
    """The names of the running loop's tasks beyond some, but for the world's own."""
    names = sorted(each.get_name() for each in clock.tasks() - before)
    return tuple(each for each in names if not each.startswith("sim:"))


class Listens(Protocol):
    """A room whose listeners are counted."""

    def listeners(self) -> list[str]:
        """Every listener."""
        ...


class Rings(Protocol):
    """A call at a phone."""

    @property
    def busy(self) -> str:
        """The phone's state while it rings or talks, else empty."""
        ...


class Ledger:
    """Keeps count of what is open."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[object, str]] = {}
        self._rooms: list[Listens] = []
        self._calls: list[Rings] = []
        self._kept: Left = Left()

    def opened(self, thing: object, name: str) -> None:
        """Something that must be closed again has been opened."""
        self._open[id(thing)] = (thing, name)

    def closed(self, thing: object) -> None:
        """It has been closed; a second time changes nothing."""
        self._open.pop(id(thing), None)

    def connected(self, room: Listens) -> None:
        """A client's room has connected."""
        self._rooms.append(room)

    def disconnected(self, room: Listens) -> None:
        """A client's room is gone, and its listeners with it."""
        if room in self._rooms:
            self._rooms.remove(room)

    def called(self, call: Rings) -> None:
        """A phone is being called."""
        self._calls.append(call)

    def keep(self, rooms: Iterable[ServerRoom]) -> None:
        """What is open now does not count."""
        self._kept = self._all(rooms)

    def left(self, rooms: Iterable[ServerRoom]) -> Left:
        """What is open beyond that."""
        now = self._all(rooms)
        return Left(
            *(
                _beyond(getattr(now, each.name), getattr(self._kept, each.name))
                for each in fields(Left)
            )
        )

    def _all(self, rooms: Iterable[ServerRoom]) -> Left:
        rooms = list(rooms)
        members = [member for room in rooms for member in room.members.values()]
        return Left(
            rooms=tuple(room.name for room in rooms),
            participants=tuple(f"{each.room.name}/{each.identity}" for each in members),
            tracks=tuple(
                f"{each.room.name}/{each.identity}/{track.name}"
                for each in members
                for track in each.tracks.values()
            ),
            phones=tuple(call.busy for call in self._calls if call.busy),
            listeners=tuple(line for room in self._rooms for line in room.listeners()),
            open=tuple(name for _, name in self._open.values()),
        )


def _beyond(now: tuple[str, ...], before: tuple[str, ...]) -> tuple[str, ...]:
    rest = list(before)
    more: list[str] = []
    for each in now:
        if each in rest:
            rest.remove(each)
        else:
            more.append(each)
    return tuple(more)
