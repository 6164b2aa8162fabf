"""What the rooms tell: departures, the leg's progress, lost rooms; each becomes an event.

Listeners are attached once and stay; the table says what an event means in a state.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from livekit import api, rtc

from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.dial import Dial
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.presence import Presence
from warm_transfer.livekit.sdk import Participant, Room

__all__ = ["ROLE", "Signals"]

STATUS = "sip.callStatus"
ROLE = "wt.role"
_ROOM_DELETED = rtc.DisconnectReason.Name(rtc.DisconnectReason.ROOM_DELETED)


class Signals:
    """Turns what both rooms tell into events."""

    def __init__(self, legs: Legs, dial: Dial) -> None:
        self._legs = legs
        self._dial = dial
        self._consult: Presence | None = None
        self._consult_room: Room | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._caller = Presence(
            legs.caller_room,
            legs.caller_identity,
            self._caller_left,
            self._caller_room_lost,
            policy=legs.policy,
        )
        # From the start: a merge may bring the human there, and somebody has to see them leave.
        self._guest = Presence(
            legs.caller_room,
            legs.human_identity,
            self._leg_left,
            lambda _: None,
            policy=legs.policy,
            guest=True,
        )

    def look_at_caller(self) -> None:
        """Say so if the caller is already gone."""
        room = self._legs.caller_room
        if not room.isconnected():
            self._caller_room_lost(None)
        elif self._legs.caller_identity not in room.remote_participants:
            self._caller_left(None)

    def watch_consult(self, room: Room) -> None:
        """Listen to the consult room; to be called before it is joined."""
        self._consult_room = room
        self._consult = Presence(
            room,
            self._legs.human_identity,
            self._leg_left_consult,
            self._consult_room_lost,
            policy=self._legs.policy,
        )
        room.on("participant_connected", self._on_joined)
        room.on("participant_attributes_changed", self._on_attributes)

    def look_at_consult(self) -> None:
        """Take note of who was in the consult room before us."""
        assert self._consult_room is not None
        for participant in list(self._consult_room.remote_participants.values()):
            self._on_joined(participant)

    def forget_consult(self) -> None:
        """Stop listening to the consult room; safe to repeat."""
        if self._consult is not None and self._consult_room is not None:
            self._consult.close()
            self._consult_room.off("participant_connected", self._on_joined)
            self._consult_room.off("participant_attributes_changed", self._on_attributes)
        self._consult = self._consult_room = None

    async def aclose(self) -> None:
        """Stop listening to everything."""
        self.forget_consult()
        self._caller.close()
        self._guest.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # The caller.

    def _caller_left(self, reason: str | None) -> None:
        self._legs.post(Event(On.CALLER_HUNG_UP, Facts(disconnect_reason=reason)))

    def _caller_room_lost(self, reason: str | None) -> None:
        self._legs.post(Event(On.CALLER_ROOM_LOST, Facts(disconnect_reason=reason)))

    # The consult room.

    def _on_joined(self, participant: Participant) -> None:
        if participant.identity == self._legs.human_identity:
            self._dial.leg_status(participant.attributes.get(STATUS, ""))
        elif self._is_stray(participant):
            # Workers without an agent_name are dispatched into every new room; a second agent
            # would talk to the human and hear the briefing.
            self._legs.log.warning("second agent in the consult room", evicted=True)
            self._spawn(self._evict(participant.identity))

    def _on_attributes(self, changed: Mapping[str, str], participant: Participant) -> None:
        if participant.identity == self._legs.human_identity and STATUS in changed:
            self._dial.leg_status(participant.attributes.get(STATUS, ""))

    def _is_stray(self, participant: Participant) -> bool:
        """Whether an agent that nobody has sent for is in a room of ours."""
        agent = participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        ours = ROLE in participant.attributes
        # In the caller's room whoever is there has a right to be.
        own_room = self._legs.consult_name != self._legs.caller_room.name
        return agent and own_room and not ours

    def _leg_left_consult(self, reason: str | None) -> None:
        if reason == _ROOM_DELETED:
            # Nobody hung up; which of the two is told first, the leg or we, is chance.
            self._consult_room_lost(reason)
            return
        self._leg_left(reason)

    def _leg_left(self, reason: str | None) -> None:
        self._spawn(self._left(reason))

    async def _left(self, reason: str | None) -> None:
        """A hang-up, unless the leg is in the other room or on its way there."""
        legs = self._legs
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(legs.policy.merge_timeout_s):
                await legs.at_rest.wait()
        for room in (legs.caller_room, self._consult_room):
            if room is not None and legs.human_identity in room.remote_participants:
                return
        await self._dial.leg_left(reason)

    def _consult_room_lost(self, reason: str | None) -> None:
        self._legs.post(Event(On.CONSULT_ROOM_LOST, Facts(disconnect_reason=reason)))

    async def _evict(self, identity: str) -> None:
        legs = self._legs
        who = api.RoomParticipantIdentity(room=legs.consult_name, identity=identity)
        try:
            async with asyncio.timeout(legs.policy.api_timeout_s):
                await legs.api.room.remove_participant(who)
        except Exception as error:  # noqa: BLE001 - a warning is all that is left to do
            legs.log.warning("second agent could not be evicted", detail=type(error).__name__)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
