from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
import wave
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from livekit.agents import BuiltinAudioClip

from warm_transfer.livekit import audiofile
from warm_transfer.livekit.audiofile import AudioFile

# Decoding needs a thread, so all of this runs on a real loop.

CLIP = BuiltinAudioClip.HOLD_MUSIC.path()
RATE_HZ = 48_000


def a_ramp(path: Path, samples: int, *, rate_hz: int = RATE_HZ) -> str:
    """Write a file in which each sample tells where it stands."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(np.arange(samples, dtype=np.int16).tobytes())
    return str(path)


@contextlib.asynccontextmanager
async def opened(path: str, **given: Any) -> AsyncIterator[AudioFile]:
    file = AudioFile(path, sample_rate_hz=RATE_HZ, **given)
    try:
        yield file
    finally:
        file.close()


def taken(path: str, seconds: float, **given: Any) -> list[int]:
    """The samples of so many seconds."""

    async def run() -> list[int]:
        samples: list[int] = []
        async with opened(path, **given) as file:
            async for frame in file:
                samples.extend(frame.data)
                if len(samples) >= seconds * RATE_HZ:
                    break
        return samples

    return asyncio.run(run())


def decoders() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("hold-audio")]


async def until(holds: Callable[[], object], within_s: float = 10.0) -> None:
    end_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_s
        await asyncio.sleep(0.005)


def test_a_file_is_repeated_without_a_gap_and_its_head_is_left_out_once(tmp_path: Path) -> None:
    path = a_ramp(tmp_path / "ramp.wav", 12_000)
    found = taken(path, 0.6, skip_s=0.15)
    assert found == [*range(7_200, 12_000), *range(12_000), *range(12_000)]


def test_frames_are_as_long_as_the_player_mixes_at_a_time(tmp_path: Path) -> None:
    async def run() -> list[tuple[int, int, int]]:
        async with opened(a_ramp(tmp_path / "ramp.wav", 30_000)) as file:
            frames = [await anext(file) for _ in range(3)]
        return [(each.sample_rate, each.num_channels, each.samples_per_channel) for each in frames]

    assert asyncio.run(run()) == [(RATE_HZ, 1, RATE_HZ // 10)] * 3


def test_a_file_of_another_rate_keeps_its_length(tmp_path: Path) -> None:
    path = a_ramp(tmp_path / "slow.wav", 8_000, rate_hz=8_000)
    # After a second it begins again: from the top of the ramp to its bottom.
    found = np.array(taken(path, 1.9))
    (tops,) = np.nonzero(np.diff(found) < -4_000)
    assert tops.size > 0
    assert abs(int(tops[0]) - RATE_HZ) < 100


def test_the_silent_head_of_the_built_in_clip_is_skipped() -> None:
    # The clip begins with a click of 20 ms, which is not what the caller waits for.
    click = int(0.05 * RATE_HZ)
    assert max(map(abs, taken(CLIP, 0.2, skip_s=0.42)[click:])) > 100
    assert max(map(abs, taken(CLIP, 0.2)[click:])) < 100


def test_the_first_frame_is_decoded_before_anybody_asks_and_one_more_when_it_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, decoded = a_ramp(tmp_path / "ramp.wav", 30 * RATE_HZ), 0
    once = audiofile._once

    def counted(path: str, rate_hz: int) -> Any:
        nonlocal decoded
        for samples in once(path, rate_hz):
            decoded += 1
            yield samples

    def has_decoded(number: int) -> bool:
        return decoded == number

    monkeypatch.setattr(audiofile, "_once", counted)

    async def run() -> None:
        async with opened(path) as file:
            await until(partial(has_decoded, 1))
            for number in range(1, 6):
                await anext(file)
                await until(partial(has_decoded, number + 1))
            # The thread has nothing to do until the next is taken.
            await asyncio.sleep(0.05)
            assert decoded == 6

    asyncio.run(run())


def test_a_closed_file_leaves_no_thread_and_is_no_open_file(tmp_path: Path) -> None:
    path = a_ramp(tmp_path / "ramp.wav", 30_000)

    def is_open() -> bool:
        links = (Path("/proc/self/fd") / each for each in Path("/proc/self/fd").iterdir())
        return any(each.is_symlink() and str(each.readlink()) == path for each in links)

    async def run() -> None:
        async with opened(path) as file:
            await anext(file)
            assert decoders()
            assert is_open()
        file.close()
        await until(lambda: not decoders() and not is_open())
        with pytest.raises(StopAsyncIteration):
            await anext(file)

    asyncio.run(run())


def test_a_read_that_is_cut_off_by_the_close_ends(tmp_path: Path) -> None:
    async def run() -> None:
        async with opened(a_ramp(tmp_path / "ramp.wav", 30_000)) as file:
            read = asyncio.ensure_future(anext(file))
            await asyncio.sleep(0)
        await asyncio.wait([read], timeout=10)
        assert read.done()
        await until(lambda: not decoders())

    asyncio.run(run())


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, FileNotFoundError), (b"no sound at all", av.FFmpegError)],
    ids=["missing", "not sound"],
)
def test_what_cannot_be_played_is_an_error_and_no_silence_for_ever(
    content: bytes | None, error: type[Exception], tmp_path: Path
) -> None:
    path = tmp_path / "music.ogg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error):
        taken(str(path), 0.1)


def test_a_file_with_nothing_in_it_ends(tmp_path: Path) -> None:
    assert taken(a_ramp(tmp_path / "empty.wav", 0), 0.1) == []


def test_an_error_that_nobody_asked_for_is_not_reported_as_forgotten() -> None:
    told: list[Any] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        file = AudioFile("no such file.ogg", sample_rate_hz=RATE_HZ)
        await until(file._next.done)
        file.close()
        del file
        gc.collect()

    asyncio.run(run())
    assert told == []
