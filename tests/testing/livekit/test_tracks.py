import asyncio
from typing import Any

import pytest
from livekit import rtc

from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.server import Member, Track
from warm_transfer.testing.livekit.sound import SimAudioSource, SimAudioStream, SimLocalTrack
from warm_transfer.testing.livekit.world import World

from .meeting import Told, in_room

pytestmark = pytest.mark.asyncio
SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP
NOTHING: frozenset[str] = frozenset()


async def leg_and_speaker(*, kind: int = SIP) -> tuple[World, Member, Track]:
    """A caller who hears somebody else."""
    world = World()
    leg = world.join("call", "caller", kind=kind, ear="caller")
    track = world.publish(world.join("call", "human"), "human", tag="human")
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == {"human"}
    return world, leg, track


async def agent_publishes(world: World, room: SimRoom, name: str, tag: str) -> str:
    source = SimAudioSource(world)
    source.set_tag(tag)
    publication = await room.local_participant.publish_track(SimLocalTrack(world, name, source))
    return publication.sid


def only(identity: str, *sids: str) -> dict[str, Any]:
    """Permissions under which one participant may subscribe: to all tracks, or to some."""
    permission = rtc.ParticipantTrackPermission(
        participant_identity=identity, allow_all=not sids, allowed_track_sids=sids
    )
    return {"allow_all_participants": False, "participant_permissions": [permission]}


async def test_a_gate_closes_and_opens_as_fast_as_measured() -> None:
    # facts A.0: 110 to 135 ms to audible change, of which the request takes 3 to 6
    world, leg, track = await leg_and_speaker()
    for subscribe, hears in ((False, NOTHING), (True, {"human"})):
        world.gate(leg, {track.sid}, subscribe=subscribe)
        await asyncio.sleep(0.1)
        assert world.ears.hears("caller") != hears
        await asyncio.sleep(0.03)
        assert world.ears.hears("caller") == hears


async def test_unsubscribing_a_leg_that_has_not_asked_yet_changes_nothing() -> None:
    # facts A.0: a no-op for a track the leg has not asked for yet
    world = World()
    leg = world.join("call", "caller", kind=SIP, ear="caller")
    track = world.publish(world.join("call", "human"), "human", tag="human")
    world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == {"human"}


async def test_unsubscribing_a_leg_that_has_just_asked_beats_the_first_sound() -> None:
    # facts A.1: 0 human frames to the caller on the happy path
    world = World()
    leg = world.join("call", "caller", kind=SIP, ear="caller")
    track = world.publish(world.join("call", "human"), "human", tag="human")
    await asyncio.sleep(0.014)
    world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    assert not world.heard("caller")


