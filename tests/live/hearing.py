"""What a listener heard: every 20 ms frame attributed to the pilots in it.

`assemble` lays the frames of several tracks on one time line, `Hearing` answers questions about
it, `delays_ms` finds markers. Pure numpy, no network; times are ``time.monotonic()`` seconds.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.live.pilots import FREQUENCY_HZ, LEVEL, Pilot
from tests.live.voices import RATE_HZ, Samples

__all__ = ["FRAME_S", "Detector", "Hearing", "Piece", "assemble", "delays_ms"]

FRAME_S = 0.02
FRAME = int(RATE_HZ * FRAME_S)
PILOTS = tuple(Pilot)

PRESENT = 0.15 * LEVEL
"""A pilot weaker than this is not there. Opus, twice, and concealment leave it well above."""
OVER_FLOOR = 4.0
"""How far a pilot stands above the spectrum beside it; a click is loud everywhere."""
QUIET_RMS = 60.0
"""Below this a frame without a pilot is silence: about -55 dB of full scale."""

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


class Detector:
    """Finds the pilots in 20 ms frames with a Hann-windowed Fourier sum at their frequencies."""

    def __init__(self) -> None:
        window = np.hanning(FRAME + 1)[:FRAME]
        time = np.arange(FRAME) / RATE_HZ
        tones = [FREQUENCY_HZ[pilot] for pilot in PILOTS]
        # Where a steady pilot and its neighbours have no share at all.
        beside = [f + off for f in tones for off in (-200, -150, 150, 200)]
        turns = np.exp(-2j * np.pi * np.outer(time, np.array(tones + beside)))
        self._basis = (window[:, None] * turns) * (2.0 / window.sum())

    def present(self, frames: npt.NDArray[np.int16]) -> Bools:
        """Say for each row of 960 samples which of `PILOTS` it carries."""
        strength = np.abs(frames.astype(np.float64) @ self._basis)
        count = len(PILOTS)
        floor = strength[:, count:].reshape(-1, count, 4).max(axis=2)
        pilots = strength[:, :count]
        found: Bools = (pilots > PRESENT) & (pilots > OVER_FLOOR * floor)
        return found


@dataclass(frozen=True, slots=True)
class Piece:
    """Some samples of one track, and when they arrived."""

    track: str
    at_s: float
    samples: Samples


def _places(pieces: Sequence[Piece], start_s: float) -> list[int]:
    """Say at which sample each piece of one track begins.

    Frames are made at a steady pace and arrive late in bursts when the machine is busy. So the
    earliest of the next half second tells where a frame belongs, and only a lasting shift, as
    after a pause of the track, moves the line.
    """
    lengths = np.array([piece.samples.size for piece in pieces])
    before = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    base = np.array([piece.at_s - start_s for piece in pieces]) * RATE_HZ - before
    places: list[int] = []
    shift: float | None = None
    for index in range(len(pieces)):
        ahead = float(base[index : index + 50].min())
        if shift is None or ahead - shift > 0.03 * RATE_HZ:
            shift = ahead
        shift = min(shift, ahead)
        end = places[-1] + int(lengths[index - 1]) if places else 0
        place = round(shift + before[index])
        # Small corrections would tear the sound: stay contiguous below 5 ms.
        close = bool(places) and (place < end or place - end < 0.005 * RATE_HZ)
        places.append(end if close else max(0, place))
    return places


def assemble(pieces: Iterable[Piece]) -> tuple[float, Samples]:
    """Mix the tracks as the listener heard them.

    Returns:
        When it begins, and the samples.
    """
    tracks: dict[str, list[Piece]] = {}
    for piece in pieces:
        tracks.setdefault(piece.track, []).append(piece)
    if not tracks:
        return 0.0, np.zeros(0, dtype=np.int16)
    start_s = min(track[0].at_s for track in tracks.values())
    placed = {name: _places(track, start_s) for name, track in tracks.items()}
    end = max(
        place + piece.samples.size
        for name, track in tracks.items()
        for place, piece in zip(placed[name], track, strict=True)
    )
    mix = np.zeros(end, dtype=np.int32)
    for name, track in tracks.items():
        for place, piece in zip(placed[name], track, strict=True):
            mix[place : place + piece.samples.size] += piece.samples
    return start_s, np.clip(mix, -32768, 32767).astype(np.int16)


class Hearing:
    """What one listener heard, frame by frame."""

    def __init__(self, start_s: float, samples: Samples) -> None:
        self.start_s = start_s
        self.samples = samples
        frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
        self._present = Detector().present(frames)
        rms = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1)) if frames.size else []
        self._silent: Bools = (np.asarray(rms) < QUIET_RMS) & ~self._present.any(axis=1)

    def _slice(self, from_s: float | None, to_s: float | None) -> slice:
        count = len(self._silent)
        first = 0 if from_s is None else int(np.ceil((from_s - self.start_s) / FRAME_S))
        last = count if to_s is None else int(np.floor((to_s - self.start_s) / FRAME_S))
        return slice(min(max(first, 0), count), min(max(last, 0), count))

    def frames_of(
        self, *pilots: Pilot, from_s: float | None = None, to_s: float | None = None
    ) -> int:
        """Count the frames in which any of these pilots is heard."""
        columns = [PILOTS.index(pilot) for pilot in pilots]
        part = self._present[self._slice(from_s, to_s)]
        return int(part[:, columns].any(axis=1).sum())

    def first_s(
        self, pilot: Pilot, from_s: float | None = None, to_s: float | None = None
    ) -> float | None:
        """Say when a pilot is first heard, two frames running; one alone may be a click."""
        where = self._slice(from_s, to_s)
        heard = self._present[where, PILOTS.index(pilot)]
        both = np.flatnonzero(heard[:-1] & heard[1:])
        return self.start_s + (where.start + int(both[0])) * FRAME_S if both.size else None

    def first_sound_s(self, running: int, from_s: float | None = None) -> float | None:
        """Say when so many frames running are not silent, whoever makes the sound."""
        where = self._slice(from_s, None)
        sound = (~self._silent[where]).astype(int)
        counts = np.convolve(sound, np.ones(running, dtype=int), mode="valid")
        found = np.flatnonzero(counts == running) if sound.size >= running else np.zeros(0)
        return self.start_s + (where.start + int(found[0])) * FRAME_S if found.size else None

    def last_s(self, pilot: Pilot, from_s: float | None = None) -> float | None:
        """Say when a pilot is last heard: the end of its last frame."""
        where = self._slice(from_s, None)
        heard = np.flatnonzero(self._present[where, PILOTS.index(pilot)])
        return self.start_s + (where.start + int(heard[-1]) + 1) * FRAME_S if heard.size else None

    def longest_silence_ms(self, from_s: float, to_s: float) -> int:
        """Measure the longest run of frames with nothing attributable in them and no sound.

        Time for which there is no recording at all, before its start or after its end, is
        silence too.
        """
        where = self._slice(from_s, to_s)
        lead = round((self.start_s - from_s) / FRAME_S)
        end_s = self.start_s + len(self._silent) * FRAME_S
        tail = round((to_s - end_s) / FRAME_S)
        longest = run = max(0, min(lead, round((to_s - from_s) / FRAME_S)))
        for silent in self._silent[where]:
            run = run + 1 if silent else 0
            longest = max(longest, run)
        return round(max(longest, run + max(0, tail)) * FRAME_S * 1000)

    def write(self, path: Path) -> None:
        """Write what was heard as a wav."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(RATE_HZ)
            out.writeframes(self.samples.tobytes())


