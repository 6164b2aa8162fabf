from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import AudioConfig, BuiltinAudioClip
from livekit.agents.voice.io import AgentInput, AgentOutput

from tests.lines import turns
from tests.livekit.bench import Bench, effect
from warm_transfer.effects import Do
from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Event, On
from warm_transfer.livekit.compat import HoldAudioPlayer
from warm_transfer.livekit.hold import DEFAULT_HOLD_AUDIO, Hold, check_hold_audio
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.sound import SimAudioSource, SimLocalTrack

INPUTS, OUTPUTS = ("audio", "video"), ("audio", "video", "transcription")


class Stream:
    """Anything a session can be connected to."""

    def on_attached(self) -> None: ...
    def on_detached(self) -> None: ...


class Host:
    """A session with the real switches of livekit-agents."""

    def __init__(
        self, inputs: tuple[str, ...] = INPUTS, outputs: tuple[str, ...] = OUTPUTS
    ) -> None:
        self.session: Any = SimpleNamespace(
            input=AgentInput(_nothing, _nothing), output=AgentOutput(_nothing, _nothing, _nothing)
        )
        for kind in inputs:
            setattr(self.session.input, kind, Stream())
        for kind in outputs:
            setattr(self.session.output, kind, Stream())
        self.speech_over = asyncio.Event()
        self.back = asyncio.Event()

    async def speech_ended(self) -> None:
        await self.speech_over.wait()

    def complete(self, _outcome: object) -> None: ...

    async def handed_back(self) -> None:
        await self.back.wait()

    def end_job(self) -> None: ...

    def flags(self) -> dict[str, bool]:
        """Every switch there is."""
        ins = {f"input.{kind}": getattr(self.session.input, f"{kind}_enabled") for kind in INPUTS}
        outs = {
            f"output.{kind}": getattr(self.session.output, f"{kind}_enabled") for kind in OUTPUTS
        }
        return {**ins, **outs}

    def set_flags(self, flags: dict[str, bool]) -> None:
        for name, enabled in flags.items():
            side, kind = name.split(".")
            getattr(getattr(self.session, side), f"set_{kind}_enabled")(enabled)


def _nothing() -> None: ...


class Player:
    """Keeps what it was asked to play."""

    def __init__(self) -> None:
        self.room: Any = None
        self.played: list[tuple[Any, bool]] = []
        self.closed = 0
        self.over = asyncio.Event()
        self.error: Exception | None = None

    async def start(self, *, room: Any) -> None:
        self.room = room

    def play(self, audio: Any, *, loop: bool = False) -> Any:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.played.append((audio, loop))
        return SimpleNamespace(wait_for_playout=self.over.wait)

    async def aclose(self) -> None:
        self.closed += 1


async def held(host: Host, *, audio: Any = None, policy: TransferPolicy | None = None) -> Any:
    bench = await Bench.set_up(host=host, policy=policy)
    return bench, Hold(bench.legs, audio)


@pytest.mark.asyncio
async def test_input_goes_off_in_the_same_turn_and_before_anything_is_posted() -> None:
    host = Host()
    bench, hold = await held(host)
    seen: list[tuple[On, bool, bool]] = []

    def look(event: Event) -> None:
        switches = host.session.input
        seen.append((event.name, switches.audio_enabled, switches.video_enabled))

    bench.on_post = look
    asked = effect(Do.HOLD_CALLER)
    work = hold.hold(asked)
    assert seen == [(On.CALLER_HELD, False, False)]
    assert bench.posted[0].effect == asked.id
    assert all(host.flags()[f"output.{kind}"] for kind in OUTPUTS)
    work.close()


@pytest.mark.asyncio
async def test_output_goes_off_only_when_the_last_words_are_out() -> None:
    host = Host()
    bench, hold = await held(host)
    task = asyncio.ensure_future(hold.hold(effect(Do.HOLD_CALLER)))
    await asyncio.sleep(12.0)
    assert host.session.output.audio_enabled
    ended_s = bench.now_s
    host.speech_over.set()
    await task
    assert bench.now_s == ended_s
    assert not any(host.flags().values())


