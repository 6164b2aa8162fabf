from __future__ import annotations

import asyncio

import pytest

from tests.livekit.bench import HUMAN, Bench
from warm_transfer.livekit.arrival import can_be_heard, comes_true

pytestmark = pytest.mark.asyncio


async def test_who_is_there_can_be_heard_when_their_microphone_is_subscribed() -> None:
    bench = await Bench.set_up()
    room = await bench.join_consult()
    assert not can_be_heard(room, HUMAN)
    began_s = bench.now_s
    asyncio.get_running_loop().call_later(1.0, bench.human_joins)
    assert await comes_true(lambda: can_be_heard(room, HUMAN), 5.0, room)
    assert 1.0 < bench.now_s - began_s < 1.2
    await bench.finish()


async def test_what_does_not_come_is_waited_for_no_longer_than_the_limit() -> None:
    bench = await Bench.set_up()
    room = await bench.join_consult()
    before, began_s = room.listeners(), bench.now_s
    assert not await comes_true(lambda: can_be_heard(room, HUMAN), 3.0, room)
    assert bench.now_s - began_s == pytest.approx(3.0)
    assert room.listeners() == before
    await bench.finish()


async def test_what_holds_already_takes_no_time() -> None:
    bench = await Bench.set_up()
    room = await bench.join_consult()
    began_s = bench.now_s
    assert await comes_true(lambda: True, 3.0, room)
    assert bench.now_s == began_s
    await bench.finish()
