from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from livekit import api

from tests.lines import turns
from tests.livekit.bench import HUMAN, ROOM, Bench
from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.dial import DialOptions
from warm_transfer.livekit.dialhook import DialHook, Last
from warm_transfer.livekit.sip import SipDialer
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import DialRefused
from warm_transfer.testing.livekit.leg_errors import sip_refusal

NUMBER, TRUNK = "+15105550123", "ST_x"
OPTIONS = DialOptions(destination=NUMBER, trunk_id=TRUNK)


class Recorder:
    """Keeps the message and the timeout of the SIP request."""

    def __init__(self) -> None:
        self.sip = self
        self.room = self
        self.message = api.CreateSIPParticipantRequest()
        self.timeout: float | None = None
        self.sent = 0

    async def create_sip_participant(
        self,
        create: api.CreateSIPParticipantRequest,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - as the SDK
    ) -> None:
        self.message, self.timeout = create, timeout
        self.sent += 1

    async def aclose(self) -> None: ...


async def sent(options: DialOptions, policy: TransferPolicy, attempt: int = 1) -> Recorder:
    bench, recorder = await Bench.set_up(policy=policy), Recorder()
    await SipDialer(recorder, options).dial(options.request(bench.legs, attempt))
    return recorder


@pytest.mark.asyncio
async def test_the_request_says_every_field() -> None:
    policy = TransferPolicy(ring_timeout_s=22.5, call_limit_s=3600.0, dial_margin_s=4.0)
    options = DialOptions(
        destination=NUMBER,
        trunk_id=TRUNK,
        number="+15105550100",
        headers={"X-Ticket": "7"},
        dtmf="w1w",
        name="desk",
        attributes={"team": "billing", "wt.role": "somebody else"},
    )
    recorder = await sent(options, policy, attempt=2)
    message = recorder.message
    assert message.sip_trunk_id == TRUNK
    assert message.sip_call_to == NUMBER
    assert message.sip_number == "+15105550100"
    assert message.room_name == ROOM
    assert message.participant_identity == HUMAN
    assert message.participant_name == "desk"
    assert dict(message.participant_attributes) == {
        "team": "billing",
        "wt.id": "bench",
        "wt.attempt": "2",
        "wt.role": "human",
    }
    assert dict(message.headers) == {"X-Ticket": "7"}
    assert message.dtmf == "w1w"
    assert message.wait_until_answered
    assert message.ringing_timeout.ToMilliseconds() == 22_500
    assert message.max_call_duration.ToMilliseconds() == 3_600_000
    # Ringing, then two pauses and a tone, then the margin.
    assert recorder.timeout == pytest.approx(22.5 + 1.25 + 4.0)
    assert not message.HasField("trunk")


@pytest.mark.asyncio
async def test_an_inline_trunk_goes_into_the_request() -> None:
    connection = api.SIPOutboundConfig(hostname="sip.example.com", auth_username="u")
    options = DialOptions(destination=NUMBER, connection=connection)
    message = (await sent(options, TransferPolicy())).message
    assert message.trunk == connection
    assert message.sip_trunk_id == ""


@pytest.mark.asyncio
async def test_the_limits_of_a_dial_are_below_those_of_the_server() -> None:
    recorder = await sent(OPTIONS, TransferPolicy(ring_timeout_s=70.0))
    assert recorder.message.ringing_timeout.ToMilliseconds() == 70_000
    assert recorder.timeout is not None
    assert recorder.timeout < 80.0
    assert recorder.timeout > 70.0


@pytest.mark.asyncio
async def test_a_refusal_of_the_sip_api_is_one_of_the_dialer() -> None:
    class Refusing(Recorder):
        async def create_sip_participant(
            self,
            create: api.CreateSIPParticipantRequest,
            *,
            timeout: float | None = None,  # noqa: ASYNC109 - as the SDK
        ) -> None:
            del create, timeout
            raise sip_refusal(486)

    bench = await Bench.set_up()
    with pytest.raises(DialRefused) as caught:
        await SipDialer(Refusing(), OPTIONS).dial(OPTIONS.request(bench.legs, 1))
    assert caught.value.facts.sip_status == 486
    assert isinstance(caught.value.__cause__, api.SipCallError)


