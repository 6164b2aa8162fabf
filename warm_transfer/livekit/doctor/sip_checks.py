"""Checks of what dials: Redis, the SIP service, the trunk, the bridge; and the calls asked for."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Awaitable, Iterator, Sequence

from livekit import api as lkapi
from livekit.api import ServerError, ServerErrorCode

from warm_transfer.livekit.auto import is_cloud
from warm_transfer.livekit.bridge_objects import Listed, faults_of, list_bridge, objects_of
from warm_transfer.livekit.doctor.explain import words_of
from warm_transfer.livekit.doctor.findings import Found, failed, ok, skipped, warning
from warm_transfer.livekit.doctor.visit import Visit
from warm_transfer.livekit.doctor.visitor import Visitor
from warm_transfer.livekit.faults import facts_of, has_no_sip, refusal
from warm_transfer.logs import mask
from warm_transfer.outcome import Reason, reason_of_refusal

__all__ = ["bridge", "bridge_call", "call", "redis", "sip_service", "trunk"]

NOWHERE = "warm-transfer.invalid"
"""A name that never resolves (RFC 6761)."""
NO_CODECS = "no codecs specified"
"""How livekit-sip refuses a call without a codec (``pkg/sip/media_codecs.go``, ``codecSet``)."""

_TOKEN_BYTES = 16
_CALL_LIMIT_S = 10.0
"""How long a test call may last if nobody hangs it up: the server's own default is 24 h."""
_SETUP = "`warm-transfer bridge setup --sip-address HOST:PORT`"


async def redis(visit: Visit) -> Found:
    """The SIP API is connected: it keeps its trunks in Redis and finds the SIP service there."""
    try:
        visit.listed = listed = await list_bridge(visit.api)
    except ServerError as error:
        if not has_no_sip(error):
            raise
        remedy = "give livekit-server a `redis:` section, and livekit-sip the same"
        return failed('it says "sip not connected": there is no Redis behind the server', remedy)
    outbound = len(listed.outbound) + len(listed.other_outbound)
    inbound = len(listed.inbound) + len(listed.other_inbound)
    return ok(f"the SIP API answers: {outbound} outbound and {inbound} inbound trunks")


async def sip_service(visit: Visit) -> Found:
    """The SIP service answers. It is sent a call that it must refuse before it dials anybody.

    The call has no codec, which livekit-sip refuses first of all; and it goes to a name that
    never resolves, for a version that would take it.
    """
    request = lkapi.CreateSIPParticipantRequest(
        room_name=visit.room,
        participant_identity=f"{visit.identity}-sip",
        sip_call_to="nobody",
        sip_number="nobody",
        trunk=lkapi.SIPOutboundConfig(hostname=NOWHERE),
        media=lkapi.SIPMediaConfig(only_listed_codecs=True),
    )
    _bound(request, 1.0)
    try:
        await visit.dial(request, visit.limits.sip_service_s)
    except ServerError as error:
        visit.nobody_rings(request)
        return _service(error)
    return ok("the SIP service took a call to nowhere; nobody was dialled")


def _service(error: ServerError) -> Found:
    if NO_CODECS in error.message:
        return ok("the SIP service answers; nobody was dialled")
    broken = _service_broken(error)
    if broken is not None:
        return broken
    found = f"something refuses the test call: {words_of(error)}"
    return warning(found, "ring a phone with --call to be sure")


def _service_broken(error: ServerError) -> Found | None:
    """What an error says of the SIP service itself, whomever it was to dial."""
    if isinstance(error, lkapi.SipCallError) and error.sip_status_code is not None:
        # The words of whoever was called; the code beside them is only a translation.
        return None
    if "cpu exhausted" in error.message:
        remedy = "raise max_cpu_utilization of livekit-sip, or give it more CPU"
        return failed("the SIP service is over its CPU limit and takes no calls", remedy)
    if error.code == ServerErrorCode.UNAVAILABLE:
        remedy = "start livekit-sip with the same Redis and API key as livekit-server"
        return failed(f"no SIP service answers: {words_of(error)}", remedy)
    if "update room failed" in error.message:
        remedy = "check ws_url, api_key and api_secret of livekit-sip"
        return failed(f"the SIP service cannot join a room: {words_of(error)}", remedy)
    if error.code in (ServerErrorCode.UNAUTHENTICATED, ServerErrorCode.PERMISSION_DENIED):
        return failed("the key has not the grant sip.call", "give LIVEKIT_API_KEY another key")
    return None


