"""How long a marker is on its way, by the arrival of the very frame in which it is heard.

`tests.live.hearing.delays_ms` measures on an evened-out time line, on which a frame may lie tens
of milliseconds before it came; too much where the relay's own share is some fifty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from tests.live.hearing import PILOTS, PRESENT, Detector, Piece
from tests.live.pilots import FREQUENCY_HZ, Pilot
from tests.live.voices import RATE_HZ, Samples

__all__ = ["arrivals_ms", "first_heard_s", "spread"]

WITHIN_S = 0.7
WINDOW = RATE_HZ // 100


def arrivals_ms(pieces: Iterable[Piece], mark: Pilot, sent_s: Sequence[float]) -> list[float]:
    """Milliseconds from each marker's sending to its being heard; one not heard is left out."""
    tracks: dict[str, list[Piece]] = {}
    for piece in pieces:
        tracks.setdefault(piece.track, []).append(piece)
    found = ([_arrival_s(track, mark, at_s) for track in tracks.values()] for at_s in sent_s)
    heard = [[each for each in tries if each is not None] for tries in found]
    return [1000 * min(tries) for tries in heard if tries]


def _arrival_s(track: Sequence[Piece], mark: Pilot, sent_s: float) -> float | None:
    part = [piece for piece in track if sent_s <= piece.at_s < sent_s + WITHIN_S]
    if len(part) < 2:
        return None
    level = _strength(np.concatenate([piece.samples for piece in part]), FREQUENCY_HZ[mark])
    if not level.size or level.max() < 2 * PRESENT:
        return None
    # The onset is where a window is half full of it.
    onset = int(np.flatnonzero(level > level.max() / 2)[0]) + WINDOW // 2
    ends = np.cumsum([piece.samples.size for piece in part])
    return part[int(np.searchsorted(ends, onset, side="right"))].at_s - sent_s


def _strength(samples: Samples, frequency_hz: int) -> npt.NDArray[np.float64]:
    """How strong a tone is in each window of 10 ms, in which the other pilots cancel."""
    turns = np.exp(-2j * np.pi * frequency_hz / RATE_HZ * np.arange(samples.size))
    total = np.concatenate(([0], np.cumsum(samples * turns)))
    strength: npt.NDArray[np.float64] = np.abs(total[WINDOW:] - total[:-WINDOW]) * (2.0 / WINDOW)
    return strength


def spread(values_ms: Sequence[float]) -> dict[str, int | None]:
    """The median and the 95th percentile, rounded; None without values."""
    if not values_ms:
        return {"p50": None, "p95": None}
    middle, high = np.percentile(values_ms, [50, 95])
    return {"p50": round(float(middle)), "p95": round(float(high))}


def first_heard_s(pieces: Iterable[Piece], pilot: Pilot, from_s: float) -> float | None:
    """When a pilot is first heard in two frames running that came after a time; None if never."""
    tracks: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.at_s >= from_s and piece.samples.size == WINDOW:
            tracks.setdefault(piece.track, []).append(piece)
    found = [_first_s(track, pilot) for track in tracks.values() if len(track) > 1]
    return min((each for each in found if each is not None), default=None)


def _first_s(track: Sequence[Piece], pilot: Pilot) -> float | None:
    pairs = list(zip(track[::2], track[1::2], strict=False))
    frames = np.array([np.concatenate((one.samples, two.samples)) for one, two in pairs])
    present = Detector().present(frames)[:, PILOTS.index(pilot)]
    both = np.flatnonzero(present[:-1] & present[1:])
    return pairs[int(both[0])][1].at_s if both.size else None
