"""What these tests share: somebody in a room, and what they are told."""

from collections.abc import Iterator
from typing import Any

import pytest
from livekit import api

from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.rooms import SimRoom, make_token
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.service import SimApi
from warm_transfer.testing.livekit.world import World


async def in_room(
    world: World, name: str = "call", identity: str = "agent", ear: str | None = None
) -> SimRoom:
    room = SimRoom(world, ear)
    await room.connect("ws://simulated", make_token(name, identity, "agent", None))
    return room


class Told:
    """Keeps what a room tells, with the time."""

    def __init__(self, room: SimRoom, *events: str) -> None:
        self.events: list[tuple[float, str, tuple[Any, ...]]] = []
        self._room = room
        for event in events:
            room.on(event, self._listener(event))

    def _listener(self, event: str) -> Any:
        def take(*arguments: Any) -> None:
            self.events.append((self._room.world.now_s, event, arguments))

        return take

    @property
    def names(self) -> list[str]:
        return [name for _, name, _ in self.events]

    def __iter__(self) -> Iterator[tuple[float, str, tuple[Any, ...]]]:
        return iter(self.events)

    def at(self, name: str) -> float:
        return next(at_s for at_s, each, _ in self.events if each == name)

    def arguments(self, name: str) -> tuple[Any, ...]:
        return next(arguments for _, each, arguments in self.events if each == name)


def dial(
    room: str = "consult", identity: str = "human-1", ring_s: int = 30, **more: Any
) -> api.CreateSIPParticipantRequest:
    request = api.CreateSIPParticipantRequest(
        room_name=room,
        participant_identity=identity,
        sip_trunk_id="ST_x",
        sip_call_to="+15105550123",
        wait_until_answered=True,
        **more,
    )
    request.ringing_timeout.seconds = ring_s
    return request


def service(world: World, phone: Phone | None = None) -> SimApi:
    return SimSdk(world, phones={"": [phone or Phone()]}).api()


async def code_of(call: object) -> tuple[str, int, str]:
    with pytest.raises(api.ServerError) as caught:
        await call  # type: ignore[misc]  # any of the API's coroutines
    return caught.value.code, caught.value.status, caught.value.message
