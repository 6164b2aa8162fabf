"""The verdict on a row: what either side did, side by side, and nothing else.

`RULES` is printed on the page; `judge` is what it says.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.compare.facts import Run

__all__ = ["FLOOR_MS", "RULES", "Shown", "Spread", "Verdict", "judge", "shown"]

FLOOR_MS = {"simulated": 1.0, "real": 40.0}
"""Differences below this are noise: a tick of the virtual clock's observer; two frames of sound."""


class Verdict(StrEnum):
    """How ours compares with the incumbent in one row."""

    BETTER = "better"
    EQUAL = "equal"
    BEHIND = "behind"
    NOT_DRIVABLE = "not_drivable"


RULES: dict[Verdict, str] = {
    Verdict.BETTER: (
        "ours does something that is owed and the incumbent does not, or both do the same and ours"
        " is faster in some time by more than the noise; and it is behind in nothing"
    ),
    Verdict.EQUAL: "both do the same, and no time differs by more than the noise",
    Verdict.BEHIND: (
        "the incumbent does something that is owed and ours does not, or ours is slower in some"
        " time by more than the noise"
    ),
    Verdict.NOT_DRIVABLE: "the row cannot be played on the incumbent; the row says why",
}


@dataclass(frozen=True, slots=True)
class Spread:
    """One time over several runs, in milliseconds."""

    median: float
    least: float
    most: float

    @property
    def width(self) -> float:
        """How far the runs lie apart."""
        return self.most - self.least


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one side showed in a row."""

    owed: Mapping[str, bool]
    """Whether each thing that is owed was seen, in every run."""
    said: str
    times_ms: Mapping[str, Spread | None] = field(default_factory=dict)
    """Absent in some run is absent."""
    runs: int = 1


def shown(runs: Sequence[Run]) -> Shown:
    """Put the runs of one side together: the worst of what is owed, the middle of the times."""
    first = runs[0]
    owed = {str(each): all(run.owed[each] for run in runs) for each in first.owed}
    times = {str(time): _spread([run.times_ms[time] for run in runs]) for time in first.times_ms}
    worst = min(runs, key=lambda run: sum(run.owed.values()))
    return Shown(owed=owed, said=_said(runs, worst), times_ms=times, runs=len(runs))


def _said(runs: Sequence[Run], worst: Run) -> str:
    same = sum(run.owed == worst.owed for run in runs)
    return worst.said if same == len(runs) else f"{worst.said} ({same} of {len(runs)} runs)"


def _spread(times_ms: Sequence[float | None]) -> Spread | None:
    known = [time for time in times_ms if time is not None]
    if not known or len(known) < len(times_ms):
        return None
    return Spread(statistics.median(known), min(known), max(known))


def judge(incumbent: Shown, ours: Shown, *, floor_ms: float) -> tuple[Verdict, str]:
    """Compare two sides of one row.

    Returns:
        The verdict, and what it rests on.
    """
    gained = [owed for owed, seen in ours.owed.items() if seen and not incumbent.owed[owed]]
    lost = [owed for owed, seen in incumbent.owed.items() if seen and not ours.owed[owed]]
    faster, slower = _compare(incumbent.times_ms, ours.times_ms, floor_ms)
    because = [
        *(f"only the incumbent: {owed}" for owed in lost),
        *(f"slower: {time}" for time in slower),
        *(f"only ours: {owed}" for owed in gained),
        *(f"faster: {time}" for time in faster),
    ]
    verdict = Verdict.EQUAL
    if lost or slower:
        verdict = Verdict.BEHIND
    elif gained or faster:
        verdict = Verdict.BETTER
    return verdict, "; ".join(because)


def _compare(
    incumbent: Mapping[str, Spread | None], ours: Mapping[str, Spread | None], floor_ms: float
) -> tuple[list[str], list[str]]:
    """Name the times in which ours is faster, and those in which it is slower or has none."""
    faster: list[str] = []
    slower: list[str] = []
    for time, theirs in incumbent.items():
        mine = ours[time]
        if theirs is None:
            continue
        if mine is None:
            slower.append(f"{time} is not there")
            continue
        gain = theirs.median - mine.median
        if abs(gain) > max(floor_ms, theirs.width, mine.width):
            line = f"{time} {theirs.median:.0f} → {mine.median:.0f} ms"
            (faster if gain > 0 else slower).append(line)
    return faster, slower
