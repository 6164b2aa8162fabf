import asyncio

import pytest
from livekit import rtc

from warm_transfer.testing.livekit.server import Refused
from warm_transfer.testing.livekit.world import World

from .meeting import Told, in_room

pytestmark = pytest.mark.asyncio
Reason = rtc.DisconnectReason
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
DEPARTURE_AND_RETURN = ("participant_disconnected", "participant_connected", "track_subscribed")


async def test_joining_makes_the_room() -> None:
    world = World()
    world.join("call", "caller")
    assert list(world.rooms) == ["call"]


async def test_a_second_one_with_the_same_identity_puts_the_first_out() -> None:
    # facts A.0, "same identity dialled twice"
    world = World()
    reasons: list[int] = []
    first = world.join("consult", "human", kind=SIP)
    first.on_removed = reasons.append
    second = world.join("consult", "human", kind=SIP)
    assert reasons == [Reason.DUPLICATE_IDENTITY]
    assert world.member("consult", "human") is second


async def test_a_full_room_refuses() -> None:
    world = World()
    world.create_room("consult", max_participants=1)
    world.join("consult", "one")
    with pytest.raises(Refused, match="max participants"):
        world.join("consult", "two")


async def test_agents_alone_do_not_keep_a_room_open() -> None:
    world = World()
    world.create_room("consult", departure_timeout_s=5)
    world.join("consult", "agent", kind=AGENT)
    human = world.join("consult", "human", kind=SIP)
    world.leave(human, Reason.CLIENT_INITIATED)
    await asyncio.sleep(4.9)
    assert "consult" in world.rooms
    await asyncio.sleep(0.2)
    assert world.rooms == {}


async def test_a_room_nobody_comes_to_closes_after_its_empty_timeout() -> None:
    world = World()
    world.create_room("consult", empty_timeout_s=60)
    await asyncio.sleep(61)
    assert world.rooms == {}


async def test_a_leg_hears_every_track_of_its_room() -> None:
    # facts 0.1: livekit-sip subscribes by itself to everything
    world = World()
    world.join("consult", "human-1", kind=SIP, ear="human")
    agent = world.join("consult", "agent", kind=AGENT)
    world.publish(agent, "voice", tag="briefing")
    world.publish(agent, "music", tag="music")
    await asyncio.sleep(1)
    assert world.ears.hears("human") == {"briefing", "music"}


async def test_nobody_hears_another_room_or_themselves() -> None:
    world = World()
    caller = world.join("call", "caller", ear="caller")
    world.publish(caller, "microphone", tag="caller")
    agent = world.join("consult", "agent", kind=AGENT)
    world.publish(agent, "voice", tag="briefing")
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == frozenset()


async def test_a_muted_track_is_silence() -> None:
    world = World()
    world.join("call", "caller", ear="caller")
    track = world.publish(world.join("call", "agent", kind=AGENT), "voice", tag="agent")
    await asyncio.sleep(1)
    world.mute(track, muted=True)
    await asyncio.sleep(1)
    world.mute(track, muted=False)
    await asyncio.sleep(1)
    heard = world.heard("caller")
    assert [each.tag for each in heard] == ["agent", "agent"]
    assert [each.from_s for each in heard] == pytest.approx([0.047, 2.0])
    assert [each.to_s for each in heard] == pytest.approx([1.0, 3.0])


async def test_deleting_a_room_silences_it_for_everybody() -> None:
    world = World()
    world.join("call", "caller", ear="caller")
    world.publish(world.join("call", "agent", kind=AGENT), "voice", tag="agent")
    await asyncio.sleep(1)
    world.delete_room("call")
    assert world.ears.hears("caller") == frozenset()
    with pytest.raises(Refused, match="does not exist"):
        world.delete_room("call")


async def test_news_keep_their_order_whatever_the_latencies() -> None:
    for seed in range(20):
        world = World(seed=seed)
        room = await in_room(world)
        told = Told(room, "participant_connected", "participant_disconnected")
        world.leave(world.join("call", "caller"), Reason.CLIENT_INITIATED)
        await asyncio.sleep(1)
        assert told.names == ["participant_connected", "participant_disconnected"]


async def test_a_seed_varies_the_latencies_the_same_way_each_time() -> None:
    assert [World(seed=7).lag(1.0) for _ in range(3)] == [World(seed=7).lag(1.0) for _ in range(3)]
    assert World(seed=7).lag(1.0) != World(seed=8).lag(1.0)
    assert World().lag(1.0) == 1.0