@pytest.mark.asyncio
async def test_words_without_an_end_are_cut_off_at_the_speech_limit() -> None:
    host = Host()
    bench, hold = await held(host, policy=TransferPolicy(speech_limit_s=7.0))
    began_s = bench.now_s
    task = asyncio.ensure_future(hold.hold(effect(Do.HOLD_CALLER)))
    await asyncio.sleep(6.9)
    assert host.session.output.audio_enabled
    await task
    assert bench.now_s - began_s == pytest.approx(7.0)
    assert not any(host.flags().values())


def _subsets(kinds: tuple[str, ...]) -> list[tuple[str, ...]]:
    sizes = range(len(kinds) + 1)
    return [each for size in sizes for each in itertools.combinations(kinds, size)]


@pytest.mark.asyncio
async def test_every_combination_of_streams_and_flags_comes_back_exactly() -> None:
    bench = await Bench.set_up()
    tried = 0
    for inputs, outputs in itertools.product(_subsets(INPUTS), _subsets(OUTPUTS)):
        for values in itertools.product((True, False), repeat=5):
            host = Host(inputs, outputs)
            before = dict(zip(host.flags(), values, strict=True))
            host.set_flags(before)
            host.speech_over.set()
            host.back.set()
            bench.legs.host = host
            hold = Hold(bench.legs, None)
            await hold.hold(effect(Do.HOLD_CALLER))
            there = {f"input.{each}" for each in inputs} | {f"output.{each}" for each in outputs}
            now = host.flags()
            assert not any(now[each] for each in there)
            assert all(now[each] == before[each] for each in now if each not in there)
            await hold.resume()
            assert host.flags() == before
            tried += 1
    assert tried == 2**5 * 2**5


@pytest.mark.asyncio
async def test_resuming_again_leaves_what_the_application_has_switched_since() -> None:
    host = Host()
    _, hold = await held(host)
    host.speech_over.set()
    host.back.set()
    await hold.hold(effect(Do.HOLD_CALLER))
    await hold.resume()
    host.set_flags({"input.audio": False, "output.audio": False})
    await hold.resume()
    await hold.resume_output()
    assert not host.session.input.audio_enabled
    assert not host.session.output.audio_enabled


@pytest.mark.asyncio
async def test_an_output_that_cannot_be_switched_leaves_nobody_unheard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Host()
    _, hold = await held(host)
    host.speech_over.set()
    host.back.set()
    await hold.hold(effect(Do.HOLD_CALLER))

    def fail(_: bool) -> None:
        raise OSError("the sink is gone")

    monkeypatch.setattr(host.session.output, "set_audio_enabled", fail)
    with pytest.raises(OSError, match="the sink is gone"):
        await hold.resume()
    assert host.session.input.audio_enabled


@pytest.mark.asyncio
async def test_a_resume_that_overtakes_the_last_words_leaves_the_output_untouched() -> None:
    host = Host()
    host.set_flags({"output.transcription": False})
    _, hold = await held(host)
    before = host.flags()
    host.back.set()
    task = asyncio.ensure_future(hold.hold(effect(Do.HOLD_CALLER)))
    await turns()
    await hold.resume()
    await task
    assert host.flags() == before
    host.speech_over.set()
    await turns()
    assert host.flags() == before


@pytest.mark.asyncio
async def test_nothing_comes_back_before_the_agent_is_back() -> None:
    host = Host()
    host.speech_over.set()
    _, hold = await held(host)
    await hold.hold(effect(Do.HOLD_CALLER))
    task = asyncio.ensure_future(hold.resume())
    await asyncio.sleep(5.0)
    assert not any(host.flags().values())
    host.back.set()
    await task
    assert all(host.flags().values())


@pytest.mark.asyncio
async def test_output_alone_comes_back_after_a_merge_and_input_when_the_caller_returns() -> None:
    host = Host()
    host.speech_over.set()
    host.back.set()
    _, hold = await held(host)
    await hold.hold(effect(Do.HOLD_CALLER))
    await hold.resume_output()
    assert host.session.output.audio_enabled
    assert host.session.output.transcription_enabled
    assert not host.session.input.audio_enabled
    await hold.resume()
    assert all(host.flags().values())


