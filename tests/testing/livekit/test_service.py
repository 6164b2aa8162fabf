import asyncio

import aiohttp
import pytest
from livekit import api, rtc

from warm_transfer.testing.livekit.faults import Fault, Faults, How
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.world import World

from .meeting import code_of, dial, service

pytestmark = pytest.mark.asyncio


async def test_creating_a_room_twice_gives_the_same_room() -> None:
    world = World()
    rooms = service(world).room
    first = await rooms.create_room(api.CreateRoomRequest(name="consult", max_participants=3))
    second = await rooms.create_room(api.CreateRoomRequest(name="consult"))
    assert first.sid == second.sid
    assert world.rooms["consult"].max_participants == 3


async def test_a_request_takes_as_long_as_measured() -> None:
    # integration 3: 2 to 50 ms
    world = World()
    await service(world).room.create_room(api.CreateRoomRequest(name="consult"))
    assert 0.002 <= world.now_s <= 0.05


async def test_what_is_not_there_is_not_found() -> None:
    rooms = service(World()).room
    who = api.RoomParticipantIdentity(room="consult", identity="human-1")
    assert (await code_of(rooms.delete_room(api.DeleteRoomRequest(room="no"))))[:2] == (
        "not_found",
        404,
    )
    assert (await code_of(rooms.remove_participant(who)))[:2] == ("not_found", 404)
    assert (await code_of(rooms.get_participant(who)))[:2] == ("not_found", 404)


async def test_nobody_is_in_a_room_that_is_not_there() -> None:
    rooms = service(World()).room
    listed = await rooms.list_participants(api.ListParticipantsRequest(room="consult"))
    assert list(listed.participants) == []


async def test_participants_are_listed_with_kind_and_attributes() -> None:
    world = World()
    kind = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
    member = world.join("call", "caller", kind=kind, attributes={"a": "b"})
    world.publish(member, "microphone")
    rooms = service(world).room
    (info,) = (await rooms.list_participants(api.ListParticipantsRequest(room="call"))).participants
    assert (info.identity, info.kind, dict(info.attributes)) == (
        "caller",
        api.ParticipantInfo.Kind.SIP,
        {"a": "b"},
    )
    assert [track.name for track in info.tracks] == ["microphone"]
    listed = await rooms.list_rooms(api.ListRoomsRequest(names=["call"]))
    assert [room.name for room in listed.rooms] == ["call"]


async def test_a_closed_gate_is_heard_as_silence_until_it_opens() -> None:
    # facts A.0, can_subscribe and UpdateSubscriptions
    world = World()
    world.join("call", "caller", ear="caller")
    track = world.publish(world.join("call", "agent"), "voice", tag="agent")
    await asyncio.sleep(1)
    rooms = service(world).room

    async def permit(*, subscribe: bool) -> None:
        permission = api.ParticipantPermission(can_subscribe=subscribe, can_publish=True)
        await rooms.update_participant(
            api.UpdateParticipantRequest(room="call", identity="caller", permission=permission)
        )

    async def gate(*, subscribe: bool) -> None:
        await rooms.update_subscriptions(
            api.UpdateSubscriptionsRequest(
                room="call", identity="caller", track_sids=[track.sid], subscribe=subscribe
            )
        )

    async def gate_by_publisher(*, subscribe: bool) -> None:
        tracks = api.ParticipantTracks(participant_sid=track.member.sid, track_sids=[track.sid])
        await rooms.update_subscriptions(
            api.UpdateSubscriptionsRequest(
                room="call", identity="caller", participant_tracks=[tracks], subscribe=subscribe
            )
        )

    for change in (permit, gate, gate_by_publisher):
        for subscribe, hears in ((False, set()), (True, {"agent"})):
            asked_s = world.now_s
            await change(subscribe=subscribe)
            assert 0.0029 < world.now_s - asked_s < 0.0061
            await asyncio.sleep(0.13)
            assert world.ears.hears("caller") == hears


@pytest.mark.parametrize("may", [True, False])
async def test_a_leg_whose_data_is_forbidden_sends_no_key(may: bool) -> None:
    # livekit-server pkg/rtc/participant.go, onReceivedDataMessage
    world = World()
    world.join("call", "caller", kind=3, ear="caller")
    leg = world.join("call", "human-1", kind=3)
    permission = api.ParticipantPermission(
        can_subscribe=True, can_publish=True, can_publish_data=may
    )
    await service(world).room.update_participant(
        api.UpdateParticipantRequest(room="call", identity="human-1", permission=permission)
    )
    world.press(leg, "1")
    await asyncio.sleep(1)
    assert world.digits_at("caller") == ("1" if may else "")


