from __future__ import annotations

import asyncio
import inspect
import logging
from pathlib import Path
from typing import Any

import pytest
from livekit import api
from livekit.agents import function_tool
from livekit.agents.beta import workflows
from livekit.agents.llm import ChatContext, Toolset
from livekit.agents.utils import is_given
from livekit.agents.voice.background_audio import AudioConfig, BuiltinAudioClip

from tests.livekit.booth import HearingSTT, PlainTTS, Speaker
from tests.livekit.desk import NUMBER, TRUNK, Desk
from warm_transfer import WorkflowInstructions
from warm_transfer.errors import InvalidArgument, ServerUnusable
from warm_transfer.journal import FileJournal, MemoryJournal
from warm_transfer.livekit.options import real_sdk
from warm_transfer.livekit.phrases import Phrases
from warm_transfer.livekit.result import TransferFailed
from warm_transfer.livekit.task import WarmTransferTask
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.sessions import SimConsultSession

SLOW = "human answers after 3 s, says nothing"


def make(**options: Any) -> WarmTransferTask:
    return WarmTransferTask(**{"sip_call_to": NUMBER, "sip_trunk_id": TRUNK, **options})


# The constructor is that of livekit-agents' own class, and more.

THEIRS = dict(inspect.signature(workflows.WarmTransferTask).parameters)
OURS = dict(inspect.signature(WarmTransferTask).parameters)


@pytest.mark.parametrize("name", THEIRS)
def test_every_parameter_of_livekit_agents_own_class_is_here_with_its_default(name: str) -> None:
    assert OURS[name].kind is THEIRS[name].kind
    assert is_given(OURS[name].default) is is_given(THEIRS[name].default)
    if is_given(THEIRS[name].default):
        assert OURS[name].default == THEIRS[name].default


def test_they_come_first_and_in_the_same_order() -> None:
    assert list(OURS)[: len(THEIRS)] == list(THEIRS)


def test_what_is_ours_can_be_left_out_and_must_be_named() -> None:
    for name in set(OURS) - set(THEIRS):
        assert OURS[name].kind is inspect.Parameter.KEYWORD_ONLY, name
        assert OURS[name].default is not inspect.Parameter.empty, name


def test_a_value_of_livekit_agents_own_types_is_of_ours() -> None:
    # A subclass of `str` for mypy: what an application passes there type-checks here.
    theirs = inspect.get_annotations(workflows.WarmTransferTask.__init__)
    ours = inspect.get_annotations(WarmTransferTask.__init__)
    for name in THEIRS:
        assert "Any = " not in str(ours[name]), name
        assert str(ours[name]).count("|") >= str(theirs[name]).count("|"), name


@pytest.mark.asyncio
async def test_the_hold_audio_is_that_of_livekit_agents_own_unless_it_is_given(
    tmp_path: Path,
) -> None:
    hold_audio = make()._options.hold_audio
    assert isinstance(hold_audio, AudioConfig)
    assert hold_audio.source is BuiltinAudioClip.HOLD_MUSIC
    assert hold_audio.volume == 0.8
    assert make(hold_audio=None)._options.hold_audio is None
    file = tmp_path / "file.ogg"
    file.touch()
    assert make(hold_audio=str(file))._options.hold_audio == str(file)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("hold_audio", "problem"), [(42, "is 42"), ("nowhere.ogg", "names 'nowhere.ogg'")]
)
async def test_hold_audio_that_cannot_be_played_is_refused(hold_audio: Any, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem) as caught:
        make(hold_audio=hold_audio)
    assert caught.value.argument == "hold_audio"


@pytest.mark.asyncio
async def test_none_where_livekit_agents_own_class_takes_it_is_as_not_given() -> None:
    task = make(
        sip_number=None,
        sip_headers=None,
        dtmf=None,
        ringing_timeout=None,
        tools=None,
        chat_ctx=None,
        target_phone_number=None,
    )
    dial = task._options.dial
    assert (dial.number, dial.headers, dial.dtmf) == ("", {}, "")
    assert task._options.policy == TransferPolicy()
    assert task._options.consult.agent["tools"] == []


def test_workflow_instructions_come_from_here_too() -> None:
    # Who imports both names changes one line.
    assert WorkflowInstructions is workflows.WorkflowInstructions


