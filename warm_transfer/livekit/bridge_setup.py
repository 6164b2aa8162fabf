"""``warm-transfer bridge setup``: creates the bridge's objects once, or puts them right.

Whatever is there by our names is kept when it is right, changed in place when it is not, so that
its id stays, and removed when it is there twice. Running it again changes nothing.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from livekit import api as lkapi

from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.bridge_objects import (
    BRIDGE_NUMBER,
    INBOUND_NAME,
    OUTBOUND_NAME,
    ROOM_PREFIX,
    RULE_NAME,
    BridgeObjects,
    Listed,
    faults_of,
    list_bridge,
    objects_of,
)
from warm_transfer.livekit.faults import is_gone
from warm_transfer.livekit.sdk import Api

__all__ = ["TRANSPORTS", "Action", "SetUp", "Step", "Wish", "remove", "set_up"]

TRANSPORTS = {
    "auto": lkapi.SIP_TRANSPORT_AUTO,
    "udp": lkapi.SIP_TRANSPORT_UDP,
    "tcp": lkapi.SIP_TRANSPORT_TCP,
    "tls": lkapi.SIP_TRANSPORT_TLS,
}

_USER = "warm-transfer"
_PASSWORD_BYTES = 24
_NEW = "(new)"
"""Stands for an id that a dry run does not get."""

_ADDRESS = re.compile(
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.\-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
_PORT_MAX = 65_535


class Action(StrEnum):
    """What is done with one object."""

    KEPT = "kept"
    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Step:
    """What was done with one object, or would be in a dry run."""

    name: str
    action: Action
    id: str
    fields: tuple[str, ...] = ()
    """The fields that are changed, by name."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What was done, and what there is now."""

    steps: tuple[Step, ...]
    bridge: BridgeObjects | None = None
    faults: tuple[str, ...] = ()
    """What still keeps the bridge from working."""
    notes: tuple[str, ...] = ()
    """What works, but not as well as it could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the bridge shall be.

    Raises:
        InvalidArgument: a value cannot be used.
    """

    sip_address: str | None = None
    """Where the SIP service reaches itself, ``HOST`` or ``HOST:PORT``; None keeps what is set."""
    allowed_addresses: tuple[str, ...] = ()
    """From where the call may come; empty for the host of a new `sip_address`, if it is an IP
    address, and else for everywhere: the password guards it."""
    transport: str | None = None
    """A key of `TRANSPORTS`; None keeps what is set."""

    def __post_init__(self) -> None:
        if self.sip_address is not None:
            _check_address(self.sip_address)
        for each in self.allowed_addresses:
            _check_allowed(each)
        if self.transport is not None and self.transport not in TRANSPORTS:
            remedy = f"give one of {', '.join(TRANSPORTS)}"
            raise InvalidArgument("--transport", f"is {self.transport!r}", remedy)


def _check_address(value: str) -> None:
    found = _ADDRESS.fullmatch(value)
    if found is None or int(found["port"] or 0) > _PORT_MAX:
        remedy = "give HOST or HOST:PORT, an IPv6 address in brackets, without sip:"
        raise InvalidArgument("--sip-address", f"is {value!r}", remedy)


def _check_allowed(value: str) -> None:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        remedy = "give an IP address or a network such as 10.0.0.0/8"
        raise InvalidArgument("--allow", f"is {value!r}", remedy) from None


