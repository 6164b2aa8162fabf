import asyncio

import pytest

from warm_transfer.errors import InvalidArgument
from warm_transfer.testing.livekit.faults import Fault, Faults, How

pytestmark = pytest.mark.asyncio


class Door:
    def __init__(self) -> None:
        self.opened = 0

    async def open(self) -> int:
        self.opened += 1
        return self.opened


async def test_calls_are_counted_by_name() -> None:
    faults, door = Faults(), Door()
    for name in ("open", "open", "close"):
        await faults.call(name, door.open)
    assert faults.calls == {"open": 2, "close": 1}
    assert faults.met == []


@pytest.mark.parametrize(
    ("how", "opened"), [(How.FAILS, 0), (How.FAILS_AFTER, 1), (How.HANGS, 0), (How.HANGS_AFTER, 1)]
)
async def test_a_call_fails_or_hangs_before_or_after_its_work(how: How, opened: int) -> None:
    faults, door = Faults({("open", 1): Fault(how, ValueError("planned"))}), Door()
    expected = TimeoutError if how in (How.HANGS, How.HANGS_AFTER) else ValueError
    with pytest.raises(expected):
        async with asyncio.timeout(1000):
            await faults.call("open", door.open)
    assert door.opened == opened
    assert [(name, number) for name, number, _ in faults.met] == [("open", 1)]


async def test_only_the_planned_call_is_touched() -> None:
    faults, door = Faults({("open", 2): Fault(How.FAILS)}), Door()
    assert await faults.call("open", door.open) == 1
    with pytest.raises(ConnectionError, match="planned fault in open"):
        await faults.call("open", door.open)
    assert await faults.call("open", door.open) == 2


async def test_number_zero_means_every_call() -> None:
    faults, door = Faults({("open", 0): Fault(How.FAILS)}), Door()
    for _ in range(3):
        with pytest.raises(ConnectionError):
            await faults.call("open", door.open)


async def test_a_late_answer_and_a_replayed_request() -> None:
    plan = {("open", 1): Fault(How.LATE, seconds=7.0), ("open", 2): Fault(How.TWICE)}
    faults, door = Faults(plan), Door()
    assert await faults.call("open", door.open) == 1
    assert asyncio.get_running_loop().time() == pytest.approx(7.0)
    assert await faults.call("open", door.open) == 3


async def test_a_synchronous_call_fails_before_or_after_or_happens_twice() -> None:
    plan = {
        ("set", 1): Fault(How.FAILS),
        ("set", 2): Fault(How.FAILS_AFTER),
        ("set", 3): Fault(How.TWICE),
    }
    faults = Faults(plan)
    done: list[int] = []
    for expected in (0, 1):
        with pytest.raises(ConnectionError):
            faults.call_now("set", lambda: done.append(1))
        assert len(done) == expected
    faults.call_now("set", lambda: done.append(1))
    faults.call_now("set", lambda: done.append(1))
    assert len(done) == 4


async def test_calls_count_from_one() -> None:
    with pytest.raises(InvalidArgument):
        Faults({("open", -1): Fault(How.FAILS)})
