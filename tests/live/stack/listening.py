"""What the caller heard of a phone whose sound nobody knows: everything in the band of voices.

The hold audio of such a run is one tone far above that band, and so are all pilots: whatever is
heard in the band before the merge is neither hold audio nor silence.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tests.live.hearing import FRAME, FRAME_S, PILOTS, Bools, Detector, Hearing, Piece, assemble
from tests.live.pilots import VOICE_CUTOFF_HZ, Pilot
from tests.live.voices import RATE_HZ, Samples

__all__ = ["RUN_FRAMES", "Listening", "loud_in_band"]

LOWEST_HZ = 150
"""Below it a line hums."""
LOUD_RMS = 120.0
"""Of 32,767: some 49 dB below full scale, well above the noise of a G.711 line."""
RUN_FRAMES = 3
"""So many loud frames running are a sound, fewer may be a click: 60 ms."""

_OURS = (Pilot.BRIEFING, Pilot.AGENT)
"""Who speaks with a voice of our own."""


def loud_in_band(samples: Samples) -> Bools:
    """Say for each 20 ms whether something is loud in the band of voices, and is no click."""
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    window = np.hanning(FRAME + 1)[:FRAME]
    spectrum = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
    hertz = np.fft.rfftfreq(FRAME, 1 / RATE_HZ)
    inside = (hertz >= LOWEST_HZ) & (hertz <= VOICE_CUTOFF_HZ)
    rms = np.sqrt(2 * spectrum[:, inside].sum(axis=1) / (FRAME * (window**2).sum()))
    return _in_runs(rms > LOUD_RMS)


def _in_runs(loud: Bools) -> Bools:
    """The frames that are part of a long enough run."""
    if loud.size < RUN_FRAMES:
        return np.zeros_like(loud)
    ones = np.ones(RUN_FRAMES, dtype=int)
    starts = np.convolve(loud.astype(int), ones, mode="valid") == RUN_FRAMES
    found: Bools = np.convolve(starts.astype(int), ones) > 0
    return found


class Listening:
    """What one listener heard on a line with a phone."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        start_s, samples = assemble(pieces)
        self.hearing = Hearing(start_s, samples)
        self._band = loud_in_band(samples)
        frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
        present = Detector().present(frames)
        briefing, agent = (present[:, PILOTS.index(pilot)] for pilot in _OURS)
        self._leaked: Bools = self._band | briefing
        self._phone: Bools = self._band & ~(briefing | agent)
        self._times_s = start_s + np.arange(self._band.size) * FRAME_S

    def leaked_frames(self, from_s: float, to_s: float) -> int:
        """Count the frames of 20 ms with something in them that is no hold audio."""
        within = (self._times_s >= from_s) & (self._times_s < to_s)
        return int((self._leaked & within).sum())

    def music_frames(self, from_s: float, to_s: float) -> int:
        """Count the frames in which the hold audio is heard."""
        return self.hearing.frames_of(Pilot.MUSIC, from_s=from_s, to_s=to_s)

    def phone_heard_s(self, from_s: float) -> float | None:
        """Say when the phone is first heard from a time on; None if it never is."""
        heard = np.flatnonzero(self._phone & (self._times_s >= from_s))
        return float(self._times_s[heard[0]]) if heard.size else None
