import asyncio
from typing import Any

import pytest
from livekit import api, rtc

from warm_transfer.errors import InvalidArgument
from warm_transfer.testing.livekit.phones import At, Call, Phone
from warm_transfer.testing.livekit.sdk import SimSdk
from warm_transfer.testing.livekit.service import SimApi
from warm_transfer.testing.livekit.world import World

from .meeting import Told, dial, in_room

Reason = rtc.DisconnectReason
STATUS = "sip.callStatus"


class Dialled:
    """A dial that is under way into a room where an agent watches."""

    def __init__(self, phone: Phone, world: World, told: Told, api_: SimApi, sdk: SimSdk) -> None:
        self.phone = phone
        self.world = world
        self.told = told
        self.api = api_
        self.sdk = sdk
        self.began_s = world.now_s
        self.task: asyncio.Task[Any] = asyncio.create_task(asyncio.sleep(0))

    @classmethod
    async def begin(cls, phone: Phone, **more: Any) -> "Dialled":
        world = World()
        room = await in_room(world, "consult")
        told = Told(
            room,
            "participant_connected",
            "participant_attributes_changed",
            "participant_disconnected",
            "track_published",
        )
        sdk = SimSdk(world, phones={"": [phone]})
        self = cls(phone, world, told, sdk.api(), sdk)
        self.task = asyncio.create_task(self.api.sip.create_sip_participant(dial(**more)))
        return self

    async def loses_its_request(self) -> None:
        """The server restarts, and is long back when this returns."""
        self.call.start_over()
        self.world.restart()
        with pytest.raises(ConnectionError):
            await self.task
        await asyncio.sleep(10)

    @property
    def call(self) -> Call:
        return self.sdk.switchboard.calls[0]

    def since(self, at_s: float | None) -> float:
        assert at_s is not None
        return at_s - self.began_s

    async def at(self, seconds: float) -> None:
        await asyncio.sleep(self.began_s + seconds - self.world.now_s)

    async def error(self) -> api.ServerError:
        with pytest.raises(api.ServerError) as caught:
            await self.task
        return caught.value

    def statuses(self) -> list[tuple[float, str]]:
        return [
            (self.since(at_s), arguments[0][STATUS])
            for at_s, name, arguments in self.told
            if name == "participant_attributes_changed" and STATUS in arguments[0]
        ]

    async def remove(self) -> None:
        who = api.RoomParticipantIdentity(room="consult", identity="human-1")
        await self.api.room.remove_participant(who)

    async def reason_it_left_with(self) -> int | None:
        await asyncio.sleep(1)
        (who,) = self.told.arguments("participant_disconnected")
        reason: int | None = who.disconnect_reason
        return reason


@pytest.mark.asyncio
async def test_the_timeline_of_a_dial_is_as_measured() -> None:
    # facts, "timeline of one dial"
    dialled = await Dialled.begin(Phone(rings_after_s=0.01, answers_after_s=2.0))
    info = await dialled.task
    invited_s = dialled.since(dialled.call.when(At.CALLED))
    assert 0.02 <= invited_s <= 0.03
    assert 0.02 <= dialled.since(dialled.told.at("participant_connected")) <= 0.04
    (ringing_s, ringing), (active_s, active) = dialled.statuses()
    assert ringing == "ringing"
    assert 0.03 <= ringing_s <= 0.05
    assert 0.065 <= dialled.since(dialled.told.at("track_published")) <= 0.11
    answered_s = dialled.since(dialled.call.when(At.TALKING))
    assert active == "active"
    assert 0.02 <= active_s - answered_s <= 0.03
    assert dialled.since(dialled.world.now_s) == pytest.approx(active_s, abs=0.002)
    assert (info.participant_identity, info.room_name) == ("human-1", "consult")


@pytest.mark.asyncio
async def test_the_leg_is_of_kind_sip_with_the_attributes_of_a_call() -> None:
    # facts 5.5
    dialled = await Dialled.begin(Phone(), participant_attributes={"wt.id": "t1"})
    await dialled.at(0.05)
    (who,) = dialled.told.arguments("participant_connected")
    assert who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP
    assert who.attributes[STATUS] in ("dialing", "ringing")
    assert who.attributes["sip.phoneNumber"] == "+15105550123"
    assert who.attributes["sip.trunkID"] == "ST_x"
    assert who.attributes["wt.id"] == "t1"
    await dialled.task
    assert {"sip.callIDFull", "sip.callTag"} <= set(who.attributes)


