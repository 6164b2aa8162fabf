"""One call on a complete stack: a caller, the agent's process, a real phone, and what became of it.

The phone may be a machine that only plays sound, so nothing is asked of it but sound.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from livekit import api

from tests.live.control import Control
from tests.live.errors import CannotRun
from tests.live.people import Caller, Stage, token
from tests.live.scenarios import Say, Wait
from tests.live.server import Say as Tell
from tests.live.stack.listening import Listening
from tests.live.stack.settings import Settings
from tests.live.stack.watching import Dialled, Leg, Watching
from tests.merges.bench import running_agent
from tests.merges.carriers import CALLER
from warm_transfer.states import FINAL, State

__all__ = ["GONE_S", "Evidence", "make_call"]

BRIEFING_S = 4.0
"""How long the human is briefed before the application says yes: long enough to find a leak."""
RING_S = 40.0
DECISION_S = 60.0
MERGE_S = 30.0
HEARD_S = 8.0
"""How long the phone may be silent after the merge."""
TALK_S = 3.0
GONE_S = 10.0
LEFT_S = 10.0
CLOSED_S = 20.0
WORDS = "Hello, this is a test call of a warm transfer. Can you hear me? Thank you, good bye."
LIMITS = {
    "ring_timeout_s": RING_S,
    "decision_timeout_s": DECISION_S,
    # Nobody is charged for more, whatever goes wrong.
    "call_limit_s": 180.0,
    "hold_limit_s": 120.0,
}


@dataclass(slots=True)
class Evidence:
    """What a call has brought to light; times are monotonic seconds."""

    strategy: str
    outcome: dict[str, Any] = field(default_factory=dict)
    """What the agent's process told at the end of the await."""
    states: dict[str, float] = field(default_factory=dict)
    accepted_s: float | None = None
    heard: Listening | None = None
    """By the caller."""
    leg: Leg | None = None
    """The phone's leg while the two talk."""
    hang_up_s: float | None = None
    leg_gone_s: float | None = None
    closed: bool = False
    rooms_left: list[str] = field(default_factory=list)
    participants_left: int = 0
    faults: list[str] = field(default_factory=list)


async def make_call(
    settings: Settings, client: api.LiveKitAPI, strategy: str, output: Path, tell: Tell
) -> Evidence:
    """Make one call, from the caller's arrival to nothing being left.

    Whatever ends it, also Ctrl-C: the agent's process goes first, and then what is left at the
    server is taken away.
    """
    call = _Call(settings, client, strategy, output, tell)
    try:
        await call.run()
    except CannotRun:
        raise
    except Exception as error:  # noqa: BLE001 - a call that fails is a finding of the run
        call.found.faults.append(f"{type(error).__name__}: {error}")
    finally:
        await call.clean_up()
    return call.found


class _Call:
    def __init__(
        self, settings: Settings, client: api.LiveKitAPI, strategy: str, output: Path, tell: Tell
    ) -> None:
        self._settings = settings
        self._output = output
        self._tell = tell
        self._room = f"wt-live-{secrets.token_hex(8)}"
        self._stage = Stage()
        self._caller = Caller(self._stage)
        self._control = Control(None, self._stage)
        self._watching = Watching(client, self._room, self._dialled)
        self.found = Evidence(strategy, states=self._stage.states)

    async def run(self) -> None:
        """Let it happen."""
        server, found = self._settings.server, self.found
        url = await self._control.start()
        async with running_agent(server, self._output) as agent:
            await self._watching.make_room()
            # As a phone comes in: a SIP leg in the agent's room.
            admission = token(server, self._room, CALLER, "sip", {"sip.callStatus": "active"})
            await self._caller.join(server, admission)
            self._caller.open()
            agent.send("call", **self._job(url))
            await self._until_merged()
            if State.MERGED in found.states:
                await self._talk()
            await self._end()

    def _job(self, control: str) -> dict[str, Any]:
        settings = self._settings
        return {
            "room": self._room,
            "merge": self.found.strategy,
            "control": control,
            "music": str(self._output / "tone.wav"),
            "journal": str(self._output / f"{self.found.strategy}.jsonl"),
            "briefing_s": BRIEFING_S,
            "limit_s": CLOSED_S,
            "phone": {"to": settings.call_to, "trunk_id": settings.trunk_id},
            "accept": settings.accept,
            "policy": LIMITS,
        }

    def _dialled(self) -> Dialled | None:
        """Where the phone is rung into; told before it is rung."""
        told = self._control.reports.get("dial")
        return None if told is None else Dialled(told["room"], told["identity"])

    async def _until_merged(self) -> None:
        states, reports = self._stage.states, self._control.reports
        over = {State.MERGED, *FINAL}
        limit_s = RING_S + DECISION_S + MERGE_S
        if not await _comes(lambda: bool(over & states.keys()) or "outcome" in reports, limit_s):
            self.found.faults.append(f"nothing came of it within {limit_s:g} s")
        act = reports.get("act", {})
        self.found.accepted_s = act.get("at_s", states.get(State.MERGING))
        self._tell(f"{self.found.strategy}: {', '.join(states)}")

    async def _talk(self) -> None:
        """Listen for the phone, look at its leg, and say something to it."""
        accepted_s = self.found.accepted_s or self.found.states[State.MERGED]
        await _comes(lambda: self._heard(accepted_s) is not None, HEARD_S, look_s=0.25)
        self.found.leg = await self._watching.leg()
        await self._caller.perform((Say(WORDS), Wait(TALK_S)))

    def _heard(self, from_s: float) -> float | None:
        recent = [piece for piece in self._caller.ear.pieces if piece.at_s >= from_s]
        return Listening(recent).phone_heard_s(from_s) if recent else None

    async def _end(self) -> None:
        """Hang up, and see who is released."""
        found = self.found
        found.hang_up_s = time.monotonic()
        await self._caller.hang_up()
        found.leg_gone_s = await self._watching.gone_s(GONE_S)
        found.outcome = await self._control.wait_for("outcome", CLOSED_S) or {}
        closed = await self._control.wait_for("closed", CLOSED_S)
        found.closed = bool(closed and closed["closed"])
        found.rooms_left, found.participants_left = await self._watching.left(LEFT_S)

    async def clean_up(self) -> None:
        """Leave nothing behind; safe when nothing had begun."""
        try:
            await self._watching.sweep()
        finally:
            await self._caller.aclose()
            await self._control.aclose()
            if self._caller.ear.pieces:
                self.found.heard = Listening(self._caller.ear.pieces)
                self.found.heard.hearing.write(self._output / f"{self.found.strategy}.wav")


async def _comes(holds: Callable[[], bool], within_s: float, look_s: float = 0.05) -> bool:
    """Whether something comes to hold; a harness may poll."""
    end_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > end_s:
            return False
        await asyncio.sleep(look_s)
    return True
