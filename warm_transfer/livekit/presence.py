"""Whether one participant of one room is there: who has really left, and who comes back.

A departure counts only while the room is connected: during the agent's own reconnect the SDK
reports people as gone who are still there. And it counts at once only if its reason says so: a
client or a leg that reconnects in full is gone and there again. In both cases the room is looked
at after a grace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc

from warm_transfer.livekit.faults import disconnect_reason
from warm_transfer.livekit.sdk import Participant, Room
from warm_transfer.policy import TransferPolicy

__all__ = ["Gone", "Presence"]

#: With these somebody may be back at once in a new session: without a reason after a full
#: reconnect (integration 5), or moved to another node (facts 4). Not put out by another of the
#: same identity: a leg that is dialled twice has been hung up, and rings again (facts A.0).
_MAY_RETURN = frozenset({None, "UNKNOWN_REASON", "MIGRATION"})

Gone = Callable[[str | None], None]


class Presence:
    """Watches one participant of one room, and the room itself.

    A guest is one who need not come: after a reconnect only one who has been there is missed.

    Args:
        room: the room, connected or about to be.
        identity: the participant's.
        gone: told when the participant has left, with LiveKit's reason.
        lost: told when our own connection to the room is lost for good.
        policy: for its graces.
        guest: whether the participant need not come.
    """

    def __init__(
        self,
        room: Room,
        identity: str,
        gone: Gone,
        lost: Gone,
        *,
        policy: TransferPolicy,
        guest: bool = False,
    ) -> None:
        self._room = room
        self._identity = identity
        self._gone = gone
        self._lost = lost
        self._policy = policy
        self._seen = not guest
        self._look_at: asyncio.TimerHandle | None = None
        self._listeners: list[tuple[str, Callable[..., None]]] = [
            ("participant_connected", self._on_joined),
            ("participant_disconnected", self._on_left),
            ("reconnected", self._on_reconnected),
            ("disconnected", self._on_lost),
        ]
        for event, listener in self._listeners:
            room.on(event, listener)

    def close(self) -> None:
        """Take the listeners away; safe to repeat."""
        if self._look_at is not None:
            self._look_at.cancel()
        for event, listener in self._listeners:
            self._room.off(event, listener)
        self._listeners = []

    def _on_joined(self, participant: Participant) -> None:
        if participant.identity == self._identity:
            self._seen = True

    def _on_left(self, participant: Participant) -> None:
        if participant.identity != self._identity:
            return
        if self._is_away:
            return
        reason = disconnect_reason(participant.disconnect_reason)
        if reason in _MAY_RETURN:
            self._look_after(self._policy.rejoin_grace_s, reason)
        else:
            self._gone(reason)

    def _on_reconnected(self) -> None:
        self._look_after(self._policy.reconnect_grace_s, None)

    def _look_after(self, seconds: float, reason: str | None) -> None:
        loop = asyncio.get_running_loop()
        at_s = loop.time() + seconds
        before = self._look_at
        if before is not None and not before.cancelled():
            # Whoever has the longer grace keeps it.
            at_s = max(at_s, before.when())
            before.cancel()
        self._look_at = loop.call_at(at_s, self._look, reason)

    @property
    def _is_away(self) -> bool:
        """Whether we are reconnecting and see nobody; `_on_reconnected` has them looked for."""
        return self._room.connection_state == rtc.ConnectionState.CONN_RECONNECTING

    def _look(self, reason: str | None) -> None:
        if self._is_away or not self._room.isconnected():
            return
        if self._identity in self._room.remote_participants:
            self._seen = True
        elif self._seen:
            self._gone(reason)

    def _on_lost(self, reason: int | None = None) -> None:
        self._lost(disconnect_reason(reason))