async def trunk(visit: Visit) -> Found:
    """The trunk to people's phones is there and can be dialled through."""
    assert visit.listed is not None
    listed, wanted = visit.listed, visit.asked.trunk_id
    theirs = {each.sip_trunk_id: each for each in listed.other_outbound}
    known = ", ".join(theirs) or "none"
    if not wanted:
        remedy = f"give --trunk or set LIVEKIT_SIP_OUTBOUND_TRUNK; the server has: {known}"
        return warning("no outbound trunk was named", remedy)
    remedy = f"correct --trunk or LIVEKIT_SIP_OUTBOUND_TRUNK; the server has: {known}"
    if wanted in {each.sip_trunk_id for each in listed.outbound}:
        return failed(f"{wanted} is the trunk of the bridge: it leads to nobody's phone", remedy)
    if wanted in {each.sip_trunk_id for each in (*listed.inbound, *listed.other_inbound)}:
        return failed(f"{wanted} is an inbound trunk", remedy)
    if wanted not in theirs:
        return failed(f"{wanted} is not known to the server", remedy)
    numbers = _shown(visit)
    hurting = list(_trunk_hurts(theirs[wanted], numbers, visit.outside.url))
    found = f"{wanted} leads to {theirs[wanted].address}"
    if hurting:
        return warning(f"{found}; {'; '.join(hurting)}", "correct the trunk")
    return ok(f"{found}, shows {', '.join(map(mask, numbers))}")


def _shown(visit: Visit) -> Sequence[str]:
    """The numbers of which the phone sees one, unless a transfer gives another."""
    if visit.asked.caller_id:
        return [visit.asked.caller_id]
    listed = visit.listed or Listed()
    found = (each for each in listed.other_outbound if each.sip_trunk_id == visit.asked.trunk_id)
    return [number for each in found for number in each.numbers]


def _trunk_hurts(
    found: lkapi.SIPOutboundTrunkInfo, numbers: Sequence[str], url: str
) -> Iterator[str]:
    if not numbers:
        yield "it has no number to show, so each transfer must give one"
    try:
        inside = ipaddress.ip_address(found.address.partition(":")[0]).is_private
    except ValueError:
        inside = False
    if inside and is_cloud(url):
        yield "the cloud cannot reach a private address"


async def bridge(visit: Visit) -> Found:
    """The bridge is set up, and nothing is in its way."""
    assert visit.listed is not None
    listed, named, found = visit.listed, visit.asked.bridge_named, objects_of(visit.listed)
    if is_cloud(visit.outside.url):
        return skipped("the cloud moves participants")
    if named is not None and (found is None or named.trunk_id != found.trunk_id):
        return _named(named.trunk_id, listed)
    if listed.nothing:
        why = "it is not set up: merged calls end with the agent, which carries their sound"
        return warning(why, f"run {_SETUP}")
    if found is None:
        return failed("; ".join(faults_of(listed)), f"correct that, or run {_SETUP}")
    address = listed.outbound[0].address
    return ok(f"{found.trunk_id} leads to {address}, calls come out in {found.room_of('<token>')}")


def _named(trunk_id: str, listed: Listed) -> Found:
    """A bridge that is only named: `auto` takes it, whatever it is."""
    remedy = "correct WT_BRIDGE_TRUNK, or leave it out"
    if trunk_id not in {each.sip_trunk_id for each in (*listed.outbound, *listed.other_outbound)}:
        return failed(f"WT_BRIDGE_TRUNK names {trunk_id}, which the server does not know", remedy)
    problem = f"WT_BRIDGE_TRUNK names {trunk_id}, which is not set up as a bridge here"
    return warning(problem, f"see with --bridge whether it is one, or {remedy}")


