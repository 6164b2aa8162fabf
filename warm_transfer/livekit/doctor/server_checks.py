"""Checks of the server itself: address, clock, key, rooms, agents, moving."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from livekit import api as lkapi
from livekit import rtc

from warm_transfer.livekit.auto import is_cloud
from warm_transfer.livekit.doctor.explain import words_of
from warm_transfer.livekit.doctor.findings import Found, failed, ok, skipped, warning
from warm_transfer.livekit.doctor.visit import Visit
from warm_transfer.livekit.faults import has_no_sip

__all__ = [
    "address",
    "agents",
    "clock",
    "credentials",
    "grants",
    "join",
    "move",
    "room",
    "settings",
    "speed",
]

_NOT_READY = 406
_BROKEN = 500
_NOT_FOUND = 404
_NOT_ALLOWED = (lkapi.ServerErrorCode.UNAUTHENTICATED, lkapi.ServerErrorCode.PERMISSION_DENIED)
"""livekit-server says the first where a grant is missing (``pkg/service/auth.go``)."""

DEPARTURE_MIN_S = 10
"""Legs are back 5 to 6 s after a restart of the server; the room must wait for them."""
EMPTY_MIN_S = 30
"""A room in which only an agent waits counts as empty, and a phone rings for 30 s."""
PARTICIPANTS_MIN = 4
"""Caller, agent, and two more: the human and the agent's second connection, or a bridge."""

_LOOKS = 3
_LOOK_AGAIN_S = 0.25


async def address(visit: Visit) -> Found:
    """Something answers at the address."""
    visit.glance = glance = await visit.outside.look()
    if glance.status == _NOT_READY:
        return failed("the server says that it is not ready", "see its log; is it just starting?")
    if glance.status >= _BROKEN:
        remedy = "is the server behind the proxy running?"
        return failed(f"HTTP {glance.status} instead of a server", remedy)
    if _in_the_open(visit.outside.url):
        remedy = "give an address that begins with wss://"
        return warning("it answers, but nothing on the way to it is encrypted", remedy)
    return ok(f"it answers, HTTP {glance.status}")


def _in_the_open(url: str) -> bool:
    """Whether an unencrypted address leads out of the house, as far as its name tells."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("ws", "http"):
        return False
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".internal", ".lan", ".localhost"))


async def clock(visit: Visit) -> Found:
    """The server's clock and ours agree: tokens are valid from a time to a time."""
    ahead_s = None if visit.glance is None else visit.glance.ahead_s
    if ahead_s is None:
        return skipped("the server does not tell the time")
    way = "ahead of" if ahead_s > 0 else "behind"
    found = f"its clock is {abs(ahead_s):g} s {way} ours"
    if abs(ahead_s) > visit.limits.skew_failed_s:
        return failed(found, "set the clocks by NTP: tokens are refused as they are")
    if abs(ahead_s) > visit.limits.skew_warning_s:
        return warning(found, f"set the clocks by NTP: {visit.limits.skew_failed_s:g} s refuse")
    return ok(f"its clock and ours are within {max(1, abs(ahead_s)):g} s")


async def credentials(visit: Visit) -> Found:
    """The server takes the key and the secret."""
    await visit.api.room.list_rooms(lkapi.ListRoomsRequest(names=[visit.room]))
    return ok("key and secret are accepted")


async def room(visit: Visit) -> Found:
    """A room can be made."""
    visit.made = await visit.make_room(visit.room, for_agents=True)
    return ok("a test room was made")


async def grants(visit: Visit) -> Found:
    """The key may do what a transfer does; who may join is seen at the joining."""
    people = lkapi.ListParticipantsRequest(room=visit.room)
    trunks = lkapi.ListSIPOutboundTrunkRequest()
    asked: dict[str, Callable[[], Awaitable[Any]]] = {
        "roomAdmin": lambda: visit.api.room.list_participants(people),
        "sip.admin": lambda: visit.api.sip.list_outbound_trunk(trunks),
    }
    refused: list[str] = []
    for name, ask in asked.items():
        try:
            await ask()
        except lkapi.ServerError as error:
            if error.code in _NOT_ALLOWED:
                refused.append(name)
            elif not has_no_sip(error):
                raise
    if refused:
        remedy = "give LIVEKIT_API_KEY a key of this server that may do everything"
        return failed(f"the key has not the grants {', '.join(refused)}", remedy)
    return ok(f"roomCreate, roomList, {', '.join(asked)}")


