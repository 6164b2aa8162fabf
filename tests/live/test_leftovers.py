from __future__ import annotations

import asyncio
import threading

import pytest

from tests.live.leftovers import Snapshot


@pytest.mark.asyncio
async def test_nothing_new_is_nothing_left() -> None:
    before = Snapshot.take()
    assert not any(before.left().values())


@pytest.mark.asyncio
async def test_a_new_task_is_left_until_it_is_done() -> None:
    before = Snapshot.take()
    over = asyncio.Event()
    task = asyncio.create_task(over.wait(), name="a stray")
    await asyncio.sleep(0)
    assert before.left()["tasks"] == ["a stray (Event.wait)"]
    over.set()
    await task
    assert (await before.left_after(1.0))["tasks"] == []


@pytest.mark.asyncio
async def test_a_task_that_replaces_one_of_the_same_name_is_not_left() -> None:
    over = asyncio.Event()
    old = asyncio.create_task(over.wait())
    await asyncio.sleep(0)
    before = Snapshot.take()
    over.set()
    await old
    new = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    assert before.left()["tasks"] == []
    new.cancel()


@pytest.mark.asyncio
async def test_a_new_thread_is_left() -> None:
    before = Snapshot.take()
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name="stray thread")
    thread.start()
    assert before.left()["threads"] == ["stray thread"]
    over.set()
    thread.join()