@pytest.mark.asyncio
async def test_the_track_is_there_before_the_answer_without_a_voice() -> None:
    # facts A.0, "when is the human's track published?"
    dialled = await Dialled.begin(Phone(answers_after_s=2.0))
    dialled.world.join("consult", "listener", ear="listener")
    await dialled.at(1.9)
    assert dialled.call.track is not None
    assert dialled.world.ears.hears("listener") == frozenset()
    await dialled.at(2.1)
    assert dialled.world.ears.hears("listener") == {"human"}


@pytest.mark.asyncio
async def test_the_leg_hears_nothing_before_the_answer_and_everything_soon_after() -> None:
    # integration 4: subscribes 13 to 24 ms after active; the first word comes after 120 to 150
    dialled = await Dialled.begin(Phone(answers_after_s=2.0))
    speaker = dialled.world.join("consult", "speaker")
    dialled.world.publish(speaker, "voice", tag="briefing")
    await dialled.task
    assert not dialled.world.heard("human")
    await asyncio.sleep(1)
    (heard,) = dialled.world.heard("human")
    answered_s = dialled.since(dialled.call.when(At.TALKING))
    assert 0.02 <= dialled.since(heard.from_s) - answered_s <= 0.12


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "code", "http", "reason"),
    [
        (486, "resource_exhausted", 429, Reason.USER_REJECTED),
        (600, "resource_exhausted", 429, Reason.USER_REJECTED),
        (603, "permission_denied", 403, Reason.USER_REJECTED),
        (403, "permission_denied", 403, Reason.USER_REJECTED),
        (407, "unauthenticated", 401, Reason.USER_REJECTED),
        (404, "not_found", 404, Reason.USER_UNAVAILABLE),
        (408, "deadline_exceeded", 408, Reason.USER_UNAVAILABLE),
        (480, "resource_exhausted", 429, Reason.USER_UNAVAILABLE),
        (487, "aborted", 409, Reason.USER_REJECTED),
        (488, "invalid_argument", 400, Reason.USER_REJECTED),
        (503, "failed_precondition", 412, Reason.CLIENT_INITIATED),
    ],
)
async def test_a_refusal_comes_as_the_real_one(
    status: int, code: str, http: int, reason: int
) -> None:
    # facts 5.2 and 5.3; the reason for 503 as measured in A.0
    dialled = await Dialled.begin(Phone(refuses_with=status, refuses_after_s=0.5))
    error = await dialled.error()
    assert isinstance(error, api.SipCallError)
    assert (error.sip_status_code, error.code, error.status) == (status, code, http)
    assert error.sip_status
    assert dialled.since(dialled.world.now_s) - 0.522 <= 0.11
    assert await dialled.reason_it_left_with() == reason
    # A refusal writes no status: the last one stands (facts 5.5).
    assert [each for _, each in dialled.statuses()] == ["ringing"]
    assert not dialled.world.left().phones


@pytest.mark.asyncio
async def test_nobody_answering_is_the_servers_ring_timeout() -> None:
    # facts 5.3: canceled, HTTP 408, "sip request timed out", no SIP metadata
    dialled = await Dialled.begin(Phone(answers_after_s=None), ring_s=20)
    error = await dialled.error()
    assert not isinstance(error, api.SipCallError)
    assert (error.code, error.status) == ("canceled", 408)
    assert "sip request timed out" in error.message
    assert dialled.since(dialled.world.now_s) == pytest.approx(20, abs=0.1)
    assert await dialled.reason_it_left_with() == Reason.USER_UNAVAILABLE
    assert dialled.call.at is At.CANCELLED


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("rings_after_s", "reason"), [(0.1, Reason.USER_UNAVAILABLE), (None, Reason.SIP_TRUNK_FAILURE)]
)
async def test_a_new_service_tells_a_phone_that_never_rang(
    rings_after_s: float | None, reason: int
) -> None:
    # facts 5.3, "INVITE unanswered"
    silent = Phone(rings_after_s=rings_after_s, answers_after_s=None, service="new")
    dialled = await Dialled.begin(silent, ring_s=20)
    await dialled.error()
    assert await dialled.reason_it_left_with() == reason


@pytest.mark.asyncio
async def test_removing_the_leg_while_ringing_sends_cancel_and_fails_like_a_ring_timeout() -> None:
    # facts 5.3, integration 7: CANCEL 4 to 7 ms after
    dialled = await Dialled.begin(Phone(answers_after_s=9.0))
    await dialled.at(1.0)
    await dialled.remove()
    removed_s = dialled.world.now_s
    error = await dialled.error()
    assert "sip request timed out" in error.message
    cancelled_s = dialled.call.when(At.CANCELLED)
    assert cancelled_s is not None
    assert 0.004 <= cancelled_s - removed_s <= 0.01
    assert await dialled.reason_it_left_with() == Reason.PARTICIPANT_REMOVED


