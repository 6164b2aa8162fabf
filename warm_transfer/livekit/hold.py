"""Holding the caller: input and output off and exactly restored, and the hold audio."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import AudioConfig, BuiltinAudioClip

from warm_transfer.effects import Effect
from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Event, Facts, On
from warm_transfer.livekit.legs import Legs, look_away, mute, unpublish
from warm_transfer.livekit.sdk import FRAME_MS, SAMPLE_RATE_HZ, AudioFile, HoldPlayer
from warm_transfer.ports import Work

__all__ = ["DEFAULT_HOLD_AUDIO", "Hold", "check_hold_audio"]

DEFAULT_HOLD_AUDIO = AudioConfig(BuiltinAudioClip.HOLD_MUSIC, volume=0.8)
"""As livekit-agents' own warm transfer."""

#: The built-in clip is silent for its first 0.42 s; the caller would take that for a dead line.
_CLIP_SILENT_HEAD_S = 0.42


def check_hold_audio(audio: Any) -> Any:
    """What the caller hears on hold, if it can be played.

    Raises:
        InvalidArgument: it is nothing that can be played, or a file that is not there.
    """
    if audio is None:
        return None
    if isinstance(audio, list):
        # The stock player chooses one of them, and does not repeat an iterator.
        sources = [each.source if isinstance(each, AudioConfig) else None for each in audio]
        usable = _REPEATED
    else:
        sources = [audio.source if isinstance(audio, AudioConfig) else audio]
        usable = (*_REPEATED, Path, AsyncIterator)
    if not sources or not all(isinstance(each, usable) for each in sources):
        raise InvalidArgument("hold_audio", f"is {audio!r}", _PLAYABLE)
    for each in sources:
        if isinstance(each, str | Path) and not Path(each).is_file():
            remedy = "correct the path, or give None for silence"
            raise InvalidArgument("hold_audio", f"names {str(each)!r}, which is no file", remedy)
    return audio


_REPEATED: tuple[type, ...] = (str, BuiltinAudioClip)
_PLAYABLE = (
    "give a file, a `BuiltinAudioClip`, an async iterator of frames, an `AudioConfig`, a list of "
    "`AudioConfig` of files and clips, or None"
)


