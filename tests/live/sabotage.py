"""Faults put into the worker on purpose: a harness that never turns red proves nothing."""

from __future__ import annotations

from typing import Any

from livekit import rtc

from warm_transfer.livekit.hold import Hold
from warm_transfer.livekit.sdk import SAMPLE_RATE_HZ, AudioSource, LiveKitSdk

__all__ = ["SABOTAGE_VARIABLE", "sabotage"]

SABOTAGE_VARIABLE = "LIVE_SABOTAGE"


def _relay_one_way() -> None:
    """Let the track that carries the human to the caller hang in the air."""
    whole = LiveKitSdk.audio_track

    def audio_track(self: LiveKitSdk, name: str, source: AudioSource) -> Any:
        if name.startswith("relay-human"):
            return rtc.LocalAudioTrack.create_audio_track(
                name, rtc.AudioSource(SAMPLE_RATE_HZ, 1, queue_size_ms=0)
            )
        return whole(self, name, source)

    setattr(LiveKitSdk, "audio_track", audio_track)  # noqa: B010 - sabotage is not to be typed


def _music_left_on() -> None:
    """Let the hold music play on for ever."""

    async def stop(self: Hold) -> None:
        del self

    setattr(Hold, "stop", stop)  # noqa: B010 - sabotage is not to be typed


def sabotage(name: str) -> None:
    """Put one fault in; the ones that are not the worker's do nothing here."""
    if name == "relay-one-way":
        _relay_one_way()
    if name == "music-left-on":
        _music_left_on()
