from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit import rtc

from tests.livekit.bench import Bench
from warm_transfer.livekit.presence import Presence
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.play import CALLER, CALLER_ROOM
from warm_transfer.testing.livekit.server import Member

Reason = rtc.DisconnectReason
POLICY = TransferPolicy()
NEWS_S = 0.5
"""Within this time the room has told what happened."""


class Watched:
    """Somebody in the caller's room, and when they were said to be gone."""

    def __init__(self, bench: Bench, identity: str) -> None:
        self.bench = bench
        self.world = bench.stage.world
        self.gone: list[tuple[float, str | None]] = []
        room: Any = bench.stage.room
        self.room = room
        self.presence = Presence(
            room,
            identity,
            lambda reason: self.gone.append((bench.now_s, reason)),
            lambda _: None,
            policy=POLICY,
        )

    @property
    def caller(self) -> Member:
        assert self.bench.stage.caller is not None
        return self.bench.stage.caller


@pytest.mark.asyncio
async def test_two_reconnects_in_a_row_are_looked_at_once_after_the_last() -> None:
    there = Watched(await Bench.set_up(), "nobody")
    there.room.emit("reconnected")
    await asyncio.sleep(3.0)
    there.room.emit("reconnected")
    last_s = there.bench.now_s
    await asyncio.sleep(20.0)
    ((at_s, reason),) = there.gone
    assert at_s == pytest.approx(last_s + POLICY.reconnect_grace_s)
    assert reason is None
    there.presence.close()


@pytest.mark.asyncio
async def test_nobody_is_missed_while_a_second_reconnect_is_under_way() -> None:
    there = Watched(await Bench.set_up(), CALLER)
    await there.room.lose_signal(2.0)
    # Under way when the first one's grace ends: the room is connected, and seems empty.
    await asyncio.sleep(POLICY.reconnect_grace_s - 1.0)
    await there.room.lose_signal(2.0)
    await asyncio.sleep(20.0)
    assert there.gone == []
    there.presence.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "reason", [Reason.CLIENT_INITIATED, Reason.USER_REJECTED, Reason.DUPLICATE_IDENTITY, 99]
)
async def test_who_leaves_with_a_reason_is_gone_at_once(reason: int) -> None:
    there = Watched(await Bench.set_up(), CALLER)
    left_s = there.bench.now_s
    there.world.leave(there.caller, reason)
    await asyncio.sleep(NEWS_S)
    ((at_s, said),) = there.gone
    assert at_s - left_s < POLICY.rejoin_grace_s / 2
    assert said is not None
    there.presence.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("reason", [Reason.UNKNOWN_REASON, Reason.MIGRATION])
async def test_who_leaves_without_a_reason_to_is_missed_after_a_grace(reason: int) -> None:
    there = Watched(await Bench.set_up(), CALLER)
    left_s = there.bench.now_s
    there.world.leave(there.caller, reason)
    await asyncio.sleep(POLICY.rejoin_grace_s + NEWS_S)
    ((at_s, _),) = there.gone
    assert at_s - left_s == pytest.approx(POLICY.rejoin_grace_s, abs=0.1)
    there.presence.close()


@pytest.mark.asyncio
async def test_who_reconnects_in_full_has_not_left() -> None:
    there = Watched(await Bench.set_up(), CALLER)
    there.world.reconnect(there.caller, 0.2)
    await asyncio.sleep(5.0)
    assert there.world.member(CALLER_ROOM, CALLER) is not None
    assert there.gone == []
    there.world.leave(there.caller, Reason.CLIENT_INITIATED)
    await asyncio.sleep(NEWS_S)
    assert len(there.gone) == 1
    there.presence.close()


@pytest.mark.asyncio
async def test_the_longer_grace_is_kept() -> None:
    there = Watched(await Bench.set_up(), CALLER)
    there.room.emit("reconnected")
    began_s = there.bench.now_s
    there.world.leave(there.caller, Reason.UNKNOWN_REASON)
    await asyncio.sleep(20.0)
    ((at_s, _),) = there.gone
    assert at_s == pytest.approx(began_s + POLICY.reconnect_grace_s)
    there.presence.close()


@pytest.mark.asyncio
async def test_nothing_is_looked_at_after_the_close() -> None:
    there = Watched(await Bench.set_up(), CALLER)
    there.world.leave(there.caller, Reason.UNKNOWN_REASON)
    await asyncio.sleep(NEWS_S)
    there.presence.close()
    await asyncio.sleep(20.0)
    assert there.gone == []
