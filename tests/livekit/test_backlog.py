from __future__ import annotations

import asyncio
import threading

import pytest

from warm_transfer.livekit.backlog import Backlog


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.asyncio
async def test_what_is_put_in_comes_out_in_order() -> None:
    backlog = Backlog(3)
    for each in "abc":
        backlog.put(each)
    assert [await backlog.get() for _ in "abc"] == ["a", "b", "c"]
    assert backlog.dropped == 0


@pytest.mark.asyncio
async def test_beyond_the_capacity_the_oldest_goes_and_is_counted() -> None:
    backlog = Backlog(3)
    for each in "abcde":
        backlog.put(each)
    assert backlog.dropped == 2
    assert [await backlog.get() for _ in "cde"] == ["c", "d", "e"]


@pytest.mark.asyncio
async def test_who_comes_first_waits_for_a_frame() -> None:
    backlog = Backlog(3)
    waiting = asyncio.ensure_future(backlog.get())
    await asyncio.sleep(1.0)
    assert not waiting.done()
    backlog.put("a")
    assert await waiting == "a"
    waiting = asyncio.ensure_future(backlog.get())
    await asyncio.sleep(1.0)
    assert not waiting.done()
    backlog.put(None)
    assert await waiting is None


@pytest.mark.asyncio
async def test_a_frame_is_as_late_as_it_has_waited_since_it_was_there() -> None:
    clock = Clock()
    backlog = Backlog(3, clock)
    # The SDK's thread has the frame long before a busy loop puts it in.
    thread = threading.Thread(target=backlog.arrived)
    thread.start()
    thread.join()
    clock.now_s = 0.3
    backlog.put("late")
    backlog.put("fresh")
    clock.now_s = 0.4
    assert await backlog.get() == "late"
    assert backlog.lag_s == pytest.approx(0.4)
    assert await backlog.get() == "fresh"
    assert backlog.lag_s == pytest.approx(0.1)


@pytest.mark.asyncio
@pytest.mark.parametrize("stall_s", [0.2, 1.0, 5.0])
async def test_after_a_stall_the_first_frame_says_how_long_it_was(stall_s: float) -> None:
    clock = Clock()
    backlog = Backlog(10, clock)
    frames = round(stall_s / 0.01)
    for _ in range(frames):
        backlog.arrived()
        clock.now_s += 0.01
    for each in range(frames):
        backlog.put(each)
    assert await backlog.get() == frames - 10
    assert backlog.lag_s == pytest.approx(stall_s)
    assert await backlog.get() == frames - 9
    assert backlog.lag_s == pytest.approx(0.09)
    assert backlog.dropped == frames - 10


@pytest.mark.asyncio
async def test_a_dropped_frame_does_not_make_the_others_as_old_as_it_was() -> None:
    clock = Clock()
    backlog = Backlog(1, clock)
    for _ in range(3):
        backlog.arrived()
        clock.now_s += 1.0
    for each in "abc":
        backlog.put(each)
    assert await backlog.get() == "c"
    # The first of the two that went had waited longest.
    assert backlog.lag_s == pytest.approx(3.0)
    assert backlog.dropped == 2
    backlog.put("d")
    assert await backlog.get() == "d"
    assert backlog.lag_s == 0.0
