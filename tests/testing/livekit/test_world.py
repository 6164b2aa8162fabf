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


async def test_a_moved_member_is_in_the_other_room_with_its_tracks() -> None:
    world = World(cloud=True)
    room = await in_room(world)
    told = Told(room, "participant_connected", "track_subscribed")
    human = world.join("consult", "human-1", kind=SIP)
    world.publish(human, "human-1", tag="human")
    await asyncio.sleep(1)
    world.move(human, "call")
    await asyncio.sleep(1)
    assert told.names == ["participant_connected", "track_subscribed"]
    assert world.member("consult", "human-1") is None


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
