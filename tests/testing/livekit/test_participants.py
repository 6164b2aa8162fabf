import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from livekit import rtc

from warm_transfer.testing.livekit.sound import SimAudioSource, SimLocalTrack
from warm_transfer.testing.livekit.world import World

from .meeting import Told, in_room

pytestmark = pytest.mark.asyncio
Reason = rtc.DisconnectReason
DEPARTURES = ("participant_disconnected", "disconnected")


def own_track(world: World, name: str = "voice") -> SimLocalTrack:
    return SimLocalTrack(world, name, SimAudioSource(world))


async def test_an_unknown_reason_is_shown_as_none() -> None:
    # facts 5.3: rtc shows UNKNOWN_REASON as None
    world = World()
    caller = world.join("call", "caller")
    room = await in_room(world)
    told = Told(room, *DEPARTURES)
    world.leave(caller, Reason.UNKNOWN_REASON)
    await asyncio.sleep(1)
    (who,) = told.arguments("participant_disconnected")
    assert who.disconnect_reason is None


@pytest.mark.parametrize("call", ["publish", "unpublish"])
async def test_media_calls_do_not_return_once_the_server_has_taken_the_room(call: str) -> None:
    # integration 6: unpublish_track, publish_track do not return in 8 s
    world = World()
    room = await in_room(world)
    publication = await room.local_participant.publish_track(own_track(world))
    world.delete_room("call")
    await asyncio.sleep(1)
    me = room.local_participant
    calls: dict[str, Coroutine[Any, Any, object]] = {
        "publish": me.publish_track(own_track(world)),
        "unpublish": me.unpublish_track(publication.sid),
    }
    calls.pop("unpublish" if call == "publish" else "publish").close()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(calls[call], 8)


async def test_attributes_are_told_with_what_changed_also_of_the_agent_itself() -> None:
    # integration 4: fires for the agent itself too
    world = World()
    caller = world.join("call", "caller", attributes={"kept": "1"})
    room = await in_room(world)
    told = Told(room, "participant_attributes_changed")
    world.set_attributes(caller, {"sip.callStatus": "active"})
    await room.local_participant.set_attributes({"lk.agent.state": "speaking"})
    await asyncio.sleep(1)
    (first, second) = [arguments for _, _, arguments in told]
    assert first[0] == {"sip.callStatus": "active"}
    assert first[1].attributes == {"kept": "1", "sip.callStatus": "active"}
    assert second[1].identity == "agent"


async def test_a_publisher_learns_of_its_first_subscriber() -> None:
    world = World()
    room = await in_room(world)
    told = Told(room, "local_track_published", "local_track_subscribed")
    publication = await room.local_participant.publish_track(own_track(world))
    await asyncio.sleep(1)
    assert told.names == ["local_track_published"]
    world.join("call", "caller")
    world.start_hearing(world.rooms["call"].members["caller"])
    await publication.wait_for_subscription()
    assert told.names[-1] == "local_track_subscribed"


async def test_unpublishing_by_a_wrong_sid_is_an_error() -> None:
    # integration 6: after a full reconnect the old sid gives "track not found"
    room = await in_room(World())
    with pytest.raises(rtc.participant.UnpublishTrackError):
        await room.local_participant.unpublish_track("TR_old")


async def test_attributes_are_copies() -> None:
    world = World()
    world.join("call", "caller", attributes={"a": "b"})
    room = await in_room(world)
    for who in (room.remote_participants["caller"], room.local_participant):
        before = dict(who.attributes)
        who.attributes["a"] = "changed"
        assert who.attributes == before


@pytest.mark.parametrize("known", [None, []])
async def test_a_limit_without_permissions_lets_nobody_in(known: list[Any] | None) -> None:
    world = World()
    room = await in_room(world)
    room.local_participant.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=known
    )
    await asyncio.sleep(0.1)
    assert room.local_participant.member.permissions == {}


async def test_a_permission_for_all_tracks_goes_before_those_that_it_names() -> None:
    # rtc, ParticipantTrackPermission.allow_all: takes precedence over allowed_track_sids
    world = World()
    room = await in_room(world)
    both = rtc.ParticipantTrackPermission(
        participant_identity="caller", allow_all=True, allowed_track_sids=["TR_1"]
    )
    room.local_participant.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[both]
    )
    await asyncio.sleep(0.1)
    assert room.local_participant.member.permissions == {"caller": None}


async def test_permissions_given_beside_everybody_are_ignored() -> None:
    world = World()
    room = await in_room(world)
    nobody = rtc.ParticipantTrackPermission(participant_identity="caller")
    room.local_participant.set_track_subscription_permissions(
        allow_all_participants=True, participant_permissions=[nobody]
    )
    await asyncio.sleep(0.1)
    assert room.local_participant.member.permissions is None
