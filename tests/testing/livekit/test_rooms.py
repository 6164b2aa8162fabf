import asyncio
from typing import Any

import pytest
from livekit import api, rtc

from warm_transfer.testing.livekit.rooms import SimRoom, make_token
from warm_transfer.testing.livekit.sound import SimAudioSource, SimLocalTrack
from warm_transfer.testing.livekit.world import World

from .meeting import Told, in_room

pytestmark = pytest.mark.asyncio
Reason = rtc.DisconnectReason
Connection = rtc.ConnectionState
DEPARTURES = ("participant_disconnected", "disconnected")


def own_track(world: World, name: str = "voice") -> SimLocalTrack:
    return SimLocalTrack(world, name, SimAudioSource(world))


async def test_connecting_takes_as_long_as_measured() -> None:
    # integration 5.2: joining the consult room costs 120 to 200 ms
    world = World()
    await in_room(world)
    assert 0.12 <= world.now_s <= 0.2


async def test_who_was_there_before_is_in_the_room_without_an_event() -> None:
    # integration 4: look at remote_participants after connect
    world = World()
    world.publish(world.join("call", "caller", attributes={"a": "b"}), "microphone")
    room = SimRoom(world)
    told = Told(room, "participant_connected", "track_published", "track_subscribed")
    await room.connect("", make_token("call", "agent", "agent", None))
    await asyncio.sleep(1)
    assert room.remote_participants["caller"].attributes == {"a": "b"}
    assert told.names == ["track_subscribed"]


async def test_a_real_token_is_understood() -> None:
    grants = api.VideoGrants(room_join=True, room="call")
    token = api.AccessToken("key", "secret" * 8).with_identity("agent").with_grants(grants)
    room = SimRoom(World())
    await room.connect("", token.with_kind("agent").to_jwt())
    assert (room.name, room.local_participant.identity) == ("call", "agent")
    assert room.local_participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


async def test_an_expired_token_is_refused() -> None:
    room = SimRoom(World())
    with pytest.raises(rtc.ConnectError):
        await room.connect("", make_token("call", "agent", "agent", 0.01))
    assert not room.isconnected()


async def test_a_connect_that_is_cancelled_midway_leaves_somebody_in_the_room() -> None:
    world = World()
    connecting = asyncio.create_task(
        SimRoom(world).connect("", make_token("call", "agent", "agent", None))
    )
    await asyncio.sleep(0.02)
    connecting.cancel()
    await asyncio.wait([connecting])
    await asyncio.sleep(1)
    assert world.left().participants == ("call/agent",)


async def test_there_is_no_local_participant_before_connecting() -> None:
    with pytest.raises(Exception, match="before connecting"):
        _ = SimRoom(World()).local_participant


async def test_a_departure_is_seen_with_its_reason_after_the_tracks_are_gone() -> None:
    # integration 6: participant_disconnected 14 to 15 ms after a hang-up
    world = World()
    caller = world.join("call", "caller")
    world.publish(caller, "microphone")
    room = await in_room(world)
    await asyncio.sleep(1)
    told = Told(room, "track_unsubscribed", "track_unpublished", *DEPARTURES)
    left_s = world.now_s
    world.leave(caller, Reason.CLIENT_INITIATED)
    await asyncio.sleep(1)
    assert told.names == ["track_unsubscribed", "track_unpublished", "participant_disconnected"]
    assert 0.009 <= told.at("participant_disconnected") - left_s <= 0.015
    (who,) = told.arguments("participant_disconnected")
    assert who.disconnect_reason == Reason.CLIENT_INITIATED
    assert "caller" not in room.remote_participants


async def test_a_deleted_room_is_told_after_11_ms() -> None:
    # integration 6: disconnected(5) 11
    world = World()
    room = await in_room(world)
    told = Told(room, *DEPARTURES)
    deleted_s = world.now_s
    world.delete_room("call")
    await asyncio.sleep(1)
    assert told.arguments("disconnected") == (Reason.ROOM_DELETED,)
    assert told.at("disconnected") - deleted_s == pytest.approx(0.011)
    assert not room.isconnected()
    assert room.connection_state == Connection.CONN_DISCONNECTED


