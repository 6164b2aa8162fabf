from __future__ import annotations

import asyncio
import os
import time
from functools import partial

import pytest

from tests.bench.load import FULL_PCT, Share, cpu_s, until_full


def measured(sums: dict[int, float], briefed: dict[int, int] | None = None) -> list[int]:
    """Which counts are measured when they take so much and so many come up."""

    async def measure(count: int) -> Share:
        came = (briefed or {}).get(count, count)
        return {"calls": count, "briefed": came, "sum_pct": sums[count]}

    kept: list[int] = []

    async def all_of_it() -> list[Share]:
        keep = partial(_keep, kept)
        return await until_full(measure, sums, lambda _: None, keep, cores=2)

    found = asyncio.run(all_of_it())
    assert kept == list(range(1, len(found) + 1))
    return [each["calls"] for each in found]


def _keep(kept: list[int], found: list[Share]) -> None:
    kept.append(len(found))


def test_it_goes_on_until_the_cores_are_full() -> None:
    full = 2 * FULL_PCT
    assert measured({1: 20.0, 2: full - 1.0, 4: float(full), 8: 200.0}) == [1, 2, 4]
    assert measured({1: 20.0, 2: 30.0}) == [1, 2]


def test_a_call_that_does_not_come_up_ends_it_and_is_told() -> None:
    assert measured({1: 0.0, 2: 0.0, 4: 0.0}, briefed={2: 1}) == [1, 2]


def test_the_cpu_of_a_process_is_what_it_has_taken() -> None:
    before, own = cpu_s(os.getpid()), time.process_time()
    while time.process_time() - own < 0.2:
        pass
    assert cpu_s(os.getpid()) - before == pytest.approx(0.2, abs=0.1)
