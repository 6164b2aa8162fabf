"""Merge strategies as an application writes them, each with one thing wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from livekit import api

from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.move import Move
from warm_transfer.livekit.relay import Relay
from warm_transfer.policy import Carrier

__all__ = ["BROKEN"]

Broke = Callable[[BaseException | None], None]


class Own(Relay):
    """A relay of the application's own."""

    name = "own"


class HasNoCarrier(Own):
    carrier: Any = "agent"


class JoinsWhenPrepared(Own):
    async def prepare(self, legs: Legs) -> None:
        await super().merge(legs, lambda _: None)


class WantsAVoice(Own):
    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        unverified = await super().merge(legs, broke)
        if unverified is not None:
            raise RuntimeError(unverified)
        return unverified


class TakesTheAnswerForTheMerge(Own):
    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        del legs, broke
        return None


class JoinsThemTwice(Own):
    def __init__(self) -> None:
        super().__init__()
        self.relays: list[Relay] = []

    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        self.relays.append(Relay())
        return await self.relays[-1].merge(legs, broke)

    async def unmerge(self, legs: Legs) -> None:
        for each in self.relays:
            await each.unmerge(legs)

    async def health(self, legs: Legs) -> bool:
        return bool(self.relays) and await self.relays[-1].health(legs)


class UndoesOnlyWhatSucceeded(Own):
    merged = False

    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        try:
            unverified = await super().merge(legs, broke)
        except BaseException:
            await super().unmerge(legs)
            raise
        await legs.api.room.list_participants(api.ListParticipantsRequest(room=legs.consult_name))
        self.merged = True
        return unverified

    async def unmerge(self, legs: Legs) -> None:
        if self.merged:
            await super().unmerge(legs)


class StaysOnItsWay(Move):
    name = "own"

    async def merge(self, legs: Legs, broke: Broke) -> str:
        legs.at_rest.clear()
        await asyncio.sleep(0.01)
        return await super().merge(legs, broke)


class IsAlwaysWell(Own):
    async def health(self, legs: Legs) -> bool:
        del legs
        return True


class CarriesItItself(Own):
    carrier: Any = Carrier.BRIDGE


class CallsItsOwnUndoingABreak(Own):
    broke: Broke | None = None

    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        self.broke = broke
        return await super().merge(legs, broke)

    async def unmerge(self, legs: Legs) -> None:
        await super().unmerge(legs)
        if self.broke is not None:
            self.broke(None)


class NeverUndoes(Own):
    async def unmerge(self, legs: Legs) -> None:
        del legs


class UndoesOnceOnly(Own):
    def __init__(self) -> None:
        super().__init__()
        self.relay: Relay | None = None

    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        self.relay = self.relay or Relay()
        return await self.relay.merge(legs, broke)

    async def unmerge(self, legs: Legs) -> None:
        assert self.relay is not None, "there is nothing to undo"
        await self.relay.unmerge(legs)
        self.relay = None

    async def health(self, legs: Legs) -> bool:
        return self.relay is not None and await self.relay.health(legs)


class AsksTheServerAnyway(Own):
    async def unmerge(self, legs: Legs) -> None:
        await super().unmerge(legs)
        who = api.RoomParticipantIdentity(room="elsewhere", identity=legs.human_identity)
        await legs.removed(legs.api.room.remove_participant(who))


class CannotBeCutOff(Own):
    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        work = asyncio.ensure_future(super().merge(legs, broke))
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                await asyncio.sleep(20.0)
        return work.result()


class ListensForEver(Own):
    async def prepare(self, legs: Legs) -> None:
        legs.caller_room.on("participant_connected", lambda _: None)


#: Each broken strategy with the clause that names it.
BROKEN: dict[type, str] = {
    HasNoCarrier: "it_has_a_name_and_a_carrier",
    JoinsWhenPrepared: "nothing_is_heard_before_the_merge",
    WantsAVoice: "a_merge_comes_about",
    TakesTheAnswerForTheMerge: "merged_means_they_hear_each_other",
    JoinsThemTwice: "merging_again_joins_them_once",
    UndoesOnlyWhatSucceeded: "a_failed_merge_is_not_heard",
    StaysOnItsWay: "the_leg_is_at_rest_again",
    IsAlwaysWell: "health_tells_what_is",
    CarriesItItself: "the_carrier_carries",
    CallsItsOwnUndoingABreak: "only_a_break_is_told",
    NeverUndoes: "unmerge_undoes_it",
    UndoesOnceOnly: "unmerge_is_safe_to_repeat",
    AsksTheServerAnyway: "unmerge_asks_nobody_for_nothing",
    CannotBeCutOff: "verbs_end_in_time",
    ListensForEver: "nothing_is_left",
}