@pytest.mark.asyncio
async def test_deleting_the_room_while_ringing_sends_cancel() -> None:
    # integration 7: CANCEL 5 to 10 ms after
    dialled = await Dialled.begin(Phone(answers_after_s=9.0))
    await dialled.at(1.0)
    await dialled.api.room.delete_room(api.DeleteRoomRequest(room="consult"))
    deleted_s = dialled.world.now_s
    await dialled.error()
    cancelled_s = dialled.call.when(At.CANCELLED)
    assert cancelled_s is not None
    assert 0.004 <= cancelled_s - deleted_s <= 0.01


@pytest.mark.asyncio
async def test_removing_an_active_leg_sends_bye() -> None:
    # integration 7: BYE 6 to 7
    dialled = await Dialled.begin(Phone(answers_after_s=1.0))
    await dialled.task
    await dialled.remove()
    removed_s = dialled.world.now_s
    await asyncio.sleep(1)
    over_s = dialled.call.when(At.OVER)
    assert over_s is not None
    assert 0.004 <= over_s - removed_s <= 0.01


@pytest.mark.asyncio
async def test_a_removal_in_the_first_milliseconds_finds_nobody_and_the_phone_rings_on() -> None:
    # integration 7: at 0 to 3 ms "not_found", phone rings on
    dialled = await Dialled.begin(Phone(answers_after_s=None))
    with pytest.raises(api.ServerError) as caught:
        await dialled.remove()
    assert caught.value.code == "not_found"
    await dialled.at(5.0)
    assert dialled.call.at is At.RINGING
    await dialled.error()


@pytest.mark.asyncio
async def test_a_removal_while_joining_means_no_invite_and_a_late_error() -> None:
    # integration 7: at 6 to 15 ms ok, INVITE never sent; the call fails mostly 5.0 s later
    dialled = await Dialled.begin(Phone())
    await dialled.at(0.007)
    await dialled.remove()
    error = await dialled.error()
    assert (error.code, error.status) == ("internal", 500)
    assert "could not connect after timeout" in error.message
    assert dialled.since(dialled.world.now_s) == pytest.approx(5.0, abs=0.05)
    assert dialled.call.log == []


@pytest.mark.asyncio
async def test_an_ok_to_deleting_the_room_is_no_proof() -> None:
    # integration 7: at 1 to 2 ms delete answers ok and the phone rings on in a re-created room
    dialled = await Dialled.begin(Phone(answers_after_s=None))
    await dialled.api.room.delete_room(api.DeleteRoomRequest(room="consult"))
    await dialled.at(1.0)
    assert dialled.call.at is At.RINGING
    assert dialled.world.member("consult", "human-1") is not None
    await dialled.error()


@pytest.mark.asyncio
@pytest.mark.parametrize(("after_s", "rings"), [(0.0, False), (0.003, True), (0.1, True)])
async def test_cancelling_the_request_does_not_stop_the_phone(
    after_s: float, *, rings: bool
) -> None:
    # integration 7, last column: at 0 never sent, later it rings on
    dialled = await Dialled.begin(Phone(answers_after_s=None))
    await dialled.at(after_s)
    dialled.task.cancel()
    await dialled.at(2.0)
    assert bool(dialled.world.left().phones) is rings


@pytest.mark.asyncio
async def test_an_answer_that_crosses_the_cancel_is_hung_up_at_once() -> None:
    # facts A.0, glare: ACK and BYE within 1 ms
    dialled = await Dialled.begin(Phone(answers_after_s=None, answers_on_cancel=True))
    await dialled.at(1.0)
    await dialled.remove()
    await dialled.error()
    await asyncio.sleep(1)
    talking_s, over_s = dialled.call.when(At.TALKING), dialled.call.when(At.OVER)
    assert talking_s is not None
    assert over_s is not None
    assert over_s - talking_s == pytest.approx(0.001)
    assert "active" not in [each for _, each in dialled.statuses()]


@pytest.mark.asyncio
async def test_a_hang_up_after_the_answer_is_client_initiated_with_status_hangup() -> None:
    # facts 5.3, "human hangs up (BYE) after answer"
    dialled = await Dialled.begin(Phone(answers_after_s=1.0, hangs_up_after_s=5.0))
    await dialled.task
    await asyncio.sleep(5)
    assert await dialled.reason_it_left_with() == Reason.CLIENT_INITIATED
    assert dialled.statuses()[-1][1] == "hangup"
    assert dialled.call.at is At.OVER


