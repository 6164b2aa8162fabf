"""Every field of an outcome, through the whole task: on the result, the error and the task."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any

import pytest
from livekit import api
from livekit.agents import ToolError

from tests.livekit.desk import Desk
from warm_transfer.errors import InvalidArgument, ServerUnusable
from warm_transfer.events import Facts
from warm_transfer.livekit.result import TransferFailed, WarmTransferResult
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.ports import DialRefused, DialRequest
from warm_transfer.states import State
from warm_transfer.testing.livekit.faults import Fault, Faults, How

S, R = State, Reason
SLOW = "human answers after 3 s, says nothing"
NOTHING = TransferOutcome(result=S.FAILED, reason=R.BUSY, transfer_id="")
"""What the fields are when there is nothing to say."""


async def failed(desk: Desk) -> TransferOutcome:
    """Let it fail, and give the outcome that error and task agree on."""
    if not desk.tasks:
        desk.ask()
    await desk.over.wait()
    (error,) = desk.got
    assert isinstance(error, TransferFailed)
    assert isinstance(error, ToolError)
    assert error.outcome is desk.task.outcome
    assert error.__cause__ is error.outcome.cause
    await desk.task.wait_closed()
    await desk.close()
    return error.outcome


def said(outcome: TransferOutcome) -> dict[str, Any]:
    """The fields that say something, but for times, id and attempt."""
    always = ("result", "reason", "transfer_id", "attempt", "seconds", "cause")
    names = [each.name for each in fields(outcome) if each.name not in always]
    values = {name: getattr(outcome, name) for name in names}
    return {name: value for name, value in values.items() if value != getattr(NOTHING, name)}


@pytest.mark.asyncio
async def test_a_refusal_has_its_status_phrase_code_and_the_legs_reason() -> None:
    desk = await Desk.open("human is busy after 0.5 s")
    outcome = await failed(desk)
    assert (outcome.result, outcome.reason) == (S.FAILED, R.BUSY)
    assert said(outcome) == {
        "sip_status": 486,
        "sip_phrase": "Busy Here",
        "api_code": "resource_exhausted",
        "disconnect_reason": "USER_REJECTED",
        "detail": "SipCallError",
    }
    assert isinstance(outcome.cause, api.SipCallError)
    assert outcome.attempt == 1
    assert outcome.transfer_id == desk.task.transfer_id


@pytest.mark.asyncio
async def test_the_seconds_are_those_spent_in_each_state() -> None:
    outcome = await failed(await Desk.open("human is busy after 0.5 s"))
    assert outcome.seconds.keys() == {S.IDLE, S.HOLDING, S.DIALING}
    assert outcome.seconds[S.IDLE] == outcome.seconds[S.HOLDING] == 0.0
    assert outcome.seconds[S.DIALING] == pytest.approx(0.55, abs=0.1)
    assert outcome.time_to_human_s is None


@pytest.mark.asyncio
async def test_a_merge_has_its_strategy_its_times_and_nothing_else_to_say() -> None:
    desk = await Desk.open("human answers after 3 s, says yes after 2 s")
    result = await desk.ask_and_wait()
    assert isinstance(result, WarmTransferResult)
    outcome = result.outcome
    assert outcome is desk.task.outcome
    assert (outcome.result, outcome.reason, outcome.cause) == (S.MERGED, R.ACCEPTED, None)
    assert outcome.merged
    took_s = sum(outcome.seconds.values())
    assert said(outcome) == {
        "strategy": "relay",
        "time_to_human_s": took_s,
        "after_merge": "silent",
    }
    assert outcome.seconds.keys() == {S.IDLE, S.HOLDING, S.DIALING, S.BRIEFING, S.MERGING}
    assert outcome.seconds[S.DIALING] == pytest.approx(3.0, abs=0.1)
    assert outcome.seconds[S.BRIEFING] == pytest.approx(2.0, abs=0.3)
    assert 0 < outcome.seconds[S.MERGING] < 1
    desk.caller_leaves()
    await desk.close()


@pytest.mark.asyncio
async def test_a_decline_has_the_humans_words() -> None:
    outcome = await failed(await Desk.open('human answers after 1 s, says no "in a meeting"'))
    assert (outcome.result, outcome.reason) == (S.DECLINED, R.DECLINED)
    assert said(outcome) == {"words": "in a meeting"}
    assert outcome.seconds[S.BRIEFING] > 0


@pytest.mark.asyncio
async def test_a_departure_has_its_reason_by_name() -> None:
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    desk.stage.sdk.switchboard.calls[0].hang_up()
    outcome = await failed(desk)
    assert (outcome.result, outcome.reason) == (S.FAILED, R.HUMAN_LEFT)
    assert said(outcome) == {"disconnect_reason": "CLIENT_INITIATED"}
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    desk.caller_leaves()
    outcome = await failed(desk)
    assert (outcome.result, outcome.reason) == (S.ABANDONED, R.CALLER_LEFT)
    assert said(outcome) == {"disconnect_reason": "CLIENT_INITIATED"}


@pytest.mark.asyncio
async def test_a_failed_merge_has_the_strategy_that_was_tried_and_its_error() -> None:
    line = "human answers after 1 s, says yes after 1 s; server cannot merge"
    outcome = await failed(await Desk.open(line))
    assert (outcome.result, outcome.reason) == (S.FAILED, R.MERGE_FAILED)
    assert outcome.strategy == "relay"
    assert outcome.cause is not None
    assert outcome.seconds[S.MERGING] >= 0


@pytest.mark.asyncio
async def test_a_cancellation_has_what_the_application_said() -> None:
    desk = await Desk.open(SLOW)
    desk.ask()
    await desk.until(S.BRIEFING)
    desk.task.cancel("the shift is over")
    outcome = await failed(desk)
    assert (outcome.result, outcome.reason) == (S.CANCELLED, R.APP_CANCELLED)
    assert said(outcome) == {"detail": "the shift is over"}


@pytest.mark.asyncio
async def test_a_set_up_that_cannot_dial_is_named_and_the_servers_error_is_behind_it() -> None:
    error = api.ServerError("unavailable", "no response from servers", status=503)
    outcome = await failed(await dial_fails_with(error))
    assert outcome.reason is R.UNREACHABLE
    assert outcome.api_code == "unavailable"
    assert isinstance(outcome.cause, ServerUnusable)
    assert outcome.cause.__cause__ is error


# Values that do not exist yet.


async def dial_fails_with(error: Exception) -> Desk:
    desk = await Desk.open(SLOW)
    plan = {("sip.create_sip_participant", 1): Fault(How.FAILS, error)}
    desk.stage.world.faults = Faults(plan)
    return desk


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "reason"), [(499, R.REJECTED), (399, R.UNREACHABLE), (599, R.UNREACHABLE)]
)
async def test_a_sip_status_that_is_new_counts_as_its_class(status: int, reason: Reason) -> None:
    outcome = await failed(await Desk.open(f"human refuses with {status} after 0.5 s"))
    assert (outcome.sip_status, outcome.reason) == (status, reason)


@pytest.mark.asyncio
async def test_a_class_of_sip_status_that_is_new_counts_as_unreachable() -> None:
    error = api.SipCallError(
        "unknown", "new", status=500, metadata={"sip_status_code": "799", "sip_status": "New"}
    )
    outcome = await failed(await dial_fails_with(error))
    assert said(outcome) | {"detail": ""} == {
        "sip_status": 799,
        "sip_phrase": "New",
        "api_code": "unknown",
        "detail": "",
    }
    assert outcome.reason is R.UNREACHABLE


@pytest.mark.asyncio
async def test_an_api_code_that_is_new_is_uncertain_and_never_dialled_again() -> None:
    desk = await dial_fails_with(api.ServerError("fancy", "what is this", status=418))
    outcome = await failed(desk)
    # The phone may be ringing; only a code that is known to say otherwise is a refusal.
    assert (outcome.api_code, outcome.reason) == ("fancy", R.DIAL_UNCERTAIN)
    assert desk.stage.world.faults.calls["sip.create_sip_participant"] == 1


class Dialer:
    """A dialer whose dial ends when the test says so."""

    def __init__(self, error: Exception | None = None) -> None:
        self.requests: list[DialRequest] = []
        self.error = error
        self.ended = asyncio.Event()

    async def dial(self, request: DialRequest) -> None:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        await self.ended.wait()

    async def hang_up(self, request: DialRequest) -> None:
        del request
        self.ended.set()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "facts",
    [
        Facts(api_code="fancy"),
        Facts(sip_status=1000),
        Facts(disconnect_reason="ABDUCTED"),
        Facts(api_code="fancy", disconnect_reason="ABDUCTED"),
    ],
)
async def test_a_refusal_by_something_new_counts_as_unreachable(facts: Facts) -> None:
    outcome = await failed(await Desk.open(SLOW, dialer=Dialer(DialRefused(facts))))
    assert (outcome.result, outcome.reason) == (S.FAILED, R.UNREACHABLE)
    assert outcome.api_code == facts.api_code
    assert outcome.sip_status == facts.sip_status
    assert outcome.disconnect_reason == facts.disconnect_reason


async def leg_of(desk: Desk, dialer: Dialer, **attributes: str) -> Any:
    """The human's leg, in the consult room that the dialer was told of."""
    desk.ask()
    await desk.until(S.DIALING)
    await asyncio.sleep(1.0)
    (request,) = dialer.requests
    world = desk.stage.world
    return world.join(request.room, request.identity, kind=3, attributes=attributes)


