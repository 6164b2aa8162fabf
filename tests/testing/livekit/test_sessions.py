import asyncio
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import Agent, CloseEvent, CloseReason, function_tool
from livekit.agents.llm import ToolError
from livekit.agents.voice.room_io import RoomOptions

from warm_transfer.testing.livekit.humans import Human, Line
from warm_transfer.testing.livekit.judge import SimJudge
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.rooms import SimRoom
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.server import Member
from warm_transfer.testing.livekit.sessions import SimCallerSession, SimConsultSession
from warm_transfer.testing.livekit.world import World

from .meeting import dial, in_room

pytestmark = pytest.mark.asyncio


class Consultant(Agent):
    def __init__(self, hold_s: float = 0.0) -> None:
        super().__init__(instructions="")
        self.called: list[str] = []
        self.hold_s = hold_s

    @function_tool
    async def connect_to_caller(self) -> None:
        """Said yes."""
        self.called.append("yes")
        await asyncio.sleep(self.hold_s)

    @function_tool
    async def decline_transfer(self, reason: str) -> None:
        """Said no."""
        self.called.append(f"no: {reason}")
        raise ToolError("declined")

    @function_tool
    async def voicemail_detected(self) -> None:
        """A machine."""
        self.called.append("voicemail")


async def briefed(
    human: Human, agent: Agent | None = None, **options: Any
) -> tuple[World, SimConsultSession, SimRoom]:
    """A consult session whose human has just been dialled; they answer after a second."""
    world = World()
    sdk = SimSdk(world, phones={"": [Phone(answers_after_s=1.0)]}, humans=[human])
    room = await in_room(world, "consult")
    session = sdk.consult_session({})
    session.input.set_audio_enabled(enable=False)
    options.setdefault("close_on_disconnect", False)
    await session.start(
        agent or Consultant(), room=room, room_options=RoomOptions(**options), record=False
    )
    await sdk.api().sip.create_sip_participant(dial())
    return world, session, room


async def test_the_human_is_briefed_once_they_are_there_and_the_session_listens() -> None:
    agent = Consultant()
    world, session, _ = await briefed(Human("yes", after_s=6.0, briefing_s=5.0), agent)
    await asyncio.sleep(10)
    assert not world.heard("human")
    session.input.set_audio_enabled(enable=True)
    on_s = world.now_s
    await asyncio.sleep(10)
    (heard,) = world.heard("human")
    # integration 4: answer to first word 120 to 150 ms
    assert heard.tag == "briefing"
    assert 0.12 <= heard.from_s - on_s <= 0.15
    assert heard.to_s - heard.from_s == pytest.approx(5.0)
    assert agent.called == ["yes"]
    ((called_s, tool),) = session.tool_calls
    assert tool == "connect_to_caller"
    assert called_s == pytest.approx(on_s + 6.13)


async def test_two_tools_of_one_name_do_not_start_as_in_the_real_session() -> None:
    async def tool() -> None: ...

    tools: list[Any] = [function_tool(tool, name="look", description="x") for _ in range(2)]
    with pytest.raises(ValueError, match="look"):
        await briefed(Human("nothing"), Agent(instructions="", tools=tools))


@pytest.mark.parametrize(
    ("human", "called"),
    [
        (Human("no", 1.0, "in a meeting"), ["no: in a meeting"]),
        (Human("voicemail", 1.0), ["voicemail"]),
        (Human("nothing", 1.0), []),
        (Human("yes", 1.0, then=(Line("no", 1.5, "oh no"),)), ["yes", "no: oh no"]),
    ],
)
async def test_what_the_human_says_calls_the_agents_tools(human: Human, called: list[str]) -> None:
    agent = Consultant()
    _, session, _ = await briefed(human, agent)
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(10)
    assert agent.called == called


def _events(session: SimConsultSession) -> list[str]:
    """What the session tells of who speaks, as it comes."""
    told: list[str] = []
    session.on("agent_state_changed", lambda e: told.append(f"agent {e.new_state}"))
    session.on("user_state_changed", lambda e: told.append(f"user {e.new_state}"))
    session.on("user_input_transcribed", lambda e: told.append(f"{e.transcript} {e.is_final}"))
    return told