async def test_who_joined_before_the_agent_is_seen_leaving_when_the_room_is_deleted() -> None:
    # integration 3: "caller's room deleted" is noticed by participant_disconnected
    world = World()
    world.join("call", "caller")
    room = await in_room(world)
    told = Told(room, *DEPARTURES)
    world.delete_room("call")
    await asyncio.sleep(1)
    assert told.names == ["participant_disconnected", "disconnected"]


async def test_disconnect_is_quick_tells_once_and_may_be_repeated() -> None:
    world = World()
    room = await in_room(world)
    told = Told(room, *DEPARTURES)
    before_s = world.now_s
    await room.disconnect()
    await room.disconnect()
    assert world.now_s == before_s
    assert told.names == ["disconnected"]
    assert told.arguments("disconnected") == (Reason.CLIENT_INITIATED,)


async def test_subscription_follows_publication_36_ms_later() -> None:
    # integration 6: track_subscribed +36 after published
    world = World()
    room = await in_room(world)
    caller = world.join("call", "caller")
    await asyncio.sleep(1)
    told = Told(room, "track_published", "track_subscribed")
    world.publish(caller, "microphone")
    await asyncio.sleep(1)
    gap_s = told.at("track_subscribed") - told.at("track_published")
    assert gap_s == pytest.approx(0.036, abs=0.001)
    track, publication, who = told.arguments("track_subscribed")
    assert (track.sid, publication.track, who.identity) == (publication.sid, track, "caller")
    assert publication.source == rtc.TrackSource.SOURCE_MICROPHONE


async def test_muting_is_told() -> None:
    world = World()
    room = await in_room(world)
    track = world.publish(world.join("call", "caller"), "microphone")
    await asyncio.sleep(1)
    told = Told(room, "track_muted", "track_unmuted")
    world.mute(track, muted=True)
    world.mute(track, muted=False)
    await asyncio.sleep(1)
    assert told.names == ["track_muted", "track_unmuted"]


async def test_a_listener_that_raises_is_logged_and_the_next_one_still_runs() -> None:
    world = World()
    room = await in_room(world)
    seen: list[Any] = []

    def bad(_: Any) -> None:
        raise ValueError("a bug in a listener")

    room.on("participant_connected", bad)
    room.on("participant_connected", seen.append)
    world.join("call", "caller")
    await asyncio.sleep(1)
    assert len(seen) == 1


async def test_listeners_are_counted_until_they_are_taken_off() -> None:
    world = World()
    room = await in_room(world)
    world.keep()
    room.on("disconnected", print)
    assert world.left().listeners == ("call: disconnected",)
    room.off("disconnected", print)
    assert not world.left()


async def test_a_short_break_of_the_signalling_is_resumed_without_departures() -> None:
    # integration 6: reconnected after 3.05 s, no departures
    world = World()
    world.publish(world.join("call", "caller"), "microphone")
    room = await in_room(world)
    await asyncio.sleep(1)
    told = Told(room, "reconnecting", "reconnected", "participant_connected", *DEPARTURES)
    began_s = world.now_s
    await room.lose_signal(0.1)
    assert told.names == ["reconnecting", "reconnected"]
    assert world.now_s - began_s == pytest.approx(3.05)


async def test_what_happened_to_tracks_during_a_short_break_is_told_after_it() -> None:
    # integration 6: a resumed connection misses nothing
    world = World()
    caller = world.join("call", "caller")
    room = await in_room(world)
    await asyncio.sleep(1)
    told = Told(room, "track_published", "track_subscribed", "reconnected")
    resume = asyncio.create_task(room.lose_signal(0.1))
    await asyncio.sleep(1)
    world.publish(caller, "microphone")
    await resume
    assert told.names == ["reconnected", "track_published", "track_subscribed"]


