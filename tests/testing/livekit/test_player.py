import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import AudioConfig, BuiltinAudioClip

from warm_transfer.testing.livekit.player import SimAudioFile, SimHoldPlayer
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.world import World

from .meeting import in_room

pytestmark = pytest.mark.asyncio
CLIP = AudioConfig(BuiltinAudioClip.HOLD_MUSIC, volume=0.8)


async def ready() -> tuple[World, SimRoom, SimHoldPlayer]:
    world = World()
    world.join("call", "caller", ear="caller")
    room = await in_room(world)
    return world, room, SimHoldPlayer(world, "hold")


async def test_music_is_heard_a_moment_after_the_start() -> None:
    # integration 5.1: a fresh player with a steady tone is heard after 114 to 198 ms
    world, room, player = await ready()
    began_s = world.now_s
    await player.start(room=room)
    player.play(CLIP, loop=True)
    await asyncio.sleep(1)
    (heard,) = world.heard("caller")
    assert heard.tag == "music"
    assert 0.06 <= heard.from_s - began_s <= 0.2


async def test_closing_takes_only_the_own_track() -> None:
    # integration 5.4: the stock player takes the application's track
    world, room, player = await ready()
    other = SimHoldPlayer(world, "background_audio")
    await other.start(room=room)
    await player.start(room=room)
    before_s = world.now_s
    await player.aclose()
    await player.aclose()
    # integration 5.3: aclose 70 to 81
    assert 0.05 <= world.now_s - before_s <= 0.09
    names = [each.name for each in room.local_participant.track_publications.values()]
    assert names == ["background_audio"]


async def test_closing_finds_the_track_again_after_a_full_reconnect() -> None:
    _, room, player = await ready()
    await player.start(room=room)
    await room.lose_signal(3.0)
    await player.aclose()
    assert room.local_participant.track_publications == {}


async def test_closing_does_not_return_in_a_room_that_the_server_took() -> None:
    # integration 5.4: aclose did not return in 20 s
    world, room, player = await ready()
    await player.start(room=room)
    world.delete_room("call")
    await asyncio.sleep(1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20):
            await player.aclose()


async def test_starting_does_not_return_in_a_room_that_is_not_connected() -> None:
    # integration 5.4
    world, room, player = await ready()
    await room.disconnect()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20):
            await player.start(room=room)
    assert not world.left().open


async def test_closing_after_the_own_disconnect_is_quick() -> None:
    # integration 5.4: 1 ms
    world, room, player = await ready()
    await player.start(room=room)
    await room.disconnect()
    before_s = world.now_s
    async with asyncio.timeout(1):
        await player.aclose()
    assert world.now_s - before_s <= 0.01


async def endless() -> AsyncIterator[rtc.AudioFrame]:
    while True:
        yield rtc.AudioFrame.create(48_000, 1, 480)


async def test_an_iterator_cannot_be_looped() -> None:
    # integration 5.4
    _, room, player = await ready()
    with pytest.raises(RuntimeError, match="not started"):
        player.play(CLIP)
    await player.start(room=room)
    with pytest.raises(ValueError, match="Looping"):
        player.play(endless(), loop=True)


@pytest.mark.parametrize("audio", ["/no/such/file.ogg", []])
async def test_what_is_not_there_plays_silence_without_an_error(audio: Any) -> None:
    # integration 5.4: missing file or empty list
    world, room, player = await ready()
    await player.start(room=room)
    player.play(audio)
    await asyncio.sleep(1)
    assert not world.heard("caller")


async def test_a_handle_stops_what_plays() -> None:
    world, room, player = await ready()
    await player.start(room=room)
    handle = player.play(CLIP)
    await asyncio.sleep(1)
    handle.stop()
    handle.stop()
    await handle
    await handle.wait_for_playout()
    assert handle.done()
    assert world.ears.hears("caller") == frozenset()


async def test_a_file_counts_as_open_until_it_is_closed() -> None:
    world, _, _ = await ready()
    file = SimAudioFile(world, "somewhere/music.ogg")
    assert "audio file music.ogg" in world.left().open
    assert [frame async for frame in file] == []
    file.close()
    file.close()
    assert "audio file music.ogg" not in world.left().open