# Reading.


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"sip_call_to": ""}, "sip_call_to"),
        ({"sip_call_to": None}, "sip_call_to"),
        ({"sip_call_to": 15105550123}, "sip_call_to"),
        ({"sip_call_to": "call me"}, "sip_call_to"),
        ({"sip_call_to": "+1510555\n0123"}, "sip_call_to"),
        ({"sip_trunk_id": None}, "sip_trunk_id"),
        ({"sip_trunk_id": ""}, "sip_trunk_id"),
        ({"sip_trunk_id": 7}, "sip_trunk_id"),
        ({"sip_number": "anonymous"}, "sip_number"),
        ({"sip_headers": {"Via": "x"}}, "sip_headers"),
        ({"sip_headers": "X-A: b"}, "sip_headers"),
        ({"sip_connection": "sip.example.com"}, "sip_connection"),
        ({"sip_connection": api.SIPOutboundConfig()}, "sip_connection"),
        ({"dtmf": "press one"}, "dtmf"),
        ({"ringing_timeout": -1}, "ringing_timeout"),
        ({"ringing_timeout": 0}, "ringing_timeout"),
        ({"ringing_timeout": 90}, "ringing_timeout"),
        ({"ringing_timeout": "soon"}, "ringing_timeout"),
        ({"policy": {"ring_timeout_s": 20}}, "policy"),
        ({"policy": {}}, "policy"),
        ({"policy": 0}, "policy"),
        ({"instructions": 42}, "instructions"),
        ({"instructions": None}, "instructions"),
        ({"turn_handling": 42}, "turn_handling"),
        ({"tools": 42}, "tools"),
        ({"tools": [42]}, "tools"),
        ({"tools": "look"}, "tools"),
        ({"llm": 42}, "llm"),
        ({"stt": object()}, "stt"),
        ({"tts": 42}, "tts"),
        ({"vad": "silero"}, "vad"),
        ({"policy": TransferPolicy(hold_limit_s=40.0), "ringing_timeout": 50}, "hold_limit_s"),
        ({"merge": "teleport"}, "merge"),
        ({"merge": None}, "merge"),
        ({"on_state_change": "print"}, "on_state_change"),
        ({"on_state_change": 3}, "on_state_change"),
        ({"on_state_change": [print, None]}, "on_state_change"),
        ({"greeting": 7}, "greeting"),
        ({"greeting": ["hello"]}, "greeting"),
        ({"notice": 7}, "notice"),
        ({"phrases": {"notice": "bye"}}, "phrases"),
        ({"phrases": {}}, "phrases"),
        ({"consent": "maybe"}, "consent"),
        ({"consent_llm": "gpt"}, "consent_llm"),
        ({"chat_ctx": [{"role": "user"}]}, "chat_ctx"),
        ({"room_name": ""}, "room_name"),
        ({"room_name": "a\r\nb"}, "room_name"),
        ({"room_name": 7}, "room_name"),
        ({"human_identity": "x" * 257}, "human_identity"),
        ({"participant_name": None}, "participant_name"),
        ({"participant_name": "a\0"}, "participant_name"),
        ({"participant_attributes": {"sip.callStatus": "active"}}, "participant_attributes"),
        ({"participant_attributes": "team"}, "participant_attributes"),
        ({"on_dial_request": "hook"}, "on_dial_request"),
        ({"dialer": object()}, "dialer"),
        ({"dialer": print}, "dialer"),
        ({"api": "https://example.com"}, "api"),
        ({"journal": 7}, "journal"),
    ],
)
async def test_an_unusable_argument_is_named_with_its_remedy(
    options: dict[str, Any], argument: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIVEKIT_SIP_OUTBOUND_TRUNK", raising=False)
    with pytest.raises(InvalidArgument) as caught:
        make(**options)
    assert caught.value.argument == argument
    assert isinstance(caught.value, ValueError)
    assert caught.value.remedy
    # The number is personal data.
    assert "5105550" not in str(caught.value)


class Dialer:
    async def dial(self, request: Any) -> None: ...
    async def hang_up(self, request: Any) -> None: ...


@pytest.mark.asyncio
async def test_a_dial_hook_beside_a_dialer_would_never_be_called() -> None:
    with pytest.raises(InvalidArgument) as caught:
        make(dialer=Dialer(), on_dial_request=print)
    assert caught.value.argument == "on_dial_request"
    assert "dialer" in caught.value.problem


@pytest.mark.asyncio
async def test_the_ringing_timeout_comes_before_the_policy() -> None:
    policy = TransferPolicy(ring_timeout_s=20.0)
    assert make(policy=policy)._options.policy.ring_timeout_s == 20.0
    assert make(policy=policy, ringing_timeout=40)._options.policy.ring_timeout_s == 40
    assert make(policy=policy, ringing_timeout=None)._options.policy.ring_timeout_s == 20.0


@pytest.mark.asyncio
async def test_the_extra_instructions_are_used_unless_the_instructions_have_their_own(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, logger="warm_transfer"):
        assert "Be brief." in str(_instructions(extra_instructions="Be brief."))
        # livekit-agents drops it here, with a warning.
        text = _instructions(instructions="You are Ada.", extra_instructions="Be brief.")
        assert "Be brief." in str(text)
    assert caplog.text == ""
    whole = WorkflowInstructions(persona="You are Ada.", extra="Be long.")
    with pytest.warns(DeprecationWarning, match="ignored") as caught:
        text = _instructions(instructions=whole, extra_instructions="Be brief.")
    assert "Be brief." not in str(text)
    assert caught[0].filename == __file__


def _instructions(**options: Any) -> Any:
    # One call deep, so that the warning's place is here.
    task = WarmTransferTask(NUMBER, sip_trunk_id=TRUNK, **options)
    return task._options.consult.agent["instructions"]


@pytest.mark.asyncio
async def test_the_conversation_is_in_the_instructions() -> None:
    chat_ctx = ChatContext.empty()
    chat_ctx.add_message(role="user", content="My order is late.")
    assert "My order is late." in str(_instructions(chat_ctx=chat_ctx))
    assert "My order is late." in str(_instructions(chat_ctx=chat_ctx, instructions="You are Ada."))


@pytest.mark.asyncio
async def test_the_phrases_are_those_of_the_consult_and_a_notice_comes_before_theirs() -> None:
    german = Phrases(notice="Auf Wiederhören.", persona="Du bist eine Assistentin.")
    consult = make(phrases=german)._options.consult
    assert consult.phrases is german
    assert consult.notice is None
    assert "Du bist eine Assistentin." in str(consult.agent["instructions"])
    assert make(phrases=german, notice="Tschüss.")._options.consult.notice == "Tschüss."
    assert make(consent="tool")._options.consult.consent == "tool"


@pytest.mark.asyncio
async def test_the_phrases_explain_a_failure_to_the_callers_model() -> None:
    explanations = {**Phrases().explanations, Reason.BUSY: "Besetzt."}
    desk = await Desk.open("human is busy", phrases=Phrases(explanations=explanations))
    error = await desk.ask_and_wait()
    assert error.message.startswith("could not dial human agent: busy")
    assert error.message.endswith("Besetzt.")
    await desk.close()


# Tools belong to the consult agent.


@function_tool
async def look_up(order: str) -> str:
    """Look an order up."""
    return order


@pytest.mark.asyncio
async def test_tools_of_a_subclass_are_the_consult_agents_and_not_the_callers() -> None:
    class Subclass(WarmTransferTask):
        @function_tool
        async def page_manager(self) -> str:
            """Page the manager."""
            return "paged"

    task = Subclass(NUMBER, sip_trunk_id=TRUNK, tools=[look_up])
    tools = task._options.consult.agent["tools"]
    assert [each.id for each in tools] == ["look_up", "page_manager"]
    # livekit-agents gives them to the caller's session as well (hole H17).
    assert task.tools == []
    assert await tools[1]() == "paged"


@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["connect_to_caller", "decline_transfer", "voicemail_detected"])
async def test_a_tool_with_the_name_of_one_of_ours_is_refused(name: str) -> None:
    async def tool(self: Any) -> None: ...

    tool.__name__ = name
    with pytest.raises(InvalidArgument, match=name) as caught:
        make(tools=[function_tool(tool, name=name, description="x")])
    assert caught.value.argument == "tools"
    subclass = type("Subclass", (WarmTransferTask,), {name: function_tool(tool)})
    with pytest.raises(InvalidArgument, match=name):
        subclass(NUMBER, sip_trunk_id=TRUNK)