# The application's last look.


async def dialled_with(hook: DialHook, policy: TransferPolicy | None = None) -> Recorder:
    policy = policy or TransferPolicy()
    bench, recorder = await Bench.set_up(policy=policy), Recorder()
    await SipDialer(recorder, OPTIONS, Last(hook, policy)).dial(OPTIONS.request(bench.legs, 1))
    return recorder


@pytest.mark.asyncio
async def test_what_the_hook_made_of_the_request_is_sent_once() -> None:
    def hook(request: api.CreateSIPParticipantRequest) -> None:
        request.krisp_enabled = True

    recorder = await dialled_with(hook)
    assert recorder.message.krisp_enabled
    assert recorder.message.room_name == ROOM
    assert recorder.sent == 1


@pytest.mark.asyncio
async def test_a_hook_that_fails_dials_nobody_and_is_the_cause() -> None:
    error = LookupError("no such tenant")

    def hook(_: api.CreateSIPParticipantRequest) -> None:
        raise error

    bench, recorder = await Bench.set_up(), Recorder()
    dialer = SipDialer(recorder, OPTIONS, Last(hook, TransferPolicy()))
    with pytest.raises(DialRefused) as caught:
        await dialer.dial(OPTIONS.request(bench.legs, 1))
    assert recorder.sent == 0
    assert caught.value.facts.cause is error
    assert caught.value.facts.detail == "on_dial_request: LookupError"
    # Its text may hold anything.
    assert "tenant" not in str(caught.value.facts.detail)


@pytest.mark.asyncio
async def test_a_hook_that_breaks_the_request_dials_nobody_and_is_told_why() -> None:
    def hook(request: api.CreateSIPParticipantRequest) -> None:
        request.room_name = "the caller's"

    bench, recorder = await Bench.set_up(), Recorder()
    dialer = SipDialer(recorder, OPTIONS, Last(hook, TransferPolicy()))
    with pytest.raises(DialRefused) as caught:
        await dialer.dial(OPTIONS.request(bench.legs, 1))
    assert recorder.sent == 0
    cause = caught.value.facts.cause
    assert isinstance(cause, InvalidArgument)
    assert "room_name" in cause.problem


@pytest.mark.asyncio
async def test_a_dial_that_is_given_up_during_the_hook_is_never_sent() -> None:
    entered = asyncio.Event()

    async def hook(_: api.CreateSIPParticipantRequest) -> None:
        entered.set()
        await asyncio.sleep(3.0)

    bench, recorder = await Bench.set_up(), Recorder()
    dialer = SipDialer(recorder, OPTIONS, Last(hook, TransferPolicy()))
    request = OPTIONS.request(bench.legs, 1)
    dialling = asyncio.ensure_future(dialer.dial(request))
    await entered.wait()
    began_s = bench.now_s
    await dialer.hang_up(request)
    with pytest.raises(DialRefused):
        await dialling
    assert bench.now_s == began_s
    assert recorder.sent == 0


@pytest.mark.asyncio
async def test_a_dial_that_is_given_up_before_it_begins_is_never_sent() -> None:
    bench, recorder = await Bench.set_up(), Recorder()
    dialer = SipDialer(recorder, OPTIONS)
    request = OPTIONS.request(bench.legs, 1)
    await dialer.hang_up(request)
    with pytest.raises(DialRefused):
        await dialer.dial(request)
    assert recorder.sent == 0
    # Another attempt is another dial.
    await dialer.dial(replace(request, attempt=2))
    await turns()
    assert recorder.sent == 1
