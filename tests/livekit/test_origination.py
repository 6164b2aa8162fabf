from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from livekit import api, rtc
from livekit.agents import AgentTask, ToolError
from livekit.agents.beta.workflows import WarmTransferTask as IncumbentTask

from tests.livekit.bench import Bench
from tests.livekit.desk import NUMBER, TRUNK, Desk
from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.origination import OverrideDialer
from warm_transfer.livekit.result import TransferFailed, WarmTransferResult
from warm_transfer.livekit.sip import SipDialer
from warm_transfer.livekit.task import WarmTransferTask
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import DialRefused
from warm_transfer.states import State
from warm_transfer.testing.livekit.leg_errors import sip_refusal
from warm_transfer.testing.livekit.phones import At

HAPPY = "human answers after 3 s, says yes after 2 s; caller hangs up 10 s after the merge"
SLOW = "human answers after 3 s, says nothing"
NEVER = "human never answers"
OPTIONS = DialOptions(destination=NUMBER, trunk_id=TRUNK)

Ring = Callable[..., Awaitable[None]]


def overriding(ring: Ring) -> type[WarmTransferTask]:
    """A subclass as an application of livekit-agents' own class would have it."""

    class Subclass(WarmTransferTask):
        async def _originate_human_agent(
            self, *, room_name: str, identity: str, room: rtc.Room
        ) -> None:
            await ring(self, room_name=room_name, identity=identity, room=room)

    return Subclass


class Calling(WarmTransferTask):
    """Calls what it overrides, and nothing else."""

    rung = 0

    async def _originate_human_agent(
        self, *, room_name: str, identity: str, room: rtc.Room
    ) -> None:
        self.rung += 1
        await super()._originate_human_agent(room_name=room_name, identity=identity, room=room)


async def desk_with(task: type[WarmTransferTask], line: str, **options: Any) -> Desk:
    desk = await Desk.open(line)
    given = {"sip_call_to": NUMBER, "sip_trunk_id": TRUNK, "sdk": desk.stage.sdk, **options}
    desk.make = lambda: task(**given)
    return desk


def by_sip(desk: Desk, room_name: str, identity: str, **fields: Any) -> Any:
    """What an application's own SIP call looks like."""
    request = api.CreateSIPParticipantRequest(
        sip_trunk_id=TRUNK,
        sip_call_to=NUMBER,
        room_name=room_name,
        participant_identity=identity,
        wait_until_answered=True,
        **fields,
    )
    return desk.client.sip.create_sip_participant(request)  # type: ignore[attr-defined]  # set by the test


# The hooks are those of livekit-agents.


@pytest.mark.parametrize("name", ["_setup_origination", "_originate_human_agent"])
def test_the_hooks_have_the_arguments_of_livekit_agents_own(name: str) -> None:
    theirs = inspect.signature(getattr(IncumbentTask, name)).parameters
    ours = inspect.signature(getattr(WarmTransferTask, name)).parameters
    assert list(ours) == list(theirs)
    assert [each.kind for each in ours.values()] == [each.kind for each in theirs.values()]


def made(task: Any, *args: Any, **options: Any) -> Any:
    """A task, made in a loop of its own: livekit-agents' own starts its player there."""

    async def make() -> Any:
        return task(*args, **options)

    return asyncio.run(make())


def test_setting_up_leaves_what_livekit_agents_own_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LIVEKIT_SIP_NUMBER", raising=False)
    for options in (
        {"sip_call_to": NUMBER, "sip_trunk_id": TRUNK},
        {
            "sip_call_to": NUMBER,
            "sip_connection": api.SIPOutboundConfig(hostname="sip.example.com"),
            "sip_number": "+15105550100",
            "sip_headers": {"X-A": "b"},
            "dtmf": "1w2",
        },
    ):
        ours, theirs = made(WarmTransferTask, **options), made(IncumbentTask, **options)
        for name in (
            "_sip_call_to",
            "_sip_trunk_id",
            "_sip_connection",
            "_sip_number",
            "_sip_headers",
            "_dtmf",
        ):
            assert getattr(ours, name) == getattr(theirs, name), name