class Hold:
    """HOLD_CALLER, PLAY_HOLD_AUDIO, STOP_HOLD_AUDIO, RESUME_OUTPUT, RESUME_CALLER."""

    def __init__(self, legs: Legs, audio: Any) -> None:
        self._legs = legs
        self._audio = audio
        self._input: dict[str, bool] = {}
        self._output: dict[str, bool] = {}
        self._released = asyncio.Event()
        self._stopped = asyncio.Event()
        self._track_name = f"hold-audio-{legs.transfer_id}"
        self._player: HoldPlayer | None = None
        self._file: AudioFile | None = None
        self._closing: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    def hold(self, effect: Effect) -> Work:
        """Input off before this returns; output off when the last words are out."""
        _switch_off(self._legs.host.session.input, _INPUTS, self._input)
        self._legs.post(Event(On.CALLER_HELD, effect=effect.id))
        return self._silence_output()

    async def _silence_output(self) -> None:
        # The words are cut off at the limit rather than letting the agent talk over the hold.
        await self._until_speech_ended(self._released)
        if not self._released.is_set():
            _switch_off(self._legs.host.session.output, _OUTPUTS, self._output)

    async def play(self, effect: Effect) -> None:
        """Publish at once, play when the last words are out. Failing is reported, not raised."""
        if self._stopped.is_set():
            return
        self._legs.caller_room.on(_HEARD, self._on_heard)
        self._player = self._legs.sdk.hold_player(self._track_name)
        try:
            # Before publishing: a file's first frame is decoded while the server is waited for.
            source, loop = self._playable()
        except Exception as error:  # noqa: BLE001 - the audio is the application's own: report it
            self._report(effect, f"{type(error).__name__} from the hold audio", error)
            source, loop = _silence(), False
        await self._player.start(room=self._legs.caller_room)
        await self._until_speech_ended(self._stopped)
        if self._stopped.is_set():
            return
        try:
            playing = self._player.play(source, loop=loop)
        except Exception as error:  # noqa: BLE001 - as above
            self._play_silence(effect, f"{type(error).__name__} from the hold audio", error)
        else:
            work = self._until_played(playing, effect)
            name = f"warm-transfer {self._legs.transfer_id} hold audio"
            self._watch = asyncio.get_running_loop().create_task(work, name=name)

    def _on_heard(self, track: rtc.LocalTrack) -> None:
        if track.name == self._track_name:
            self._legs.hold_settled.set()

    async def _until_played(self, playing: Any, effect: Effect) -> None:
        """Hold audio ends only when we stop it; a source that broke or ran dry ends in silence.

        The stock player says nothing then: a missing file or an iterator that raises just ends.
        """
        await playing.wait_for_playout()
        if not self._stopped.is_set():
            self._play_silence(effect, "the hold audio ended by itself", None)

    def _play_silence(self, effect: Effect, detail: str, error: Exception | None) -> None:
        self._report(effect, detail, error)
        if self._player is not None:
            self._player.play(_silence(), loop=False)

    def _report(self, effect: Effect, detail: str, error: Exception | None) -> None:
        # No row tells of it: without this line nobody would learn that callers hear nothing.
        self._legs.log.warning("hold audio failed", detail=detail if error is None else repr(error))
        facts = Facts(detail=detail, cause=error)
        self._legs.post(Event(On.HOLD_AUDIO_FAILED, facts, effect=effect.id))

    def stop(self) -> Work:
        """Silent before this returns; then take our track away, and only ours. Safe to repeat."""
        self._stopped.set()
        self._legs.caller_room.off(_HEARD, self._on_heard)
        self._legs.hold_settled.set()
        # Taking it away takes the SDK 52 ms, for which the caller would wait.
        mute(self._legs.caller_room, self._track_name)
        return self._take_away()

    async def _take_away(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        player = self._player
        if player is None:
            return
        try:
            # First and by ourselves: it is quick, and the player keeps quiet when it fails.
            limit_s = self._legs.policy.api_timeout_s
            await unpublish(self._legs.caller_room, self._track_name, limit_s)
        finally:
            if self._file is not None:
                # The player forgets its source, which would keep a thread until collected.
                self._file.close()
            await self._close(player)

    async def _close(self, player: HoldPlayer) -> None:
        """Close the player in a task of its own: a close that is cut off cannot be taken up again.

        One that hangs is given up before this release is, so that there is time to try again.
        """
        policy = self._legs.policy
        if self._closing is None or self._closing.done():
            name = f"warm-transfer {self._legs.transfer_id} hold audio closing"
            self._closing = asyncio.get_running_loop().create_task(player.aclose(), name=name)
            # Its error is looked at below, but for a release that is cut off meanwhile.
            self._closing.add_done_callback(look_away)
        share_s = policy.release_timeout_s / (policy.release_attempts_max + 1)
        done, _ = await asyncio.wait([self._closing], timeout=share_s)
        if not done:
            self._closing.cancel()
            await asyncio.wait([self._closing])
            raise TimeoutError
        self._closing.result()

    def _playable(self) -> tuple[Any, bool]:
        """What to hand to the player, and whether the player is to loop it."""
        audio = self._audio
        if audio is None:
            return _silence(), False
        if isinstance(audio, list):
            return audio, True
        config = audio if isinstance(audio, AudioConfig) else AudioConfig(audio)
        source = config.source
        if isinstance(source, AsyncIterator):
            # The stock player refuses to loop an iterator; an endless one needs no loop.
            return config, False
        if isinstance(source, BuiltinAudioClip):
            path, skip_s = _path(source), _CLIP_SILENT_HEAD_S
        else:
            path, skip_s = source, 0.0
        self._file = self._legs.sdk.audio_file(path, skip_s=skip_s)
        return config._replace(source=self._file), False

    def _resume_output(self) -> None:
        self._released.set()
        _switch_back(self._legs.host.session.output, self._output)
        self._output = {}

    async def resume_output(self) -> None:
        """Output as it was, once the agent is back; safe to repeat."""
        await self._legs.host.handed_back()
        self._resume_output()

    async def resume(self) -> None:
        """Input and output as they were, once the agent is back; safe to repeat."""
        await self._legs.host.handed_back()
        try:
            self._resume_output()
        finally:
            # An output that cannot be switched leaves nobody unheard.
            _switch_back(self._legs.host.session.input, self._input)
            self._input = {}

    async def _until_speech_ended(self, or_event: asyncio.Event) -> None:
        limit = self._legs.policy.speech_limit_s
        await _first(self._legs.host.speech_ended(), or_event.wait(), timeout_s=limit)


_HEARD = "local_track_subscribed"

_INPUTS = ("audio", "video")
_OUTPUTS = ("audio", "video", "transcription")


@functools.cache
def _path(clip: BuiltinAudioClip) -> str:
    """Where a clip is; it is looked for in the installed packages, and never moves."""
    return clip.path()


def _switch_off(streams: Any, kinds: Sequence[str], were: dict[str, bool]) -> None:
    """Switch the streams that exist off, and note in `were` how each was, before it is touched."""
    for kind in kinds:
        if getattr(streams, kind) is not None:
            were.setdefault(kind, bool(getattr(streams, f"{kind}_enabled")))
            getattr(streams, f"set_{kind}_enabled")(False)


def _switch_back(streams: Any, were: Mapping[str, bool]) -> None:
    """Set the streams as they were; those that were off stay off."""
    for kind, enabled in were.items():
        getattr(streams, f"set_{kind}_enabled")(enabled)


async def _first(*works: Coroutine[Any, Any, Any], timeout_s: float) -> None:
    """Return when one is done or the time is up; the others are cancelled and waited for."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _silence() -> AsyncIterator[rtc.AudioFrame]:
    """Silence that is sent: a leg without RTP may be dropped (livekit/sip issue 812)."""
    samples = SAMPLE_RATE_HZ * FRAME_MS // 1000
    while True:
        yield rtc.AudioFrame.create(SAMPLE_RATE_HZ, 1, samples)
