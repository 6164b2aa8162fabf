"""One row of the comparison, as it is judged, stored and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tests.compare.scenes import Scene
from tests.compare.verdict import FLOOR_MS, Shown, Spread, Verdict, judge

__all__ = ["HELD", "Place", "Row", "hole_row", "read_row", "scene_row"]

Place = Literal["simulated", "real"]

HELD = "what the title fears does not happen"
"""What is owed in the row of a hole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row."""

    id: str
    place: Place
    title: str
    incumbent: Shown | None
    """None when it cannot be played on the incumbent."""
    ours: Shown
    verdict: Verdict
    because: str
    """What the verdict rests on, or why the row cannot be played."""
    moving: Shown | None = None
    """The incumbent at a server that can move participants, as the vendor's cloud does."""

    @property
    def name(self) -> str:
        """How the command names it, such as ``H1`` or ``busy@real``."""
        return self.id if self.id.startswith("H") else f"{self.id}@{self.place}"

    def stored(self) -> dict[str, Any]:
        """The row as it is written."""
        return asdict(self)


def hole_row(
    hole_id: str, title: str, incumbent: Shown | None, ours: Shown, *, reason: str = ""
) -> Row:
    """Judge a hole; without an incumbent, `reason` says why it cannot be played there."""
    verdict, because = Verdict.NOT_DRIVABLE, reason
    if incumbent is not None:
        verdict, because = judge(incumbent, ours, floor_ms=0.0)
    elif not ours.owed[HELD]:
        verdict = Verdict.BEHIND
    return Row(
        id=hole_id,
        place="simulated",
        title=title,
        incumbent=incumbent,
        ours=ours,
        verdict=verdict,
        because=because,
    )


def scene_row(
    scene: Scene, place: Place, incumbent: Shown, ours: Shown, moving: Shown | None = None
) -> Row:
    """Judge a scene; with `moving`, ours must not be behind that either."""
    verdict, because = judge(incumbent, ours, floor_ms=FLOOR_MS[place])
    if moving is not None:
        other, why = judge(moving, ours, floor_ms=FLOOR_MS[place])
        if other is not verdict:
            because = f"{because}; where the server can move participants, {other}: {why}"
        verdict = Verdict.BEHIND if Verdict.BEHIND in (verdict, other) else verdict
    return Row(
        id=scene.id,
        place=place,
        title=scene.title,
        incumbent=incumbent,
        ours=ours,
        verdict=verdict,
        because=because,
        moving=moving,
    )


def read_row(stored: Mapping[str, Any]) -> Row:
    """Read a row back."""
    sides = {side: _shown(stored[side]) for side in ("incumbent", "ours", "moving")}
    ours = sides["ours"]
    assert ours is not None
    return Row(
        id=stored["id"],
        place=stored["place"],
        title=stored["title"],
        incumbent=sides["incumbent"],
        ours=ours,
        verdict=Verdict(stored["verdict"]),
        because=stored["because"],
        moving=sides["moving"],
    )


def _shown(stored: Mapping[str, Any] | None) -> Shown | None:
    if stored is None:
        return None
    times = {
        time: None if spread is None else Spread(**spread)
        for time, spread in stored["times_ms"].items()
    }
    return Shown(owed=stored["owed"], said=stored["said"], times_ms=times, runs=stored["runs"])
