from __future__ import annotations

import asyncio

import aiohttp
import pytest
from livekit import api

from tests.livekit.doctor.ward import SECRET, Ward
from tests.livekit.trunks import PASSWORD, a_bridge, an_inbound, an_outbound
from warm_transfer.livekit.bridge_objects import list_bridge
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.livekit.doctor.visit import Asked, Visit

BROKEN = api.ServerError("internal", "broken", status=500)


def visiting(ward: Ward) -> Visit:
    return Visit(Asked(), ward, DoctorLimits())


def a_dial(visit: Visit) -> api.CreateSIPParticipantRequest:
    request = api.CreateSIPParticipantRequest(
        room_name=visit.room, participant_identity="leg", sip_call_to="1", sip_trunk_id="ST_people"
    )
    request.ringing_timeout.FromSeconds(5)
    request.max_call_duration.FromSeconds(5)
    return request


@pytest.mark.asyncio
async def test_all_that_is_made_is_removed_and_the_client_closed() -> None:
    ward = Ward()
    visit = visiting(ward)
    await visit.make_room(visit.room, for_agents=True)
    await visit.make_room(visit.elsewhere)
    await (await visit.send(visit.room)).sound()
    await visit.dial(a_dial(visit), 9.0)
    assert ward.left
    assert await visit.clean_up() == ()
    assert not ward.left


@pytest.mark.asyncio
async def test_no_two_visits_share_a_name() -> None:
    one, other = visiting(Ward()), visiting(Ward())
    assert len({one.room, one.elsewhere, other.room, other.elsewhere}) == 4


@pytest.mark.asyncio
async def test_a_room_whose_making_was_cut_off_is_removed_too() -> None:
    ward = Ward()
    visit = visiting(ward)
    making = asyncio.create_task(visit.make_room(visit.room))
    await asyncio.sleep(0.001)
    making.cancel()
    # The server goes on with what it has begun.
    ward.rooms[visit.room] = {}
    assert await visit.clean_up() == ()
    assert not ward.left


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [BROKEN, TimeoutError(), aiohttp.ServerDisconnectedError()])
async def test_a_room_that_cannot_be_removed_is_told(error: Exception) -> None:
    ward = Ward()
    visit = visiting(ward)
    await visit.make_room(visit.room)
    ward.fails["room.delete_room"] = error
    assert await visit.clean_up() == (visit.room,)
    assert ward.closed == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("request_name", ["leave", "room.remove_participant", "room.delete_room"])
async def test_what_hangs_is_given_up_and_the_rest_has_its_turn(request_name: str) -> None:
    ward = Ward()
    visit = visiting(ward)
    await visit.make_room(visit.room)
    await visit.make_room(visit.elsewhere)
    await visit.send(visit.room)
    await visit.dial(a_dial(visit), 9.0)
    ward.hangs.add(request_name)
    left = await visit.clean_up()
    hung = request_name == "room.delete_room"
    assert left == ((visit.room, visit.elsewhere) if hung else ())
    assert ward.closed == 1
    assert bool(ward.rooms) == hung


@pytest.mark.asyncio
async def test_a_participant_that_cannot_leave_goes_with_its_room() -> None:
    ward = Ward()
    visit = visiting(ward)
    await visit.make_room(visit.room)
    await visit.send(visit.room)
    ward.fails["leave"] = RuntimeError("native library")
    assert await visit.clean_up() == ()
    assert ward.rooms == {}


@pytest.mark.asyncio
@pytest.mark.parametrize(("refused", "times"), [(False, 3), (True, 1)])
async def test_after_a_dial_that_was_cut_off_the_room_is_deleted_again(
    refused: bool, times: int
) -> None:
    ward = Ward()
    visit = visiting(ward)
    await visit.make_room(visit.room)
    ward.fails["sip.create_sip_participant"] = TimeoutError()
    request = a_dial(visit)
    with pytest.raises(TimeoutError):
        await visit.dial(request, 9.0)
    if refused:
        visit.nobody_rings(request)
    await visit.clean_up()
    assert ward.requests.count("room.delete_room") == times


@pytest.mark.asyncio
async def test_a_participant_that_cannot_join_is_not_waited_for() -> None:
    ward = Ward()
    visit = visiting(ward)
    ward.hangs.add("join")
    with pytest.raises(TimeoutError):
        await visit.send(visit.room)
    assert asyncio.get_running_loop().time() == pytest.approx(DoctorLimits().join_s)
    await visit.clean_up()


@pytest.mark.asyncio
async def test_the_api_secret_and_every_password_of_a_trunk_are_hidden() -> None:
    sip = a_bridge()
    sip.outbound.append(an_outbound(auth_password="carriers-own"))  # noqa: S106 - of a test
    sip.inbound.append(an_inbound(auth_password="callers-own"))  # noqa: S106 - of a test
    visit = visiting(Ward(sip=sip))
    assert visit.hidden == (SECRET,)
    visit.listed = await list_bridge(visit.api)
    assert set(visit.hidden) == {SECRET, PASSWORD, "carriers-own", "callers-own"}
    await visit.clean_up()