async def test_a_moved_leg_leaves_here_and_joins_there_with_its_tracks() -> None:
    # facts 5.7, and design: departure from here counts only with no arrival there
    world = World(cloud=True)
    consult, call = await in_room(world, "consult"), await in_room(world, "call")
    world.join("call", "caller", kind=SIP, ear="caller")
    human = world.join("consult", "human-1", kind=SIP, ear="human", attributes={"a": "b"})
    world.publish(human, "human-1", tag="human")
    world.publish(world.join("call", "speaker"), "voice", tag="voice")
    left_behind = world.join("consult", "observer", ear="observer")
    world.publish(left_behind, "voice", tag="consult")
    await asyncio.sleep(1)
    assert world.ears.hears("human") == {"consult"}
    assert world.ears.hears("observer") == {"human"}
    left = Told(consult, "track_unpublished", "participant_disconnected")
    came = Told(call, "participant_connected", "track_published", "track_subscribed")
    moved_s = world.now_s
    world.move(human, "call")
    await asyncio.sleep(1)
    assert left.names == ["track_unpublished", "participant_disconnected"]
    assert left.arguments("participant_disconnected")[0].disconnect_reason is None
    assert came.names == ["participant_connected", "track_subscribed"]
    assert came.arguments("participant_connected")[0].attributes == {"a": "b"}
    assert world.member("consult", "human-1") is None
    assert world.ears.hears("caller") == {"human", "voice"}
    assert world.ears.hears("human") == {"voice"}
    # A change of sound there, after which everybody's mix is made anew.
    world.set_tag(next(iter(left_behind.tracks.values())), "")
    assert world.ears.hears("observer") == frozenset()
    assert world.heard("caller")[-1].from_s - moved_s < 0.1


async def test_a_moved_client_sees_another_room() -> None:
    world = World(cloud=True)
    room = await in_room(world, "consult")
    world.join("consult", "human-1")
    world.publish(world.join("call", "caller"), "microphone", tag="caller")
    await asyncio.sleep(1)
    told = Told(room, "participant_disconnected", "participant_connected", "moved")
    world.move(room.local_participant.member, "call")
    await asyncio.sleep(1)
    assert told.names == ["participant_disconnected", "participant_connected", "moved"]
    assert room.name == "call"
    (publication,) = room.remote_participants["caller"].track_publications.values()
    assert publication.track is not None


async def test_a_room_that_somebody_was_moved_out_of_closes_like_any_other() -> None:
    world = World(cloud=True)
    world.create_room("consult", departure_timeout_s=5)
    await in_room(world, "consult")
    world.move(world.join("consult", "human-1", kind=SIP), "call")
    await asyncio.sleep(5.1)
    assert list(world.rooms) == ["call"]


async def test_a_leg_that_reconnects_is_seen_leaving_and_joining_in_one_go() -> None:
    # livekit-server pkg/rtc/room.go, SendParticipantUpdates: no departure of a replaced session;
    # rust-sdks livekit/src/room/mod.rs, handle_participant_update: another sid is one
    world = World()
    room = await in_room(world)
    leg = world.join("call", "caller", kind=SIP, attributes={"sip.callStatus": "ringing"})
    world.set_attributes(leg, {"sip.callStatus": "active", "sip.callTag": "kept"})
    world.publish(leg, "caller")
    await asyncio.sleep(1)
    told = Told(room, *DEPARTURE_AND_RETURN)
    world.reconnect(leg, 3.0)
    await asyncio.sleep(2.9)
    assert told.names == []
    await asyncio.sleep(1)
    assert told.names == [*DEPARTURE_AND_RETURN]
    (gone,), (back,) = (told.arguments(name) for name in DEPARTURE_AND_RETURN[:2])
    assert gone.disconnect_reason is None
    assert back.sid != gone.sid
    # facts 0.5: with the attributes it was created with; others survive
    assert back.attributes == {"sip.callStatus": "ringing", "sip.callTag": "kept"}


async def test_who_has_not_been_seen_yet_is_not_seen_by_reconnecting() -> None:
    world = World()
    room = await in_room(world)
    world.reconnect(world.join("call", "human-1", kind=SIP, visible=False), 1.0)
    await asyncio.sleep(2)
    assert room.remote_participants == {}


