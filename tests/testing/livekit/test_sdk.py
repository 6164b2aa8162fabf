import pytest

from warm_transfer.livekit.host import Host
from warm_transfer.livekit.sdk import Sdk
from warm_transfer.testing.livekit.faults import Fault, Faults, How
from warm_transfer.testing.livekit.host import SimHost
from warm_transfer.testing.livekit.humans import Human
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.sessions import SimCallerSession
from warm_transfer.testing.livekit.world import World

from .meeting import in_room

pytestmark = pytest.mark.asyncio


async def test_it_is_what_the_adapters_ask_for() -> None:
    world = World()
    sdk: Sdk = SimSdk(world)
    room = await in_room(world)
    host: Host = SimHost(SimCallerSession(room, "caller"))
    assert sdk.url
    assert host.session.input.audio_enabled


async def test_its_tokens_open_its_rooms() -> None:
    world = World()
    sdk = SimSdk(world)
    room = sdk.room()
    await room.connect(sdk.url, sdk.token("consult", "agent", 60.0))
    assert room.name == "consult"
    assert sdk.rooms == [room]


async def test_consult_sessions_meet_the_humans_in_turn() -> None:
    first, last = Human("no"), Human("yes")
    sdk = SimSdk(World(), humans=[first, last])
    sessions = [sdk.consult_session({"llm": None}) for _ in range(3)]
    assert [session.human for session in sessions] == [first, last, last]
    assert sessions[0].options == {"llm": None}


async def test_a_stream_that_cannot_be_opened_leaves_nothing() -> None:
    world = World()
    sdk = SimSdk(world)
    room = await in_room(world)
    track = world.publish(world.join("call", "caller"), "microphone")
    await sdk.audio_source().aclose()
    world.faults = Faults({("stream.open", 1): Fault(How.FAILS_AFTER)})
    await world.wait(1.0)
    remote = room.remote_participants["caller"].track_publications[track.sid].track
    assert remote is not None
    before = world.left()
    with pytest.raises(ConnectionError):
        sdk.audio_stream(remote, capacity=10)
    assert world.left() == before
