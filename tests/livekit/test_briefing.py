from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents import Agent
from livekit.agents.llm import FunctionTool

from tests.lines import turns
from tests.livekit.bench import HUMAN, Bench, effect
from tests.livekit.models import Judge
from tests.livekit.realtime import FakeRealtimeModel
from warm_transfer.effects import Do
from warm_transfer.errors import InvalidArgument
from warm_transfer.events import On
from warm_transfer.livekit.briefing import Briefing, ConsultOptions
from warm_transfer.livekit.phrases import ENGLISH
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.humans import Human
from warm_transfer.testing.livekit.judge import SimJudge
from warm_transfer.testing.livekit.sessions import SimConsultSession

TOOLS = {"connect_to_caller", "decline_transfer", "voicemail_detected"}


class Desk:
    """A briefing in a consult room."""

    def __init__(self, bench: Bench, options: ConsultOptions) -> None:
        self.bench = bench
        self.briefing = Briefing(bench.legs, options)
        self.opened_by = effect(Do.OPEN_CONSULT)

    @classmethod
    async def set_up(
        cls,
        options: ConsultOptions | None = None,
        *,
        human: Human | None = None,
        policy: TransferPolicy | None = None,
    ) -> Desk:
        bench = await Bench.set_up(human=human, policy=policy)
        await bench.join_consult()
        return cls(bench, options or ConsultOptions())

    async def open(self) -> SimConsultSession:
        assert self.bench.legs.consult_room is not None
        await self.briefing.open(self.bench.legs.consult_room, self.opened_by)
        return self.session

    @property
    def session(self) -> SimConsultSession:
        return self.bench.stage.sdk.consult_sessions[-1]

    def heard(self, tag: str) -> bool:
        return tag in {each.tag for each in self.bench.stage.world.heard("human")}

    async def finish(self) -> None:
        await self.briefing.close()
        await self.bench.finish()


def _tools_of(agent: Agent) -> set[str]:
    return {each.info.name for each in agent.tools if isinstance(each, FunctionTool)}


# What it is told.


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("greeting", 3),
        ("notice", ["Bye."]),
        ("phrases", {"notice": "Bye."}),
        ("consent", "maybe"),
        ("consent", None),
        ("consent_llm", "openai/gpt-4.1-mini"),
    ],
)
def test_options_that_cannot_be_used_are_refused(name: str, value: Any) -> None:
    given: dict[str, Any] = {name: value}
    with pytest.raises(InvalidArgument) as caught:
        ConsultOptions(**given)
    assert caught.value.argument == name


async def _judged(
    options: ConsultOptions, human: Human | None = None
) -> tuple[list[On], SimConsultSession]:
    """What is posted when a human has been briefed and has said something."""
    desk = await Desk.set_up(options, human=human or Human("yes", 6.0))
    session = await desk.open()
    desk.bench.human_joins()
    await desk.briefing.start(effect(Do.START_BRIEFING))
    await asyncio.sleep(8.0)
    await desk.finish()
    return desk.bench.names, session


@pytest.mark.asyncio
async def test_the_sessions_own_model_judges_unless_another_is_given() -> None:
    own, other = SimJudge(["Yes, put them through."]), SimJudge(["Yes, put them through."])
    names, _ = await _judged(ConsultOptions(session={"llm": own}))
    assert names == [On.CONSULT_ACCEPTED]
    assert (len(own.asked), len(other.asked)) == (1, 0)
    names, _ = await _judged(ConsultOptions(session={"llm": own}, consent_llm=other))
    assert names == [On.CONSULT_ACCEPTED]
    assert (len(own.asked), len(other.asked)) == (1, 1)


@pytest.mark.asyncio
async def test_a_tool_call_is_enough_when_the_application_says_so() -> None:
    judge = SimJudge([])
    names, _ = await _judged(ConsultOptions(session={"llm": judge}, consent="tool"))
    assert names == [On.CONSULT_ACCEPTED]
    assert judge.asked == []


