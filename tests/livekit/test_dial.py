from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from livekit import api

from tests.lines import turns
from tests.livekit.bench import HUMAN, ROOM, Bench, effect
from warm_transfer.effects import Do
from warm_transfer.errors import InvalidArgument
from warm_transfer.events import Facts, On
from warm_transfer.livekit.dial import Dial, DialOptions
from warm_transfer.outcome import Reason
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import DialRefused, DialRequest
from warm_transfer.states import State
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import At, Phone
from warm_transfer.testing.livekit.play import Result, Stage, play
from warm_transfer.testing.livekit.script import App, Scenario
from warm_transfer.testing.livekit.when import When

NUMBER, TRUNK = "+15105550123", "ST_x"
TERMINAL = {On.CONSULT_ANSWERED, On.CONSULT_REFUSED, On.DIAL_UNCERTAIN}
OPTIONS = DialOptions(destination=NUMBER, trunk_id=TRUNK)


class Dialer:
    """A dialer whose request ends when the test says so."""

    def __init__(self) -> None:
        self.dialled: list[DialRequest] = []
        self.hung_up: list[float] = []
        self.result: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def dial(self, request: DialRequest) -> None:
        self.dialled.append(request)
        await asyncio.shield(self.result)

    async def hang_up(self, request: DialRequest) -> None:
        assert self.dialled in ([], [request])
        self.hung_up.append(asyncio.get_running_loop().time())

    def answer(self) -> None:
        self._end(None)

    def refuse(self) -> None:
        self._end(DialRefused(Facts(sip_status=486)))

    def break_off(self) -> None:
        self._end(ConnectionResetError("connection lost"))

    def _end(self, error: Exception | None) -> None:
        if self.result.done():
            return
        if error is None:
            self.result.set_result(None)
        else:
            self.result.set_exception(error)


async def dialling() -> tuple[Bench, Dialer, Dial, asyncio.Task[None]]:
    bench, dialer = await Bench.set_up(), Dialer()
    dial = Dial(bench.legs, dialer, OPTIONS)
    task = asyncio.ensure_future(dial.dial(effect(Do.DIAL_CONSULT)))
    await turns()
    return bench, dialer, dial, task


