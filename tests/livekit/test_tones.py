"""Key tones through the relay, in the simulated world where a key is a packet to the whole room."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from livekit import rtc

from tests.livekit.bench import HUMAN, ROOM, Bench
from tests.livekit.test_relay import Bridge
from warm_transfer.livekit.tones import Tones
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.server import Member


async def dial(bridge: Bridge, member: Member, keys: str) -> None:
    for key in keys:
        bridge.world.press(member, key)
        await asyncio.sleep(0.25)


def caller_of(bench: Bench) -> Member:
    caller = bench.stage.caller
    assert caller is not None
    return caller


@pytest.mark.asyncio
async def test_keys_cross_in_order_both_ways_and_do_not_come_back() -> None:
    bridge = await Bridge.set_up()
    await bridge.merge()
    await dial(bridge, bridge.human, "123#")
    await dial(bridge, caller_of(bridge.bench), "45*A")
    assert bridge.world.digits_at("caller") == "123#"
    assert bridge.world.digits_at("human") == "45*A"
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_no_key_crosses_before_the_merge_or_after_it() -> None:
    bridge = await Bridge.set_up()
    await bridge.relay.prepare(bridge.bench.legs)
    await dial(bridge, bridge.human, "1")
    await dial(bridge, caller_of(bridge.bench), "2")
    await bridge.merge()
    await asyncio.sleep(1.0)
    await bridge.unmerge()
    await dial(bridge, bridge.human, "3")
    await dial(bridge, caller_of(bridge.bench), "4")
    assert bridge.world.digits_at("caller") == ""
    assert bridge.world.digits_at("human") == ""


@pytest.mark.asyncio
async def test_only_the_two_named_parties_press_keys_for_each_other() -> None:
    bridge = await Bridge.set_up()
    third, other = bridge.world.join("call", "third"), bridge.world.join(ROOM, "other")
    await asyncio.sleep(0.2)
    await bridge.merge()
    await dial(bridge, third, "1")
    await dial(bridge, other, "2")
    # In one room everybody gets a key; through the relay none of these comes.
    assert bridge.world.digits_at("caller") == "1"
    assert bridge.world.digits_at("human") == "2"
    await bridge.unmerge()


@pytest.mark.asyncio
async def test_a_key_without_a_participant_is_nobodys() -> None:
    # The server's API can send data of nobody's (rtc: "None when sent by a server SDK").
    bridge = await Bridge.set_up()
    await bridge.merge()
    room: Any = bridge.bench.legs.caller_room
    room.emit("sip_dtmf_received", rtc.SipDTMF(1, "1", None))
    await asyncio.sleep(1.0)
    assert bridge.world.digits_at("human") == ""
    await bridge.unmerge()


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [How.FAILS, How.HANGS])
async def test_a_key_that_is_lost_ends_nothing_and_is_told(
    how: How, caplog: pytest.LogCaptureFixture
) -> None:
    bridge = await Bridge.set_up(TransferPolicy(api_timeout_s=1.0))
    await bridge.merge()
    bridge.world.faults.plan[("room.publish_dtmf", 1)] = Fault(how, RuntimeError("no"))
    with caplog.at_level(logging.WARNING, logger="warm_transfer"):
        await dial(bridge, bridge.human, "12")
        await asyncio.sleep(2.0)
    assert [each.getMessage() for each in caplog.records] == ["key tone lost"]
    assert bridge.world.digits_at("caller") == "2"
    assert await bridge.healthy()
    assert bridge.broke == []
    await bridge.unmerge()
    bridge.assert_nothing_left()


@pytest.mark.asyncio
async def test_a_close_that_comes_before_the_opening_keeps_it_closed() -> None:
    bridge = await Bridge.set_up()
    legs = bridge.bench.legs
    assert legs.consult_room is not None
    tones = Tones(legs, (legs.consult_room, HUMAN), legs.caller_room)
    await tones.close()
    tones.open()
    await dial(bridge, bridge.human, "1")
    assert bridge.world.digits_at("caller") == ""
    bridge.assert_nothing_left()
