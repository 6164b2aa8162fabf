"""The caller's session: who the caller is, which transfer it has, and when it closes."""

from __future__ import annotations

import asyncio
import weakref
from typing import Any

from livekit.agents import AgentSession
from livekit.agents.job import DEFAULT_PARTICIPANT_KINDS

from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Event, On
from warm_transfer.livekit.compat import deletes_room_on_close
from warm_transfer.livekit.engine import Engine
from warm_transfer.livekit.result import CallerMissing, SessionBusy
from warm_transfer.ports import Post

__all__ = [
    "SessionWatch",
    "caller_of",
    "claim",
    "refuse_room_deletion",
    "refuse_second",
    "release",
]


#: The transfer each session has; a second one would ring a second human.
_BUSY: weakref.WeakKeyDictionary[AgentSession[Any], Engine]
_BUSY = weakref.WeakKeyDictionary()


def refuse_second(session: AgentSession[Any]) -> None:
    """Do nothing while the session has no transfer.

    Raises:
        SessionBusy: it has one; with its state.
    """
    first = _BUSY.get(session)
    if first is not None:
        raise SessionBusy(first.id, first.state)


def claim(session: AgentSession[Any], engine: Engine) -> None:
    """From here on the session has this transfer."""
    _BUSY[session] = engine


def release(session: AgentSession[Any], engine: Engine) -> None:
    """The session may have another transfer; safe to repeat, and when it has one already."""
    if _BUSY.get(session) is engine:
        del _BUSY[session]


def caller_of(session: AgentSession[Any]) -> tuple[Any, str]:
    """The room and the identity of the one participant the session is linked to.

    Raises:
        CallerMissing: it is linked to nobody.
    """
    try:
        room_io = session.room_io
    except RuntimeError:
        raise CallerMissing(0) from None
    linked = room_io.linked_participant
    if linked is not None:
        return room_io.room, linked.identity
    present = room_io.room.remote_participants.values()
    raise CallerMissing(sum(each.kind in DEFAULT_PARTICIPANT_KINDS for each in present))


def refuse_room_deletion(session: AgentSession[Any]) -> None:
    """Do nothing if the room outlives the session, so that the agent can leave the two in it.

    Raises:
        InvalidArgument: the session deletes its room when it closes.
    """
    if deletes_room_on_close(session):
        raise InvalidArgument(
            "after_merge",
            'is "leave", but the session was started with `delete_room_on_close`',
            "start it without, or the agent's leaving hangs up both",
        )


class SessionWatch:
    """Tells the engine when the caller's session closes, also after the await has returned."""

    def __init__(self, session: AgentSession[Any], post: Post) -> None:
        self._session = session
        self._post = post
        self._task: asyncio.Task[None] | None = None
        session.on("close", self._on_close)

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to the task that will close this watch."""
        self._task = task

    def close(self) -> None:
        """Stop listening."""
        self._session.off("close", self._on_close)

    def _on_close(self, _event: object) -> None:
        self._post(Event(On.SESSION_CLOSED))