@pytest.mark.asyncio
async def test_each_transfer_dials_an_identity_and_a_room_of_its_own() -> None:
    rooms, identities = set[str](), set[str]()
    for _ in range(20):
        result = await play(Scenario(phone=Phone(refuses_with=486, refuses_after_s=0.1)))
        (call,) = result.sdk.switchboard.calls
        rooms.add(call.request.room_name)
        identities.add(call.request.participant_identity)
    assert len(rooms) == len(identities) == 20


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        (DialOptions(destination="", trunk_id=TRUNK), "sip_call_to"),
        (DialOptions(destination="nonsense", trunk_id=TRUNK), "sip_call_to"),
        (DialOptions(destination=NUMBER), "sip_trunk_id"),
        (DialOptions(destination=NUMBER, trunk_id=""), "sip_trunk_id"),
        (replace(OPTIONS, number="me"), "sip_number"),
        (replace(OPTIONS, headers={"Via": "x"}), "sip_headers"),
        (replace(OPTIONS, dtmf="9\r"), "dtmf"),
        (replace(OPTIONS, name="desk\n"), "participant_name"),
        (replace(OPTIONS, attributes={"sip.callStatus": "active"}), "participant_attributes"),
        (replace(OPTIONS, connection="sip.example.com"), "sip_connection"),  # type: ignore[arg-type]  # the point of the test
    ],
)
def test_unusable_options_name_the_argument(options: DialOptions, argument: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        options.checked(TransferPolicy(), needs_trunk=True)
    assert caught.value.argument == argument


def test_a_dialer_of_the_application_needs_no_trunk() -> None:
    options = DialOptions(destination=NUMBER)
    assert options.checked(TransferPolicy(), needs_trunk=False) == options


def test_who_rings_a_human_of_its_own_needs_no_destination_but_gets_a_checked_one() -> None:
    def checked(destination: str) -> DialOptions:
        options = DialOptions(destination=destination)
        return options.checked(TransferPolicy(), needs_trunk=False, needs_destination=False)

    assert checked("").destination == ""
    assert checked(NUMBER).destination == NUMBER
    with pytest.raises(InvalidArgument):
        checked("nonsense")


# Exactly one terminal event for each attempt.

Act = Callable[[Dialer, Dial], Any]

ACTS: dict[str, Act] = {
    "dialing": lambda _, dial: dial.leg_status("dialing"),
    "ringing": lambda _, dial: dial.leg_status("ringing"),
    "active": lambda _, dial: dial.leg_status("active"),
    "left": lambda _, dial: dial.leg_left("USER_UNAVAILABLE"),
    "api answers": lambda dialer, _: dialer.answer(),
    "api refuses": lambda dialer, _: dialer.refuse(),
    "api breaks": lambda dialer, _: dialer.break_off(),
}
ENDINGS = ("api answers", "api refuses", "api breaks")


@pytest.mark.asyncio
@pytest.mark.parametrize("gap_s", [0.0, 0.02, 0.7])
async def test_one_terminal_event_whatever_the_order_of_attributes_api_and_departure(
    gap_s: float,
) -> None:
    orders = [
        order
        for ending in ENDINGS
        for size in range(4)
        for others in itertools.combinations(("ringing", "active", "left"), size)
        for order in itertools.permutations((ending, *others))
    ]
    assert len(orders) == 3 * (1 + 3 * 2 + 3 * 6 + 24)
    for order in orders:
        bench, dialer, dial, task = await dialling()
        tasks = [task]
        for name in order:
            doing = ACTS[name](dialer, dial)
            if doing is not None:
                tasks.append(asyncio.ensure_future(doing))
            await asyncio.sleep(gap_s)
        await asyncio.gather(*tasks)
        terminal = [each for each in bench.posted if each.name in TERMINAL]
        assert len(terminal) == 1, (order, bench.names)
        assert terminal[0].attempt == 1
        assert all(each.effect == terminal[0].effect for each in bench.posted)
        if terminal[0].name is not On.CONSULT_ANSWERED:
            assert On.CONSULT_HUNG_UP not in bench.names or "active" in order, order


@pytest.mark.asyncio
async def test_a_leg_that_leaves_unanswered_waits_for_the_reason_of_the_api() -> None:
    bench, dialer, dial, task = await dialling()
    leaving = asyncio.ensure_future(dial.leg_left("USER_REJECTED"))
    await asyncio.sleep(0.3)
    assert bench.posted == []
    dialer.refuse()
    await asyncio.gather(task, leaving)
    (event,) = bench.posted
    assert event.facts.sip_status == 486


@pytest.mark.asyncio
async def test_it_waits_no_longer_than_the_grace() -> None:
    bench, dialer, dial, task = await dialling()
    began_s = bench.now_s
    await dial.leg_left("USER_UNAVAILABLE")
    assert bench.now_s - began_s == pytest.approx(0.5)
    (event,) = bench.posted
    assert (event.name, event.facts.disconnect_reason) == (On.CONSULT_REFUSED, "USER_UNAVAILABLE")
    dialer.refuse()
    await task
    assert len(bench.posted) == 1


@pytest.mark.asyncio
async def test_an_answered_leg_that_leaves_has_hung_up_at_once() -> None:
    bench, dialer, dial, task = await dialling()
    dial.leg_status("active")
    began_s = bench.now_s
    await dial.leg_left("CLIENT_INITIATED")
    assert bench.now_s == began_s
    assert bench.names == [On.CONSULT_ANSWERED, On.CONSULT_HUNG_UP]
    dialer.answer()
    await task


# The leg's status is monotone.


@pytest.mark.asyncio
async def test_a_server_restart_that_reports_the_beginning_again_changes_nothing() -> None:
    bench, dialer, dial, task = await dialling()
    for status in ("dialing", "ringing", "active", "dialing", "ringing", "active", "", "unknown"):
        dial.leg_status(status)
    assert bench.names == [On.CONSULT_RANG, On.CONSULT_ANSWERED]
    dialer.answer()
    await task
    assert len(bench.posted) == 2


@pytest.mark.asyncio
async def test_key_tones_and_unknown_words_are_no_answer() -> None:
    bench, dialer, dial, task = await dialling()
    for status in ("automation", "ringing", "hold", "DIALING"):
        dial.leg_status(status)
    assert bench.posted == []
    dial.leg_status("active")
    assert bench.names == [On.CONSULT_ANSWERED]
    dialer.answer()
    await task


# Every SIP status, through a whole transfer.

#: The reasons of `reference/field.md` 5.7 for the codes of `livekit-facts.md` 5.2; 603 and 607 are
#: a human's no, the default of a class is its last line.
EXPECTED: dict[Reason, tuple[int, ...]] = {
    Reason.BUSY: (486, 600),
    Reason.NO_ANSWER: (408, 480, 487),
    Reason.INVALID_DESTINATION: (404, 410, 416, 484, 485, 604),
    Reason.DECLINED: (603, 607),
    Reason.UNREACHABLE: (
        *(300, 301, 302, 305, 380),
        *(500, 501, 502, 503, 504, 505, 513, 580),
    ),
    Reason.REJECTED: (
        *(400, 401, 402, 403, 405, 406, 407, 409, 411, 412, 413, 414, 415, 417),
        *(420, 421, 422, 423, 424, 425, 428, 429, 430, 433, 436, 437, 438, 439, 440),
        *(469, 470, 481, 482, 483, 488, 489, 491, 493, 494, 499, 606, 608, 699),
    ),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("reason", EXPECTED)
async def test_each_sip_status_gives_its_reason_and_the_caller_back(reason: Reason) -> None:
    for status in EXPECTED[reason]:
        result = await play(Scenario(phone=Phone(refuses_with=status, refuses_after_s=0.4)))
        outcome = result.outcome
        assert outcome is not None
        assert (outcome.result, outcome.reason) == (State.FAILED, reason), status
        assert outcome.sip_status == status
        assert outcome.sip_phrase
        assert_back(result)


def assert_back(result: Result) -> None:
    """The caller is with the agent, nobody is rung, and nothing is left."""
    switches = {**result.host.session.input.all(), **result.host.session.output.all()}
    assert all(switches.values())
    assert result.closed
    assert not result.left, str(result.left)
    assert all(call.busy == "" for call in result.sdk.switchboard.calls)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        aiohttp.ServerDisconnectedError(),
        aiohttp.ClientPayloadError("cut"),
        ConnectionResetError("reset"),
        api.ServerError("internal", "update room failed", status=500),
        api.ServerError("unknown", "something", status=500),
        RuntimeError("anything at all"),
    ],
    ids=lambda each: type(each).__name__,
)
async def test_an_unknown_fate_is_uncertain_and_is_never_dialled_again(error: Exception) -> None:
    # The request goes through and its answer is lost: the phone rings.
    told = Scenario(
        phone=Phone(answers_after_s=9.0),
        faults={("sip.create_sip_participant", 1): Fault(How.FAILS_AFTER, error)},
    )
    told = replace(told, phone=replace(told.phone, request_lost_after_s=1.0))
    lost = replace(told, faults={("sip.create_sip_participant", 1): Fault(How.FAILS, error)})
    for each in (told, lost):
        result = await play(each)
        assert result.outcome is not None
        assert result.outcome.reason is Reason.DIAL_UNCERTAIN
        assert result.world.faults.calls["sip.create_sip_participant"] == 1
        assert_back(result)


