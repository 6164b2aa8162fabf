from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit import api

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.dialhook import DialHook, Last
from warm_transfer.policy import TransferPolicy

Request = api.CreateSIPParticipantRequest


def request() -> Request:
    made = Request(
        sip_trunk_id="ST_x",
        sip_call_to="+15105550123",
        room_name="wt-room",
        participant_identity="human",
        participant_attributes={"wt.id": "t", "team": "billing"},
        dtmf="1w2",
        wait_until_answered=True,
    )
    made.ringing_timeout.FromSeconds(30)
    made.max_call_duration.FromSeconds(3600)
    return made


async def looked_at(
    hook: DialHook, *, hung_up: asyncio.Event | None = None, **policy: Any
) -> Request:
    last = Last(hook, TransferPolicy(**policy))
    return await last.look(request(), hung_up or asyncio.Event())


@pytest.mark.asyncio
async def test_a_hook_changes_the_request_in_place() -> None:
    def hook(given: Request) -> None:
        given.krisp_enabled = True
        given.display_name = "Example Ltd"
        given.headers["X-Tenant"] = "7"
        given.participant_attributes["queue"] = "gold"
        given.participant_attributes["team"] = "sales"
        given.ringing_timeout.FromSeconds(12)

    sent = await looked_at(hook)
    expected = request()
    expected.krisp_enabled = True
    expected.display_name = "Example Ltd"
    expected.headers["X-Tenant"] = "7"
    expected.participant_attributes["queue"] = "gold"
    expected.participant_attributes["team"] = "sales"
    expected.ringing_timeout.FromSeconds(12)
    assert sent == expected


@pytest.mark.asyncio
async def test_a_hook_returns_another_request_or_awaits() -> None:
    async def hook(given: Request) -> Request:
        await asyncio.sleep(0.5)
        other = Request()
        other.CopyFrom(given)
        other.sip_number = "+15105550100"
        return other

    assert (await looked_at(hook)).sip_number == "+15105550100"


@pytest.mark.asyncio
async def test_a_hook_that_takes_too_long_is_given_up() -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def hook(_: Request) -> None:
        await asyncio.sleep(100.0)

    with pytest.raises(TimeoutError):
        await looked_at(hook, hook_timeout_s=2.0)
    assert loop.time() - began_s == pytest.approx(2.0)


@pytest.mark.asyncio
async def test_a_hook_whose_dial_is_given_up_is_cancelled_at_once() -> None:
    hung_up, cancelled = asyncio.Event(), asyncio.Event()

    async def hook(_: Request) -> None:
        hung_up.set()
        try:
            await asyncio.sleep(100.0)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(ConnectionAbortedError):
        await looked_at(hook, hung_up=hung_up)
    assert cancelled.is_set()


@pytest.mark.asyncio
async def test_what_a_hook_raises_comes_through() -> None:
    def hook(_: Request) -> None:
        raise LookupError("no such tenant")

    with pytest.raises(LookupError):
        await looked_at(hook)


@pytest.mark.asyncio
@pytest.mark.parametrize("given", [{}, "sent", True, api.CreateRoomRequest()], ids=repr)
async def test_a_hook_that_returns_something_else_is_told_so(given: Any) -> None:
    with pytest.raises(InvalidArgument, match="returned"):
        await looked_at(lambda _: given)


def setting(name: str, value: Any) -> DialHook:
    def hook(given: Request) -> None:
        setattr(given, name, value)

    return hook


def lasting(name: str, seconds: int) -> DialHook:
    def hook(given: Request) -> None:
        getattr(given, name).FromSeconds(seconds)

    return hook


def putting(name: str, key: str, value: str) -> DialHook:
    def hook(given: Request) -> None:
        getattr(given, name)[key] = value

    return hook


def clearing(name: str) -> DialHook:
    def hook(given: Request) -> None:
        given.ClearField(name)

    return hook


BREAKS: dict[str, DialHook] = {
    "room_name": setting("room_name", "the caller's"),
    "participant_identity": setting("participant_identity", "caller"),
    "wait_until_answered": setting("wait_until_answered", value=False),
    "dtmf": setting("dtmf", "wwwwwwwwwwwwwwww1"),
    "ringing_timeout longer": lasting("ringing_timeout", 31),
    "ringing_timeout unset": clearing("ringing_timeout"),
    "ringing_timeout negative": lasting("ringing_timeout", -1),
    "max_call_duration longer": lasting("max_call_duration", 3601),
    "max_call_duration unset": clearing("max_call_duration"),
    "participant_attributes ours": putting("participant_attributes", "wt.id", "another"),
    "participant_attributes cleared": clearing("participant_attributes"),
    "participant_attributes sip": putting("participant_attributes", "sip.callStatus", "active"),
    "sip_call_to": setting("sip_call_to", "call me"),
    "sip_call_to empty": setting("sip_call_to", ""),
    "sip_number": setting("sip_number", "anonymous"),
    "sip_headers": putting("headers", "Via", "SIP/2.0/UDP evil"),
    "sip_headers value": putting("headers", "X-A", "b\r\nVia: c"),
    "text in a map": putting("participant_attributes", "team", "a\0"),
    "text": setting("display_name", "a\r\nTo: b"),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("what", BREAKS)
async def test_what_the_transfer_relies_on_cannot_be_changed(what: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await looked_at(BREAKS[what])
    assert caught.value.argument == "on_dial_request"
    assert what.split(maxsplit=1)[0] in str(caught.value)
    assert caught.value.remedy


@pytest.mark.asyncio
async def test_a_text_deep_in_the_request_is_looked_at_too() -> None:
    def hook(given: Request) -> None:
        given.trunk.hostname = "sip.example.com\r\n"

    with pytest.raises(InvalidArgument, match="cannot be sent"):
        await looked_at(hook)