def _tool(name: str, **options: Any) -> Any:
    async def tool() -> None: ...

    return function_tool(tool, name=name, description="x", **options)


@pytest.mark.asyncio
async def test_two_tools_of_one_name_are_refused_before_anybody_is_rung() -> None:
    toolset = Toolset(id="set", tools=[_tool("look")])
    for tools in ([_tool("look"), _tool("look")], [_tool("look"), toolset]):
        with pytest.raises(InvalidArgument, match="look") as caught:
            make(tools=tools)
        assert caught.value.argument == "tools"
    subclass = type("Subclass", (WarmTransferTask,), {"look": _tool("look")})
    with pytest.raises(InvalidArgument, match="look"):
        subclass(NUMBER, sip_trunk_id=TRUNK, tools=[_tool("look")])
    # One tool given twice is one tool to livekit-agents.
    twice = _tool("look")
    assert make(tools=(twice, twice))._options.consult.agent["tools"] == [twice, twice]


@pytest.mark.asyncio
async def test_a_tool_with_the_name_of_one_of_ours_is_refused_in_a_toolset_as_well() -> None:
    with pytest.raises(InvalidArgument, match="connect_to_caller") as caught:
        make(tools=[Toolset(id="set", tools=[_tool("connect_to_caller")])])
    assert caught.value.argument == "tools"


