"""Hooks for state changes: what they are told, and that they can do no harm."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable

import pytest

from tests.lines import on_virtual_clock, tasks_left, timers_left, turns
from warm_transfer.hooks import Hooks
from warm_transfer.logs import transfer_log
from warm_transfer.ports import StateChange, StateHook
from warm_transfer.states import State

LIMIT_S = 5.0


def hooks_of(*hooks: StateHook) -> Hooks:
    return Hooks(hooks, timeout_s=LIMIT_S, log=transfer_log("t1"))


def change_to(after: State, before: State = State.IDLE) -> StateChange:
    return StateChange(
        transfer_id="t1",
        before=before,
        after=after,
        event="TRANSFER_REQUESTED",
        at_s=0.0,
        attempt=1,
        outcome=None,
    )


HOLDING, DIALING = change_to(State.HOLDING), change_to(State.DIALING, State.HOLDING)


@on_virtual_clock
async def test_telling_returns_before_any_hook_runs() -> None:
    told: list[StateChange] = []
    hooks = hooks_of(told.append)
    hooks.tell(HOLDING)
    assert told == []
    await hooks.wait_quiet()
    assert told == [HOLDING]


@on_virtual_clock
async def test_a_coroutine_function_is_a_hook_too() -> None:
    told: list[StateChange] = []

    async def later(change: StateChange) -> None:
        await asyncio.sleep(2)
        told.append(change)

    hooks = hooks_of(later)
    hooks.tell(HOLDING)
    await hooks.wait_quiet()
    assert told == [HOLDING]
    assert asyncio.get_running_loop().time() == 2.0


@on_virtual_clock
async def test_an_object_and_a_function_that_returns_an_awaitable_are_hooks_too() -> None:
    told: list[str] = []

    class Counter:
        def __call__(self, change: StateChange) -> int:
            told.append(f"object {change.after}")
            return len(told)

    def gives_a_future(change: StateChange) -> Awaitable[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: told.append(f"future {change.after}"))
        asyncio.get_running_loop().call_later(1, future.set_result, None)
        return future

    hooks = hooks_of(Counter(), gives_a_future)
    hooks.tell(HOLDING)
    await hooks.wait_quiet()
    assert told == ["object holding", "future holding"]


@on_virtual_clock
async def test_several_hooks_are_told_in_order_and_of_each_change_in_order() -> None:
    told: list[str] = []

    def named(name: str) -> Callable[[StateChange], None]:
        return lambda change: told.append(f"{name} {change.after}")

    async def third(change: StateChange) -> None:
        told.append(f"third {change.after}")

    hooks = hooks_of(named("first"), named("second"), third)
    hooks.tell(HOLDING)
    hooks.tell(DIALING)
    await hooks.wait_quiet()
    plain = [each for each in told if not each.startswith("third")]
    assert plain == ["first holding", "second holding", "first dialing", "second dialing"]
    assert [each for each in told if each not in plain] == ["third holding", "third dialing"]


@on_virtual_clock
async def test_a_hook_is_never_called_inside_itself() -> None:
    depth, deepest = 0, 0

    def causes_another(change: StateChange) -> None:
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)
        if change is HOLDING:
            hooks.tell(DIALING)
        depth -= 1

    hooks = hooks_of(causes_another, causes_another)
    hooks.tell(HOLDING)
    await turns()
    assert deepest == 1


@pytest.mark.parametrize("error", [RuntimeError("no"), AssertionError(), KeyError("x")])
@on_virtual_clock
async def test_a_hook_that_raises_is_logged_and_the_next_is_told(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[StateChange] = []

    def wrong(_change: StateChange) -> None:
        raise error

    async def wrong_later(_change: StateChange) -> None:
        await asyncio.sleep(0.1)
        raise error

    hooks = hooks_of(wrong, wrong_later, told.append)
    hooks.tell(HOLDING)
    await hooks.wait_quiet()
    assert told == [HOLDING]
    assert [record.message for record in caplog.records] == ["hook failed"] * 2
    assert all(record.levelno == logging.ERROR for record in caplog.records)
    assert all(record.exc_info and record.exc_info[1] is error for record in caplog.records)


@on_virtual_clock
async def test_a_hook_that_hangs_is_given_up_after_its_limit(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cancelled: list[float] = []

    async def hangs(_change: StateChange) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(asyncio.get_running_loop().time())
            raise

    hooks = hooks_of(hangs)
    hooks.tell(HOLDING)
    await hooks.wait_quiet()
    assert cancelled == [LIMIT_S]
    assert [record.message for record in caplog.records] == ["hook timed out"]
    assert not tasks_left()
    assert not timers_left()


@on_virtual_clock
async def test_a_hook_that_does_not_let_itself_be_cancelled_is_left_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    release = asyncio.get_running_loop().create_future()

    async def stubborn(_change: StateChange) -> None:
        while not release.done():
            try:
                await asyncio.shield(release)
            except asyncio.CancelledError:
                continue

    hooks = hooks_of(stubborn)
    hooks.tell(HOLDING)
    await hooks.wait_quiet()
    assert asyncio.get_running_loop().time() == 2 * LIMIT_S
    assert [record.message for record in caplog.records] == ["hooks left behind"]
    release.set_result(None)
    await turns()
    assert not tasks_left()


@on_virtual_clock
async def test_a_slow_hook_does_not_hold_up_the_others() -> None:
    told: list[tuple[str, float]] = []

    async def slow(_change: StateChange) -> None:
        await asyncio.sleep(3)
        told.append(("slow", asyncio.get_running_loop().time()))

    def quick(_change: StateChange) -> None:
        told.append(("quick", asyncio.get_running_loop().time()))

    hooks = hooks_of(slow, quick)
    hooks.tell(HOLDING)
    await hooks.wait_quiet()
    assert told == [("quick", 0.0), ("slow", 3.0)]


@pytest.mark.parametrize("after_turns", range(4))
@on_virtual_clock
async def test_a_hook_that_is_cancelled_from_outside_leaves_nothing(after_turns: int) -> None:
    async def hangs(_change: StateChange) -> None:
        await asyncio.get_running_loop().create_future()

    hooks = hooks_of(hangs)
    hooks.tell(HOLDING)
    await turns(after_turns)
    for task in tasks_left():
        task.cancel()
    await hooks.wait_quiet()
    assert not tasks_left()
    # A coroutine that was never awaited would complain here.
    del hooks
    gc.collect()


@on_virtual_clock
async def test_without_hooks_it_is_quiet_at_once() -> None:
    hooks = hooks_of()
    hooks.tell(HOLDING)
    await hooks.wait_quiet()
    assert asyncio.get_running_loop().time() == 0.0
