from __future__ import annotations

from typing import Any, cast

import pytest
from livekit import api

from tests.live.people import Person, Stage
from tests.live.recorder import CREATE_SIP_PARTICIPANT, MOVE_PARTICIPANT
from tests.live.scenarios import SCENARIOS
from tests.live.server import Server
from tests.live.trunk import SipPhone, Trunk

SERVER = Server("ws://127.0.0.1:9", "key", "secret")


class Phone:
    """Ends every call as it is told to."""

    def __init__(self, **ended: Any) -> None:
        self.ended = ended
        self.dialled: list[dict[str, Any]] = []
        self.moved: list[str] = []

    async def dial(self, request: dict[str, Any]) -> dict[str, Any]:
        self.dialled.append(request)
        return self.ended

    async def move(self, room: str) -> None:
        self.moved.append(room)


def a_request(ring_s: int | None = 7) -> bytes:
    request = api.CreateSIPParticipantRequest(
        room_name="consult",
        participant_identity="human",
        sip_call_to="+1",
        participant_attributes={"a": "b"},
    )
    if ring_s is not None:
        request.ringing_timeout.seconds = ring_s
    return request.SerializeToString()


async def called(phone: Phone, body: bytes) -> Any:
    return await Trunk(cast("SipPhone", phone)).answers[CREATE_SIP_PARTICIPANT](body)


@pytest.mark.asyncio
async def test_an_answered_call_returns_who_answered_and_where() -> None:
    phone = Phone(answered=True)
    info = await called(phone, a_request())
    assert (info.room_name, info.participant_identity) == ("consult", "human")
    assert phone.dialled == [
        {
            "room": "consult",
            "identity": "human",
            "destination": "+1",
            "ring_timeout_s": 7.0,
            "attributes": {"a": "b"},
        }
    ]


@pytest.mark.asyncio
async def test_a_request_without_a_ringing_time_rings_as_long_as_the_service_does() -> None:
    phone = Phone(answered=True)
    await called(phone, a_request(None))
    assert phone.dialled[0]["ring_timeout_s"] == 180.0


@pytest.mark.asyncio
async def test_a_refusal_carries_its_sip_status() -> None:
    with pytest.raises(api.SipCallError) as raised:
        await called(Phone(sip_status=486, sip_phrase="Busy Here"), a_request())
    assert (raised.value.sip_status_code, raised.value.status) == (486, 429)


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [480, 487])
async def test_not_answered_and_taken_out_are_the_same_time_out(status: int) -> None:
    with pytest.raises(api.ServerError, match="sip request timed out") as raised:
        await called(Phone(sip_status=status, sip_phrase=""), a_request())
    assert not isinstance(raised.value, api.SipCallError)
    assert raised.value.status == 408


@pytest.mark.asyncio
async def test_only_a_moving_trunk_moves() -> None:
    phone = Phone()
    assert MOVE_PARTICIPANT not in Trunk(cast("SipPhone", phone)).answers
    move = Trunk(cast("SipPhone", phone), moves=True).answers[MOVE_PARTICIPANT]
    await move(api.MoveParticipantRequest(destination_room="call").SerializeToString())
    assert phone.moved == ["call"]


@pytest.mark.asyncio
async def test_who_rings_in_vain_is_removed_and_who_refuses_leaves_by_itself() -> None:
    removed: list[tuple[str, str]] = []

    async def remove(room: str, identity: str) -> None:
        removed.append((room, identity))

    for status in (486, 480):
        stage = Stage()
        phone = SipPhone(SERVER, stage, SCENARIOS["busy"], remove)
        phone.room, phone._identity = "consult", "human"
        human = _Gone()
        await phone._leave(cast("Person", human), {"sip_status": status})
        assert human.left
    assert removed == [("consult", "human")]


class _Gone:
    """Somebody whose line is still up."""

    def __init__(self) -> None:
        self.left = False

    class gone:  # noqa: N801 - stands for the event
        @staticmethod
        def is_set() -> bool:
            return False

    async def aclose(self) -> None:
        self.left = True
