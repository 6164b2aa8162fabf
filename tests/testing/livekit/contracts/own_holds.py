"""Hold audio, and ways of holding, as an application writes them, each with one thing wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import AudioConfig, BuiltinAudioClip

from warm_transfer.effects import Effect
from warm_transfer.livekit.hold import Hold
from warm_transfer.livekit.legs import Legs, mute
from warm_transfer.ports import Work
from warm_transfer.testing.contracts import HoldAudioContract

__all__ = ["BROKEN", "Tune"]


def frame(rate: int = 48_000, value: int = 1000) -> rtc.AudioFrame:
    data = value.to_bytes(2, "little") * (rate // 100)
    return rtc.AudioFrame(data, rate, 1, rate // 100)


async def tune(*, seconds: float = 1e9, silent_s: float = 0.0) -> AsyncIterator[rtc.AudioFrame]:
    for number in range(int(seconds * 100)):
        yield frame(value=0 if number < silent_s * 100 else 1000)


class Tune(HoldAudioContract):
    """A tone that goes on."""

    def hold_audio(self) -> Any:
        return tune()


# The sound.


class Ends(Tune):
    def hold_audio(self) -> Any:
        return tune(seconds=12.0)


class BeginsInSilence(Tune):
    def hold_audio(self) -> Any:
        return tune(silent_s=2.5)


class IsTurnedDown(Tune):
    def hold_audio(self) -> Any:
        return AudioConfig(tune(), volume=0.0)


class IsLeftToChance(Tune):
    def hold_audio(self) -> Any:
        return [AudioConfig(BuiltinAudioClip.HOLD_MUSIC, probability=0.8)]


class ChangesItsRate(Tune):
    def hold_audio(self) -> Any:
        async def two() -> AsyncIterator[rtc.AudioFrame]:
            while True:
                yield frame()
                yield frame(24_000)

        return two()


class GivesBytes(Tune):
    def hold_audio(self) -> Any:
        async def data() -> AsyncIterator[bytes]:
            while True:
                yield b"\x00\x10" * 480

        return data()


class FallsBehind(Tune):
    def hold_audio(self) -> Any:
        async def slow() -> AsyncIterator[rtc.AudioFrame]:
            while True:
                await asyncio.sleep(0.05)
                yield frame()

        return slow()


class IsOneForAll(Tune):
    def __init__(self) -> None:
        self.the_only_one = tune()

    def hold_audio(self) -> Any:
        return self.the_only_one


class IsNotThere(HoldAudioContract):
    def hold_audio(self) -> Any:
        return "no-such-music.ogg"


# The adapter.


class HoldsInItsOwnTime(Hold):
    def hold(self, effect: Effect) -> Work:
        async def later() -> None:
            await asyncio.sleep(0.1)
            await super(HoldsInItsOwnTime, self).hold(effect)

        return later()


class CutsTheLastWords(Hold):
    async def _until_speech_ended(self, stop: asyncio.Event) -> None:
        del stop


class PlaysNothing(Hold):
    async def play(self, effect: Effect) -> None:
        del effect


class StopsInItsOwnTime(Hold):
    def stop(self) -> Work:
        async def later() -> None:
            await asyncio.sleep(0.4)
            await super(StopsInItsOwnTime, self).stop()

        return later()


class ListensAfterAMerge(Hold):
    async def resume_output(self) -> None:
        await self.resume()


class SwitchesEverythingOn(Hold):
    async def resume(self) -> None:
        await super().resume()
        self._legs.host.session.output.set_transcription_enabled(True)


class TakesEveryTrack(Hold):
    async def _take_away(self) -> None:
        await super()._take_away()
        me = self._legs.caller_room.local_participant
        for sid in tuple(me.track_publications):
            await me.unpublish_track(sid)


class StopsOnceOnly(Hold):
    stopped = 0

    def stop(self) -> Work:
        self.stopped += 1
        assert self.stopped == 1, "stopped already"
        return super().stop()


class WaitsForTheSongToEnd(Hold):
    async def _take_away(self) -> None:
        await super()._take_away()
        await asyncio.sleep(3600.0)


class ForgetsItsPlayer(Hold):
    async def _take_away(self) -> None:
        mute(self._legs.caller_room, self._track_name)


def held_by(adapter: type[Hold]) -> type[HoldAudioContract]:
    class Contract(Tune):
        def make_hold(self, legs: Legs) -> Hold:
            return adapter(legs, self.hold_audio())

    Contract.__name__ = adapter.__name__
    return Contract


#: Each broken suite with the clause that names what is wrong.
BROKEN: dict[type[HoldAudioContract], str] = {
    Ends: "sound_goes_on",
    BeginsInSilence: "sound_begins_soon",
    IsTurnedDown: "sound_begins_soon",
    IsLeftToChance: "sound_begins_soon",
    ChangesItsRate: "frames_are_alike",
    GivesBytes: "frames_are_alike",
    FallsBehind: "sound_keeps_up",
    IsOneForAll: "every_caller_hears_it",
    IsNotThere: "a_file_can_be_read",
    held_by(HoldsInItsOwnTime): "input_is_off_at_once",
    held_by(CutsTheLastWords): "the_last_words_are_said",
    held_by(PlaysNothing): "the_hold_is_heard",
    held_by(StopsInItsOwnTime): "a_stop_is_heard_at_once",
    held_by(ListensAfterAMerge): "output_alone_after_a_merge",
    held_by(SwitchesEverythingOn): "it_comes_back_as_it_was",
    held_by(TakesEveryTrack): "only_its_own_track_is_taken",
    held_by(StopsOnceOnly): "releases_are_safe_to_repeat",
    held_by(WaitsForTheSongToEnd): "it_ends_in_time",
    held_by(ForgetsItsPlayer): "nothing_is_left",
}
