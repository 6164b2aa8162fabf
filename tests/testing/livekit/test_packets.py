import asyncio

import pytest
from livekit import rtc

from warm_transfer.errors import InvalidArgument
from warm_transfer.testing.livekit.packets import Received
from warm_transfer.testing.livekit.world import World

from .meeting import Told, in_room

pytestmark = pytest.mark.asyncio
SIP = rtc.ParticipantKind.PARTICIPANT_KIND_SIP


async def test_a_key_at_a_leg_is_told_to_the_room_and_played_to_the_other_legs() -> None:
    # facts A.0: the human pressing 1 in a same-room briefing is heard at the caller's phone
    world = World()
    room = await in_room(world)
    world.join("call", "caller", kind=SIP, ear="caller")
    human = world.join("call", "human-1", kind=SIP, ear="human")
    await asyncio.sleep(1)
    told = Told(room, "sip_dtmf_received")
    for digit in "1#":
        world.press(human, digit)
    await asyncio.sleep(1)
    assert world.digits_at("caller") == "1#"
    assert world.digits_at("human") == ""
    tones = [tone for _, _, (tone,) in told]
    assert [(tone.code, tone.digit) for tone in tones] == [(1, "1"), (11, "#")]
    assert tones[0].participant is room.remote_participants["human-1"]


async def test_a_key_stays_in_its_room() -> None:
    # facts A.4: the human's key tones do not reach the caller in another room
    world = World()
    world.join("call", "caller", kind=SIP, ear="caller")
    world.press(world.join("consult", "human-1", kind=SIP), "1")
    await asyncio.sleep(1)
    assert world.digits_at("caller") == ""


async def test_gates_do_not_stop_a_key() -> None:
    # facts A.1: key tones cross
    world = World()
    caller = world.join("call", "caller", kind=SIP, ear="caller")
    human = world.join("call", "human-1", kind=SIP)
    track = world.publish(human, "human-1", tag="human")
    await asyncio.sleep(0.02)
    world.gate(caller, {track.sid}, subscribe=False)
    world.allow_subscribing(caller, allowed=False)
    world.press(human, "1")
    await asyncio.sleep(1)
    assert not world.heard("caller")
    assert world.digits_at("caller") == "1"


async def test_who_may_not_publish_data_sends_no_key() -> None:
    # livekit-server pkg/rtc/participant.go, onReceivedDataMessage
    world = World()
    world.join("call", "caller", kind=SIP, ear="caller")
    human = world.join("call", "human-1", kind=SIP)
    human.can_publish_data = False
    world.press(human, "1")
    await asyncio.sleep(1)
    assert world.digits_at("caller") == ""


async def test_a_leg_that_rings_plays_no_key() -> None:
    # livekit-sip pkg/sip/room.go, sendDTMF: no output before the answer
    world = World()
    world.join("consult", "human-1", kind=SIP, ear="human", hears=False)
    world.press(world.join("consult", "other", kind=SIP), "1")
    await asyncio.sleep(1)
    assert world.digits_at("human") == ""


async def test_the_agent_sends_a_key_to_every_leg() -> None:
    world = World()
    room = await in_room(world)
    world.join("call", "caller", kind=SIP, ear="caller")
    await room.local_participant.publish_dtmf(code=5, digit="5")
    await asyncio.sleep(1)
    assert world.digits_at("caller") == "5"


async def test_a_packet_reaches_clients_and_no_phone() -> None:
    world = World()
    room = await in_room(world)
    other = await in_room(world, identity="app", ear="app")
    world.join("call", "caller", ear="caller")
    world.join("call", "human-1", kind=SIP, ear="human")
    told = Told(other, "data_received")
    await room.local_participant.publish_data("hello", topic="chat", reliable=False)
    await asyncio.sleep(1)
    (packet,) = told.arguments("data_received")
    assert (packet.data, packet.topic) == (b"hello", "chat")
    assert packet.kind == rtc.DataPacketKind.KIND_LOSSY
    assert packet.participant is other.remote_participants["agent"]
    assert world.data_at("caller") == world.data_at("app") == (b"hello",)
    assert world.data_at("human") == ()


async def test_a_packet_may_be_for_some_only() -> None:
    world = World()
    room = await in_room(world)
    for identity in ("caller", "human-1"):
        world.join("call", identity, ear=identity)
    await room.local_participant.publish_data(b"you", destination_identities=["human-1"])
    await asyncio.sleep(1)
    assert world.data_at("caller") == ()
    (received,) = world.received
    assert received == Received(received.at_s, "human-1", "human-1", data=b"you")


async def test_a_client_that_is_away_sends_nothing_once_it_is_lost() -> None:
    world = World()
    room = await in_room(world)
    world.delete_room("call")
    await asyncio.sleep(1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(room.local_participant.publish_dtmf(code=1, digit="1"), 8)


async def test_there_are_sixteen_keys() -> None:
    world = World()
    member = world.join("call", "caller", kind=SIP)
    for digit in ("", "x", "12"):
        with pytest.raises(InvalidArgument):
            world.press(member, digit)