@pytest.mark.asyncio
async def test_an_input_that_fails_half_way_still_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Host()
    host.back.set()
    bench, hold = await held(host)

    def refuse(enable: bool) -> None:
        if not enable:
            raise RuntimeError("no video input")

    monkeypatch.setattr(host.session.input, "set_video_enabled", refuse)
    with pytest.raises(RuntimeError, match="no video input"):
        hold.hold(effect(Do.HOLD_CALLER))
    assert bench.posted == []
    assert not host.session.input.audio_enabled
    await hold.resume()
    assert host.session.input.audio_enabled


# Hold audio.


def told(caplog: pytest.LogCaptureFixture) -> list[object]:
    """What the log says of hold audio that has failed, to whoever watches for warnings."""
    found = [each for each in caplog.records if each.getMessage() == "hold audio failed"]
    assert all(each.levelno == logging.WARNING for each in found)
    return [vars(each)["detail"] for each in found]


@pytest.fixture
def music(tmp_path: Path) -> str:
    """The path of a file."""
    path = tmp_path / "music.ogg"
    path.touch()
    return str(path)


@pytest.mark.parametrize(
    "make",
    [
        lambda _file: None,
        lambda file: file,
        Path,
        lambda file: AudioConfig(file, volume=0.5),
        lambda file: [AudioConfig(file), AudioConfig(BuiltinAudioClip.HOLD_MUSIC)],
        lambda _file: BuiltinAudioClip.OFFICE_AMBIENCE,
        lambda _file: DEFAULT_HOLD_AUDIO,
        lambda _file: _music(),
        lambda _file: AudioConfig(_music()),
    ],
)
def test_what_can_be_played_is_taken_as_it_is(make: Callable[[str], Any], music: str) -> None:
    audio = make(music)
    assert check_hold_audio(audio) is audio


@pytest.mark.parametrize(
    "make",
    [
        lambda _file: 42,
        lambda _file: False,
        lambda _file: b"music.ogg",
        lambda _file: AudioConfig(None),  # type: ignore[arg-type]  # the point of the test
        lambda _file: [],
        lambda file: [file],
        lambda file: (AudioConfig(file),),
        lambda file: [AudioConfig(file), 42],
        lambda file: [AudioConfig(file), AudioConfig(_music())],
        # The function instead of what it gives.
        lambda _file: _music,
    ],
)
def test_what_cannot_be_played_is_refused_with_what_can(
    make: Callable[[str], Any], music: str
) -> None:
    with pytest.raises(InvalidArgument, match=r"`hold_audio` is .*; give a file, a `Builtin"):
        check_hold_audio(make(music))


@pytest.mark.parametrize(
    "make", [str, Path, AudioConfig, lambda file: [DEFAULT_HOLD_AUDIO, AudioConfig(file)]]
)
def test_a_file_that_is_not_there_is_refused_by_its_path(make: Callable[[str], Any]) -> None:
    for path in ("nowhere.ogg", "."):
        with pytest.raises(InvalidArgument) as caught:
            check_hold_audio(make(path))
        assert str(caught.value) == (
            f"`hold_audio` names '{path}', which is no file; "
            "correct the path, or give None for silence"
        )


async def player_of(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: Exception | None = None
) -> Player:
    player = Player()
    player.error = error
    names: list[str] = []

    def make(name: str) -> Player:
        names.append(name)
        return player

    monkeypatch.setattr(bench.stage.sdk, "hold_player", make)
    return player


async def frames_of(source: Any, number: int = 3) -> list[rtc.AudioFrame]:
    assert isinstance(source, AsyncIterator)
    return [await anext(source) for _ in range(number)]


def is_silence(frame: rtc.AudioFrame) -> bool:
    return frame.samples_per_channel == 480 and not any(bytes(frame.data.cast("b")))


@pytest.mark.asyncio
async def test_hold_audio_none_sends_silence_because_a_quiet_leg_may_be_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Host()
    host.speech_over.set()
    bench, hold = await held(host, audio=None)
    player = await player_of(bench, monkeypatch)
    await hold.play(effect(Do.PLAY_HOLD_AUDIO))
    ((source, loop),) = player.played
    assert not loop
    assert all(is_silence(frame) for frame in await frames_of(source))
    assert bench.posted == []
    await hold.stop()


