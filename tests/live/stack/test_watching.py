from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from livekit import api

from tests.live.stack.watching import Dialled, Leg, Watching

pytestmark = pytest.mark.asyncio

AUDIO = api.TrackType.AUDIO
NOT_FOUND = api.ServerError(api.ServerErrorCode.NOT_FOUND, "gone", status=404)


class Rooms:
    """The room service, with the people that a test puts there."""

    def __init__(self, **people: list[api.ParticipantInfo]) -> None:
        self.people = people
        self.calls: list[str] = []
        self.error: Exception | None = None

    async def list_rooms(self, request: Any) -> api.ListRoomsResponse:
        names = [name for name in request.names if name in self.people]
        return api.ListRoomsResponse(rooms=[api.Room(name=name) for name in names])

    async def list_participants(self, request: Any) -> api.ListParticipantsResponse:
        if request.room not in self.people:
            raise NOT_FOUND
        return api.ListParticipantsResponse(participants=self.people[request.room])

    async def remove_participant(self, request: Any) -> None:
        self.calls.append(f"remove {request.identity} from {request.room}")
        raise self.error or NOT_FOUND

    async def delete_room(self, request: Any) -> None:
        self.calls.append(f"delete {request.room}")

    async def create_room(self, request: Any) -> None:
        self.calls.append(f"create {request.name} for {request.agents[0].agent_name}")


class Client:
    def __init__(self, room: Rooms) -> None:
        self.room = room


def somebody(identity: str, *tracks: str, muted: bool = False, role: str = "") -> Any:
    return api.ParticipantInfo(
        identity=identity,
        attributes={"wt.role": role, "sip.callStatus": "active"},
        tracks=[api.TrackInfo(type=AUDIO, name=name, muted=muted) for name in tracks],
    )


DIALLED = Dialled("consult", "human")


def watching(rooms: Rooms, dialled: Dialled | None = DIALLED) -> Watching:
    client = cast("api.LiveKitAPI", Client(rooms))
    return Watching(client, "call", lambda: dialled)


HUMAN = somebody("human", "human")


@pytest.mark.parametrize(
    ("rooms", "leg"),
    [
        (
            {"consult": [HUMAN, somebody("agent", "voice", "relay-caller-7")]},
            Leg("consult", "active", has_track=True, callers_track="the agent's relay"),
        ),
        (
            {"call": [HUMAN, somebody("caller", "caller")]},
            Leg("caller", "active", has_track=True, callers_track="the caller's own"),
        ),
        (
            {"consult": [HUMAN, somebody("sip_1", "x", role="bridge")]},
            Leg("consult", "active", has_track=True, callers_track="the bridge's"),
        ),
        (
            {"consult": [somebody("human"), somebody("agent", "voice", "relay-human-7")]},
            Leg("consult", "active", has_track=False, callers_track=None),
        ),
        (
            {"call": [HUMAN, somebody("caller", "caller", muted=True)]},
            Leg("caller", "active", has_track=True, callers_track=None),
        ),
        ({"call": [somebody("caller", "caller")]}, None),
    ],
)
async def test_the_leg_is_found_with_what_brings_the_caller(
    rooms: dict[str, Any], leg: Leg | None
) -> None:
    assert await watching(Rooms(**rooms)).leg() == leg


async def test_without_a_dial_there_is_no_leg() -> None:
    assert await watching(Rooms(call=[HUMAN]), None).leg() is None


async def test_a_leg_that_stays_is_waited_for_no_longer_than_told() -> None:
    rooms = Rooms(consult=[HUMAN])
    assert await watching(rooms).gone_s(0.3) is None
    rooms.people.clear()
    assert await watching(rooms).gone_s(0.3) is not None


async def test_what_is_left_is_counted() -> None:
    rooms = Rooms(consult=[HUMAN, somebody("agent")], call=[])
    left, people = await watching(rooms).left(0.1)
    assert (left, people) == (["the consult room", "the caller's room"], 2)
    assert await watching(Rooms()).left(0.1) == ([], 0)


async def test_agents_without_a_name_are_kept_out_of_the_callers_room() -> None:
    rooms = Rooms()
    await watching(rooms).make_room()
    assert rooms.calls == ["create call for wt-live-nobody"]


async def test_everything_is_taken_away_again_and_again_whatever_the_server_says() -> None:
    rooms = Rooms()
    looked = watching(rooms)
    await looked.make_room()
    rooms.error = ConnectionError("lost")
    with pytest.raises(ConnectionError):
        await looked.sweep()
    once = [
        "remove human from consult",
        "delete consult",
        "remove human from call",
        "delete call",
    ]
    assert rooms.calls[1:] == 3 * once
    rooms.error = None
    await looked.sweep()
    assert rooms.calls[1:] == 6 * once


async def test_before_anything_was_made_nothing_is_taken_away() -> None:
    rooms = Rooms()
    await asyncio.wait_for(watching(rooms, None).sweep(), 1)
    assert rooms.calls == []
