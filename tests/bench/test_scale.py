from __future__ import annotations

from tests.bench.scale import scale


def test_held_callers_are_measured_and_all_released() -> None:
    (found,) = scale((2,), rest_s=0.1, quiet_s=0)
    assert found["held"] == 2
    assert found["left"] == 0
    assert found.keys() == {
        "held",
        "bytes_each",
        "cpu_at_rest_pct",
        "release_s",
        "release_cpu_s",
        "release_gc_s",
        "left",
    }