async def test_the_session_tells_who_speaks_and_what_the_human_says() -> None:
    _, session, _ = await briefed(Human("no", 6.0, "in a meeting", briefing_s=5.0))
    told = _events(session)
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(10)
    heard = ["user speaking", "user listening", "in a meeting True"]
    assert told == ["agent speaking", "agent listening", *heard]


async def test_a_human_who_speaks_into_the_briefing_ends_it() -> None:
    world, session, _ = await briefed(Human("nothing", 1.0, "Who is it?", briefing_s=5.0))
    told = _events(session)
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(10)
    assert told[:2] == ["agent speaking", "user speaking"]
    assert sorted(told[2:]) == ["Who is it? True", "agent listening", "user listening"]
    (heard,) = world.heard("human")
    assert heard.to_s - heard.from_s == pytest.approx(1.0)


async def test_a_human_who_says_nothing_is_no_event() -> None:
    _, session, _ = await briefed(Human("nothing", 1.0))
    told = _events(session)
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(10)
    assert told == ["agent speaking", "agent listening"]


async def test_a_yes_that_is_not_taken_is_asked_for_and_said_again() -> None:
    called: list[str] = []

    @function_tool
    async def connect_to_caller() -> str | None:
        """Said yes."""
        called.append("yes")
        return "not yet" if len(called) < 3 else None

    agent = Agent(instructions="", tools=[connect_to_caller])
    _, session, _ = await briefed(Human("yes", 6.0), agent)
    told = _events(session)
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(20)
    assert called == ["yes"] * 3
    at_s = [called_s for called_s, _ in session.tool_calls]
    assert at_s[1] - at_s[0] == pytest.approx(1.0)
    assert told.count("Yes, put them through. True") == 3


async def test_the_models_are_those_it_was_given() -> None:
    world = World()
    sdk = SimSdk(world)
    assert isinstance(sdk.consult_session({}).llm, SimJudge)
    assert sdk.consult_session({}).tts
    given = sdk.consult_session({"llm": "a model", "tts": None})
    assert (given.llm, given.tts) == ("a model", None)


async def test_what_a_model_is_asked_to_say_is_said() -> None:
    world, session, _ = await briefed(Human("nothing", briefing_s=0))
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(1)
    await session.generate_reply(instructions="Say goodbye.", tool_choice="none")
    assert [each.tag for each in world.heard("human")] == ["agent"]
    await session.aclose()


async def test_tools_are_also_found_among_the_agents_tools() -> None:
    called: list[str] = []

    @function_tool
    async def connect_to_caller() -> None:
        """Said yes."""
        called.append("yes")

    _, session, _ = await briefed(
        Human("yes", 1.0), Agent(instructions="", tools=[connect_to_caller])
    )
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(5)
    assert called == ["yes"]
    await session.aclose()


async def test_only_the_named_participant_is_listened_to() -> None:
    agent = Consultant()
    _, session, _ = await briefed(Human("yes", 1.0), agent, participant_identity="somebody else")
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(10)
    assert agent.called == []


async def test_interrupt_cuts_the_briefing_off_at_once() -> None:
    # integration 4: interrupt(force=True) 96 to 99 ms, of which ~95 are the path
    world, session, _ = await briefed(Human("nothing"))
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(2)
    assert world.ears.hears("human") == {"briefing"}
    await session.interrupt(force=True)
    assert world.ears.hears("human") == frozenset()
    await session.aclose()


async def test_switching_the_output_off_does_not_cut_what_is_playing() -> None:
    # integration 2 and 4
    world, session, _ = await briefed(Human("nothing"))
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(2)
    session.output.set_audio_enabled(enable=False)
    assert world.ears.hears("human") == {"briefing"}
    await asyncio.sleep(10)
    speech = session.say("You will not hear this.", allow_interruptions=True, add_to_chat_ctx=True)
    before_s = world.now_s
    await speech.wait_for_playout()
    # integration 2: with the output off it "plays" in 10 ms
    assert world.now_s - before_s == pytest.approx(0.01)


