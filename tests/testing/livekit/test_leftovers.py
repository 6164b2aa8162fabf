from __future__ import annotations

import asyncio

from warm_transfer.testing import clock
from warm_transfer.testing.livekit.leftovers import Ledger, Left, tasks_beyond


def test_nothing_is_false_and_anything_is_true() -> None:
    assert not Left()
    assert Left(tasks=("a task",))
    assert str(Left(rooms=("a", "b"), open=("player",))) == "rooms: a, b; open: player"


def test_what_was_kept_does_not_count_but_more_of_it_does() -> None:
    ledger, things = Ledger(), [object(), object()]
    ledger.opened(things[0], "api client")
    ledger.keep([])
    assert not ledger.left([])
    ledger.opened(things[1], "api client")
    assert ledger.left([]).open == ("api client",)
    ledger.closed(things[1])
    ledger.closed(things[1])
    assert not ledger.left([])


def test_a_task_is_left_until_it_ends_unless_it_is_the_worlds_own() -> None:
    async def run() -> None:
        before, loop = clock.tasks(), asyncio.get_running_loop()
        names = ("b", "sim: call", "a")
        tasks = [loop.create_task(asyncio.sleep(at), name=name) for at, name in enumerate(names)]
        assert tasks_beyond(before) == ("a", "b")
        await tasks[0]
        assert tasks_beyond(before) == ("a",)
        await tasks[2]

    clock.run(run())