@pytest.mark.asyncio
async def test_lost_media_has_no_reason_and_leaves_the_status_active() -> None:
    # facts 5.3, "media timeout after answer"
    dialled = await Dialled.begin(Phone(answers_after_s=1.0, loses_media_after_s=15.0))
    await dialled.task
    await asyncio.sleep(15)
    assert await dialled.reason_it_left_with() is None
    assert dialled.statuses()[-1][1] == "active"


@pytest.mark.asyncio
async def test_the_call_limit_ends_the_call() -> None:
    # facts 5.3, "max call duration reached"; A.4: 4 s limit, gone at 4.1 s
    request = dial()
    request.max_call_duration.seconds = 4
    dialled = await Dialled.begin(
        Phone(answers_after_s=1.0), max_call_duration=request.max_call_duration
    )
    await dialled.task
    await asyncio.sleep(4)
    assert await dialled.reason_it_left_with() == Reason.CLIENT_INITIATED
    assert dialled.call.at is At.OVER


@pytest.mark.asyncio
async def test_key_tones_come_between_the_answer_and_active() -> None:
    # facts 5.5: automation while DTMF is being played
    dialled = await Dialled.begin(Phone(answers_after_s=1.0), dtmf="ww12#")
    await dialled.task
    assert [each for _, each in dialled.statuses()] == ["ringing", "automation", "active"]
    took_s = dialled.statuses()[-1][0] - dialled.since(dialled.call.when(At.TALKING))
    assert took_s == pytest.approx(1.775)


@pytest.mark.asyncio
async def test_a_client_that_gives_up_leaves_the_phone_ringing_and_an_orphan() -> None:
    # facts A.0: "client gives up the HTTP call while ringing"
    dialled = await Dialled.begin(Phone(answers_after_s=40.0, request_hangs=True), ring_s=60)
    with pytest.raises(TimeoutError):
        await dialled.task
    await dialled.at(70)
    assert dialled.world.left().phones == ("human talking",)


@pytest.mark.asyncio
async def test_the_connection_of_the_request_can_break_while_the_phone_rings() -> None:
    dialled = await Dialled.begin(Phone(answers_after_s=9.0, request_lost_after_s=1.0))
    with pytest.raises(ConnectionResetError):
        await dialled.task
    await dialled.at(5.0)
    assert dialled.world.left().phones == ("human ringing",)


@pytest.mark.asyncio
async def test_a_second_dial_with_the_same_identity_hangs_up_on_the_first() -> None:
    # facts A.0, "same identity dialled twice": 2 INVITEs, 1 BYE
    dialled = await Dialled.begin(Phone(answers_after_s=1.0))
    await dialled.task
    await dialled.api.sip.create_sip_participant(dial())
    await asyncio.sleep(1)
    first, second = dialled.sdk.switchboard.calls
    assert (first.at, second.at) == (At.OVER, At.TALKING)


@pytest.mark.parametrize("values", [{"answers_after_s": -1.0}, {"refuses_with": 200}])
def test_a_script_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        Phone(**values)


@pytest.mark.asyncio
async def test_a_restart_of_the_server_loses_the_request_and_not_the_call() -> None:
    # facts 0.5: an active call goes on, and says that it is dialing
    dialled = await Dialled.begin(Phone(answers_after_s=2.0))
    await asyncio.sleep(1)
    await dialled.loses_its_request()
    assert dialled.call.at is At.TALKING
    assert dialled.call.leg is not None
    assert dialled.call.leg.attributes[STATUS] == "dialing"


@pytest.mark.asyncio
async def test_a_request_that_meets_a_server_that_goes_down_calls_nobody() -> None:
    dialled = await Dialled.begin(Phone(answers_after_s=2.0))
    await asyncio.sleep(0.004)  # It is at the server, and not yet at the SIP service.
    await dialled.loses_its_request()
    assert dialled.call.at is At.NOT_CALLED
    assert dialled.call.leg is None


@pytest.mark.asyncio
async def test_a_key_is_told_to_the_room_once_the_phone_is_on_the_line() -> None:
    # facts A.0, DTMF
    dialled = await Dialled.begin(Phone(answers_after_s=2.0))
    dialled.world.join("consult", "caller", kind=3, ear="caller")
    await asyncio.sleep(1)
    dialled.call.press("1")
    await dialled.task
    await asyncio.sleep(1)
    dialled.call.press("2")
    await asyncio.sleep(1)
    assert dialled.world.digits_at("caller") == "2"
