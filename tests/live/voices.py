"""Real sound without a network: eSpeak NG through ctypes, pilot tones, and the hold music.

The library and its data come with the package ``espeakng-loader``; where that is not installed,
Debian's ``libespeak-ng1`` does as well.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.live.errors import CannotRun
from tests.live.pilots import FREQUENCY_HZ, LEVEL, VOICE_CUTOFF_HZ, Pilot

__all__ = [
    "RATE_HZ",
    "SPEAKERS",
    "Samples",
    "Speaker",
    "pilot_tone",
    "speak",
    "write_music",
    "write_tone",
]

RATE_HZ = 48_000
FRAME = RATE_HZ // 100

Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float64]

SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: no device, no thread, sound by the callback
CHARS_UTF8 = 1
RATE, PITCH = 1, 3  # of espeak_PARAMETER

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True, slots=True)
class Speaker:
    """How somebody sounds."""

    voice: str
    pitch: int
    words_per_minute: int = 190


SPEAKERS = {
    Pilot.CALLER: Speaker("en-us+f3", 60),
    Pilot.HUMAN: Speaker("en-us+m3", 40, 250),
    Pilot.AGENT: Speaker("en-gb+f2", 50),
    Pilot.BRIEFING: Speaker("en-gb+f2", 50),
}


@functools.cache
def _espeak() -> tuple[Any, int]:
    """Load the library once in a process.

    Returns:
        The library and its sample rate in Hz.
    """
    try:
        espeakng_loader = importlib.import_module("espeakng_loader")

        path, data = espeakng_loader.get_library_path(), espeakng_loader.get_data_path()
        place: bytes | None = str(Path(data).parent).encode()
    except ImportError:
        path, place = "libespeak-ng.so.1", None
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise CannotRun(
            "no speech synthesiser: install the Python package `espeakng-loader`"
        ) from error
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, place, 0)
    if rate <= 0:
        raise CannotRun("eSpeak NG does not find its data: reinstall `espeakng-loader`")
    return library, rate


def _synthesise(text: str, speaker: Speaker) -> tuple[Samples, int]:
    library, rate = _espeak()
    pieces: list[bytes] = []

    def keep(samples: Any, count: int, _events: Any) -> int:
        if samples and count:
            pieces.append(ctypes.string_at(samples, count * 2))
        return 0

    callback = _Callback(keep)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetVoiceByName(speaker.voice.encode())
    library.espeak_SetParameter(RATE, speaker.words_per_minute, 0)
    library.espeak_SetParameter(PITCH, speaker.pitch, 0)
    data = text.encode()
    if library.espeak_Synth(data, len(data) + 1, 0, 0, 0, CHARS_UTF8, None, None) != 0:
        raise CannotRun("eSpeak NG refused to speak")
    return np.frombuffer(b"".join(pieces), dtype=np.int16), rate


def _low_pass(samples: Floats, cutoff_hz: float) -> Floats:
    """Leave the band of the pilots clean: a windowed sinc, about 700 Hz wide at the edge."""
    taps = np.arange(-200, 201)
    kernel = np.sinc(2 * cutoff_hz / RATE_HZ * taps) * np.blackman(taps.size)
    smooth: Floats = np.convolve(samples, kernel / kernel.sum(), mode="same")
    return smooth


def _trim(samples: Floats, level: float = 150.0) -> Floats:
    """Cut the synthesiser's own silence off both ends; it would count as a gap on the line."""
    loud = np.flatnonzero(np.abs(samples) > level)
    return samples[loud[0] : loud[-1] + 1] if loud.size else samples


@functools.lru_cache(maxsize=64)
def speak(text: str, pilot: Pilot) -> Samples:
    """Say a text in somebody's voice, without a pilot, at 48 kHz in whole 10 ms frames."""
    raw, rate = _synthesise(text, SPEAKERS[pilot])
    length = round(raw.size * RATE_HZ / rate)
    at = np.arange(length) * (rate / RATE_HZ)
    resampled = np.interp(at, np.arange(raw.size), raw.astype(np.float64))
    voice = _trim(_low_pass(resampled, VOICE_CUTOFF_HZ))
    voice *= 9000.0 / max(1.0, float(np.abs(voice).max()))
    padded = np.pad(voice, (0, -voice.size % FRAME))
    return padded.astype(np.int16)


def pilot_tone(pilot: Pilot, length: int, rate_hz: int = RATE_HZ) -> Floats:
    """Make so many samples of a pilot, beginning at phase zero."""
    tone: Floats = LEVEL * np.sin(2 * np.pi * FREQUENCY_HZ[pilot] / rate_hz * np.arange(length))
    return tone


def write_music(path: Path) -> None:
    """Write the hold music: a chord that is there at once and never pauses, and its pilot.

    Ten seconds of whole periods, so that the loop has no seam.
    """
    time = np.arange(10 * RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * note * time) for note in (262, 330, 392))
    swell = 0.8 + 0.2 * np.sin(2 * np.pi * 0.5 * time)
    _write(path, 900.0 * chord * swell + pilot_tone(Pilot.MUSIC, time.size))


def write_tone(path: Path) -> None:
    """Write hold music that is its pilot alone, with nothing in the band of voices."""
    _write(path, pilot_tone(Pilot.MUSIC, 10 * RATE_HZ))


def _write(path: Path, sound: Floats) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(sound.astype(np.int16).tobytes())