@pytest.mark.asyncio
async def test_a_request_without_an_answer_ends_by_its_own_timeout() -> None:
    told = Scenario(phone=Phone(answers_after_s=None, request_hangs=True))
    result = await play(told, policy=TransferPolicy(ring_timeout_s=20.0))
    assert result.outcome is not None
    assert result.outcome.reason is Reason.NO_ANSWER
    assert len(result.sdk.switchboard.calls) == 1
    assert_back(result)


# Hanging up.


@pytest.mark.asyncio
async def test_a_hang_up_sweeps_until_the_request_has_ended_and_then_twice_more() -> None:
    bench, dialer, dial, task = await dialling()
    hanging_up = asyncio.ensure_future(dial.hang_up())
    await asyncio.sleep(1.0)
    sweeps = len(dialer.hung_up)
    assert 15 <= sweeps <= 20
    assert not hanging_up.done()
    dialer.refuse()
    ended_s = bench.now_s
    await asyncio.gather(task, hanging_up)
    assert [at_s - ended_s for at_s in dialer.hung_up[-2:]] == pytest.approx([0.3, 1.2], abs=0.1)
    assert bench.posted == []


@pytest.mark.asyncio
async def test_a_long_sweep_slows_down() -> None:
    _, dialer, dial, task = await dialling()
    hanging_up = asyncio.ensure_future(dial.hang_up())
    await asyncio.sleep(32.0)
    assert 80 <= len(dialer.hung_up) <= 110
    dialer.refuse()
    await asyncio.gather(task, hanging_up)


