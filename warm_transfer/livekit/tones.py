"""Key tones through the relay: what a party presses in one room is sent to the other.

A key pressed at a SIP leg is a packet to the whole room, which the agent gets too, and every other
SIP leg plays a packet to its phone (livekit-sip ``pkg/sip/outbound.go``, ``room.go``). Only the
keys of the two named parties are passed on, and a client is not told of its own packets, so
nothing comes back.
"""

from __future__ import annotations

import asyncio

from livekit import rtc

from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.sdk import Room

__all__ = ["Tones"]


class Tones:
    """One direction: the keys that one participant presses, sent to the other room in order.

    Args:
        legs: what the adapters share.
        source: the room to listen in, and the identity to listen to.
        target: the room to send to.
    """

    def __init__(self, legs: Legs, source: tuple[Room, str], target: Room) -> None:
        self._legs = legs
        self._room, self._identity = source
        self._target = target
        self._keys: asyncio.Queue[rtc.SipDTMF] = asyncio.Queue()
        self._sending: asyncio.Task[None] | None = None
        self._closed = False

    def open(self) -> None:
        """Pass on what is pressed from now on; safe to repeat, and nothing after a close."""
        if self._closed or self._sending is not None:
            return
        self._room.on("sip_dtmf_received", self._on_key)
        name = f"warm-transfer {self._legs.transfer_id} tones of {self._identity}"
        self._sending = asyncio.get_running_loop().create_task(self._send(), name=name)

    async def close(self) -> None:
        """Stop; safe to repeat."""
        self._closed = True
        self._room.off("sip_dtmf_received", self._on_key)
        sending, self._sending = self._sending, None
        if sending is not None:
            sending.cancel()
            await asyncio.wait([sending])

    def _on_key(self, key: rtc.SipDTMF) -> None:
        if key.participant is not None and key.participant.identity == self._identity:
            self._keys.put_nowait(key)

    async def _send(self) -> None:
        while True:
            key = await self._keys.get()
            try:
                async with asyncio.timeout(self._legs.policy.api_timeout_s):
                    await self._target.local_participant.publish_dtmf(
                        code=key.code, digit=key.digit
                    )
            except Exception as error:  # noqa: BLE001 - a lost key is no reason to end a call
                self._legs.log.warning("key tone lost", detail=type(error).__name__)
