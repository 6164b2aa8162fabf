"""What a lane passes on, with real queues on the virtual clock; the rest is in test_relay."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.livekit.bench import HUMAN, Bench
from warm_transfer.livekit.backlog import Backlog
from warm_transfer.livekit.lane import QUEUE_FRAMES, Lane
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.sound import SimFrame

FRAME_S = 0.01
HOUR_S = 3600.0


class Microphone:
    """A stream of 10 ms frames at the pace of a clock of its own, with the real queue."""

    def __init__(self, parts_per_million: float, capacity: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._backlog = Backlog(capacity, self._loop.time)
        self._pace_s = FRAME_S / (1 + parts_per_million / 1e6)
        self._begun_s = self._loop.time()
        self.sent = 0
        self.busy_until_s = 0.0
        self._behind = 0
        self._timer = self._loop.call_soon(self._tick)

    def _tick(self) -> None:
        self._backlog.arrived()
        self.sent += 1
        self._behind += 1
        # What a stall is to a stream: the frames are there, and the loop comes late for all.
        while self._behind and self._loop.time() >= self.busy_until_s:
            self._backlog.put(SimpleNamespace(frame=SimFrame("human")))
            self._behind -= 1
        due_s = self._begun_s + self.sent * self._pace_s
        self._timer = self._loop.call_at(due_s, self._tick)

    def stall(self, for_s: float) -> None:
        """Let the loop be busy for so long."""
        self.busy_until_s = self._loop.time() + for_s

    @property
    def dropped(self) -> int:
        return self._backlog.dropped

    @property
    def lag_s(self) -> float:
        return self._backlog.lag_s

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            yield await self._backlog.get()

    async def aclose(self) -> None:
        self._timer.cancel()


class Loudspeaker:
    """A source whose listener plays a frame every 10 ms of its own clock, from a short buffer."""

    BUFFER = 4

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun_s: float | None = None
        self.taken = 0
        self.inserted = 0
        self.skipped = 0

    async def capture_frame(self, _frame: Any) -> None:
        self.taken += 1
        played = round(self._played_s() / FRAME_S)
        waiting = self.taken + self.inserted - self.skipped - played
        self.inserted += max(0, -waiting)
        self.skipped += max(0, waiting - self.BUFFER)

    def _played_s(self) -> float:
        """How long the listener has been playing: since the first frame."""
        if self._begun_s is None:
            self._begun_s = self._loop.time()
        return self._loop.time() - self._begun_s

    async def aclose(self) -> None: ...


class Slow(Loudspeaker):
    """A source that takes a frame only every 10 ms of its own clock."""

    async def capture_frame(self, _frame: Any) -> None:
        self.taken += 1
        await asyncio.sleep(max(0.0, self.taken * FRAME_S - self._played_s()))


class Line:
    """A lane from a microphone to a loudspeaker."""

    def __init__(self, bench: Bench, microphone: Microphone, speaker: Loudspeaker) -> None:
        self.bench = bench
        self.microphone = microphone
        self.speaker = speaker
        self.broke: list[BaseException | None] = []
        legs = bench.legs
        assert legs.consult_room is not None
        self.lane = Lane(
            legs, (legs.consult_room, HUMAN), legs.caller_room, "lane", self.broke.append
        )

    @classmethod
    async def open(
        cls,
        monkeypatch: pytest.MonkeyPatch,
        parts_per_million: float = 0.0,
        speaker: type[Loudspeaker] = Loudspeaker,
        policy: TransferPolicy | None = None,
    ) -> Line:
        bench = await Bench.set_up(policy=policy)
        await bench.join_consult()
        bench.human_joins()
        await asyncio.sleep(0.2)
        made: list[Microphone] = []

        def stream(_track: object, *, capacity: int) -> Microphone:
            made.append(Microphone(parts_per_million, capacity))
            return made[-1]

        sdk = bench.stage.sdk
        ours, simulated = speaker(), sdk.audio_source()
        monkeypatch.setattr(sdk, "audio_stream", stream)
        monkeypatch.setattr(sdk, "audio_source", lambda: ours)
        track = sdk.audio_track("lane", simulated)
        monkeypatch.setattr(sdk, "audio_track", lambda *_: track)
        line = cls(bench, Microphone(0.0, 1), ours)
        await line.microphone.aclose()
        await line.lane.open()
        line.microphone = made[0]
        return line

    async def close(self) -> None:
        await self.lane.close()
        await self.bench.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("parts_per_million", [200.0, -200.0])
async def test_an_hour_of_clock_drift_costs_no_frame_here_and_one_in_fifty_seconds_there(
    monkeypatch: pytest.MonkeyPatch, parts_per_million: float
) -> None:
    line = await Line.open(monkeypatch, parts_per_million)
    passed = line.lane.passed
    before = passed.frames
    await asyncio.sleep(HOUR_S)
    assert passed.frames - before == pytest.approx(360_000 + 72 * parts_per_million / 200, abs=2)
    assert (line.microphone.dropped, passed.late) == (0, 0)
    # 200 ppm of an hour are 0.72 s. What is too much or missing is the listener's to even out.
    over, under = line.speaker.skipped, line.speaker.inserted
    if parts_per_million > 0:
        assert over == pytest.approx(72 - Loudspeaker.BUFFER, abs=2)
        assert under == 0
    else:
        assert over == 0
        assert under == pytest.approx(72, abs=2)
    await line.close()
    assert line.broke == []


@pytest.mark.asyncio
async def test_a_source_that_is_slower_than_the_voice_costs_the_oldest_frames(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A hundred times the drift, so that five minutes will do.
    line = await Line.open(monkeypatch, 20_000.0, Slow)
    await asyncio.sleep(300.0)
    surplus = line.microphone.sent - line.speaker.taken
    assert surplus == pytest.approx(600, abs=3)
    await line.close()
    assert line.lane.passed.dropped == pytest.approx(surplus - QUEUE_FRAMES, abs=2)


@pytest.mark.asyncio
async def test_the_delay_stays_within_the_queue_whatever_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = await Line.open(monkeypatch, 20_000.0, Slow, TransferPolicy(relay_stall_s=0.11))
    await asyncio.sleep(300.0)
    assert 0.08 < line.microphone.lag_s <= 0.11
    assert line.lane.passed.late == 0
    await line.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("stall_s", [0.2, 1.0, 5.0])
async def test_a_stalled_loop_is_measured_and_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, stall_s: float
) -> None:
    caplog.set_level(logging.INFO, logger="warm_transfer")
    line = await Line.open(monkeypatch, policy=TransferPolicy(relay_stall_s=0.15))
    await asyncio.sleep(1.0)
    assert line.lane.passed.late == 0
    for _ in range(2):
        line.microphone.stall(stall_s)
        await asyncio.sleep(stall_s + 1.0)
    warnings = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert [each.getMessage() for each in warnings] == ["event loop stalled"]
    (warned,) = [vars(each) for each in warnings]
    assert warned["lag_s"] == pytest.approx(stall_s, abs=0.02)
    await line.close()
    passed = line.lane.passed
    assert passed.late == 2
    assert passed.longest_lag_s == pytest.approx(stall_s, abs=0.02)
    dropped = pytest.approx(2 * (stall_s / FRAME_S - QUEUE_FRAMES), abs=4)
    (told,) = [each for each in caplog.records if each.getMessage() == "relay lane closed"]
    told_of = vars(told)
    assert (told_of["frames"], told_of["late"]) == (passed.frames, 2)
    assert told_of["dropped"] == passed.dropped == dropped


@pytest.mark.asyncio
async def test_a_stall_that_the_queue_bridges_costs_nothing_and_is_not_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    line = await Line.open(monkeypatch)
    await asyncio.sleep(1.0)
    line.microphone.stall(0.08)
    await asyncio.sleep(1.0)
    await line.close()
    passed = line.lane.passed
    assert (passed.dropped, passed.late, caplog.records) == (0, 0, [])


@pytest.mark.asyncio
async def test_a_lane_tells_its_numbers_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="warm_transfer")
    line = await Line.open(monkeypatch)
    await asyncio.sleep(1.0)
    await line.lane.close()
    await line.close()
    told = [each for each in caplog.records if each.getMessage() == "relay lane closed"]
    assert len(told) == 1