@pytest.mark.asyncio
async def test_a_session_without_a_chat_is_taken_at_its_word_and_warned_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names, _ = await _judged(ConsultOptions(session={"llm": "a speech-to-speech model"}))
    assert names == [On.CONSULT_ACCEPTED]
    assert [each.message for each in caplog.records] == ["consent is not judged"]
    caplog.clear()
    await _judged(ConsultOptions(session={"llm": "the same"}, consent="tool"))
    await _judged(ConsultOptions(session={"llm": "the same"}, consent_llm=SimJudge([])))
    assert not caplog.records


@pytest.mark.asyncio
async def test_a_human_who_is_not_judged_to_agree_is_asked_again_and_connected_to_nobody() -> None:
    judge = SimJudge([])
    names, session = await _judged(ConsultOptions(session={"llm": judge}))
    assert names == []
    assert len(session.tool_calls) > 1


@pytest.mark.asyncio
@pytest.mark.parametrize("state", State)
async def test_every_state_but_the_briefing_has_its_answer(state: State) -> None:
    bench = await Bench.set_up()
    await bench.join_consult()
    briefing = Briefing(bench.legs, ConsultOptions(), lambda: state)
    assert bench.legs.consult_room is not None
    await briefing.open(bench.legs.consult_room, effect(Do.OPEN_CONSULT))
    agent: Any = bench.stage.sdk.consult_sessions[-1]._agent
    answer = await agent.voicemail_detected()
    assert answer == ENGLISH.standing.get(state)
    assert (answer is None) is (state is State.BRIEFING)
    await briefing.close()
    await bench.finish()


# Opening.


@pytest.mark.asyncio
async def test_the_session_is_deaf_until_the_answer() -> None:
    desk = await Desk.set_up(human=Human("yes", 0.5))
    session = await desk.open()
    assert not session.input.audio_enabled
    desk.bench.human_joins()
    await asyncio.sleep(5.0)
    assert desk.bench.posted == []
    assert session.tool_calls == []
    await desk.briefing.start(effect(Do.START_BRIEFING))
    assert session.input.audio_enabled
    await asyncio.sleep(5.0)
    assert desk.bench.names == [On.CONSULT_ACCEPTED]
    await desk.finish()


