"""The pilot tones by which every frame heard is attributed to whoever made it.

All of them lie above the voices, which are cut off at `VOICE_CUTOFF_HZ`, and below 8 kHz, so that
Opus keeps them at every bit rate. All are multiples of 100 Hz: whole periods in 10 ms, which makes
a pilot seamless from frame to frame and the pilots orthogonal to each other in every window.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["FREQUENCY_HZ", "LEVEL", "MARK_OF", "VOICE_CUTOFF_HZ", "Pilot"]

VOICE_CUTOFF_HZ = 3600

LEVEL = 1000.0
"""Amplitude of a pilot, of 32,767: some 30 dB below full scale, quiet beside a voice."""


class Pilot(StrEnum):
    """Who or what is heard."""

    CALLER = "caller"
    """The caller's line, for as long as it is up."""
    HUMAN = "human"
    """The human's line, from the answer to the hang-up."""
    AGENT = "agent"
    """The agent's voice while it speaks to the caller."""
    BRIEFING = "briefing"
    """The agent's voice while it speaks to the human. A pilot of its own tells a leak from
    the agent's last words before the hold."""
    MUSIC = "music"
    """The hold music."""
    CALLER_MARK = "caller_mark"
    """A short tone that the caller sends at a known time."""
    HUMAN_MARK = "human_mark"
    """The same from the human."""


FREQUENCY_HZ: dict[Pilot, int] = {
    Pilot.CALLER: 4800,
    Pilot.CALLER_MARK: 5200,
    Pilot.HUMAN: 5600,
    Pilot.HUMAN_MARK: 6000,
    Pilot.AGENT: 6400,
    Pilot.BRIEFING: 6800,
    Pilot.MUSIC: 7200,
}

MARK_OF = {Pilot.CALLER: Pilot.CALLER_MARK, Pilot.HUMAN: Pilot.HUMAN_MARK}
