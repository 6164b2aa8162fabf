import asyncio

import pytest

from warm_transfer.testing import clock


@pytest.mark.asyncio
async def test_time_starts_at_zero_and_jumps_to_the_next_timer() -> None:
    loop = asyncio.get_running_loop()
    assert loop.time() == 0.0
    await asyncio.sleep(3600)
    assert loop.time() == pytest.approx(3600.0)


@pytest.mark.asyncio
async def test_a_timeout_passes_in_virtual_time() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.sleep(31)
    assert asyncio.get_running_loop().time() == pytest.approx(30.0)


@pytest.mark.asyncio
async def test_timers_run_in_the_order_of_their_times() -> None:
    seen: list[int] = []
    loop = asyncio.get_running_loop()
    for delay in (3, 1, 2):
        loop.call_later(delay, seen.append, delay)
    await asyncio.sleep(4)
    assert seen == [1, 2, 3]


def test_run_returns_the_result() -> None:
    async def main() -> float:
        await asyncio.sleep(2.5)
        return asyncio.get_running_loop().time()

    assert clock.run(main()) == 2.5


def test_each_run_starts_at_zero() -> None:
    async def now() -> float:
        return asyncio.get_running_loop().time()

    with clock.runner() as runner:
        runner.run(asyncio.sleep(1))
        assert runner.run(now()) == 1.0
    assert clock.run(now()) == 0.0


def test_a_deadlock_is_named_with_who_waits_where() -> None:
    async def wait_for_ever(door: asyncio.Event) -> None:
        await door.wait()

    async def main() -> None:
        await asyncio.sleep(1.5)
        await asyncio.create_task(wait_for_ever(asyncio.Event()), name="the visitor")

    with pytest.raises(clock.Deadlock) as caught:
        clock.run(main())
    text = str(caught.value)
    assert caught.value.at_s == 1.5
    assert "the visitor: " in text
    assert "wait_for_ever > Event.wait at " in text
    assert "main at test_clock.py:" in text


def test_a_deadlock_leaves_the_loop_usable_for_cleaning_up() -> None:
    cleaned: list[str] = []

    async def main() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(1)
            cleaned.append("yes")

    with pytest.raises(clock.Deadlock):
        clock.run(main())
    assert cleaned == ["yes"]


def test_an_error_of_the_main_coroutine_comes_through() -> None:
    async def main() -> None:
        raise LookupError("as it is")

    with pytest.raises(LookupError, match="as it is"):
        clock.run(main())