def _ip_of(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    found = _ADDRESS.fullmatch(address)
    try:
        return ipaddress.ip_address(found["host"].strip("[]") if found else "")
    except ValueError:
        return None


async def set_up(api: Api, wish: Wish, *, dry_run: bool = False) -> SetUp:
    """Create what is missing, change what differs, remove what is there twice.

    Args:
        api: a client whose key may administer SIP (``sip.admin``).
        wish: what the bridge shall be.
        dry_run: whether nothing is written.

    Raises:
        InvalidArgument: there is no bridge yet and `wish` has no address.
        Exception: what the SDK raises; what was done until then stays, and is found again.
    """
    listed = await list_bridge(api)
    hand = _Hand(api, dry_run=dry_run)
    for kind, found in _ours(hand, listed):
        # First: the server refuses a second inbound trunk for the same caller.
        for each in found[1:]:
            await hand.remove(kind, each)
    outbound, inbound = _trunks(listed, wish)
    outbound = await hand.settle(hand.outbound, listed.outbound, outbound)
    inbound = await hand.settle(hand.inbound, listed.inbound, inbound)
    rule = await hand.settle(hand.rule, listed.rules, _rule(listed, inbound.sip_trunk_id))
    if dry_run:
        now = replace(listed, outbound=(outbound,), inbound=(inbound,), rules=(rule,))
    else:
        now = await list_bridge(api)
    notes = tuple(_notes(outbound))
    return SetUp(tuple(hand.steps), objects_of(now), faults_of(now), notes)


async def remove(api: Api, *, dry_run: bool = False) -> SetUp:
    """Remove all that is there by our names; calls that stand are not touched."""
    listed = await list_bridge(api)
    hand = _Hand(api, dry_run=dry_run)
    # The rule first: nothing is let in any more that would then find no room.
    for kind, found in reversed(_ours(hand, listed)):
        for each in found:
            await hand.remove(kind, each)
    return SetUp(tuple(hand.steps))


def _trunks(
    listed: Listed, wish: Wish
) -> tuple[lkapi.SIPOutboundTrunkInfo, lkapi.SIPInboundTrunkInfo]:
    """Both trunks as they shall be; the password stays unless it is missing or they differ."""
    password = _shared_password(listed)
    trunks = _outbound(listed, wish, password), _inbound(listed, wish, password)
    as_found = (*listed.outbound[:1], *listed.inbound[:1])
    if password or trunks == as_found:
        # A server may hide passwords: then two that look right are left alone.
        return trunks
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    return _outbound(listed, wish, password), _inbound(listed, wish, password)


def _shared_password(listed: Listed) -> str:
    outbound = {each.auth_password for each in listed.outbound[:1]}
    found = outbound | {each.auth_password for each in listed.inbound[:1]}
    return found.pop() if len(found) == 1 else ""


def _outbound(listed: Listed, wish: Wish, password: str) -> lkapi.SIPOutboundTrunkInfo:
    trunk = lkapi.SIPOutboundTrunkInfo()
    if listed.outbound:
        trunk.CopyFrom(listed.outbound[0])
    trunk.name = OUTBOUND_NAME
    trunk.address = wish.sip_address or trunk.address
    if not trunk.address:
        remedy = "give where the SIP service reaches itself, such as 10.0.0.5:5060"
        raise InvalidArgument("--sip-address", "is missing", remedy)
    if wish.transport is not None:
        trunk.transport = TRANSPORTS[wish.transport]
    trunk.numbers[:] = [BRIDGE_NUMBER]
    trunk.auth_username, trunk.auth_password = _USER, password
    return trunk


def _inbound(listed: Listed, wish: Wish, password: str) -> lkapi.SIPInboundTrunkInfo:
    trunk = lkapi.SIPInboundTrunkInfo()
    if listed.inbound:
        trunk.CopyFrom(listed.inbound[0])
    trunk.name = INBOUND_NAME
    del trunk.numbers[:]
    trunk.allowed_numbers[:] = [BRIDGE_NUMBER]
    stays = listed.inbound and [each.address for each in listed.outbound[:1]] == [wish.sip_address]
    if wish.allowed_addresses:
        trunk.allowed_addresses[:] = wish.allowed_addresses
    elif wish.sip_address and not stays:
        host = _ip_of(wish.sip_address)
        trunk.allowed_addresses[:] = [] if host is None else [str(host)]
    trunk.auth_username, trunk.auth_password = _USER, password
    return trunk


def _rule(listed: Listed, inbound_trunk_id: str) -> lkapi.SIPDispatchRuleInfo:
    rule = lkapi.SIPDispatchRuleInfo()
    if listed.rules:
        rule.CopyFrom(listed.rules[0])
    rule.name = RULE_NAME
    rule.trunk_ids[:] = [inbound_trunk_id]
    del rule.inbound_numbers[:]
    del rule.numbers[:]
    callee = lkapi.SIPDispatchRuleCallee(room_prefix=ROOM_PREFIX)
    rule.rule.CopyFrom(lkapi.SIPDispatchRule(dispatch_rule_callee=callee))
    # Both ends of a bridge are told from people by this; the other one gets it at the dial.
    rule.attributes["wt.role"] = "bridge"
    return rule


def _notes(outbound: lkapi.SIPOutboundTrunkInfo) -> Iterator[str]:
    host = _ip_of(outbound.address)
    if host is not None and host.is_global and outbound.transport != TRANSPORTS["tls"]:
        yield (
            "the address is a public one and the call to it is not encrypted: anybody on the way "
            "sees the name of the consult room; use a private address or `--transport tls`"
        )


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of object: how it is called and written."""

    name: str
    key: str
    """The field that holds its id."""
    create: Callable[[Any], Awaitable[Any]]
    update: Callable[[str, Any], Awaitable[Any]]
    delete: Callable[[str], Awaitable[Any]]


class _Hand:
    """Writes objects and remembers what it did; a dry one only says what it would do."""

    def __init__(self, api: Api, *, dry_run: bool) -> None:
        sip = api.sip
        self._dry = dry_run
        self.steps: list[Step] = []

        def delete_trunk(trunk_id: str) -> Awaitable[Any]:
            gone: Awaitable[Any] = sip.delete_trunk(
                lkapi.DeleteSIPTrunkRequest(sip_trunk_id=trunk_id)
            )
            return gone

        self.outbound = _Kind(
            OUTBOUND_NAME,
            "sip_trunk_id",
            lambda it: sip.create_outbound_trunk(lkapi.CreateSIPOutboundTrunkRequest(trunk=it)),
            sip.update_outbound_trunk,
            delete_trunk,
        )
        self.inbound = _Kind(
            INBOUND_NAME,
            "sip_trunk_id",
            lambda it: sip.create_inbound_trunk(lkapi.CreateSIPInboundTrunkRequest(trunk=it)),
            sip.update_inbound_trunk,
            delete_trunk,
        )
        self.rule = _Kind(
            RULE_NAME,
            "sip_dispatch_rule_id",
            lambda it: sip.create_dispatch_rule(
                lkapi.CreateSIPDispatchRuleRequest(dispatch_rule=it)
            ),
            sip.update_dispatch_rule,
            lambda rule_id: sip.delete_dispatch_rule(
                lkapi.DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id=rule_id)
            ),
        )

    async def settle(self, kind: _Kind, found: Sequence[Any], wanted: Any) -> Any:
        """Bring one object about; returns it with its id."""
        if not found:
            return await self._create(kind, wanted)
        known = getattr(found[0], kind.key)
        fields = tuple(_differing(found[0], wanted))
        if fields and not self._dry:
            await kind.update(known, wanted)
        action = Action.CHANGED if fields else Action.KEPT
        self.steps.append(Step(kind.name, action, known, fields))
        return wanted

    async def _create(self, kind: _Kind, wanted: Any) -> Any:
        setattr(wanted, kind.key, _NEW)
        if not self._dry:
            wanted.ClearField(kind.key)
            wanted = await kind.create(wanted)
        self.steps.append(Step(kind.name, Action.CREATED, getattr(wanted, kind.key)))
        return wanted

    async def remove(self, kind: _Kind, each: Any) -> None:
        """Remove one object; one that is gone already is as wanted."""
        known = getattr(each, kind.key)
        if not self._dry:
            try:
                await kind.delete(known)
            except lkapi.ServerError as error:
                if not is_gone(error):
                    raise
        self.steps.append(Step(kind.name, Action.REMOVED, known))


def _ours(hand: _Hand, listed: Listed) -> list[tuple[_Kind, tuple[Any, ...]]]:
    return [
        (hand.outbound, listed.outbound),
        (hand.inbound, listed.inbound),
        (hand.rule, listed.rules),
    ]


def _differing(found: Any, wanted: Any) -> Iterator[str]:
    """The fields in which two messages differ, by name; never their values."""
    for each in found.DESCRIPTOR.fields:
        if getattr(found, each.name) != getattr(wanted, each.name):
            yield each.name
