from __future__ import annotations

import pytest

from tests.bench.figures import in_turns, ratio, spread


def test_a_spread_is_the_median_and_the_quarters() -> None:
    assert spread([4.0, 1.0, 3.0, 2.0, 5.0]) == {"p25": 2.0, "p50": 3.0, "p75": 4.0, "runs": 5}
    assert spread([7.0])["p50"] == 7.0
    with pytest.raises(ValueError, match="no values"):
        spread([])


def test_what_is_compared_is_measured_in_turns() -> None:
    order: list[str] = []

    def measure(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = in_turns({"a": lambda: measure("a"), "b": lambda: measure("b")}, 2)
    assert order == ["a", "b", "a", "b"]
    assert found == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
    assert ratio(found["a"], found["b"]) == 0.67
