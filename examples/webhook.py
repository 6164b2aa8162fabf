"""Every change of state posted to a webhook as JSON, in order, without touching the transfer.

webhook = Webhook(HttpPost(http_session(), "https://example.org/transfers"))
ctx.add_shutdown_callback(webhook.aclose)
await WarmTransferTask(..., on_state_change=webhook)
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from warm_transfer import StateChange

__all__ = ["HttpPost", "PostRefused", "Webhook", "body_of"]

log = logging.getLogger("webhook")

Post = Callable[[dict[str, Any]], Awaitable[None]]


class PostRefused(Exception):
    """The receiver has read it and wants none of it: sending it again is of no use."""


class HttpPost:
    """Posts one body.

    Args:
        http: in a job, ``livekit.agents.utils.http_context.http_session()``.
        url: where the receiver is.
        timeout_s: how long one try may take.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, *, timeout_s: float = 5.0) -> None:
        self._http = http
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def __call__(self, body: dict[str, Any]) -> None:
        """Post it.

        Raises:
            PostRefused: the receiver answered 4xx, but for "later" (408, 429).
            aiohttp.ClientError, TimeoutError: it may be tried again.
        """
        async with self._http.post(self._url, json=body, timeout=self._timeout) as answer:
            if 400 <= answer.status < 500 and answer.status not in (408, 429):
                raise PostRefused(answer.status)
            answer.raise_for_status()


class Webhook:
    """A hook for `on_state_change`: one poster, a bounded queue, and a few tries for each change.

    Args:
        post: posts one body, as `HttpPost` does.
        queue_max: how many changes may wait; the oldest one is dropped for the next.
        tries_max: how often one is posted.
        pause_s: before the second try; it doubles with each.
    """

    def __init__(
        self, post: Post, *, queue_max: int = 100, tries_max: int = 3, pause_s: float = 0.5
    ) -> None:
        self._post = post
        self._waiting: deque[dict[str, Any]] = deque(maxlen=queue_max)
        self._tries_max = tries_max
        self._pause_s = pause_s
        self._number = 0
        self._poster: asyncio.Task[None] | None = None
        self.dropped = 0
        """How many changes were never delivered."""

    def __call__(self, change: StateChange) -> None:
        """Queue a change, and return at once: sound stops while a hook waits."""
        self._number += 1
        if len(self._waiting) == self._waiting.maxlen:
            self._drop("the queue is full", self._waiting.popleft())
        self._waiting.append(body_of(change, self._number))
        if self._poster is None or self._poster.done():
            self._poster = asyncio.create_task(self._deliver(), name="webhook")

    async def aclose(self, *, timeout_s: float = 5.0) -> None:
        """Post what is waiting, for so long at most."""
        if self._poster is None:
            return
        _, late = await asyncio.wait([self._poster], timeout=timeout_s)
        if late:
            self._poster.cancel()
            await asyncio.wait(late)

    async def _deliver(self) -> None:
        while self._waiting:
            await self._deliver_one(self._waiting.popleft())

    async def _deliver_one(self, body: dict[str, Any]) -> None:
        for turn in range(self._tries_max):
            try:
                await self._post(body)
            except PostRefused as refused:
                return self._drop(f"refused: {refused}", body)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                log.info("webhook try %d failed: %r", turn + 1, error)
                if turn + 1 < self._tries_max:
                    await asyncio.sleep(self._pause_s * 2**turn)
            else:
                return None
        return self._drop("every try failed", body)

    def _drop(self, why: str, body: dict[str, Any]) -> None:
        self.dropped += 1
        log.warning("change %d of %s not delivered, %s", body["number"], body["transfer"], why)


def body_of(change: StateChange, number: int) -> dict[str, Any]:
    """What is posted; no number and no word of a person is in it.

    Args:
        change: the change.
        number: counts from 1, so that a receiver knows a repetition, which a lost answer makes.
    """
    outcome = change.outcome
    return {
        "transfer": change.transfer_id,
        "number": number,
        "before": change.before.value,
        "state": change.after.value,
        "event": change.event,
        "at_s": round(change.at_s, 3),
        "attempt": change.attempt,
        "result": outcome.result.value if outcome else None,
        "reason": outcome.reason.value if outcome else None,
        "sip_status": outcome.sip_status if outcome else None,
    }
