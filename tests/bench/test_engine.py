from __future__ import annotations

from tests.bench.engine import engine


def test_the_engine_is_measured_beside_the_others() -> None:
    found = engine(rounds=1)
    kinds = {"core", "core_and_journal", "transitions", "transitions_async", "dictionary"}
    assert found["event_us"].keys() == kinds
    assert found["core_and_journal_by"].keys() == kinds
    assert found["core_and_journal_by"]["core_and_journal"] == 1.0
    assert all(told["runs"] == 1 and told["p50"] > 0 for told in found["event_us"].values())
    # A whole merged call: dial, answer, yes, merge and the end at least.
    assert found["events"] >= 5
    assert found["bytes_per_transfer"] > 0