async def settings(visit: Visit) -> Found:
    """The server's own settings for rooms, as the test room got them, do no harm."""
    hurting = dict(_hurting(visit.made))
    token = visit.outside.token(f"{visit.room}-never-made", visit.identity)
    if await visit.outside.may_join(token) == _NOT_FOUND:
        hurt = "room.auto_create is off: a call that comes in finds no room unless one was made"
        hurting[hurt] = "room.auto_create: true, or make the caller's room before the call"
    if hurting:
        return warning("; ".join(hurting), "; ".join(hurting.values()))
    made = visit.made
    return ok(f"empty_timeout {made.empty_timeout} s, departure_timeout {made.departure_timeout} s")


def _hurting(made: lkapi.Room) -> Iterator[tuple[str, str]]:
    """Settings that hurt, with what to set instead. A server that tells none has 0 everywhere."""
    departure_s, empty_s, most = made.departure_timeout, made.empty_timeout, made.max_participants
    if 0 < departure_s < DEPARTURE_MIN_S:
        hurt = "a room closes before its legs are back from a restart of the server"
        setting = f"room.departure_timeout: {DEPARTURE_MIN_S} or more"
        yield f"room.departure_timeout is {departure_s} s: {hurt}", setting
    if 0 < empty_s < EMPTY_MIN_S:
        hurt = "a room in which an agent waits for a caller closes while the phone rings"
        setting = f"room.empty_timeout: {EMPTY_MIN_S} or more"
        yield f"room.empty_timeout is {empty_s} s: {hurt}", setting
    if 0 < most < PARTICIPANTS_MIN:
        hurt = "a merge has no place beside caller and agent"
        setting = f"room.max_participants: 0, or {PARTICIPANTS_MIN} and more"
        yield f"room.max_participants is {most}: {hurt}", setting


async def speed(visit: Visit) -> Found:
    """The API is fast enough for a transfer."""
    loop = asyncio.get_running_loop()
    slowest_s = 0.0
    for _ in range(_LOOKS):
        began_s = loop.time()
        await visit.api.room.list_rooms(lkapi.ListRoomsRequest(names=[visit.room]))
        slowest_s = max(slowest_s, loop.time() - began_s)
    found = f"the slowest of {_LOOKS} requests took {slowest_s * 1000:.0f} ms"
    if slowest_s > visit.limits.slow_request_s:
        return warning(
            found, "run the agent nearer to the server, or raise TransferPolicy's limits"
        )
    return ok(found)


async def join(visit: Visit) -> Found:
    """A participant can join the test room, audio path included."""
    visit.visitor = await visit.send(visit.room)
    return ok("a test participant joined")


async def agents(visit: Visit) -> Found:
    """No agent comes into a room by itself: it would come into the consult room as well."""
    end_s = asyncio.get_running_loop().time() + visit.limits.watch_s
    while asyncio.get_running_loop().time() < end_s:
        if await _agents_in(visit):
            remedy = "give every worker an `agent_name`, and dispatch it by that name"
            found = "an agent without a name takes every new room, and so every consult room"
            return warning(found, remedy)
        await asyncio.sleep(_LOOK_AGAIN_S)
    return ok(f"no agent came uncalled within {visit.limits.watch_s:g} s")


async def _agents_in(visit: Visit) -> bool:
    """Whether an agent has taken the test room, or is in it already."""
    for dispatch in await visit.api.agent_dispatch.list_dispatch(visit.room):
        if dispatch.state.jobs:
            return True
    request = lkapi.ListParticipantsRequest(room=visit.room)
    listed = await visit.api.room.list_participants(request)
    kind = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
    return any(each.kind == kind for each in listed.participants)


async def move(visit: Visit) -> Found:
    """Whether participants can be moved; only a real one in a real room tells."""
    await visit.make_room(visit.elsewhere)
    request = lkapi.MoveParticipantRequest(
        room=visit.room, identity=visit.identity, destination_room=visit.elsewhere
    )
    cloud = is_cloud(visit.outside.url)
    try:
        await visit.api.room.move_participant(request)
    except lkapi.ServerError as error:
        if "not implemented" in error.message and not cloud:
            return ok("there is none, as always at the open-source server")
        remedy = 'give `merge="relay"`: with "auto" the move is tried first here'
        if not cloud:
            return ok(f"it does not work: {words_of(error)}")
        return failed(f"it does not work: {words_of(error)}", remedy)
    await _arrival(visit)
    hint = "" if cloud else 'give `merge=["move", "relay"]`: "auto" looks at the address only'
    return ok("the test participant was moved", hint)


async def _arrival(visit: Visit) -> None:
    """Return when the test participant is in the other room: only that proves a move."""
    request = lkapi.ListParticipantsRequest(room=visit.elsewhere)
    while True:
        listed = await visit.api.room.list_participants(request)
        if any(each.identity == visit.identity for each in listed.participants):
            return
        await asyncio.sleep(_LOOK_AGAIN_S)