@pytest.mark.asyncio
async def test_the_echo_of_our_own_hang_up_is_no_refusal() -> None:
    for echo in ("api refuses", "api breaks", "left"):
        bench, dialer, dial, task = await dialling()
        dial.leg_status("ringing")
        hanging_up = asyncio.ensure_future(dial.hang_up())
        await asyncio.sleep(0.01)
        doing = ACTS[echo](dialer, dial)
        if doing is not None:
            await doing
        dialer.refuse()
        await asyncio.gather(task, hanging_up)
        assert bench.names == [On.CONSULT_RANG], echo


@pytest.mark.asyncio
async def test_an_answer_that_crosses_our_hang_up_is_reported() -> None:
    bench, dialer, dial, task = await dialling()
    hanging_up = asyncio.ensure_future(dial.hang_up())
    await asyncio.sleep(0.01)
    dialer.answer()
    await asyncio.gather(task, hanging_up)
    assert bench.names == [On.CONSULT_ANSWERED]


@pytest.mark.asyncio
async def test_hanging_up_before_any_dial_does_nothing() -> None:
    bench, dialer = await Bench.set_up(), Dialer()
    await Dial(bench.legs, dialer, OPTIONS).hang_up()
    assert dialer.hung_up == []
    dialer.answer()


@pytest.mark.asyncio
async def test_an_answered_leg_is_removed_from_both_rooms_and_its_room_stays() -> None:
    bench, dialer, dial, task = await dialling()
    dialer.answer()
    await task
    removed: list[tuple[str, str]] = []

    async def remove(who: api.RoomParticipantIdentity) -> None:
        removed.append((who.room, who.identity))

    bench.api.room.remove_participant = remove
    await dial.hang_up()
    assert removed == [(ROOM, HUMAN), ("call", HUMAN)]
    assert bench.stage.world.faults.calls["room.delete_room"] == 0


@pytest.mark.asyncio
async def test_a_dialer_that_cannot_hang_up_keeps_nobody_in_the_room() -> None:
    bench, dialer, dial, task = await dialling()

    async def fail(request: DialRequest) -> None:
        raise ConnectionResetError(f"{request.identity} has hung up already")

    dialer.hang_up = fail  # type: ignore[method-assign]  # the point of the test
    bench.human_joins()
    dialer.break_off()
    await task
    with pytest.raises(ConnectionResetError):
        await dial.hang_up()
    assert bench.stage.world.member(ROOM, HUMAN) is None


@pytest.mark.asyncio
async def test_a_leg_that_makes_the_room_anew_between_two_sweeps_leaves_none() -> None:
    bench, dialer, dial, task = await dialling()
    hanging_up = asyncio.ensure_future(dial.hang_up())
    await asyncio.sleep(0.3)
    bench.human_joins()
    dialer.break_off()
    await asyncio.gather(task, hanging_up)
    assert ROOM not in bench.stage.world.rooms


@pytest.mark.asyncio
async def test_a_dial_that_was_cancelled_before_its_first_step_is_not_waited_for() -> None:
    bench = await Bench.set_up()
    dial = Dial(bench.legs, Dialer(), OPTIONS)
    never = dial.dial(effect(Do.DIAL_CONSULT))
    async with asyncio.timeout(2.0):
        await dial.hang_up()
    assert inspect.iscoroutine(never)
    never.close()


@pytest.mark.asyncio
async def test_who_left_before_the_api_told_of_the_answer_has_hung_up() -> None:
    bench, dialer, dial, task = await dialling()
    left = asyncio.ensure_future(dial.leg_left("CLIENT_INITIATED"))
    await turns()
    dialer.answer()
    await asyncio.gather(task, left)
    assert [each.name for each in bench.posted] == [On.CONSULT_ANSWERED, On.CONSULT_HUNG_UP]


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", [None, 1, 2])
async def test_no_phone_is_left_ringing_by_a_cancel_in_the_first_milliseconds(
    seed: int | None,
) -> None:
    for ms in range(41):
        told = Scenario(
            phone=Phone(answers_after_s=3.0), app=App(cancels=When(ms / 1000, "request"))
        )
        result = await play(told, seed=seed)
        assert result.outcome is not None
        assert result.outcome.reason is Reason.APP_CANCELLED, ms
        assert_back(result)
        for call in result.sdk.switchboard.calls:
            assert At.TALKING not in [at for _, at in call.log], ms
            rang_s = call.when(At.CALLED)
            cancelled_s = call.when(At.CANCELLED)
            if rang_s is not None:
                assert cancelled_s is not None
                # Ringing to CANCEL within 1 s.
                assert cancelled_s - max(rang_s, result.states[-1][0]) < 1.0, ms