def test_the_trunk_is_the_given_one_before_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = api.SIPOutboundConfig(hostname="sip.example.com")
    given: list[dict[str, Any]] = [
        {},
        {"sip_trunk_id": TRUNK},
        {"sip_trunk_id": None},
        {"sip_connection": connection},
        {"sip_trunk_id": TRUNK, "sip_connection": connection},
        {"sip_trunk_id": None, "sip_connection": connection},
    ]
    for environment in (None, "ST_env"):
        if environment is None:
            monkeypatch.delenv("LIVEKIT_SIP_OUTBOUND_TRUNK", raising=False)
        else:
            monkeypatch.setenv("LIVEKIT_SIP_OUTBOUND_TRUNK", environment)
        for options in given:
            # Each side's answer to the same arguments: the trunk, or that there is none.
            assert _trunk(WarmTransferTask, options) == _trunk(IncumbentTask, options), options


def _trunk(task: Any, options: dict[str, Any]) -> Any:
    try:
        return made(task, NUMBER, **options)._sip_trunk_id
    except ValueError:
        return ValueError


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["given", "environment"])
async def test_an_empty_trunk_is_none(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # livekit-agents lets it pass and finds out at the server.
    monkeypatch.setenv("LIVEKIT_SIP_OUTBOUND_TRUNK", "")
    options: dict[str, Any] = {"sip_trunk_id": ""} if how == "given" else {}
    with pytest.raises(InvalidArgument) as caught:
        WarmTransferTask(NUMBER, **options)
    assert caught.value.argument == "sip_trunk_id"
    assert "LIVEKIT_SIP_OUTBOUND_TRUNK" in caught.value.remedy


@pytest.mark.asyncio
async def test_the_number_is_the_given_one_before_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def number(**options: Any) -> str:
        return WarmTransferTask(NUMBER, sip_trunk_id=TRUNK, **options)._options.dial.number

    monkeypatch.delenv("LIVEKIT_SIP_NUMBER", raising=False)
    assert number() == ""
    monkeypatch.setenv("LIVEKIT_SIP_NUMBER", "+15105550100")
    assert number() == "+15105550100"
    assert number(sip_number="+15105550199") == "+15105550199"
    assert number(sip_number="") == ""
    # The documented example passes ``os.getenv(...)`` on.
    assert number(sip_number=None) == ""


@pytest.mark.asyncio
async def test_the_old_name_of_the_destination_works_and_warns(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.warns(DeprecationWarning, match="sip_call_to") as caught:
        task = WarmTransferTask(target_phone_number=NUMBER, sip_trunk_id=TRUNK)
    assert task._options.dial.destination == NUMBER
    assert caught[0].filename == __file__
    # As livekit-agents says it, where a worker's operator looks.
    assert "target_phone_number" in caplog.text
    with pytest.warns(DeprecationWarning, match="sip_call_to"):
        both = WarmTransferTask("+15105550199", target_phone_number=NUMBER, sip_trunk_id=TRUNK)
    assert both._options.dial.destination == "+15105550199"


# An override rings the human.


@pytest.mark.asyncio
async def test_an_override_is_told_where_the_leg_belongs_and_returns_when_it_is_answered() -> None:
    told: dict[str, Any] = {}

    async def ring(task: WarmTransferTask, *, room_name: str, identity: str, room: Any) -> None:
        told.update(room_name=room_name, identity=identity, room=room, task=task)
        told["joined"] = room.isconnected()
        await by_sip(desk, room_name, identity, display_name="ring ring")

    desk = await desk_with(overriding(ring), HAPPY)
    desk.client = desk.stage.sdk.api()  # type: ignore[attr-defined]  # for `by_sip`
    result = await desk.ask_and_wait()
    assert isinstance(result, WarmTransferResult)
    assert told["identity"] == result.human_agent_identity
    assert told["room"].name == told["room_name"]
    assert told["joined"]
    assert told["task"] is desk.task
    (call,) = desk.stage.sdk.switchboard.calls
    assert call.request.display_name == "ring ring"
    desk.caller_leaves()
    await desk.client.aclose()  # type: ignore[attr-defined]  # see above
    await desk.close()


@pytest.mark.asyncio
async def test_an_override_may_call_what_it_overrides() -> None:
    desk = await desk_with(Calling, HAPPY, participant_name="desk")
    result = await desk.ask_and_wait()
    assert isinstance(result, WarmTransferResult)
    assert isinstance(desk.task, Calling)
    assert desk.task.rung == 1
    (call,) = desk.stage.sdk.switchboard.calls
    # The request is ours, with its limits.
    assert call.request.participant_name == "desk"
    assert call.request.max_call_duration.seconds == 4 * 3600
    desk.caller_leaves()
    await desk.close()


@pytest.mark.asyncio
async def test_the_dial_hook_sees_the_request_of_an_override_that_dials_by_sip() -> None:
    seen: list[api.CreateSIPParticipantRequest] = []
    desk = await desk_with(Calling, "human is busy after 0.5 s", on_dial_request=seen.append)
    await desk.ask_and_wait()
    assert len(seen) == 1
    await desk.close()


@pytest.mark.asyncio
async def test_passing_another_identity_on_dials_nobody() -> None:
    class Renaming(WarmTransferTask):
        async def _originate_human_agent(
            self, *, room_name: str, identity: str, room: rtc.Room
        ) -> None:
            await super()._originate_human_agent(
                room_name=room_name, identity=f"{identity}-2", room=room
            )

    desk = await desk_with(Renaming, HAPPY)
    error = await desk.ask_and_wait()
    assert isinstance(error, TransferFailed)
    assert isinstance(error.__cause__, InvalidArgument)
    assert desk.calls == 0
    await desk.close()


FAILURES: dict[str, tuple[Exception, Reason]] = {
    "sip status": (sip_refusal(486), Reason.BUSY),
    "api": (api.ServerError("unavailable", "no response", status=503), Reason.UNREACHABLE),
    "refused": (DialRefused(), Reason.UNREACHABLE),
    "tool error": (ToolError("supervisor did not answer"), Reason.DIAL_UNCERTAIN),
    "anything": (RuntimeError("no sid"), Reason.DIAL_UNCERTAIN),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("what", FAILURES)
async def test_what_an_override_raises_is_what_a_dialer_raises(what: str) -> None:
    error, reason = FAILURES[what]

    async def ring(_: WarmTransferTask, **_where: Any) -> None:
        raise error

    desk = await desk_with(overriding(ring), HAPPY)
    failed = await desk.ask_and_wait()
    assert isinstance(failed, TransferFailed)
    assert failed.message.startswith("could not dial human agent")
    assert failed.outcome.reason is reason
    if not isinstance(error, DialRefused):
        assert failed.__cause__ is not None
    assert all(desk.switches().values())
    await desk.close()


@pytest.mark.asyncio
async def test_an_override_needs_neither_number_nor_trunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIVEKIT_SIP_OUTBOUND_TRUNK", raising=False)
    rung = asyncio.Event()

    class ByOtherMeans(WarmTransferTask):
        def _setup_origination(self, **_: object) -> None: ...  # as livekit-agents' Twilio variant

        async def _originate_human_agent(
            self, *, room_name: str, identity: str, room: rtc.Room
        ) -> None:
            del room_name, identity, room
            rung.set()
            raise DialRefused

    desk = await desk_with(ByOtherMeans, HAPPY, sip_call_to="", sip_trunk_id=None)
    await desk.ask_and_wait()
    assert rung.is_set()
    await desk.close()


@pytest.mark.asyncio
async def test_an_override_of_the_set_up_chooses_whom_to_ring() -> None:
    class ByTeam(WarmTransferTask):
        def _setup_origination(self, **given: Any) -> None:
            super()._setup_origination(**{**given, "sip_call_to": "+15105550177"})

    task = ByTeam("+15105550100", sip_trunk_id=TRUNK)
    assert task._options.dial.destination == "+15105550177"
    assert task._options.dial.trunk_id == TRUNK


@pytest.mark.asyncio
async def test_how_long_it_may_ring_is_known_to_an_override() -> None:
    policy = TransferPolicy(ring_timeout_s=20.0)
    assert WarmTransferTask(NUMBER, sip_trunk_id=TRUNK, policy=policy)._ringing_timeout == 20.0
    assert WarmTransferTask(NUMBER, sip_trunk_id=TRUNK, ringing_timeout=12)._ringing_timeout == 12


@pytest.mark.asyncio
async def test_an_override_is_cancelled_once_when_the_transfer_gives_the_dial_up() -> None:
    cancelled: list[float] = []
    cleaned_up = asyncio.Event()

    async def ring(_: WarmTransferTask, **_where: Any) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.append(desk.now_s)
            # Such as telling the carrier; more than one sweep of the hang-up long.
            await asyncio.sleep(1.0)
            cleaned_up.set()
            raise

    desk = await desk_with(overriding(ring), NEVER)
    desk.ask()
    await desk.until(State.DIALING)
    await asyncio.sleep(2.0)
    began_s = desk.now_s
    desk.task.cancel("changed our mind")
    await desk.over.wait()
    await desk.task.wait_closed()
    assert cleaned_up.is_set()
    assert cancelled == [pytest.approx(began_s, abs=0.1)]
    await desk.close()


@pytest.mark.asyncio
async def test_the_sip_request_of_an_override_is_not_cancelled_with_it() -> None:
    # At each of the first milliseconds, in which the server has no leg to remove yet.
    for ms in range(12):
        desk = await desk_with(Calling, SLOW)
        desk.ask()
        await desk.until(State.DIALING)
        await _sent(desk)
        await asyncio.sleep(ms / 1000)
        desk.task.cancel("changed our mind")
        await desk.over.wait()
        await desk.task.wait_closed()
        assert all(each.at in (At.CANCELLED, At.NOT_CALLED) for each in _calls(desk)), ms
        await desk.close()


async def _sent(desk: Desk) -> None:
    """Return when the request of the dial has left."""
    for _ in range(1000):
        if desk.stage.world.faults.calls["sip.create_sip_participant"]:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("never sent")


def _calls(desk: Desk) -> Any:
    return desk.stage.sdk.switchboard.calls


@pytest.mark.asyncio
async def test_an_override_that_never_returns_ends_by_the_ring_timeout() -> None:
    async def ring(_: WarmTransferTask, **_where: Any) -> None:
        await asyncio.get_running_loop().create_future()

    desk = await desk_with(overriding(ring), NEVER, ringing_timeout=10)
    error = await desk.ask_and_wait()
    assert isinstance(error, TransferFailed)
    assert error.outcome.reason is Reason.NO_ANSWER
    assert error.outcome.seconds[State.DIALING] == pytest.approx(10.0)
    await desk.close()


# The dialer around an override.


async def override_on(
    ring: Callable[..., Awaitable[None]], **policy: Any
) -> tuple[Bench, OverrideDialer]:
    bench = await Bench.set_up(policy=TransferPolicy(**policy))
    return bench, OverrideDialer(ring, SipDialer(bench.api, OPTIONS), bench.legs)


@pytest.mark.asyncio
async def test_the_override_waits_for_the_room_and_no_longer_than_the_request_may() -> None:
    async def ring(**_where: Any) -> None:
        raise AssertionError("there is no room to ring into")

    bench, dialer = await override_on(ring)
    request = OPTIONS.request(bench.legs, 1)
    began_s = bench.now_s
    with pytest.raises(TimeoutError):
        await dialer.dial(request)
    assert bench.now_s - began_s == pytest.approx(request.timeout_s)


@pytest.mark.asyncio
async def test_an_override_that_will_not_be_cancelled_is_left_behind() -> None:
    released = asyncio.Event()

    async def ring(**_where: Any) -> None:
        while not released.is_set():
            try:
                await asyncio.sleep(1000.0)
            except asyncio.CancelledError:
                continue

    bench, dialer = await override_on(ring, api_timeout_s=3.0)
    bench.legs.consult_joined.set()
    request = OPTIONS.request(bench.legs, 1)
    began_s = bench.now_s
    with pytest.raises(TimeoutError):
        await dialer.dial(request)
    assert bench.now_s - began_s == pytest.approx(request.timeout_s + 3.0)
    released.set()
    assert dialer._work is not None
    dialer._work.cancel()
    await asyncio.wait([dialer._work])


@pytest.mark.asyncio
async def test_an_override_that_is_given_up_before_it_begins_is_never_run() -> None:
    async def ring(**_where: Any) -> None:
        raise AssertionError("nobody is to be rung any more")

    bench, dialer = await override_on(ring)
    bench.legs.consult_joined.set()
    request = OPTIONS.request(bench.legs, 1)
    await dialer.hang_up(request)
    with pytest.raises(DialRefused):
        await dialer.dial(request)


@pytest.mark.asyncio
async def test_when_all_tasks_are_cancelled_the_override_is_too() -> None:
    ended = asyncio.Event()

    async def ring(**_where: Any) -> None:
        try:
            await asyncio.sleep(1000.0)
        finally:
            ended.set()

    bench, dialer = await override_on(ring)
    bench.legs.consult_joined.set()
    dialling = asyncio.ensure_future(dialer.dial(OPTIONS.request(bench.legs, 1)))
    await asyncio.sleep(1.0)
    dialling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dialling
    await asyncio.sleep(0)
    assert ended.is_set()


class Post:
    """A client whose request ends when the test says so."""

    def __init__(self) -> None:
        self.sip = self.room = self
        self.sent = self.cancelled = 0
        self.answer = asyncio.Event()

    async def create_sip_participant(
        self,
        create: Any,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as the SDK
    ) -> None:
        del create, timeout
        self.sent += 1
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def aclose(self) -> None: ...


@pytest.mark.asyncio
async def test_the_request_of_an_override_outlives_it_and_the_dial_ends_with_the_request() -> None:
    bench, post = await Bench.set_up(), Post()
    request = OPTIONS.request(bench.legs, 1)

    async def ring(**_where: Any) -> None:
        await dialer.by_sip(request.room, request.identity)

    dialer = OverrideDialer(ring, SipDialer(post, OPTIONS), bench.legs)
    bench.legs.consult_joined.set()
    dialling = asyncio.ensure_future(dialer.dial(request))
    await asyncio.sleep(1.0)
    await dialer.hang_up(request)
    await asyncio.sleep(1.0)
    # The hang-up goes on sweeping for as long as this has not ended.
    assert not dialling.done()
    assert (post.sent, post.cancelled) == (1, 0)
    post.answer.set()
    with pytest.raises(TimeoutError):
        await dialling


@pytest.mark.asyncio
async def test_an_override_that_dials_by_sip_after_it_was_given_up_sends_nothing() -> None:
    bench, post = await Bench.set_up(), Post()
    request = OPTIONS.request(bench.legs, 1)

    async def ring(**_where: Any) -> None:
        try:
            await asyncio.sleep(1000.0)
        except asyncio.CancelledError:
            await dialer.by_sip(request.room, request.identity)

    dialer = OverrideDialer(ring, SipDialer(post, OPTIONS), bench.legs)
    bench.legs.consult_joined.set()
    dialling = asyncio.ensure_future(dialer.dial(request))
    await asyncio.sleep(1.0)
    await dialer.hang_up(request)
    with pytest.raises(DialRefused):
        await dialling
    assert post.sent == 0


# What would be without effect is refused.


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "name",
    [
        "_dial_human_agent",
        "_format_conversation_history",
        "_merge_calls",
        "_on_caller_participant_disconnected",
        "_on_human_agent_room_close",
        "_set_io_enabled",
        "_set_result",
    ],
)
async def test_an_override_that_nothing_would_call_is_refused(name: str) -> None:
    # There to be overridden in livekit-agents, and in none of our own bases.
    assert hasattr(IncumbentTask, name)
    assert not hasattr(AgentTask, name)
    subclass = type("Subclass", (WarmTransferTask,), {name: lambda _self: None})
    with pytest.raises(InvalidArgument) as caught:
        subclass(NUMBER, sip_trunk_id=TRUNK)
    assert caught.value.argument == name
    assert "Subclass" in caught.value.problem
    assert caught.value.remedy


def test_every_private_method_of_livekit_agents_own_class_is_a_hook_or_is_refused() -> None:
    hooks = {"_setup_origination", "_originate_human_agent"}
    theirs = {name for name in vars(IncumbentTask) if name.startswith("_") and name[1] != "_"}
    theirs = {name for name in theirs if callable(getattr(IncumbentTask, name))}
    refused = set()
    for name in theirs - hooks:
        subclass: Any = type("Subclass", (WarmTransferTask,), {name: lambda _self: None})
        try:
            subclass._refuse_what_is_never_called()
        except InvalidArgument:
            refused.add(name)
    assert refused == theirs - hooks
    WarmTransferTask._refuse_what_is_never_called()


@pytest.mark.asyncio
async def test_an_override_beside_a_dialer_is_refused() -> None:
    async def ring(_: WarmTransferTask, **_where: Any) -> None: ...

    with pytest.raises(InvalidArgument) as caught:
        overriding(ring)(NUMBER, dialer=object())  # type: ignore[arg-type]  # any will do
    assert caught.value.argument == "dialer"