async def test_interrupt_does_not_stop_a_tool_and_closing_waits_for_it() -> None:
    # integration 4: aclose waits for a running tool
    agent = Consultant(hold_s=0.8)
    world, session, _ = await briefed(Human("yes", 0.0), agent)
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(0.2)
    before_s = world.now_s
    await session.interrupt(force=True)
    await session.aclose()
    assert 0.7 <= world.now_s - before_s <= 0.9


async def test_a_sentence_waits_for_the_one_before() -> None:
    world, session, _ = await briefed(Human("nothing"))
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(1)
    speech = session.say("Goodbye.", allow_interruptions=False, add_to_chat_ctx=False)
    await speech
    await asyncio.sleep(1)
    assert [each.tag for each in world.heard("human")] == ["briefing", "agent"]
    assert not speech.interrupted


async def test_recording_is_for_the_primary_session_only() -> None:
    # integration 4
    world = World()
    session = SimSdk(world).consult_session({})
    room = await in_room(world, "consult")
    with pytest.raises(RuntimeError, match="Only one AgentSession can be the primary"):
        await session.start(Consultant(), room=room, room_options=RoomOptions(), record=True)


async def test_nothing_can_be_said_before_the_start_or_after_the_close() -> None:
    world = World()
    session = SimSdk(world).consult_session({})
    for _ in range(2):
        with pytest.raises(RuntimeError, match="isn't running"):
            session.say("Hello.", allow_interruptions=True, add_to_chat_ctx=True)
        with pytest.raises(RuntimeError, match="isn't running"):
            session.interrupt(force=True)
        await session.aclose()


async def test_closing_takes_the_listeners_away_silences_the_track_and_tells() -> None:
    world, session, room = await briefed(Human("nothing"))
    events: list[CloseEvent] = []
    session.on("close", events.append)
    before_s = world.now_s
    await session.aclose()
    await session.aclose()
    # integration 4: 13 to 19 ms, listeners gone
    assert world.now_s - before_s <= 0.03
    assert [event.reason for event in events] == [CloseReason.USER_INITIATED]
    assert room.listeners() == []
    # livekit-agents room_io/_output.py: aclose closes the source and does not unpublish
    assert len(room.local_participant.track_publications) == 1
    assert world.ears.hears("human") == frozenset()
    assert world.left().open == ("connection to consult", "api client")


async def test_a_failing_model_closes_the_session_by_itself() -> None:
    _, session, _ = await briefed(Human("nothing"))
    events: list[CloseEvent] = []
    session.on("close", events.append)
    session.close_by_itself()
    await asyncio.sleep(1)
    assert [event.reason for event in events] == [CloseReason.ERROR]


@pytest.mark.parametrize("closes", [True, False])
async def test_a_departure_closes_the_session_only_if_it_is_to(*, closes: bool) -> None:
    # facts 5.6: closes by default on CLIENT_INITIATED
    world, session, _ = await briefed(Human("nothing"), close_on_disconnect=closes)
    human = world.member("consult", "human-1")
    assert human is not None
    world.leave(human, 1)
    await asyncio.sleep(1)
    assert session.closed is closes


async def test_a_conversation_goes_on_after_a_reconnect() -> None:
    # integration 6: the human seems to leave and comes back; RoomIO links them again
    agent = Consultant()
    _, session, room = await briefed(Human("yes", 8.0), agent)
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(1)
    await room.lose_signal(3.0)
    await asyncio.sleep(10)
    assert agent.called == ["yes"]


async def test_nothing_is_heard_of_a_human_who_has_left() -> None:
    agent = Consultant()
    world, session, _ = await briefed(Human("yes", 8.0), agent)
    session.input.set_audio_enabled(enable=True)
    await asyncio.sleep(1)
    world.leave(world.rooms["consult"].members["human-1"], 1)
    await asyncio.sleep(60)
    assert agent.called == []
    await session.aclose()