@pytest.mark.asyncio
async def test_no_phone_is_left_ringing_when_somebody_cancels_the_task_of_the_dial() -> None:
    for ms in range(41):
        stage = Stage(Scenario(phone=Phone(answers_after_s=3.0)))

        async def cancel(after_s: float = ms / 1000) -> None:
            await asyncio.sleep(1.0)
            while not (dials := [each for each in asyncio.all_tasks() if _dials(each)]):  # noqa: ASYNC110 - watching from outside
                await asyncio.sleep(0.001)
            await asyncio.sleep(after_s)
            dials[0].cancel()

        cancelling = asyncio.ensure_future(cancel())
        result = await play(stage.scenario, stage=stage)
        await cancelling
        assert result.outcome is not None
        assert result.outcome.reason is Reason.DIAL_UNCERTAIN, ms
        assert_back(result)
        assert all(call.when(At.TALKING) is None for call in result.sdk.switchboard.calls), ms


@pytest.mark.asyncio
async def test_a_dial_that_was_cut_off_is_swept_later_too_because_its_leg_may_come_late() -> None:
    bench, dialer, dial, task = await dialling()
    task.cancel()
    await asyncio.wait([task])
    began_s = bench.now_s
    await dial.hang_up()
    swept = [at_s - began_s for at_s in dialer.hung_up]
    assert swept == pytest.approx([0.0, 0.3, 1.2], abs=0.1)
    dialer.refuse()
    assert bench.posted == []


@pytest.mark.asyncio
async def test_a_dial_of_unknown_fate_is_swept_later_too_because_its_leg_may_come_late() -> None:
    bench, dialer, dial, task = await dialling()
    dialer.break_off()
    await asyncio.wait([task])
    assert bench.names == [On.DIAL_UNCERTAIN]
    began_s = bench.now_s
    await dial.hang_up()
    swept = [at_s - began_s for at_s in dialer.hung_up]
    assert swept == pytest.approx([0.0, 0.3, 1.2], abs=0.1)


def _dials(task: asyncio.Task[Any]) -> bool:
    return task.get_name().endswith("DIAL_CONSULT")


@pytest.mark.asyncio
async def test_a_late_answer_is_hung_up() -> None:
    # The server is down for removals while the human answers.
    down = Fault(How.FAILS, api.ServerError("unavailable", "down", status=503))
    faults = {
        (f"room.{name}", number): down
        for name in ("remove_participant", "delete_room")
        for number in range(1, 9)
    }
    told = Scenario(
        phone=Phone(answers_after_s=1.02), app=App(cancels=When(1.0, "request")), faults=faults
    )
    result = await play(told)
    (call,) = result.sdk.switchboard.calls
    answered_s, over_s = call.when(At.TALKING), call.when(At.OVER)
    assert answered_s is not None
    assert over_s is not None
    assert over_s - answered_s < TransferPolicy().notice_limit_s
    assert call.busy == ""


@pytest.mark.asyncio
async def test_one_sweep_that_fails_does_not_end_the_sweeping() -> None:
    bench, dialer, dial, task = await dialling()
    hang_up, failed = dialer.hang_up, 0

    async def failing(request: DialRequest) -> None:
        nonlocal failed
        await hang_up(request)
        if len(dialer.hung_up) <= 5:
            failed += 1
            raise ConnectionResetError("the dialer's own server is down")

    dialer.hang_up = failing  # type: ignore[method-assign]  # a dialer that fails for a while
    hanging_up = asyncio.ensure_future(dial.hang_up())
    await asyncio.sleep(0.5)
    assert failed == 5
    assert not hanging_up.done()
    dialer.refuse()
    await asyncio.gather(task, hanging_up)
    assert bench.posted == []


@pytest.mark.asyncio
async def test_a_human_who_answers_in_the_moment_of_the_cancel_is_released() -> None:
    for ms in range(20):
        told = Scenario(
            phone=Phone(answers_after_s=1.0), app=App(cancels=When(0.99 + ms / 1000, "request"))
        )
        result = await play(told)
        (call,) = result.sdk.switchboard.calls
        assert call.at in (At.OVER, At.CANCELLED), ms
        assert_back(result)