async def test_the_server_subscribes_a_client_at_once_so_that_it_can_be_unsubscribed() -> None:
    # livekit-server pkg/rtc/room.go, onTrackPublished: auto_subscribe
    world = World()
    client = world.join("call", "caller", ear="caller")
    track = world.publish(world.join("call", "human"), "human", tag="human")
    world.gate(client, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    assert not world.heard("caller")


async def test_a_leg_asks_only_after_its_answer_for_what_is_there_and_what_comes() -> None:
    # facts 0.1: auto_subscribe is off only so that it can wait for the answer
    world = World()
    leg = world.join("consult", "human-1", kind=SIP, ear="human", hears=False)
    agent = world.join("consult", "agent")
    world.publish(agent, "voice", tag="briefing")
    await asyncio.sleep(1)
    assert not leg.asked
    world.start_hearing(leg)
    world.publish(agent, "another", tag="another")
    await asyncio.sleep(1)
    assert world.ears.hears("human") == {"briefing", "another"}


async def test_a_gate_is_for_a_track_and_not_for_who_publishes_it() -> None:
    # issue 6: re-asserted after every new track
    world, leg, track = await leg_and_speaker()
    world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    world.publish(track.member, "second", tag="second")
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == {"second"}


async def test_a_full_reconnect_of_a_leg_opens_its_gates() -> None:
    # facts 0.1: resubscribeAfterReconnect asks for everything again
    world, leg, track = await leg_and_speaker()
    world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    world.reconnect(leg, 2.0)
    await asyncio.sleep(1.9)
    assert world.ears.hears("caller") == NOTHING
    await asyncio.sleep(0.2)
    assert world.ears.hears("caller") == {"human"}


async def test_a_new_session_of_the_publisher_is_a_new_track_behind_no_gate() -> None:
    world, leg, track = await leg_and_speaker()
    world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    before = track.sid
    world.reconnect(track.member, 1.0)
    await asyncio.sleep(2)
    assert track.sid != before
    assert world.ears.hears("caller") == {"human"}


async def test_who_may_not_subscribe_gets_what_it_asked_for_when_it_may_again() -> None:
    # facts A.0: drops all subscriptions and blocks new ones; True re-applies everything the leg
    # ever asked for, audio after 127 ms
    world, leg, _ = await leg_and_speaker()
    world.allow_subscribing(leg, allowed=False)
    await asyncio.sleep(0.2)
    assert world.ears.hears("caller") == NOTHING
    world.publish(world.join("call", "agent"), "voice", tag="agent")
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == NOTHING
    world.allow_subscribing(leg, allowed=True)
    await asyncio.sleep(0.13)
    assert world.ears.hears("caller") == {"human", "agent"}


async def test_what_is_asked_for_while_forbidden_can_be_taken_away_before_it_is_allowed() -> None:
    # livekit-server pkg/rtc/subscriptionmanager.go: the wish stands while ErrNoSubscribePermission
    world, leg, track = await leg_and_speaker()
    world.allow_subscribing(leg, allowed=False)
    world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    world.allow_subscribing(leg, allowed=True)
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == NOTHING


@pytest.mark.parametrize("kind", [SIP, 0])
async def test_a_publisher_limits_its_own_tracks_to_one_listener(kind: int) -> None:
    # facts A.0: honoured for any subscriber; music to the caller only, 0 leaked frames
    world = World()
    for identity in ("caller", "human"):
        world.join("call", identity, kind=kind, ear=identity)
    room = await in_room(world)
    room.local_participant.set_track_subscription_permissions(**only("caller"))
    await agent_publishes(world, room, "music", "music")
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == {"music"}
    assert not world.heard("human")
    room.local_participant.set_track_subscription_permissions(allow_all_participants=True)
    await asyncio.sleep(0.13)
    assert world.ears.hears("human") == {"music"}


async def test_a_limit_set_later_takes_the_track_away_again() -> None:
    world = World()
    world.join("call", "human", kind=SIP, ear="human")
    room = await in_room(world)
    await agent_publishes(world, room, "voice", "agent")
    await asyncio.sleep(1)
    room.local_participant.set_track_subscription_permissions(allow_all_participants=False)
    await asyncio.sleep(0.13)
    assert world.ears.hears("human") == NOTHING


async def test_a_limit_does_not_touch_the_tracks_of_others() -> None:
    # facts A.0: the agent can gate its own tracks, never a leg's
    world, _, _ = await leg_and_speaker()
    room = await in_room(world)
    room.local_participant.set_track_subscription_permissions(allow_all_participants=False)
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == {"human"}


async def test_a_limit_by_sid_lets_one_track_through() -> None:
    world = World()
    world.join("call", "caller", kind=SIP, ear="caller")
    room = await in_room(world)
    music = await agent_publishes(world, room, "music", "music")
    await agent_publishes(world, room, "voice", "agent")
    room.local_participant.set_track_subscription_permissions(**only("caller", music))
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == {"music"}


async def test_a_limit_holds_through_a_full_reconnect_without_a_gap() -> None:
    # rust-sdks livekit/src/room/mod.rs, handle_restarted: sent again after the tracks
    world = World()
    for identity in ("caller", "human"):
        world.join("call", identity, kind=SIP, ear=identity)
    room = await in_room(world)
    await agent_publishes(world, room, "music", "music")
    room.local_participant.set_track_subscription_permissions(**only("caller"))
    await asyncio.sleep(1)
    before = world.now_s
    await room.lose_signal(2.0)
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == {"music"}
    assert not [each for each in world.heard("human") if each.to_s > before]


async def test_a_limit_by_sid_names_nothing_after_a_full_reconnect() -> None:
    # integration 6: a full reconnect gives the tracks other sids
    world = World()
    world.join("call", "caller", kind=SIP, ear="caller")
    room = await in_room(world)
    music = await agent_publishes(world, room, "music", "music")
    room.local_participant.set_track_subscription_permissions(**only("caller", music))
    await asyncio.sleep(1)
    await room.lose_signal(2.0)
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == NOTHING


async def test_what_is_limited_while_the_connection_is_away_is_sent_when_it_is_back() -> None:
    world = World()
    world.join("call", "human", kind=SIP, ear="human")
    room = await in_room(world)
    await agent_publishes(world, room, "voice", "agent")
    reconnect = asyncio.create_task(room.lose_signal(2.0))
    await asyncio.sleep(1)
    before = world.now_s
    room.local_participant.set_track_subscription_permissions(allow_all_participants=False)
    await asyncio.sleep(0.1)
    assert room.local_participant.member.permissions is None
    await reconnect
    await asyncio.sleep(1)
    assert not [each for each in world.heard("human") if each.to_s > before]


async def test_the_server_forgets_a_limit_with_the_session_of_who_set_it() -> None:
    # livekit-server pkg/rtc/uptrackmanager.go: it belongs to the session, whose client sends it
    world, _, track = await leg_and_speaker()
    world.permit(track.member, {})
    await asyncio.sleep(1)
    assert world.ears.hears("caller") == NOTHING
    world.reconnect(track.member, 1.0)
    await asyncio.sleep(2)
    assert world.ears.hears("caller") == {"human"}


async def test_a_track_is_heard_some_time_after_it_was_asked_for() -> None:
    # integration 6: track_subscribed 36 ms after
    world = World()
    leg = world.join("call", "caller", kind=SIP, ear="caller", hears=False)
    world.publish(world.join("call", "human"), "human", tag="human")
    await asyncio.sleep(1)
    world.start_hearing(leg)
    await asyncio.sleep(0.03)
    assert not world.heard("caller")
    await asyncio.sleep(0.01)
    assert world.ears.hears("caller") == {"human"}


async def test_a_stream_behind_a_gate_that_was_closed_once_gets_nothing_more() -> None:
    # integration 6: the stream of a track that is subscribed no more is dead
    world = World()
    room = await in_room(world)
    track = world.publish(world.join("call", "caller"), "microphone", tag="caller")
    await asyncio.sleep(1)
    subscribed = room.remote_participants["caller"].track_publications[track.sid].track
    assert subscribed is not None
    stream = SimAudioStream(world, subscribed)
    assert (await anext(stream)).frame.tag == "caller"
    me = room.local_participant.member
    for subscribe in (False, True):
        world.gate(me, {track.sid}, subscribe=subscribe)
        await asyncio.sleep(1)
    while stream._frames:
        await anext(stream)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 60)


