"""A file as sound: decoded on a thread of its own, and only a little ahead of what is taken.

livekit-agents decodes a file in one go. The built-in clip takes 0.4 s of a core then, in the very
moment in which the human is dialled and the hold audio is published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from livekit import rtc

__all__ = ["AudioFile"]

#: How much of a file is looked at to find out what it is: 0.7 s of wav, and read in 2 ms.
_LOOK_BYTES = 65_536


class AudioFile:
    """The sound of a file for ever, in frames of 0.1 s; an async iterator.

    Its first frame is decoded at once, before anybody asks for it. A file with nothing in it ends;
    one that cannot be played raises where a frame is taken.

    Args:
        path: the file, in any format that FFmpeg knows.
        sample_rate_hz: of the frames, which have one channel.
        skip_s: how much of its beginning is left out the first time, in seconds.
    """

    def __init__(self, path: str, *, sample_rate_hz: int, skip_s: float = 0.0) -> None:
        self._frames = _frames(path, sample_rate_hz, round(skip_s * sample_rate_hz))
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hold-audio")
        self._closed = False
        self._next = self._decode()

    def __aiter__(self) -> AudioFile:
        return self

    async def __anext__(self) -> rtc.AudioFrame:
        """Give the next frame.

        Raises:
            OSError: the file cannot be read.
            av.FFmpegError: it is no sound.
            StopAsyncIteration: there is nothing in it, or it is closed.
        """
        if self._closed:
            raise StopAsyncIteration
        frame = await self._next
        if frame is None:
            raise StopAsyncIteration
        self._next = self._decode()
        return frame

    def close(self) -> None:
        """Close the file, and let its thread end; safe to repeat."""
        if self._closed:
            return
        self._closed = True
        # One that has failed is not reported as forgotten then.
        self._next.cancel()
        self._thread.submit(self._frames.close)
        self._thread.shutdown(wait=False)

    def _decode(self) -> asyncio.Future[rtc.AudioFrame | None]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, next, self._frames, None)


def _frames(path: str, rate_hz: int, skip: int) -> Generator[rtc.AudioFrame, None, None]:
    """Decode a file again and again, the first time without so many samples."""
    anything = True
    while anything:
        anything = False
        for samples in _once(path, rate_hz):
            anything = True
            cut = min(skip, samples.size)
            skip -= cut
            if cut < samples.size:
                rest = samples[cut:]
                yield rtc.AudioFrame(rest.tobytes(), rate_hz, 1, rest.size)


def _once(path: str, rate_hz: int) -> Generator[npt.NDArray[np.int16], None, None]:
    """Decode a file from its beginning to its end, 0.1 s at a time."""
    look = {"probesize": str(_LOOK_BYTES)}
    # A file that is open already is no address of a network stream.
    with (
        Path(path).open("rb") as file,
        av.open(file, "r", metadata_errors="ignore", options=look) as container,
    ):
        resampler = av.AudioResampler("s16", "mono", rate_hz, frame_size=rate_hz // 10)
        for decoded in chain(container.decode(audio=0), (None,)):
            for part in resampler.resample(decoded):
                yield part.to_ndarray()[0]
