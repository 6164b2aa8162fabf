"""The two people on the line: each has a mouth, an ear, and a list of things to do.

`Mouth` publishes one track in real time, `Ear` records every audio track of the room as it
arrives, `Person` joins both to a room and performs the steps of a scenario.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import api, rtc

from tests.live.hearing import PILOTS, Detector, Piece
from tests.live.pilots import MARK_OF, Pilot
from tests.live.scenarios import After, HangUp, Hears, Mark, Mute, Say, Step, Until, Wait
from tests.live.server import Server
from tests.live.voices import FRAME, RATE_HZ, Samples, pilot_tone, speak
from warm_transfer.states import FINAL, State

__all__ = ["Caller", "Ear", "Mouth", "Person", "Stage", "token"]

MARK_FRAMES = 8
NOTICE_FRAMES = 4
"""While it goes on an ear looks at every fourth frame only; the report looks at them all."""
BEHIND_MAX_S = 0.2


class Mouth:
    """One published track, fed 10 ms at a time at the pace of the clock."""

    def __init__(self, pilot: Pilot) -> None:
        # Queue 0 passes each frame straight through: nothing of ours adds to the delay.
        self._source = rtc.AudioSource(RATE_HZ, 1, queue_size_ms=0)
        self.track = rtc.LocalAudioTrack.create_audio_track(pilot, self._source)
        self.pilot = pilot
        self.muted = False
        self.marks_s: list[float] = []
        self._tone = pilot_tone(pilot, FRAME)
        self._mark_tone = pilot_tone(MARK_OF[pilot], FRAME)
        self._marking = 0
        self._words: list[Samples] = []
        self._said = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to send: the pilot from now on, words when there are some."""
        self._task = asyncio.create_task(self._run(), name=f"mouth-{self.pilot}")

    async def say(self, text: str) -> None:
        """Speak, and return when the last word has been sent."""
        samples = speak(text, self.pilot)
        self._said.clear()
        self._words += [samples[at : at + FRAME] for at in range(0, samples.size, FRAME)]
        await self._said.wait()

    def mark(self) -> None:
        """Send a short tone; `marks_s` says when its first sample went out."""
        self._marking = MARK_FRAMES

    async def aclose(self) -> None:
        """Fall silent for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._source.aclose()

    def _frame(self) -> bytes:
        sound = self._tone.copy()
        if self._words:
            sound += self._words.pop(0)
        if not self._words:
            self._said.set()
        if self._marking:
            if self._marking == MARK_FRAMES:
                self.marks_s.append(time.monotonic())
            self._marking -= 1
            sound += self._mark_tone
        if self.muted:
            sound[:] = 0.0
        return sound.astype(np.int16).tobytes()

    async def _run(self) -> None:
        next_s = time.monotonic()
        while True:
            await self._source.capture_frame(rtc.AudioFrame(self._frame(), RATE_HZ, 1, FRAME))
            next_s += 0.01
            behind_s = time.monotonic() - next_s
            if behind_s > BEHIND_MAX_S:  # the machine stalled: a burst would only add delay
                next_s += behind_s
            await asyncio.sleep(max(0.0, -behind_s))


class Ear:
    """Records every audio track of a room as it arrives, and knows what is heard now."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.last_s: dict[Pilot, float] = {}
        self._detector = Detector()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def attach(self, room: rtc.Room) -> None:
        """Listen to what the room brings from now on."""
        room.on("track_subscribed", self._on_track)

    def _on_track(self, track: rtc.Track, publication: object, participant: object) -> None:
        del publication, participant
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            # A sid may come back with a new track after a reconnect.
            name = f"{track.sid}-{len(self._tasks)}"
            self._tasks[name] = asyncio.create_task(self._listen(name, track), name=f"ear-{name}")

    async def _listen(self, name: str, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE_HZ, num_channels=1, frame_size_ms=10)
        recent: list[Samples] = []
        try:
            async for event in stream:
                now_s = time.monotonic()
                samples = np.frombuffer(event.frame.data, dtype=np.int16).copy()
                self.pieces.append(Piece(name, now_s, samples))
                recent.append(samples)
                if len(recent) == NOTICE_FRAMES:
                    self._notice(np.concatenate(recent[-2:]), now_s)
                    recent.clear()
        finally:
            await stream.aclose()

    def _notice(self, frame: Samples, now_s: float) -> None:
        if frame.size != 2 * FRAME:
            return
        for index in np.flatnonzero(self._detector.present(frame.reshape(1, -1))[0]):
            self.last_s[PILOTS[index]] = now_s

    async def aclose(self) -> None:
        """Stop listening."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


@dataclass(slots=True)
class Stage:
    """What everybody may know: the states of the transfer, and who hung up first."""

    states: dict[str, float] = field(default_factory=dict)
    """When the transfer entered a state."""
    hang_up_s: float | None = None
    """When the first person hung up."""
    faults: list[str] = field(default_factory=list)
    """What people waited for in vain."""

    def is_or_was(self, state: State) -> bool:
        """Say whether a state has come, or can come no more."""
        return state in self.states or any(end in self.states for end in FINAL)


def token(
    server: Server, room: str, identity: str, kind: str, attributes: Mapping[str, str]
) -> str:
    """Admit one person to one room."""
    grants = api.VideoGrants(
        room_join=True,
        room=room,
        can_publish=True,
        can_subscribe=True,
        can_update_own_metadata=True,
    )
    made = api.AccessToken(server.key, server.secret).with_identity(identity).with_grants(grants)
    if kind == "sip":
        made = made.with_kind("sip")
    made = made.with_attributes(dict(attributes)).with_ttl(datetime.timedelta(minutes=10))
    return made.to_jwt()


class Person:
    """Somebody on the line."""

    def __init__(self, pilot: Pilot, stage: Stage) -> None:
        self.pilot = pilot
        self.stage = stage
        self.room = rtc.Room()
        self.mouth = Mouth(pilot)
        self.ear = Ear()
        self.gone = asyncio.Event()
        self.gone_s: float | None = None
        self.up_s: float | None = None
        """When the line was open: joined, or answered."""

    async def join(self, server: Server, admission: str) -> None:
        """Enter the room and publish the track; the mouth stays closed."""
        self.ear.attach(self.room)
        self.room.on("disconnected", self._on_disconnected)
        await asyncio.wait_for(self.room.connect(server.url, admission), 10)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await asyncio.wait_for(
            self.room.local_participant.publish_track(self.mouth.track, options), 10
        )

    async def move(self, server: Server, admission: str) -> None:
        """Go on in another room, with the same mouth and ear; to others it is a new participant."""
        before, self.room = self.room, rtc.Room()
        before.off("disconnected", self._on_disconnected)
        await asyncio.wait_for(before.disconnect(), 3)
        await self.join(server, admission)
        if self.gone.is_set():  # hung up on the way
            await self._leave()

    def open(self) -> None:
        """The line is up: the pilot runs from now on."""
        self.up_s = time.monotonic()
        self.mouth.open()

    def _on_disconnected(self, *_: object) -> None:
        if self.gone_s is None:
            self.gone_s = time.monotonic()
        self.gone.set()

    async def hang_up(self) -> None:
        """Leave, as a phone does: at once and without a word."""
        if self.stage.hang_up_s is None:
            self.stage.hang_up_s = time.monotonic()
        await self._leave()

    async def _leave(self) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.room.disconnect(), 3)
        self._on_disconnected()

    async def aclose(self) -> None:
        """Be gone, whatever happened."""
        if not self.gone.is_set():
            await self._leave()
        await self.mouth.aclose()
        await self.ear.aclose()

    async def perform(self, steps: Sequence[Step]) -> None:
        """Do one thing after the other, until everything is done or the line is gone."""
        for step in steps:
            if self.gone.is_set():
                return
            await self._do(step)

    async def _do(self, step: Step) -> None:
        match step:
            case Say(text):
                await self._unless_gone(self.mouth.say(text))
            case Wait(seconds):
                await self._unless_gone(asyncio.sleep(seconds))
            case Until(state):
                await self.until(lambda: self.stage.is_or_was(state))
            case Hears(pilot, within_s):
                await self._hear(pilot, within_s)
            case After(pilot, within_s, quiet_s):
                await self._hear(pilot, within_s)
                await self.until(lambda: time.monotonic() - self.ear.last_s[pilot] > quiet_s)
            case Mark(times):
                for _ in range(times):
                    self.mouth.mark()
                    await self._unless_gone(asyncio.sleep(0.9))
            case Mute():
                self.mouth.muted = True
            case HangUp():
                await self.hang_up()

    async def _hear(self, pilot: Pilot, within_s: float) -> None:
        begun_s = time.monotonic()

        def heard() -> bool:
            return self.ear.last_s.setdefault(pilot, 0.0) > begun_s

        await self.until(lambda: heard() or time.monotonic() > begun_s + within_s)
        if not heard() and not self.gone.is_set():
            self.stage.faults.append(f"the {self.pilot} waited {within_s:g} s for the {pilot}")

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return when something holds, or when the line is gone."""
        while not (self.gone.is_set() or holds()):  # noqa: ASYNC110 - ears have no events
            await asyncio.sleep(0.02)

    async def _unless_gone(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(doing)
        gone = asyncio.create_task(self.gone.wait())
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
            gone.cancel()
            await asyncio.gather(task, gone, return_exceptions=True)


class Caller(Person):
    """The person who called."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(Pilot.CALLER, stage)

    async def call(self, server: Server, room: str, kind: str = "standard") -> None:
        """Join the agent's room by WebRTC; of ``"sip"`` kind, as a phone does."""
        await self.join(server, token(server, room, "caller", kind, {}))
        self.open()
