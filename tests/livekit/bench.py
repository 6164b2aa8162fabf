"""A workbench for one adapter at a time: its legs in the simulated world, its events in a list."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from warm_transfer.effects import Do, Effect
from warm_transfer.events import Event, On
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.sdk import Api, Room
from warm_transfer.logs import transfer_log
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.humans import Human
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.play import CALLER, Result, Stage
from warm_transfer.testing.livekit.rooms import SimRoom, make_token
from warm_transfer.testing.livekit.script import App, Scenario
from warm_transfer.testing.livekit.server import Member

__all__ = ["HUMAN", "ROOM", "Bench", "assert_joined", "effect"]

ROOM, HUMAN = "wt_0123456789abcdef0123456789abcdef", "human-agent-sip-01234567"

_IDS = itertools.count(1)


def effect(name: Do, *, attempt: int = 1, strategy: str | None = None) -> Effect:
    """An effect with an id of its own."""
    return Effect(next(_IDS), name, attempt, strategy)


def assert_joined(result: Result) -> None:
    """Caller and human hear each other a second after the merge."""
    merged_s = next(at_s for at_s, state in result.states if state is State.MERGED)
    for who, whom in (("caller", "human"), ("human", "caller")):
        heard = [each for each in result.world.heard(who) if each.tag == whom]
        assert any(each.to_s > merged_s + 1.0 for each in heard)


@dataclass
class Bench:
    """A stage with the caller on it, and legs whose events go into `posted`."""

    stage: Stage
    legs: Legs
    posted: list[Event] = field(default_factory=list)
    posted_at_s: list[float] = field(default_factory=list)
    on_post: Callable[[Event], None] | None = None

    @classmethod
    async def set_up(
        cls,
        *,
        policy: TransferPolicy | None = None,
        phone: Phone | None = None,
        human: Human | None = None,
        host: Any = None,
    ) -> Bench:
        # One adapter at a time: nothing happens that it does not do.
        app = App(close_on_disconnect=False)
        stage = Stage(Scenario(phone=phone or Phone(), human=human or Human(), app=app))
        await stage.set_up()
        legs = Legs(
            transfer_id="bench",
            sdk=stage.sdk,
            api=stage.sdk.api(),
            policy=policy or TransferPolicy(),
            host=host or stage.host,
            caller_room=_as_room(stage.room),
            caller_identity=CALLER,
            consult_name=ROOM,
            human_identity=HUMAN,
            post=lambda _: None,
            log=transfer_log("bench"),
        )
        bench = cls(stage, legs)
        legs.post = bench._post
        return bench

    def _post(self, event: Event) -> None:
        self.posted.append(event)
        self.posted_at_s.append(self.stage.world.now_s)
        if self.on_post is not None:
            self.on_post(event)

    @property
    def names(self) -> list[On]:
        """The names of what was posted."""
        return [each.name for each in self.posted]

    @property
    def api(self) -> Api:
        """The client of the transfer."""
        return self.legs.api

    @property
    def now_s(self) -> float:
        """The virtual time."""
        return self.stage.world.now_s

    async def join_consult(self) -> SimRoom:
        """The agent joins a consult room, without a session in it."""
        room = self.stage.sdk.room()
        self.legs.consult_room = _as_room(room)
        await room.connect("ws://simulated", make_token(ROOM, "agent", "agent", None))
        return room

    def human_joins(self, *, status: str = "active", voice: str = "human") -> Member:
        """The human's leg is in the consult room, its microphone published."""
        world = self.stage.world
        leg = world.join(ROOM, HUMAN, kind=3, ear="human", attributes={"sip.callStatus": status})
        world.set_tag(world.publish(leg, HUMAN), voice)
        return leg

    async def finish(self) -> None:
        """Close what the bench itself has opened."""
        room, self.legs.consult_room = self.legs.consult_room, None
        if room is not None:
            await room.disconnect()
        await self.api.aclose()


def _as_room(room: Any) -> Room:
    known: Room = room
    return known