async def bridge_call(visit: Visit) -> Found:
    """The SIP service calls itself, and is heard on both sides. No phone is involved."""
    found = visit.bridge
    if found is None:
        return failed("there is no bridge to call over", f"run {_SETUP}")
    token = secrets.token_hex(_TOKEN_BYTES)
    request = lkapi.CreateSIPParticipantRequest(
        sip_trunk_id=found.trunk_id,
        sip_call_to=token,
        sip_number=found.number,
        room_name=f"{visit.identity}-c",
        participant_identity=f"wt-bridge-{visit.identity}",
        participant_attributes={"wt.role": "bridge"},
        wait_until_answered=True,
    )
    _bound(request, visit.limits.answer_s)
    near = await _sounding(visit, request.room_name)
    # The call is answered only where somebody publishes audio.
    far = await _sounding(visit, found.room_of(token))
    began_s = _now_s()
    try:
        await visit.dial(request, visit.limits.answer_s + visit.limits.call_margin_s)
    except ServerError as error:
        visit.nobody_rings(request)
        return _bridge_refused(error)
    answered_s = _now_s() - began_s
    heard = await asyncio.gather(
        _heard(visit, near.hear(request.participant_identity)), _heard(visit, far.hear(None))
    )
    both_s = _now_s() - began_s
    sides = ("where it was called from", "where it came out")
    deaf = [side for side, is_heard in zip(sides, heard, strict=True) if not is_heard]
    if deaf:
        remedy = "check the addresses and ports for media (RTP) of livekit-sip"
        return failed(f"answered, but not heard {' nor '.join(deaf)}", remedy)
    return ok(f"answered after {answered_s:.2f} s, heard on both sides after {both_s:.2f} s")


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _sounding(visit: Visit, name: str) -> Visitor:
    """A test participant that makes a tone in a room of its own."""
    await visit.make_room(name)
    visitor = await visit.send(name)
    await visitor.sound()
    return visitor


async def _heard(visit: Visit, hearing: Awaitable[None]) -> bool:
    try:
        async with asyncio.timeout(visit.limits.hear_s):
            await hearing
    except (TimeoutError, ConnectionError):
        return False
    return True


def _bridge_refused(error: ServerError) -> Found:
    broken = _service_broken(error)
    if broken is not None:
        return broken
    remedy = (
        "is the address that of the SIP service, and may it call from there? "
        f"run {_SETUP}, with `--allow` if it calls from another address"
    )
    return failed(f"the call is not taken: {_why(error)}", remedy)


async def call(visit: Visit) -> Found:
    """A phone rings, because it was asked for; it is hung up when it answers."""
    limits = visit.limits
    number = visit.asked.call
    assert number is not None
    if not _shown(visit):
        return skipped("the trunk has no number to show", "set LIVEKIT_SIP_NUMBER")
    request = lkapi.CreateSIPParticipantRequest(
        sip_trunk_id=visit.asked.trunk_id or "",
        sip_call_to=number,
        sip_number=visit.asked.caller_id,
        room_name=visit.room,
        participant_identity=f"{visit.identity}-call",
        hide_phone_number=True,
        wait_until_answered=True,
    )
    _bound(request, limits.ring_s)
    began_s = _now_s()
    try:
        await visit.dial(request, limits.ring_s + limits.call_margin_s)
    except ServerError as error:
        if refusal(error) is not None:
            visit.nobody_rings(request)
        return _call_refused(error, mask(number))
    finally:
        await visit.hang_up()
    return ok(f"{mask(number)} answered after {_now_s() - began_s:.1f} s and was hung up")


def _call_refused(error: ServerError, number: str) -> Found:
    reason = reason_of_refusal(facts_of(error))
    if reason in (Reason.BUSY, Reason.DECLINED):
        return ok(f"{number} was reached: {_why(error)}")
    if reason is Reason.NO_ANSWER:
        remedy = "did it ring? if not, check the trunk at your carrier"
        return warning(f"{number} did not answer: {_why(error)}", remedy)
    remedy = "check number, trunk, user and password with your carrier"
    return _service_broken(error) or failed(f"{number} was not reached: {_why(error)}", remedy)


def _why(error: ServerError) -> str:
    """The SIP status, which says more than the server's code, or the server's words."""
    if isinstance(error, lkapi.SipCallError) and error.sip_status_code is not None:
        return f"SIP {error.sip_status_code} {error.sip_status or ''}".strip()
    return words_of(error)


def _bound(request: lkapi.CreateSIPParticipantRequest, ring_s: float) -> None:
    request.ringing_timeout.FromMilliseconds(int(ring_s * 1000))
    request.max_call_duration.FromMilliseconds(int(_CALL_LIMIT_S * 1000))
