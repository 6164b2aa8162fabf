from __future__ import annotations

import json
from multiprocessing import resource_tracker

import pytest

from warm_transfer.testing.livekit.sim.counting import Tally
from warm_transfer.testing.livekit.sim.farm import BATCH, play_many

# It lives as long as this process, and has a pipe; so it is not the test that leaves that open.
resource_tracker.ensure_running()


def test_two_processes_count_what_one_does() -> None:
    alone = play_many(500, 2 * BATCH + 1)
    together = play_many(500, 2 * BATCH + 1, processes=2)
    assert alone.n == together.n == 2 * BATCH + 1
    assert json.dumps(alone.in_json()) == json.dumps(together.in_json())


def test_it_is_told_after_each_batch_and_what_that_raises_ends_it() -> None:
    told: list[int] = []

    def stop_after_two(tally: Tally) -> None:
        told.append(tally.n)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_many(0, 5 * BATCH, told=stop_after_two)
    assert told == [BATCH, 2 * BATCH]