async def test_a_leg_that_may_not_write_its_attributes_keeps_its_status() -> None:
    # facts, timeline of a dial: without can_update_metadata a watcher never sees `active`
    world = World()
    client = service(world, Phone(answers_after_s=2.0))
    dialling = asyncio.create_task(client.sip.create_sip_participant(dial()))
    await asyncio.sleep(1)
    permission = api.ParticipantPermission(can_subscribe=True, can_publish=True)
    await client.room.update_participant(
        api.UpdateParticipantRequest(room="consult", identity="human-1", permission=permission)
    )
    await dialling
    leg = world.member("consult", "human-1")
    assert leg is not None
    assert leg.attributes["sip.callStatus"] == "ringing"


async def test_who_may_not_publish_loses_the_track_for_good() -> None:
    # facts A.0: can_publish=False unpublishes and livekit-sip never publishes again
    world = World()
    world.publish(world.join("call", "caller"), "microphone")
    permission = api.ParticipantPermission(can_subscribe=True, can_publish=False)
    await service(world).room.update_participant(
        api.UpdateParticipantRequest(room="call", identity="caller", permission=permission)
    )
    assert world.rooms["call"].members["caller"].tracks == {}


async def test_a_track_can_be_muted_at_the_server() -> None:
    world = World()
    track = world.publish(world.join("call", "caller"), "microphone")
    rooms = service(world).room
    update = api.MuteRoomTrackRequest(
        room="call", identity="caller", track_sid=track.sid, muted=True
    )
    await rooms.mute_published_track(update)
    assert track.muted
    update.track_sid = "TR_no"
    assert (await code_of(rooms.mute_published_track(update)))[0] == "not_found"


async def test_the_open_source_server_cannot_move() -> None:
    # facts 5.7
    world = World()
    world.join("consult", "human-1")
    move = api.MoveParticipantRequest(room="consult", identity="human-1", destination_room="call")
    answer = await code_of(service(world).room.move_participant(move))
    assert answer == ("unknown", 500, "not implemented")


@pytest.mark.parametrize("identity", ["human-1", "human-2"])
@pytest.mark.parametrize("cloud", [False, True])
async def test_nobody_moves_to_where_they_are(identity: str, cloud: bool) -> None:
    # facts 5.7; livekit-server pkg/service/roomservice.go looks at the names first
    world = World(cloud=cloud)
    world.join("consult", "human-1")
    move = api.MoveParticipantRequest(room="consult", identity=identity, destination_room="consult")
    answer = await code_of(service(world).room.move_participant(move))
    assert answer[:2] == ("invalid_argument", 400)


async def test_the_open_source_server_finds_out_late_that_there_is_nobody() -> None:
    # issue 6: needs a real participant in a real room, else it answers 503 after 3 s
    world = World()
    world.join("consult", "agent")
    rooms = service(world).room
    gate = api.UpdateSubscriptionsRequest(room="consult", identity="human-1", track_sids=["TR"])
    mute = api.MuteRoomTrackRequest(room="consult", identity="human-1", track_sid="TR", muted=True)
    for room in ("consult", "no room"):
        move = api.MoveParticipantRequest(room=room, identity="human-1", destination_room="call")
        asked_s = world.now_s
        answer = await code_of(rooms.move_participant(move))
        assert answer == ("unavailable", 503, "no response from servers")
        assert world.now_s - asked_s == pytest.approx(3.0, abs=0.01)
    for call in (rooms.update_subscriptions(gate), rooms.mute_published_track(mute)):
        assert (await code_of(call))[0] == "unavailable"
    world.cloud = True
    for call in (rooms.update_subscriptions(gate), rooms.mute_published_track(mute)):
        assert (await code_of(call))[0] == "not_found"


async def test_a_move_whose_answer_is_lost_has_happened() -> None:
    world = World(cloud=True)
    world.join("consult", "human-1")
    world.faults = Faults({("room.move_participant", 1): Fault(How.FAILS_AFTER, TimeoutError())})
    move = api.MoveParticipantRequest(room="consult", identity="human-1", destination_room="call")
    with pytest.raises(TimeoutError):
        await service(world).room.move_participant(move)
    assert world.member("call", "human-1") is not None


async def test_a_restarting_server_takes_no_requests() -> None:
    world = World()
    client = service(world)
    world.restart()
    listing = client.room.list_rooms(api.ListRoomsRequest())
    for call in (listing, client.sip.create_sip_participant(dial())):
        with pytest.raises(aiohttp.ClientConnectionError):
            await call
    await asyncio.sleep(5)
    assert not (await client.room.list_rooms(api.ListRoomsRequest())).rooms


async def test_the_cloud_moves() -> None:
    # facts 5.7
    world = World(cloud=True)
    world.join("consult", "human-1")
    rooms = service(world).room
    move = api.MoveParticipantRequest(room="consult", identity="human-1", destination_room="call")
    await rooms.move_participant(move)
    assert world.member("call", "human-1") is not None
    assert (await code_of(rooms.move_participant(move)))[0] == "not_found"
    move.destination_room = "consult"
    assert (await code_of(rooms.move_participant(move)))[0] == "invalid_argument"


async def test_an_open_client_is_counted() -> None:
    world = World()
    client = service(world)
    assert world.left().open == ("api client",)
    await client.aclose()
    assert not world.left()
