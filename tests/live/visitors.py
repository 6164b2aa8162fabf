"""``python -m tests.live.visitors``: two of the doctor's participants, of whom one is heard."""

from __future__ import annotations

import asyncio
import logging
import os

from tests.live.server import VARIABLES
from warm_transfer.livekit.doctor.outside import LiveKitOutside

__all__ = ["main"]

PATIENCE_S = 30.0
SILENCE_S = 0.5


async def main() -> str:
    """Have one make a tone and the other listen; says who was heard."""
    url, key, secret = (os.environ[name] for name in VARIABLES)
    outside = LiveKitOutside(url, key, secret)
    one, other = outside.visitor(), outside.visitor()
    try:
        await one.join(outside.url, outside.token("here", "one"))
        await other.join(outside.url, outside.token("here", "other"))
        await one.sound()
        async with asyncio.timeout(PATIENCE_S):
            await other.hear("one")
        try:
            # Any SIP leg is meant by this, and there is none.
            async with asyncio.timeout(SILENCE_S):
                await other.hear(None)
        except TimeoutError:
            return "one was heard and nobody else"
        return "somebody was heard who is not there"
    finally:
        await one.leave()
        await other.leave()


if __name__ == "__main__":
    # It warns of its own handles at a disconnect; the doctor does not show that either.
    logging.getLogger("livekit").addHandler(logging.NullHandler())
    print(asyncio.run(main()), flush=True)  # noqa: T201 - a command's output
    # The native library's threads that still report while Python ends would abort the process.
    os._exit(0)
