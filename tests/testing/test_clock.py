import asyncio
from collections.abc import AsyncIterator

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


def test_what_is_due_at_the_same_time_runs_as_it_was_asked_for() -> None:
    seen: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for each in "abcdefgh":
            loop.call_at(1.0, seen.append, each)
        await asyncio.sleep(1.5)

    clock.run(main())
    assert "".join(seen) == "abcdefgh"


def test_a_stall_lets_time_pass_in_which_nothing_runs() -> None:
    seen: list[float] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, clock.VirtualClockLoop)
        loop.call_later(1.0, lambda: seen.append(loop.time()))
        loop.call_later(7.0, lambda: seen.append(loop.time()))
        loop.stall(5.0)
        assert loop.time() == 5.0
        await asyncio.sleep(3.0)

    clock.run(main())
    assert seen == [5.0, 7.0]


def test_the_timers_that_are_left_are_told_without_the_cancelled_ones() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, clock.VirtualClockLoop)
        late, early, never = (loop.call_later(s, print) for s in (9.0, 3.0, 5.0))
        never.cancel()
        assert never.cancelled()
        assert loop.timers() == (early, late)
        assert [each.when() for each in loop.timers()] == [3.0, 9.0]

    clock.run(main())


def test_a_callback_that_raises_is_told_to_the_loop_and_the_others_run() -> None:
    told: list[object] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        loop.call_soon(list[int]().pop)
        loop.call_soon(told.append, "the next one")
        await asyncio.sleep(0)

    clock.run(main())
    assert isinstance(told[0], IndexError)
    assert told[1] == "the next one"


def test_a_generator_that_nobody_finishes_is_finished() -> None:
    ended: list[str] = []

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append("yes")

    async def main() -> None:
        async for _ in numbers():
            break
        await asyncio.sleep(1)

    clock.run(main())
    assert ended == ["yes"]


def test_what_still_runs_at_the_end_is_cancelled() -> None:
    ended: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("cancelled")

    async def main() -> asyncio.Task[None]:
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        return task

    assert clock.run(main()).cancelled()
    assert ended == ["cancelled"]


def test_nothing_can_be_asked_of_a_closed_loop() -> None:
    loop = clock.VirtualClockLoop()
    assert not loop.is_running()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon(print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1.0, print)


@pytest.mark.asyncio
async def test_the_tasks_are_those_that_run_and_asyncio_says_the_same() -> None:
    me = asyncio.current_task()
    waits = asyncio.create_task(asyncio.sleep(1), name="waits")
    gone = asyncio.create_task(asyncio.sleep(0), name="gone")
    await gone
    assert clock.tasks() == asyncio.all_tasks() == {me, waits}
    waits.cancel()
    await asyncio.wait([waits])
    assert clock.tasks() == {me}


def test_the_tasks_of_another_loop_are_asyncios() -> None:
    async def told() -> bool:
        return clock.tasks() == asyncio.all_tasks() == {asyncio.current_task()}

    assert asyncio.run(told())


@pytest.mark.asyncio
async def test_a_task_that_is_done_is_not_kept() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, clock.VirtualClockLoop)
    before = len(loop._made)
    for _ in range(50):
        await asyncio.create_task(asyncio.sleep(0))
    assert len(loop._made) <= before + 1
