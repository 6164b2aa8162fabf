"""How figures are taken: in turns, and told as a median and a spread."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence

__all__ = ["in_turns", "ratio", "spread"]


def spread(values: Sequence[float], digits: int = 1) -> dict[str, float | int]:
    """The median, the quarter below and above it, and how many there are.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("no values to take a median of")
    if len(values) == 1:
        low = middle = high = values[0]
    else:
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {
        "p25": round(low, digits),
        "p50": round(middle, digits),
        "p75": round(high, digits),
        "runs": len(values),
    }


def in_turns(what: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Measure each thing once a round, so that a busy moment of the machine falls on all."""
    found: dict[str, list[float]] = {name: [] for name in what}
    for _ in range(rounds):
        for name, measure in what.items():
            found[name].append(measure())
    return found


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """The median of one by the median of the other."""
    return round(statistics.median(one) / statistics.median(other), 2)