async def test_a_client_is_told_when_a_gate_closes_and_opens() -> None:
    world = World()
    room = await in_room(world)
    track = world.publish(world.join("call", "caller"), "microphone", tag="caller")
    await asyncio.sleep(1)
    old = room.remote_participants["caller"].track_publications[track.sid].track
    told = Told(room, "track_unsubscribed", "track_subscribed", "track_unpublished")
    me = room.local_participant.member
    world.gate(me, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    assert room.remote_participants["caller"].track_publications[track.sid].track is None
    world.gate(me, {track.sid}, subscribe=True)
    await asyncio.sleep(1)
    assert told.names == ["track_unsubscribed", "track_subscribed"]
    assert told.arguments("track_unsubscribed")[0] is old
    assert told.arguments("track_subscribed")[0] is not old


async def test_the_first_subscriber_is_told_to_a_publisher_only_when_it_may_subscribe() -> None:
    world = World()
    world.join("call", "human", kind=SIP, ear="human")
    room = await in_room(world)
    room.local_participant.set_track_subscription_permissions(allow_all_participants=False)
    source = SimAudioSource(world)
    publication = await room.local_participant.publish_track(SimLocalTrack(world, "voice", source))
    await asyncio.sleep(1)
    assert not publication.first_subscription.done()
    room.local_participant.set_track_subscription_permissions(allow_all_participants=True)
    await asyncio.wait_for(publication.wait_for_subscription(), 1)


async def test_a_change_taken_back_in_time_is_not_heard() -> None:
    world, leg, track = await leg_and_speaker()
    world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(0.5)
    world.gate(leg, {track.sid}, subscribe=True)
    await asyncio.sleep(0.05)
    world.gate(leg, {track.sid}, subscribe=False)
    await asyncio.sleep(1)
    assert [each.tag for each in world.heard("caller")] == ["human"]