@pytest.mark.asyncio
async def test_an_unusable_caller_id_of_the_environment_is_blamed_on_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIVEKIT_SIP_NUMBER", "sip:desk")
    with pytest.raises(InvalidArgument) as caught:
        make()
    assert caught.value.argument == "LIVEKIT_SIP_NUMBER"
    # One that is given comes before it, and then nobody looks.
    assert make(sip_number="+15105550100")._options.dial.number == "+15105550100"


# At the await.


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("options", "missing"), [({"llm": None}, "llm"), ({"tts": None}, "tts"), ({"stt": None}, "stt")]
)
async def test_a_consult_without_a_conversation_dials_nobody(
    options: dict[str, Any], missing: str
) -> None:
    desk = await Desk.open(SLOW, **{"stt": HearingSTT(), "tts": PlainTTS(), **options})
    desk.session.output.audio = Speaker()
    error = await desk.ask_and_wait()
    assert isinstance(error, InvalidArgument)
    assert error.argument == missing
    assert desk.calls == 0
    assert all(desk.switches().values())
    await desk.close()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What consult sessions were told to say."""
    words: list[str] = []
    say = SimConsultSession.say

    def listening(self: SimConsultSession, text: str, **options: Any) -> Any:
        words.append(text)
        return say(self, text, **options)

    monkeypatch.setattr(SimConsultSession, "say", listening)
    return words


@pytest.mark.asyncio
async def test_a_greeting_is_made_when_the_task_is_awaited(said: list[str]) -> None:
    made: list[float] = []

    def greeting() -> str:
        made.append(desk.now_s)
        return "Hello, this is Ada."

    desk = await Desk.open(SLOW, greeting=greeting)
    assert made == []
    desk.ask()
    await desk.until(State.BRIEFING)
    await asyncio.sleep(0.1)
    assert len(made) == 1
    assert said == ["Hello, this is Ada."]
    desk.time_out()
    await desk.over.wait()
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("greeting", ["Hello.", lambda: "Hello.", lambda: None, lambda: "", ""])
async def test_a_greeting_is_words_or_gives_them_or_there_is_none(
    greeting: Any, said: list[str]
) -> None:
    desk = await Desk.open(SLOW, greeting=greeting)
    desk.ask()
    await desk.until(State.BRIEFING)
    await asyncio.sleep(0.1)
    words = greeting() if callable(greeting) else greeting
    assert said == ([words] if words else [])
    desk.time_out()
    await desk.over.wait()
    await desk.close()


@pytest.mark.asyncio
async def test_a_greeting_that_cannot_be_made_ends_the_await_before_anything_is_dialled() -> None:
    def greeting() -> str:
        raise LookupError("who is this")

    desk = await Desk.open(SLOW, greeting=greeting)
    assert isinstance(await desk.ask_and_wait(), LookupError)
    assert desk.calls == 0
    assert all(desk.switches().values())
    await desk.close()


@pytest.mark.asyncio
async def test_room_identity_name_and_attributes_are_those_that_are_asked_for() -> None:
    desk = await Desk.open(
        SLOW,
        room_name="consult of case 7",
        human_identity="desk-7",
        participant_name="Front desk",
        participant_attributes={"team": "billing"},
    )
    desk.ask()
    await desk.until(State.BRIEFING)
    (call,) = desk.stage.sdk.switchboard.calls
    request = call.request
    assert (request.room_name, request.participant_identity) == ("consult of case 7", "desk-7")
    assert request.participant_name == "Front desk"
    assert request.participant_attributes["team"] == "billing"
    assert request.participant_attributes["wt.id"] == desk.task.transfer_id
    desk.task.accept()
    await desk.over.wait()
    assert desk.got[0].human_agent_identity == "desk-7"
    desk.caller_leaves()
    await desk.task.wait_closed()
    assert "consult of case 7" not in desk.stage.world.rooms
    await desk.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"room_name": "call"}, "room_name"),
        ({"human_identity": "caller"}, "human_identity"),
        ({"human_identity": "agent"}, "human_identity"),
        ({"human_identity": "supervisor"}, "human_identity"),
    ],
)
async def test_what_would_break_into_the_callers_room_is_refused_before_anything_is_dialled(
    options: dict[str, Any], argument: str
) -> None:
    desk = await Desk.open(SLOW, **options)
    desk.stage.world.join("call", "supervisor")
    desk.stage.world.keep()
    await asyncio.sleep(0.5)
    error = await desk.ask_and_wait()
    assert isinstance(error, InvalidArgument)
    assert error.argument == argument
    assert desk.calls == 0
    assert all(desk.switches().values())
    await desk.close()


@pytest.mark.asyncio
async def test_a_dial_hook_sees_the_request_of_the_transfer_once() -> None:
    seen: list[api.CreateSIPParticipantRequest] = []

    async def hook(request: api.CreateSIPParticipantRequest) -> None:
        seen.append(request)
        request.krisp_enabled = True

    desk = await Desk.open("human is busy after 0.5 s", on_dial_request=hook)
    error = await desk.ask_and_wait()
    assert isinstance(error, TransferFailed)
    (call,) = desk.stage.sdk.switchboard.calls
    assert len(seen) == 1
    assert call.request.krisp_enabled
    await desk.close()


@pytest.mark.asyncio
async def test_a_dial_hook_that_breaks_the_request_dials_nobody_and_is_the_cause() -> None:
    def hook(request: api.CreateSIPParticipantRequest) -> None:
        request.wait_until_answered = False

    desk = await Desk.open(SLOW, on_dial_request=hook)
    error = await desk.ask_and_wait()
    assert isinstance(error, TransferFailed)
    assert isinstance(error.__cause__, InvalidArgument)
    assert "wait_until_answered" in str(error.__cause__)
    assert error.outcome.detail == "on_dial_request: InvalidArgument"
    assert desk.calls == 0
    assert all(desk.switches().values())
    await desk.close()


# The journal and the server.


@pytest.mark.asyncio
async def test_a_journal_is_a_file_that_is_ours_or_an_object_that_is_not(tmp_path: Path) -> None:
    ours = make(journal=tmp_path / "journal.jsonl")._options
    opened = ours.open_journal()
    assert isinstance(opened, FileJournal)
    ours.close_journal()
    ours.close_journal()
    kept = MemoryJournal()
    assert make(journal=kept)._options.open_journal() is kept
    assert make()._options.open_journal() is None


@pytest.mark.parametrize(
    "missing",
    [
        ["LIVEKIT_URL"],
        ["LIVEKIT_API_KEY"],
        ["LIVEKIT_API_SECRET"],
        ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"],
        ["LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"],
    ],
)
def test_exactly_what_is_missing_is_named(
    missing: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
    for name in names:
        monkeypatch.setenv(name, "ws://server" if name == "LIVEKIT_URL" else "value")
    assert real_sdk().url == "ws://server"
    for name in missing:
        monkeypatch.setenv(name, "")
    with pytest.raises(ServerUnusable) as caught:
        real_sdk()
    assert caught.value.argument == missing[0]
    assert [name for name in names if name in str(caught.value)] == missing