async def test_who_hangs_up_while_reconnecting_does_not_come_back() -> None:
    world = World()
    leg = world.join("call", "caller", kind=SIP)
    world.reconnect(leg, 1.0)
    world.leave(leg, Reason.CLIENT_INITIATED)
    await asyncio.sleep(2)
    assert world.member("call", "caller") is None


async def test_after_a_restart_of_the_server_every_gate_of_a_leg_is_open() -> None:
    # facts A.1: the human heard the caller from +4.9 s on, with no end
    world = World()
    caller = world.join("call", "caller", kind=SIP, ear="caller")
    human = world.join("call", "human-1", kind=SIP, ear="human")
    voices = {
        caller: world.publish(human, "human-1", tag="human"),
        human: world.publish(caller, "caller", tag="caller"),
    }
    await asyncio.sleep(0.014)
    for leg, track in voices.items():
        world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    assert not world.heard("caller")
    restarted_s = world.now_s
    world.restart()
    await asyncio.sleep(60)
    for listener, voice in (("caller", "human"), ("human", "caller")):
        (heard,) = world.heard(listener)
        assert heard.tag == voice
        assert heard.from_s - restarted_s == pytest.approx(4.9, abs=0.01)
        assert heard.to_s == world.now_s


async def test_who_may_not_subscribe_may_not_after_a_restart_either() -> None:
    # facts A.1, the variant: still enforced after a server restart
    world = World()
    leg = world.join("call", "caller", kind=SIP, ear="caller")
    world.publish(world.join("call", "human-1", kind=SIP), "human-1", tag="human")
    world.allow_subscribing(leg, allowed=False)
    world.restart()
    await asyncio.sleep(10)
    assert not world.heard("caller")


async def test_two_rooms_stay_apart_through_a_restart() -> None:
    # facts A.4: 0 frames either way, also across a restart
    world = World()
    for room, identity in (("call", "caller"), ("consult", "human-1")):
        leg = world.join(room, identity, kind=SIP, ear=identity)
        world.publish(leg, identity, tag=identity)
    await asyncio.sleep(1)
    world.restart()
    await asyncio.sleep(10)
    assert not world.heard("caller")
    assert not world.heard("human-1")


async def test_a_restarted_server_has_nobody_until_they_come_back() -> None:
    world = World()
    room = await in_room(world)
    leg = world.join("call", "caller", kind=SIP, attributes={"sip.callStatus": "ringing"})
    world.set_attributes(leg, {"sip.callStatus": "active"})
    await asyncio.sleep(1)
    told = Told(room, *DEPARTURE_AND_RETURN[:2])
    world.restart()
    assert world.down
    assert world.member("call", "caller") is None
    await room.lose_signal(6.0)
    await asyncio.sleep(1)
    assert not world.down
    assert told.names == ["participant_disconnected", "participant_connected"]
    assert room.remote_participants["caller"].attributes["sip.callStatus"] == "ringing"


async def test_a_leg_that_is_away_comes_back_with_the_server_and_not_before() -> None:
    world = World()
    leg = world.join("call", "caller", kind=SIP)
    world.reconnect(leg, 0.3)
    world.restart()
    await asyncio.sleep(1)
    assert world.member("call", "caller") is None
    await asyncio.sleep(10)
    assert world.member("call", "caller") is leg


async def test_nobody_can_join_a_server_that_is_down() -> None:
    world = World()
    world.restart()
    with pytest.raises(rtc.ConnectError):
        await in_room(world)


async def test_a_leg_comes_back_into_a_room_that_is_gone_by_making_it() -> None:
    world = World()
    world.create_room("call", departure_timeout_s=1)
    leg = world.join("call", "caller", kind=SIP)
    world.restart()
    world.rooms.clear()
    await asyncio.sleep(10)
    assert world.member("call", "caller") is leg
    assert leg.room is world.rooms["call"]


async def test_what_is_left_behind_is_counted_beyond_what_was_kept() -> None:
    world = World()
    world.join("call", "caller")
    world.keep()
    assert not world.left()
    assert str(world.left()) == "nothing"
    world.publish(world.join("consult", "agent", kind=AGENT), "voice")
    left = world.left()
    assert left.rooms == ("consult",)
    assert left.participants == ("consult/agent",)
    assert left.tracks == ("consult/agent/voice",)
    assert "rooms: consult" in str(left)
