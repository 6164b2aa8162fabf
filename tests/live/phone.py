"""The human's phone: rings, answers, talks and hangs up as a SIP leg does, without a SIP trunk.

It joins the consult room as a participant of SIP kind with a SIP leg's attributes. As with
livekit-sip, its track is there before the answer and its voice only after it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from tests.live.people import Person, Stage, token
from tests.live.pilots import Pilot
from tests.live.scenarios import Scenario
from tests.live.server import Server
from warm_transfer.states import State

__all__ = ["Phone"]


class Phone:
    """What the dialer in the worker reaches over HTTP."""

    def __init__(self, server: Server, stage: Stage, scenario: Scenario, *, mute: bool) -> None:
        self._server = server
        self._stage = stage
        self._scenario = scenario
        self._mute = mute
        self._over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.dialed_s: float | None = None
        self.dials = 0
        self.human: Person | None = None
        self.room = ""

    async def dial(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ring into a room, and say how it ended: answered, or a SIP status."""
        self.dialed_s = self.dialed_s or time.monotonic()
        self.dials += 1
        self.room = request["room"]
        human = self.human = Person(Pilot.HUMAN, self._stage)
        attributes = dict(request["attributes"]) | _leg_attributes(request["destination"])
        admission = token(self._server, request["room"], request["identity"], "sip", attributes)
        await human.join(self._server, admission)
        await human.room.local_participant.set_attributes({"sip.callStatus": "ringing"})
        refusal = await self._ring(human, float(request["ring_timeout_s"]))
        if refusal is not None:
            await self._leave(human, refusal)
            return refusal
        await human.room.local_participant.set_attributes({"sip.callStatus": "active"})
        human.open()
        self._tasks.append(asyncio.create_task(human.perform(self._scenario.human), name="human"))
        if self._mute:
            self._tasks.append(asyncio.create_task(self._mute_when_merged(human), name="mute"))
        return {"answered": True}

    async def _ring(self, human: Person, ring_timeout_s: float) -> dict[str, Any] | None:
        """Ring until something happens; None when it is answered."""
        limit_s = min(self._scenario.ring_s, ring_timeout_s)
        over = asyncio.create_task(self._over.wait())
        gone = asyncio.create_task(human.gone.wait())
        await asyncio.wait({over, gone}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        cancelled = over.done() or gone.done()
        over.cancel()
        gone.cancel()
        await asyncio.gather(over, gone, return_exceptions=True)
        if cancelled:
            return {"sip_status": 487, "sip_phrase": "Request Terminated"}
        refusal = self._scenario.refusal
        if refusal is not None:
            return {"sip_status": refusal.sip_status, "sip_phrase": refusal.sip_phrase}
        if self._scenario.ring_s > ring_timeout_s:
            return {"sip_status": 480, "sip_phrase": "Temporarily Unavailable"}
        return None

    async def _leave(self, human: Person, refusal: dict[str, Any]) -> None:
        """Take the leg out that was not answered."""
        del refusal
        await human.aclose()

    async def hang_up(self) -> None:
        """The dialer wants it over: ringing stops, or the call ends."""
        self._over.set()
        if self.human is not None and self.human.up_s is not None:
            await self.human.aclose()

    async def _mute_when_merged(self, human: Person) -> None:
        await human.until(lambda: State.MERGED in self._stage.states)
        human.mouth.muted = True

    async def aclose(self) -> None:
        """Put the phone away."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.human is not None:
            await self.human.aclose()


def _leg_attributes(destination: str) -> dict[str, str]:
    """What livekit-sip puts on an outbound leg."""
    return {
        "sip.callStatus": "dialing",
        "sip.callID": f"SCL_{secrets.token_urlsafe(9)}",
        "sip.callIDFull": f"{secrets.token_hex(8)}@127.0.0.1",
        "sip.callTag": secrets.token_hex(8),
        "sip.trunkID": "ST_live",
        "sip.phoneNumber": destination,
        "sip.trunkPhoneNumber": "+15105550100",
    }