@pytest.mark.asyncio
async def test_it_was_deaf_before_it_started(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = await Desk.set_up()
    heard: list[bool] = []
    start = SimConsultSession.start

    async def look(session: SimConsultSession, *args: Any, **options: Any) -> None:
        heard.append(session.input.audio_enabled)
        await start(session, *args, **options)

    monkeypatch.setattr(SimConsultSession, "start", look)
    await desk.open()
    assert heard == [False]
    await desk.finish()


@pytest.mark.asyncio
async def test_the_session_is_linked_to_the_human_alone_and_outlives_a_departure() -> None:
    desk = await Desk.set_up(ConsultOptions(session={"llm": "model"}))
    session = await desk.open()
    options = session._room_options
    assert options.participant_identity == HUMAN
    assert options.close_on_disconnect is False
    assert options.delete_room_on_close is False
    assert options.text_input is False
    assert options.text_output is False
    assert session.options["llm"] == "model"
    # Waiting for words still to be recognised would be silence for caller and human.
    assert session.options["session_close_transcript_timeout"] == 0.0
    await desk.finish()


@pytest.mark.asyncio
async def test_a_close_before_the_opening_opens_nothing() -> None:
    desk = await Desk.set_up()
    await desk.briefing.close()
    assert desk.bench.legs.consult_room is not None
    await desk.briefing.open(desk.bench.legs.consult_room, desk.opened_by)
    assert desk.bench.stage.sdk.consult_sessions == []
    await desk.finish()


# Briefing.


@pytest.mark.asyncio
async def test_a_greeting_is_said_once_the_ears_are_open() -> None:
    desk = await Desk.set_up(
        ConsultOptions(greeting="Hello."), human=Human("nothing", briefing_s=0)
    )
    await desk.open()
    desk.bench.human_joins()
    await asyncio.sleep(1.0)
    assert not desk.heard("agent")
    await desk.briefing.start(effect(Do.START_BRIEFING))
    await asyncio.sleep(1.0)
    assert desk.heard("agent")
    await desk.finish()


@pytest.mark.asyncio
async def test_without_a_session_the_briefing_has_failed() -> None:
    desk = await Desk.set_up()
    asked = effect(Do.START_BRIEFING)
    await desk.briefing.start(asked)
    (event,) = desk.bench.posted
    assert (event.name, event.effect) == (On.BRIEFING_FAILED, asked.id)
    await desk.finish()


@pytest.mark.asyncio
async def test_a_session_that_closes_by_itself_has_failed_the_briefing() -> None:
    desk = await Desk.set_up()
    session = await desk.open()
    session.close_by_itself()
    await asyncio.sleep(1.0)
    (event,) = desk.bench.posted
    assert (event.name, event.effect) == (On.BRIEFING_FAILED, desk.opened_by.id)
    await desk.finish()


@pytest.mark.asyncio
async def test_the_error_that_closed_it_is_kept_as_the_cause() -> None:
    desk = await Desk.set_up()
    session = await desk.open()
    error = RuntimeError("model is down")
    session.emit("close", SimpleNamespace(error=SimpleNamespace(error=error)))
    session.emit("close", SimpleNamespace(error=None))
    assert [each.facts.cause for each in desk.bench.posted] == [error, None]
    await desk.finish()


@pytest.mark.asyncio
async def test_our_own_close_fails_nothing() -> None:
    desk = await Desk.set_up()
    await desk.open()
    await desk.finish()
    await desk.briefing.close()
    assert desk.bench.posted == []
    assert not desk.bench.stage.world.left().open


# The notice.


async def _notified(*, started: bool, human: Human | None = None) -> tuple[Desk, float]:
    desk = await Desk.set_up(human=human or Human("nothing"))
    await desk.open()
    desk.bench.human_joins()
    if started:
        await desk.briefing.start(effect(Do.START_BRIEFING))
        await asyncio.sleep(2.0)
    began_s = desk.bench.now_s
    await desk.briefing.notify()
    return desk, desk.bench.now_s - began_s


@pytest.mark.asyncio
async def test_the_notice_is_said_to_its_end_and_no_word_of_the_briefing_after_it() -> None:
    desk, took_s = await _notified(started=True)
    # In the simulation a character takes 60 ms.
    assert took_s == pytest.approx(len(ENGLISH.notice) * 0.06, abs=0.1)
    notices = [each for each in desk.bench.stage.world.heard("human") if each.tag == "agent"]
    assert len(notices) == 1
    await asyncio.sleep(10.0)
    briefings = [each for each in desk.bench.stage.world.heard("human") if each.tag == "briefing"]
    assert all(each.to_s <= notices[0].from_s for each in briefings)
    # What the human says to it decides nothing any more.
    assert not desk.session.input.audio_enabled
    await desk.finish()


@pytest.mark.asyncio
async def test_there_is_no_notice_before_anybody_could_have_spoken() -> None:
    desk, took_s = await _notified(started=False)
    assert took_s == 0.0
    assert not desk.heard("agent")
    await desk.finish()


@pytest.mark.asyncio
async def test_there_is_no_notice_without_a_session_or_after_its_close() -> None:
    desk = await Desk.set_up()
    await desk.briefing.notify()
    await desk.open()
    await desk.briefing.start(effect(Do.START_BRIEFING))
    await desk.briefing.close()
    await desk.briefing.notify()
    assert not desk.heard("agent")
    await desk.finish()


@pytest.mark.asyncio
async def test_the_sentence_of_the_application_is_said_and_never_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = await Desk.set_up(ConsultOptions(notice="Bye."))
    session = await desk.open()
    await desk.briefing.start(effect(Do.START_BRIEFING))
    said: list[tuple[str, dict[str, Any]]] = []
    say = session.say

    def record(text: str, **options: Any) -> Any:
        said.append((text, options))
        return say(text, **options)

    monkeypatch.setattr(session, "say", record)
    await desk.briefing.notify()
    assert said == [("Bye.", {"allow_interruptions": False, "add_to_chat_ctx": False})]
    await desk.finish()


@pytest.mark.asyncio
async def test_a_model_that_cannot_be_given_words_is_asked_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for supports_say, tts, asked in ((False, None, True), (True, None, False), (False, "x", False)):
        desk = await Desk.set_up(ConsultOptions(greeting="Hello."))
        session = await desk.open()
        monkeypatch.setattr(session, "llm", FakeRealtimeModel(supports_say=supports_say))
        monkeypatch.setattr(session, "tts", tts)
        said: list[tuple[str, Any]] = []
        _record(monkeypatch, session, said)
        await desk.briefing.start(effect(Do.START_BRIEFING))
        await asyncio.sleep(1.0)
        await desk.briefing.notify()
        words = ["Hello.", ENGLISH.notice]
        if asked:
            words = [ENGLISH.read_aloud.format(words=each) for each in words]
        assert [each for each, _ in said] == words
        # Whatever it hears, it does not act on it while it says fixed words.
        assert [how for _, how in said] == ["none", "none"] if asked else [True, False]
        await desk.finish()


def _record(
    monkeypatch: pytest.MonkeyPatch, session: SimConsultSession, said: list[tuple[str, Any]]
) -> None:
    say, reply = session.say, session.generate_reply

    def record_say(text: str, **options: Any) -> Any:
        said.append((text, options["allow_interruptions"]))
        return say(text, **options)

    def record_reply(**options: Any) -> Any:
        said.append((options["instructions"], options["tool_choice"]))
        return reply(**options)

    monkeypatch.setattr(session, "say", record_say)
    monkeypatch.setattr(session, "generate_reply", record_reply)


async def _died(options: ConsultOptions, *, started: bool = True) -> Desk:
    """A briefing whose session has closed by itself."""
    desk = await Desk.set_up(options, human=Human("nothing"))
    session = await desk.open()
    desk.bench.human_joins()
    if started:
        await desk.briefing.start(effect(Do.START_BRIEFING))
        await asyncio.sleep(2.0)
    session.close_by_itself()
    await asyncio.sleep(1.0)
    await desk.briefing.notify()
    return desk


@pytest.mark.asyncio
async def test_a_human_whose_agent_has_died_is_told_with_the_voice_that_is_left() -> None:
    desk = await _died(ConsultOptions())
    first, second = desk.bench.stage.sdk.consult_sessions
    assert desk.heard("agent")
    assert second.tts == first.tts
    models = {name: second.options[name] for name in ("llm", "stt", "vad")}
    assert models == {"llm": None, "stt": None, "vad": None}
    # It cannot hear, has no tools, and is nobody's verdict.
    assert not second.input.audio_enabled
    assert second._room_options.participant_identity == HUMAN
    assert second._room_options.close_on_disconnect is False
    assert second._agent is not None
    assert _tools_of(second._agent) == set()
    assert desk.bench.names == [On.BRIEFING_FAILED]
    await desk.finish()
    assert second.closed
    assert not desk.bench.stage.world.left().open


@pytest.mark.asyncio
async def test_without_a_voice_or_before_the_briefing_nobody_is_told() -> None:
    for desk in (
        await _died(ConsultOptions(session={"tts": None})),
        await _died(ConsultOptions(), started=False),
    ):
        assert len(desk.bench.stage.sdk.consult_sessions) == 1
        assert not desk.heard("agent")
        await desk.finish()
        assert not desk.bench.stage.world.left().open


# Stopping.


@pytest.mark.asyncio
async def test_the_agent_is_silent_for_good_before_the_stop_is_reported() -> None:
    desk = await Desk.set_up(human=Human("nothing", briefing_s=30.0))
    session = await desk.open()
    desk.bench.human_joins()
    await desk.briefing.start(effect(Do.START_BRIEFING))
    await asyncio.sleep(5.0)
    hears: list[frozenset[str]] = []
    desk.bench.on_post = lambda _: hears.append(desk.bench.stage.world.ears.hears("human"))
    asked = effect(Do.STOP_BRIEFING)
    await desk.briefing.stop(asked)
    (event,) = desk.bench.posted
    assert (event.name, event.effect) == (On.BRIEFING_STOPPED, asked.id)
    assert hears == [frozenset()]
    stopped_s = desk.bench.posted_at_s[0]
    await asyncio.sleep(30.0)
    tail = [each for each in desk.bench.stage.world.heard("human") if each.to_s > stopped_s]
    assert tail == []
    assert not session.output.audio_enabled
    await desk.finish()


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["stop", "close"])
async def test_a_verdict_that_is_awaited_does_not_keep_the_session_open(way: str) -> None:
    judge = Judge(after_s=2.5)
    desk = await Desk.set_up(ConsultOptions(session={"llm": judge}), human=Human("yes", 6.0))
    session = await desk.open()
    desk.bench.human_joins()
    await desk.briefing.start(effect(Do.START_BRIEFING))
    await asyncio.sleep(6.5)
    # The tool is running, and a session waits for its tools when it closes.
    assert len(judge.asked) == 1
    began_s = desk.bench.now_s
    if way == "stop":
        await desk.briefing.stop(effect(Do.STOP_BRIEFING))
    await desk.briefing.close()
    assert session.closed
    assert desk.bench.now_s - began_s < 0.1
    assert On.CONSULT_ACCEPTED not in desk.bench.names
    await desk.finish()