async def test_a_full_reconnect_reports_people_gone_who_are_still_there() -> None:
    # integration 6: participant_disconnected with reason None while reconnecting
    world = World()
    world.publish(world.join("call", "caller"), "microphone")
    room = await in_room(world)
    await asyncio.sleep(1)
    states: list[int] = []
    room.on("participant_disconnected", lambda _: states.append(room.connection_state))
    told = Told(room, "reconnecting", *DEPARTURES, "participant_connected", "reconnected")
    old = next(iter(room.remote_participants["caller"].track_publications.values())).track
    await room.lose_signal(3.0)
    await asyncio.sleep(1)
    assert told.names == [
        "reconnecting",
        "participant_disconnected",
        "participant_connected",
        "reconnected",
    ]
    assert states == [Connection.CONN_RECONNECTING]
    assert told.arguments("participant_disconnected")[0].disconnect_reason is None
    new = next(iter(room.remote_participants["caller"].track_publications.values())).track
    assert new is not None
    assert old is not None
    assert new is not old
    assert new.sid == old.sid


@pytest.mark.parametrize("seconds", [0.1, 3.0])
async def test_what_is_published_while_the_signalling_is_away_comes_behind_its_limits(
    seconds: float,
) -> None:
    # rust-sdks signal_client: both are queued, and sent in their order
    world = World()
    world.join("call", "caller", ear="caller")
    room = await in_room(world)
    me = room.local_participant
    away = asyncio.create_task(room.lose_signal(seconds))
    await asyncio.sleep(0)
    only = rtc.ParticipantTrackPermission(participant_identity="human", allow_all=True)
    me.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=[only]
    )
    publish = asyncio.create_task(me.publish_track(own_track(world)))
    await asyncio.sleep(1)
    assert not publish.done()
    await away
    world.set_tag((await publish).server_track, "briefing")
    await asyncio.sleep(1)
    assert world.heard("caller") == ()


async def test_what_is_published_in_a_room_that_is_lost_meanwhile_does_not_return() -> None:
    # integration 6: publish_track does not return
    world = World()
    room = await in_room(world)
    away = asyncio.create_task(room.lose_signal(3.0))
    await asyncio.sleep(1)
    publish = asyncio.create_task(room.local_participant.publish_track(own_track(world)))
    world.delete_room("call")
    await away
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(publish, 8)


async def test_a_full_reconnect_gives_own_publications_new_sids() -> None:
    # integration 6: unpublishing by the old sid is "track not found"
    world = World()
    room = await in_room(world)
    publication = await room.local_participant.publish_track(own_track(world))
    old = publication.sid
    told = Told(room, "local_track_republished")
    await room.lose_signal(3.0)
    assert told.arguments("local_track_republished") == (publication, old)
    assert publication.sid != old
    assert list(room.local_participant.track_publications) == [publication.sid]


@pytest.mark.parametrize("short_s", [0.1, 1.5])
async def test_a_short_loss_within_a_long_one_brings_nobody_back_earlier(short_s: float) -> None:
    world = World()
    world.join("call", "caller")
    room = await in_room(world)
    told = Told(room, "reconnected")
    losses = [asyncio.create_task(room.lose_signal(6.0))]
    await asyncio.sleep(0.5)
    losses.append(asyncio.create_task(room.lose_signal(short_s)))
    await asyncio.sleep(3)
    assert room.connection_state == Connection.CONN_RECONNECTING
    await asyncio.gather(*losses)
    assert room.connection_state == Connection.CONN_CONNECTED
    assert told.names == ["reconnected"]
    assert list(room.remote_participants) == ["caller"]


async def test_who_left_during_a_full_reconnect_does_not_come_back() -> None:
    world = World()
    caller = world.join("call", "caller")
    room = await in_room(world)
    reconnect = asyncio.create_task(room.lose_signal(3.0))
    await asyncio.sleep(1)
    world.leave(caller, Reason.CLIENT_INITIATED)
    await reconnect
    assert room.remote_participants == {}
    assert room.connection_state == Connection.CONN_CONNECTED