def _envelope(samples: Samples, frequency_hz: int) -> Floats:
    """Follow the strength of one tone with a window of 10 ms, in which other pilots cancel."""
    width = RATE_HZ // 100
    turns = np.exp(-2j * np.pi * frequency_hz / RATE_HZ * np.arange(samples.size))
    total = np.concatenate(([0], np.cumsum(samples * turns)))
    level: Floats = np.abs(total[width:] - total[:-width]) * (2.0 / width)
    return level


def delays_ms(
    hearing: Hearing, mark: Pilot, sent_s: Sequence[float], within_s: float = 0.8
) -> list[float]:
    """Measure how long after it was sent each marker is heard; one not heard is left out.

    The beginning of a marker is where a 10 ms window is half full of it.
    """
    delays: list[float] = []
    for at_s in sent_s:
        first = round((at_s - hearing.start_s) * RATE_HZ)
        part = hearing.samples[max(0, first) : max(0, first) + int(within_s * RATE_HZ)]
        if part.size < RATE_HZ // 50:
            continue
        level = _envelope(part, FREQUENCY_HZ[mark])
        if level.max() < 2 * PRESENT:
            continue
        half = int(np.flatnonzero(level > level.max() / 2)[0]) + RATE_HZ // 200
        delays.append((half + max(0, first) - first) / RATE_HZ * 1000)
    return delays
