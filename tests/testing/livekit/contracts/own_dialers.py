"""Dialers as an application writes them: one that keeps the contract, and what goes wrong in it."""

from __future__ import annotations

import asyncio
from typing import Any

from warm_transfer.events import Facts
from warm_transfer.ports import DialRefused, DialRequest
from warm_transfer.testing.contracts import CallRefused, Carrier, CarrierCall

__all__ = ["BROKEN", "ProviderDialer"]


class ProviderDialer:
    """Rings through a provider of phone calls, and keeps the contract."""

    def __init__(self, carrier: Carrier) -> None:
        self.carrier = carrier
        self.calls: dict[str, CarrierCall] = {}
        self.given_up: set[str] = set()

    async def dial(self, request: DialRequest) -> None:
        if request.identity in self.given_up:
            raise DialRefused(Facts(detail="given up before it was sent"))
        async with asyncio.timeout(request.timeout_s):
            call = self.calls[request.identity] = await self.ring(request)
            if request.identity in self.given_up:
                await call.hang_up()
            await self.wait(call)

    async def ring(self, request: DialRequest) -> CarrierCall:
        return await self.carrier.call(
            request.destination,
            room=request.room,
            identity=request.identity,
            ring_timeout_s=request.ring_timeout_s,
        )

    async def wait(self, call: CarrierCall) -> None:
        try:
            await call.wait_answered()
        except CallRefused as refused:
            raise DialRefused(Facts(sip_status=refused.status)) from refused

    async def hang_up(self, request: DialRequest) -> None:
        self.given_up.add(request.identity)
        call = self.calls.get(request.identity)
        if call is not None:
            await call.hang_up()


class SaysRefusedWhenTheConnectionBreaks(ProviderDialer):
    async def wait(self, call: CarrierCall) -> None:
        try:
            await super().wait(call)
        except ConnectionError as error:
            raise DialRefused(Facts(cause=error)) from error


class WaitsForEver(ProviderDialer):
    async def dial(self, request: DialRequest) -> None:
        call = self.calls[request.identity] = await self.ring(request)
        await self.wait(call)


class ReturnsWhenItRings(ProviderDialer):
    async def wait(self, call: CarrierCall) -> None:
        del call
        await asyncio.sleep(0.1)


class SwallowsTheRefusal(ProviderDialer):
    async def wait(self, call: CarrierCall) -> None:
        try:
            await call.wait_answered()
        except CallRefused:
            return


class RingsTheSwitchboard(ProviderDialer):
    async def ring(self, request: DialRequest) -> CarrierCall:
        return await self.carrier.call("+15105550000", room=request.room, identity=request.identity)


class TriesTwice(ProviderDialer):
    async def dial(self, request: DialRequest) -> None:
        try:
            await super().dial(request)
        except DialRefused:
            self.given_up.discard(request.identity)
            await super().dial(request)


class MakesItsOwnName(ProviderDialer):
    async def ring(self, request: DialRequest) -> CarrierCall:
        return await self.carrier.call(
            request.destination, room=request.room, identity="human", ring_timeout_s=30.0
        )


class RaisesWhateverComes(ProviderDialer):
    async def wait(self, call: CarrierCall) -> None:
        await call.wait_answered()


class ClosesTheCallWhenDone(ProviderDialer):
    async def dial(self, request: DialRequest) -> None:
        try:
            await super().dial(request)
        finally:
            await self.calls[request.identity].hang_up()


class HangsUpWhatIsNotThere(ProviderDialer):
    async def hang_up(self, request: DialRequest) -> None:
        await self.calls.pop(request.identity).hang_up()


class HangsUpInItsOwnTime(ProviderDialer):
    async def hang_up(self, request: DialRequest) -> None:
        await super().hang_up(request)
        await asyncio.sleep(30.0)


class QueuesTheCall(ProviderDialer):
    """A limit on calls a second: who is given up while waiting is rung all the same."""

    async def dial(self, request: DialRequest) -> None:
        queued = asyncio.create_task(self.later(request), name="queue")
        async with asyncio.timeout(request.timeout_s):
            while request.identity not in self.given_up and not queued.done():  # noqa: ASYNC110 - as applications do
                await asyncio.sleep(0.1)
            if not queued.done():
                raise DialRefused(Facts(detail="given up"))
            await self.wait(queued.result())

    async def later(self, request: DialRequest) -> CarrierCall:
        await asyncio.sleep(3.0)
        return await self.ring(request)


class KeepsOneCallOnly(ProviderDialer):
    last: CarrierCall | None = None

    async def ring(self, request: DialRequest) -> CarrierCall:
        self.last = await super().ring(request)
        return self.last

    async def hang_up(self, request: DialRequest) -> None:
        self.given_up.add(request.identity)
        if self.last is not None:
            await self.last.hang_up()


class TakesACancellationForATimeout(ProviderDialer):
    async def dial(self, request: DialRequest) -> None:
        try:
            await super().dial(request)
        except asyncio.CancelledError as error:
            raise TimeoutError from error


class LeavesAWatchBehind(ProviderDialer):
    watches: list[asyncio.Task[Any]]

    async def ring(self, request: DialRequest) -> CarrierCall:
        call = await super().ring(request)
        self.watches = [asyncio.create_task(self.watch(call), name="watch of the call")]
        return call

    async def watch(self, call: CarrierCall) -> None:
        while not call.answered or self.watches:  # noqa: ASYNC110 - as applications do
            await asyncio.sleep(1.0)


#: Each broken dialer with the clause that names it.
BROKEN: dict[type[ProviderDialer], str] = {
    SaysRefusedWhenTheConnectionBreaks: "refused_means_nobody_rings",
    WaitsForEver: "dial_ends_by_itself",
    ReturnsWhenItRings: "dial_returns_at_the_answer",
    SwallowsTheRefusal: "dial_returns_at_the_answer",
    RingsTheSwitchboard: "rings_whom_it_is_told",
    TriesTwice: "rings_once",
    MakesItsOwnName: "joins_as_it_is_told",
    RaisesWhateverComes: "a_refusal_is_told",
    ClosesTheCallWhenDone: "the_call_outlives_the_dial",
    HangsUpWhatIsNotThere: "hang_up_is_quick_and_safe",
    HangsUpInItsOwnTime: "hang_up_is_quick_and_safe",
    QueuesTheCall: "hang_up_ends_the_call",
    KeepsOneCallOnly: "calls_do_not_mix",
    TakesACancellationForATimeout: "cancellation_is_not_swallowed",
    LeavesAWatchBehind: "nothing_is_left",
}