async def _music() -> AsyncIterator[rtc.AudioFrame]:
    while True:
        yield rtc.AudioFrame(b"\x01\x02" * 480, 48_000, 1, 480)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("make", "loops"),
    [
        # A file is repeated by ourselves, so that its decoder can be closed.
        (lambda: "music.ogg", False),
        (lambda: AudioConfig("music.ogg", volume=0.5), False),
        (lambda: [AudioConfig("a.ogg", probability=0.5), AudioConfig("b.ogg")], True),
        (_music, False),
        (lambda: AudioConfig(_music(), volume=0.5), False),
        (lambda: BuiltinAudioClip.HOLD_MUSIC, False),
        (lambda: DEFAULT_HOLD_AUDIO, False),
    ],
    ids=["file", "config", "list", "iterator", "config of iterator", "clip", "default"],
)
async def test_the_player_is_asked_to_loop_only_what_it_chooses_itself(
    make: Callable[[], Any], loops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host()
    host.speech_over.set()
    audio = make()
    bench, hold = await held(host, audio=audio)
    player = await player_of(bench, monkeypatch)
    await hold.play(effect(Do.PLAY_HOLD_AUDIO))
    ((source, loop),) = player.played
    assert loop is loops
    volume = audio.volume if isinstance(audio, AudioConfig) else 1.0
    assert isinstance(source, list) or source.volume == volume
    await hold.stop()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("audio", "skip_s"), [(DEFAULT_HOLD_AUDIO, 0.42), (AudioConfig("music.ogg"), 0.0)]
)
async def test_the_file_is_opened_before_the_track_is_published_and_closed_at_the_stop(
    audio: AudioConfig, skip_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host()
    host.speech_over.set()
    bench, hold = await held(host, audio=audio)
    player = await player_of(bench, monkeypatch)
    done: list[Any] = []
    file = SimpleNamespace(close=lambda: done.append("close"))

    def open_file(_path: str, *, skip_s: float) -> Any:
        done.append(skip_s)
        return file

    async def start(*, room: Any) -> None:
        done.append(room)

    monkeypatch.setattr(bench.stage.sdk, "audio_file", open_file)
    monkeypatch.setattr(player, "start", start)
    await hold.play(effect(Do.PLAY_HOLD_AUDIO))
    assert done == [skip_s, bench.stage.room]
    assert player.played[0][0].source is file
    await hold.stop()
    assert done[2:] == ["close"]


@pytest.mark.asyncio
async def test_a_stop_during_the_last_words_closes_the_file_too() -> None:
    bench, hold = await held(Host(), audio="music.ogg")
    task = asyncio.ensure_future(hold.play(effect(Do.PLAY_HOLD_AUDIO)))
    await asyncio.sleep(1.0)
    assert "audio file music.ogg" in bench.stage.world.left().open
    await hold.stop()
    await task
    assert "audio file music.ogg" not in bench.stage.world.left().open


@pytest.mark.asyncio
async def test_a_player_that_does_not_close_keeps_no_file_open() -> None:
    bench, hold = await held(Host(), audio="music.ogg")
    task = asyncio.ensure_future(hold.play(effect(Do.PLAY_HOLD_AUDIO)))
    await asyncio.sleep(1.0)
    bench.stage.world.faults.plan[("player.aclose", 1)] = Fault(How.HANGS)
    with pytest.raises(TimeoutError):
        await hold.stop()
    await task
    assert "audio file music.ogg" not in bench.stage.world.left().open


@pytest.mark.asyncio
async def test_a_file_that_cannot_be_opened_is_reported_and_silence_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host()
    host.speech_over.set()
    bench, hold = await held(host, audio="music.ogg")
    player = await player_of(bench, monkeypatch)
    error = RuntimeError("can't start new thread")

    def refuse(_path: str, **_skip: float) -> Any:
        raise error

    monkeypatch.setattr(bench.stage.sdk, "audio_file", refuse)
    asked = effect(Do.PLAY_HOLD_AUDIO)
    await hold.play(asked)
    (event,) = bench.posted
    assert (event.name, event.effect) == (On.HOLD_AUDIO_FAILED, asked.id)
    assert event.facts.cause is error
    assert told(caplog) == [repr(error)]
    ((source, _),) = player.played
    assert all(is_silence(frame) for frame in await frames_of(source))
    await hold.stop()


@pytest.mark.asyncio
async def test_a_source_that_cannot_be_played_is_reported_and_silence_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host()
    host.speech_over.set()
    bench, hold = await held(host, audio="music.ogg")
    error = ValueError("cannot be played")
    player = await player_of(bench, monkeypatch, error)
    asked = effect(Do.PLAY_HOLD_AUDIO)
    await hold.play(asked)
    (event,) = bench.posted
    assert (event.name, event.effect) == (On.HOLD_AUDIO_FAILED, asked.id)
    assert event.facts.cause is error
    assert told(caplog) == [repr(error)]
    ((source, loop),) = player.played
    assert not loop
    assert all(is_silence(frame) for frame in await frames_of(source))
    await hold.stop()


@pytest.mark.asyncio
async def test_a_source_that_ends_by_itself_is_reported_and_silence_is_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # The stock player ends silently when an iterator raises or a file is missing.
    host = Host()
    host.speech_over.set()
    bench, hold = await held(host, audio=_music())
    player = await player_of(bench, monkeypatch)
    asked = effect(Do.PLAY_HOLD_AUDIO)
    await hold.play(asked)
    assert bench.posted == []
    player.over.set()
    await turns(5)
    assert [(each.name, each.effect) for each in bench.posted] == [(On.HOLD_AUDIO_FAILED, asked.id)]
    assert told(caplog) == ["the hold audio ended by itself"]
    assert all(is_silence(frame) for frame in await frames_of(player.played[-1][0]))
    await hold.stop()


@pytest.mark.asyncio
async def test_hold_audio_that_we_stop_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host()
    host.speech_over.set()
    bench, hold = await held(host, audio=_music())
    player = await player_of(bench, monkeypatch)
    await hold.play(effect(Do.PLAY_HOLD_AUDIO))
    await hold.stop()
    player.over.set()
    await turns(5)
    assert bench.posted == []
    assert told(caplog) == []
    assert len(player.played) == 1
    await hold.stop()
    assert player.closed == 2


@pytest.mark.asyncio
async def test_the_track_is_published_during_the_last_words_and_plays_after_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Host()
    bench, hold = await held(host, audio=_music())
    player = await player_of(bench, monkeypatch)
    task = asyncio.ensure_future(hold.play(effect(Do.PLAY_HOLD_AUDIO)))
    await asyncio.sleep(2.0)
    assert player.room is bench.stage.room
    assert player.played == []
    host.speech_over.set()
    await task
    assert len(player.played) == 1
    await hold.stop()


@pytest.mark.asyncio
async def test_a_stop_before_or_during_the_last_words_plays_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host = Host()
    bench, hold = await held(host, audio=_music())
    player = await player_of(bench, monkeypatch)
    task = asyncio.ensure_future(hold.play(effect(Do.PLAY_HOLD_AUDIO)))
    await turns()
    await hold.stop()
    await task
    assert player.played == []
    await hold.play(effect(Do.PLAY_HOLD_AUDIO))
    assert player.played == []
    assert bench.posted == []


@pytest.mark.asyncio
async def test_the_caller_hears_music_from_the_hold_to_the_stop_and_no_track_is_left() -> None:
    bench = await Bench.set_up()
    hold = Hold(bench.legs, DEFAULT_HOLD_AUDIO)
    await hold.play(effect(Do.PLAY_HOLD_AUDIO))
    await asyncio.sleep(5.0)
    await hold.stop()
    await asyncio.sleep(1.0)
    (music,) = [each for each in bench.stage.world.heard("caller") if each.tag == "music"]
    assert music.to_s - music.from_s == pytest.approx(5.0, abs=0.2)
    await bench.finish()
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_the_music_is_silent_before_the_stop_has_taken_its_track_away() -> None:
    host = Host()
    host.speech_over.set()
    bench, hold = await held(host, audio="ringback.wav")
    await hold.play(effect(Do.PLAY_HOLD_AUDIO))
    await asyncio.sleep(1.0)
    ears = bench.stage.world.ears
    assert "music" in ears.hears("caller")
    published = bench.stage.room.local_participant.track_publications
    work = hold.stop()
    assert "music" not in ears.hears("caller")
    assert "hold-audio-bench" in [each.name for each in published.values()]
    await work
    assert "hold-audio-bench" not in [each.name for each in published.values()]


@pytest.mark.asyncio
async def test_in_the_simulation_too_the_track_of_the_application_survives_our_stop() -> None:
    bench = await Bench.set_up()
    source = SimAudioSource(bench.stage.world)
    theirs = SimLocalTrack(bench.stage.world, "background_audio", source)
    await bench.stage.room.local_participant.publish_track(theirs)
    hold = Hold(bench.legs, DEFAULT_HOLD_AUDIO)
    await hold.play(effect(Do.PLAY_HOLD_AUDIO))
    await hold.stop()
    names = [each.name for each in bench.stage.room.local_participant.track_publications.values()]
    assert "background_audio" in names
    assert not [name for name in names if name.startswith("hold-audio")]


class FakeRoom:
    """As much of ``rtc.Room`` as a background player uses."""

    def __init__(self) -> None:
        self.local_participant = self
        self.track_publications: dict[str, Any] = {}
        self.unpublished: list[str] = []
        self.connected = True

    def isconnected(self) -> bool:
        return self.connected

    async def publish_track(self, track: rtc.LocalAudioTrack, _options: Any) -> Any:
        sid = f"TR_{len(self.track_publications)}"
        self.track_publications[sid] = SimpleNamespace(sid=sid, name=track.name)
        return self.track_publications[sid]

    async def unpublish_track(self, sid: str) -> None:
        self.unpublished.append(self.track_publications.pop(sid).name)


def on_real_loop(work: Callable[[FakeRoom], Coroutine[Any, Any, None]]) -> FakeRoom:
    """The native part of livekit answers from a thread, so a virtual clock would not see it."""

    async def run() -> FakeRoom:
        room = FakeRoom()
        await work(room)
        return room

    return asyncio.run(run())


def test_our_stop_takes_our_track_and_leaves_the_background_audio_of_the_application() -> None:
    async def work(room: FakeRoom) -> None:
        room.track_publications["TR_app"] = SimpleNamespace(sid="TR_app", name="background_audio")
        player = HoldAudioPlayer("hold-audio-1")
        await player.start(room=room)  # type: ignore[arg-type]  # a fake of the part that is used
        await player.aclose()
        await player.aclose()

    room = on_real_loop(work)
    assert room.unpublished == ["hold-audio-1"]
    assert [each.name for each in room.track_publications.values()] == ["background_audio"]


def test_our_track_is_found_after_a_reconnect_has_changed_its_sid() -> None:
    async def work(room: FakeRoom) -> None:
        player = HoldAudioPlayer("hold-audio-1")
        await player.start(room=room)  # type: ignore[arg-type]  # as above
        publication = room.track_publications.pop("TR_0")
        room.track_publications["TR_new"] = SimpleNamespace(sid="TR_new", name=publication.name)
        await player.aclose()

    assert on_real_loop(work).unpublished == ["hold-audio-1"]


def test_in_a_lost_room_nothing_is_unpublished_because_that_would_never_return() -> None:
    async def work(room: FakeRoom) -> None:
        player = HoldAudioPlayer("hold-audio-1")
        await player.start(room=room)  # type: ignore[arg-type]  # as above
        room.connected = False
        await player.aclose()

    assert on_real_loop(work).unpublished == []


@pytest.mark.asyncio
async def test_the_hold_is_settled_when_the_caller_has_taken_up_the_hold_audio() -> None:
    host = Host()
    bench, hold = await held(host)
    settled = bench.legs.hold_settled
    playing = asyncio.ensure_future(hold.play(effect(Do.PLAY_HOLD_AUDIO)))
    # Another track of the agent's is no hold audio.
    world = bench.stage.world
    track = SimLocalTrack(world, "another", SimAudioSource(world))
    bench.legs.caller_room.emit("local_track_subscribed", track)
    assert not settled.is_set()
    await asyncio.sleep(1.0)
    # The agent still speaks: it is published, and on its way, all the same.
    assert settled.is_set()
    host.speech_over.set()
    await playing
    await hold.stop()
    assert not [each for each in bench.legs.caller_room.listeners() if "local_track" in each]


@pytest.mark.asyncio
async def test_the_hold_is_settled_when_there_is_to_be_no_hold_audio_any_more() -> None:
    bench, hold = await held(Host())
    await hold.stop()
    assert bench.legs.hold_settled.is_set()