@pytest.mark.asyncio
async def test_a_session_that_hangs_at_its_close_does_not_delay_the_report() -> None:
    desk = await Desk.set_up(policy=TransferPolicy(api_timeout_s=1.0))
    await desk.open()
    await desk.briefing.start(effect(Do.START_BRIEFING))
    desk.bench.stage.world.faults.plan[("session.aclose", 1)] = Fault(How.HANGS)
    began_s = desk.bench.now_s
    await desk.briefing.stop(effect(Do.STOP_BRIEFING))
    assert desk.bench.names == [On.BRIEFING_STOPPED]
    assert desk.bench.posted_at_s == [began_s]
    # The close is tried again, and then nothing is left but the room, which is not ours to delete.
    await desk.finish()
    assert not desk.bench.stage.world.left().open


@pytest.mark.asyncio
async def test_the_session_that_ends_while_we_stop_it_is_stopped_all_the_same() -> None:
    desk = await Desk.set_up()
    await desk.open()
    await desk.briefing.start(effect(Do.START_BRIEFING))
    error = RuntimeError("AgentSession isn't running")
    desk.bench.stage.world.faults.plan[("session.interrupt", 1)] = Fault(How.FAILS, error)
    await desk.briefing.stop(effect(Do.STOP_BRIEFING))
    assert desk.bench.names == [On.BRIEFING_STOPPED]
    await turns()
    await desk.finish()


@pytest.mark.asyncio
async def test_a_session_that_cannot_be_interrupted_is_closed_all_the_same() -> None:
    desk = await Desk.set_up()
    await desk.open()
    desk.bench.stage.world.faults.plan[("session.interrupt", 0)] = Fault(How.FAILS)
    await desk.briefing.close()
    await desk.finish()
    assert not desk.bench.stage.world.left().open


@pytest.mark.asyncio
async def test_a_stop_without_a_session_reports_too() -> None:
    desk = await Desk.set_up()
    await desk.briefing.stop(effect(Do.STOP_BRIEFING))
    assert desk.bench.names == [On.BRIEFING_STOPPED]
    await desk.finish()


@pytest.mark.asyncio
async def test_a_start_that_comes_after_the_stop_does_not_speak() -> None:
    desk = await Desk.set_up(ConsultOptions(greeting="Hello."))
    await desk.open()
    desk.bench.human_joins()
    await desk.briefing.stop(effect(Do.STOP_BRIEFING))
    await desk.briefing.start(effect(Do.START_BRIEFING))
    await asyncio.sleep(2.0)
    assert not desk.heard("agent")
    await desk.finish()
