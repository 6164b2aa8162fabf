"""The SIP service of one phone: what the API requests about calls are answered by, without SIP.

A `Recorder` gets its answers from here. They are those of the real service: a call returns when it
is answered, a refusal is an error with the SIP status, and whoever is not answered or is taken out
of the room gets the same "timed out" (livekit/sip, ``pkg/sip/errors.go``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from google.protobuf.message import Message
from livekit import api

from tests.live.people import Person, Stage, token
from tests.live.phone import Phone
from tests.live.recorder import CREATE_SIP_PARTICIPANT, MOVE_PARTICIPANT, Answer
from tests.live.scenarios import Scenario
from tests.live.server import Server
from warm_transfer.testing.livekit.latency import REFUSAL_SEEN_S, REFUSAL_TOLD_S
from warm_transfer.testing.livekit.leg_errors import ring_timeout, sip_refusal

__all__ = ["Remove", "SipPhone", "Trunk"]

DEFAULT_RING_S = 180.0
"""How long livekit-sip rings when the request does not say."""

JOIN_PAUSE_S = 0.5
"""Before the phone's line joins. Its start-up takes much of a core, which a real service takes on
a machine of its own; here it would be measured as the transfer's."""

Remove = Callable[[str, str], Awaitable[object]]
"""Takes a participant out of a room: the room and the identity."""


class SipPhone(Phone):
    """A phone whose leg leaves as a SIP leg does, and which can be moved to another room.

    Args:
        remove: the server's own way to take a participant out.
    """

    def __init__(self, server: Server, stage: Stage, scenario: Scenario, remove: Remove) -> None:
        super().__init__(server, stage, scenario, mute=False)
        self._remove = remove
        self._identity = ""
        self.rooms: set[str] = set()
        """Every room in which it has rung."""
        self.ended_s: float | None = None
        """When the phone stopped ringing unanswered."""

    async def dial(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ring into a room, and say how it ended."""
        self._identity = request["identity"]
        self.rooms.add(request["room"])
        self.dialed_s = self.dialed_s or time.monotonic()
        await asyncio.sleep(JOIN_PAUSE_S)
        return await super().dial(request)

    async def _ring(self, human: Person, ring_timeout_s: float) -> dict[str, Any] | None:
        # The time runs from the INVITE; here it took as long as joining.
        assert self.dialed_s is not None
        spent_s = time.monotonic() - self.dialed_s
        refusal = await super()._ring(human, max(0.0, ring_timeout_s - spent_s))
        if refusal is not None:
            self.ended_s = time.monotonic()
        return refusal

    async def _leave(self, human: Person, refusal: dict[str, Any]) -> None:
        """Leave unanswered, in a way that means to a session what the real reason means.

        A refusal (``USER_REJECTED``) closes the session that listens to the leg, as a client's own
        leaving does; running out of time (``USER_UNAVAILABLE``) does not, as a removal does not.
        """
        if refusal["sip_status"] == 480 and not human.gone.is_set():  # Temporarily Unavailable
            await self._remove(self.room, self._identity)
        await human.aclose()

    async def move(self, room: str) -> None:
        """Go on in another room, as a participant that the vendor's cloud moves."""
        assert self.human is not None
        self.room = room
        await self.human.move(self._server, token(self._server, room, self._identity, "sip", {}))


class Trunk:
    """Answers the requests.

    Args:
        phone: the phone that every number leads to.
        moves: whether participants can be moved, as at the vendor's cloud.
    """

    def __init__(self, phone: SipPhone, *, moves: bool = False) -> None:
        self._phone = phone
        self.answers: dict[str, Answer] = {CREATE_SIP_PARTICIPANT: self._create}
        """For a `Recorder`."""
        if moves:
            self.answers[MOVE_PARTICIPANT] = self._move

    async def _create(self, body: bytes) -> Message:
        request = api.CreateSIPParticipantRequest.FromString(body)
        ring = request.ringing_timeout.ToTimedelta().total_seconds() or DEFAULT_RING_S
        ended = await self._phone.dial(
            {
                "room": request.room_name,
                "identity": request.participant_identity,
                "destination": request.sip_call_to,
                "ring_timeout_s": ring,
                "attributes": dict(request.participant_attributes),
            }
        )
        if ended.get("answered"):
            return api.SIPParticipantInfo(
                participant_identity=request.participant_identity, room_name=request.room_name
            )
        # The room sees the leg go before the caller of the API hears why.
        await asyncio.sleep(REFUSAL_TOLD_S - REFUSAL_SEEN_S)
        if ended["sip_status"] in (480, 487):
            raise ring_timeout()
        raise sip_refusal(ended["sip_status"], ended["sip_phrase"])

    async def _move(self, body: bytes) -> Message:
        request = api.MoveParticipantRequest.FromString(body)
        await self._phone.move(request.destination_room)
        return api.MoveParticipantResponse()
