"""Conversations with the human as an application writes them, each with one thing wrong."""

from __future__ import annotations

import asyncio
from typing import Any

from warm_transfer.effects import Effect
from warm_transfer.events import Event, On
from warm_transfer.livekit.briefing import Briefing, ConsultOptions
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.sdk import Room
from warm_transfer.testing.contracts import BriefingContract
from warm_transfer.testing.livekit.judge import SimJudge

__all__ = ["BROKEN", "Greets"]

GREETING = "Hello, I have a caller for you."


class Greets(BriefingContract):
    """A greeting and a short notice."""

    def options(self) -> ConsultOptions:
        return ConsultOptions(greeting=GREETING, notice="They have gone.")


class IsLongWinded(Greets):
    def options(self) -> ConsultOptions:
        return ConsultOptions(notice="We are very sorry to tell you that the caller has gone. " * 5)


class JudgesEverythingAYes(Greets):
    def options(self) -> ConsultOptions:
        return ConsultOptions(consent_llm=SimJudge(["Yes, put them through.", "Hello?"]))


class JudgesNothingAYes(Greets):
    def options(self) -> ConsultOptions:
        return ConsultOptions(consent_llm=SimJudge([]))


class ListensAtOnce(Briefing):
    async def open(self, room: Room, effect: Effect) -> None:
        await super().open(room, effect)
        assert self._session is not None
        self._session.input.set_audio_enabled(True)


class GreetsARingingPhone(Briefing):
    async def open(self, room: Room, effect: Effect) -> None:
        await super().open(room, effect)
        assert self._session is not None
        self._session.say(GREETING, allow_interruptions=False, add_to_chat_ctx=False)


class GreetsLate(Briefing):
    async def start(self, effect: Effect) -> None:
        await asyncio.sleep(2.0)
        await super().start(effect)


class KeepsItsDeathToItself(Briefing):
    def _on_close(self, event: Any) -> None:
        del event


class SpeaksOnWhenStopped(Briefing):
    async def stop(self, effect: Effect) -> None:
        self._legs.post(Event(On.BRIEFING_STOPPED, effect=effect.id))
        await asyncio.sleep(1.0)
        await self.close()


class TellsTwiceThatItStopped(Briefing):
    async def stop(self, effect: Effect) -> None:
        await super().stop(effect)
        self._legs.post(Event(On.BRIEFING_STOPPED, effect=effect.id))


class NotifiesARingingPhone(Briefing):
    async def notify(self) -> None:
        self._spoke = True
        await super().notify()


class SpeaksToTheCallerAsWell(Briefing):
    async def start(self, effect: Effect) -> None:
        await super().start(effect)
        source: Any = self._legs.sdk.audio_source()
        source.set_tag("briefing")
        me = self._legs.caller_room.local_participant
        track = await me.publish_track(self._legs.sdk.audio_track("briefing", source))
        await asyncio.sleep(0.5)
        await me.unpublish_track(track.sid)
        await source.aclose()


class CannotBeClosedTwice(Briefing):
    async def close(self) -> None:
        assert self._session is not None, "closed already"
        await super().close()


class WaitsForItsModels(Briefing):
    async def close(self) -> None:
        await super().close()
        await asyncio.sleep(600.0)


class LeavesItsSession(Briefing):
    async def _end_session(self) -> None:
        if self._session is not None:
            await self._silence(self._session)


def talked_by(adapter: type[Briefing]) -> type[BriefingContract]:
    class Contract(Greets):
        def make_briefing(self, legs: Legs, options: ConsultOptions) -> Briefing:
            return adapter(legs, options)

    Contract.__name__ = adapter.__name__
    return Contract


#: Each broken suite with the clause that names what is wrong.
BROKEN: dict[type[BriefingContract], str] = {
    IsLongWinded: "the_notice_is_short",
    JudgesEverythingAYes: "a_no_is_no_yes",
    JudgesNothingAYes: "a_yes_is_passed_on",
    talked_by(ListensAtOnce): "deaf_before_the_answer",
    talked_by(GreetsARingingPhone): "silent_before_the_answer",
    talked_by(GreetsLate): "the_greeting_comes_at_once",
    talked_by(KeepsItsDeathToItself): "a_dead_session_is_told",
    talked_by(SpeaksOnWhenStopped): "silent_when_stopped",
    talked_by(TellsTwiceThatItStopped): "stopping_is_told_once",
    talked_by(NotifiesARingingPhone): "no_notice_to_nobody",
    talked_by(SpeaksToTheCallerAsWell): "the_caller_hears_nothing_of_it",
    talked_by(CannotBeClosedTwice): "it_can_be_closed_again",
    talked_by(WaitsForItsModels): "it_ends_in_time",
    talked_by(LeavesItsSession): "nothing_is_left",
}