async def test_the_callers_session_is_linked_and_heard() -> None:
    world = World()
    world.join("call", "caller", ear="caller")
    room = await in_room(world)
    session = SimCallerSession(room, "caller")
    await session.start()
    await asyncio.sleep(1)
    assert session.room_io.linked_participant.identity == "caller"
    speech = session.say("One moment please.", seconds=2.0)
    await asyncio.sleep(1)
    session.output.set_audio_enabled(enable=False)
    await speech
    (heard,) = world.heard("caller")
    assert heard.tag == "agent"
    assert heard.to_s - heard.from_s == pytest.approx(2.0)
    await session.aclose()
    with pytest.raises(RuntimeError):
        session.say("Too late.")


async def test_the_callers_session_tells_when_its_agent_speaks() -> None:
    world = World()
    session = SimCallerSession(await in_room(world), "caller")
    await session.start()
    told: list[tuple[float, str]] = []
    session.on("agent_state_changed", lambda e: told.append((world.now_s, e.new_state)))
    began_s = world.now_s
    assert session.current_speech is None
    first = session.say("Hello.", seconds=2.0)
    assert session.current_speech is first
    ends: list[object] = []
    first.add_done_callback(ends.append)
    first.add_done_callback(ends.append)
    await asyncio.sleep(3.0)
    assert ends == [first]
    assert session.current_speech is None
    assert [(at_s - began_s, state) for at_s, state in told] == [(0, "speaking"), (2, "listening")]
    await session.aclose()
    assert session.closed
    assert world.faults.calls["caller_session.aclose"] == 1


async def with_caller(**options: bool) -> tuple[World, Member, SimCallerSession]:
    world = World()
    caller = world.join("call", "caller", ear="caller")
    room = await in_room(world)
    session = SimCallerSession(room, "caller", **options)
    await session.start()
    return world, caller, session


@pytest.mark.parametrize("reason", ["CLIENT_INITIATED", "ROOM_DELETED", "USER_REJECTED"])
async def test_the_callers_session_closes_by_itself_when_the_caller_leaves(reason: str) -> None:
    # integration 3 and `make live`: seen after 11 ms, told after 12, closed after 60 to 190
    world, caller, session = await with_caller()
    told: list[tuple[float, str]] = []
    session.on("closing", lambda: told.append((world.now_s, "closing")))
    session.on("close", lambda event: told.append((world.now_s, event.reason)))
    left_s = world.now_s
    world.leave(caller, rtc.DisconnectReason.Value(reason))
    assert session.takes_words
    await asyncio.sleep(0.02)
    assert (session.takes_words, session.closed) == (False, False)
    with pytest.raises(RuntimeError, match="is closing"):
        session.say("Are you still there?")
    await asyncio.sleep(1.0)
    (closing_s, closing), (closed_s, why) = told
    assert (closing, why) == ("closing", CloseReason.PARTICIPANT_DISCONNECTED)
    assert closing_s - left_s == pytest.approx(0.012)
    assert 0.06 <= closed_s - left_s <= 0.19
    with pytest.raises(RuntimeError, match="isn't running"):
        session.say("Are you still there?")


@pytest.mark.parametrize("reason", ["UNKNOWN_REASON", "PARTICIPANT_REMOVED", "SERVER_SHUTDOWN"])
async def test_the_callers_session_stays_open_for_any_other_reason(reason: str) -> None:
    world, caller, session = await with_caller()
    world.leave(caller, rtc.DisconnectReason.Value(reason))
    await asyncio.sleep(1.0)
    session.say("Are you still there?")
    await session.aclose()


async def test_the_callers_session_stays_open_when_it_is_told_to() -> None:
    world, caller, session = await with_caller(close_on_disconnect=False)
    world.leave(caller, rtc.DisconnectReason.CLIENT_INITIATED)
    await asyncio.sleep(1.0)
    assert not session.closed


async def test_somebody_else_leaves_the_callers_session_alone() -> None:
    world, _, session = await with_caller()
    world.leave(world.join("call", "other"), rtc.DisconnectReason.CLIENT_INITIATED)
    await asyncio.sleep(1.0)
    assert not session.closed