@pytest.mark.asyncio
async def test_a_disconnect_reason_that_is_new_stays_a_number_and_counts_as_unreachable() -> None:
    dialer = Dialer()
    desk = await Desk.open(SLOW, dialer=dialer)
    leg = await leg_of(desk, dialer)
    desk.stage.world.leave(leg, 99)
    outcome = await failed(desk)
    assert (outcome.result, outcome.reason) == (S.FAILED, R.UNREACHABLE)
    assert outcome.disconnect_reason == "REASON_99"


@pytest.mark.asyncio
async def test_after_the_answer_any_reason_is_a_hang_up() -> None:
    dialer = Dialer()
    desk = await Desk.open(SLOW, dialer=dialer)
    leg = await leg_of(desk, dialer, **{"sip.callStatus": "active"})
    await desk.until(S.BRIEFING)
    desk.stage.world.leave(leg, 99)
    outcome = await failed(desk)
    assert (outcome.result, outcome.reason) == (S.FAILED, R.HUMAN_LEFT)
    assert outcome.disconnect_reason == "REASON_99"


# Everything is said somewhere above.


def test_no_field_is_forgotten_here() -> None:
    tested = {
        *("result", "reason", "transfer_id", "attempt", "seconds", "cause"),
        *("sip_status", "sip_phrase", "api_code", "disconnect_reason", "words", "detail"),
        *("strategy", "time_to_human_s", "after_merge"),
    }
    assert {each.name for each in fields(TransferOutcome)} == tested


@pytest.mark.asyncio
async def test_a_hook_that_broke_the_request_is_the_cause_that_the_await_shows() -> None:
    def hook(request: api.CreateSIPParticipantRequest) -> None:
        request.participant_identity = "caller"

    outcome = await failed(await Desk.open(SLOW, on_dial_request=hook))
    assert isinstance(outcome.cause, InvalidArgument)
    assert outcome.cause.argument == "on_dial_request"
