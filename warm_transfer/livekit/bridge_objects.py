"""The bridge: three objects at the server by which the SIP service can call itself.

An outbound trunk leads to the service's own address, an inbound trunk lets in nothing but that
call, and a dispatch rule puts its other end into the room ``<prefix>_<called user>``. So one call
between two rooms joins them, without the agent. Who may call and which trunk and rule are taken:
livekit/protocol ``sip/sip.go``, ``MatchTrunkDetailed``, ``MatchDispatchRuleIter`` and
``EvaluateDispatchRule``.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from livekit import api as lkapi

from warm_transfer.livekit.sdk import Api

__all__ = [
    "BRIDGE_NUMBER",
    "INBOUND_NAME",
    "OUTBOUND_NAME",
    "ROOM_PREFIX",
    "RULE_NAME",
    "BridgeObjects",
    "Listed",
    "bridge_from_environment",
    "faults_of",
    "find_bridge",
    "list_bridge",
    "objects_of",
]

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

OUTBOUND_NAME = "warm-transfer bridge outbound"
INBOUND_NAME = "warm-transfer bridge inbound"
RULE_NAME = "warm-transfer bridge rule"
"""By their names the objects are found again; nothing else tells them from others."""

BRIDGE_NUMBER = "wt-bridge"
"""The caller id of the bridge's call. No digits, so that it is nobody's number."""

ROOM_PREFIX = "wt"
"""The other end comes out in ``wt_<token>``, which is the name of a consult room."""

TRUNK_VARIABLE = "WT_BRIDGE_TRUNK"
NUMBER_VARIABLE = "WT_BRIDGE_NUMBER"
PREFIX_VARIABLE = "WT_BRIDGE_PREFIX"


@dataclass(frozen=True, slots=True)
class BridgeObjects:
    """A bridge that is set up: what a call over it has to name. No secret is in it."""

    trunk_id: str
    """The outbound trunk to the SIP service itself."""
    number: str = BRIDGE_NUMBER
    """The caller id that the inbound trunk lets in."""
    room_prefix: str = ROOM_PREFIX
    inbound_trunk_id: str = ""
    rule_id: str = ""

    def room_of(self, token: str) -> str:
        """The room in which a call to this user comes out."""
        return f"{self.room_prefix}_{token}"

    def environment(self) -> dict[str, str]:
        """The variables from which `bridge_from_environment` makes it again."""
        return {
            TRUNK_VARIABLE: self.trunk_id,
            NUMBER_VARIABLE: self.number,
            PREFIX_VARIABLE: self.room_prefix,
        }


def bridge_from_environment(environ: Mapping[str, str]) -> BridgeObjects | None:
    """The bridge that ``WT_BRIDGE_TRUNK`` names, for whoever may not list trunks; else None."""
    trunk_id = environ.get(TRUNK_VARIABLE)
    if not trunk_id:
        return None
    return BridgeObjects(
        trunk_id=trunk_id,
        number=environ.get(NUMBER_VARIABLE) or BRIDGE_NUMBER,
        room_prefix=environ.get(PREFIX_VARIABLE) or ROOM_PREFIX,
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """What the server has: ours by name, and the others, because they can be in the way.

    The trunks hold passwords: nothing of them is to be printed as it is.
    """

    outbound: tuple[lkapi.SIPOutboundTrunkInfo, ...] = ()
    inbound: tuple[lkapi.SIPInboundTrunkInfo, ...] = ()
    rules: tuple[lkapi.SIPDispatchRuleInfo, ...] = ()
    other_outbound: tuple[lkapi.SIPOutboundTrunkInfo, ...] = ()
    other_inbound: tuple[lkapi.SIPInboundTrunkInfo, ...] = ()
    other_rules: tuple[lkapi.SIPDispatchRuleInfo, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether none of the three is there."""
        return not (self.outbound or self.inbound or self.rules)


async def list_bridge(api: Api) -> Listed:
    """List trunks and rules, ours apart from the others.

    Raises:
        Exception: what the SDK raises; without Redis the server says "sip not connected".
    """
    outbound = (await api.sip.list_outbound_trunk(lkapi.ListSIPOutboundTrunkRequest())).items
    inbound = (await api.sip.list_inbound_trunk(lkapi.ListSIPInboundTrunkRequest())).items
    rules = (await api.sip.list_dispatch_rule(lkapi.ListSIPDispatchRuleRequest())).items
    # In a stable order, so that with two of a kind everybody takes the same one.
    outbound = sorted(outbound, key=lambda each: each.sip_trunk_id)
    inbound = sorted(inbound, key=lambda each: each.sip_trunk_id)
    rules = sorted(rules, key=lambda each: each.sip_dispatch_rule_id)
    return Listed(
        outbound=tuple(each for each in outbound if each.name == OUTBOUND_NAME),
        inbound=tuple(each for each in inbound if each.name == INBOUND_NAME),
        rules=tuple(each for each in rules if each.name == RULE_NAME),
        other_outbound=tuple(each for each in outbound if each.name != OUTBOUND_NAME),
        other_inbound=tuple(each for each in inbound if each.name != INBOUND_NAME),
        other_rules=tuple(each for each in rules if each.name != RULE_NAME),
    )


async def find_bridge(api: Api) -> BridgeObjects | None:
    """Find the bridge at the server; None when it is missing, incomplete or cannot work.

    Takes three requests and no time limit of its own. What is wrong with it tells
    ``warm-transfer doctor``.

    Raises:
        Exception: what the SDK raises.
    """
    return objects_of(await list_bridge(api))


def objects_of(listed: Listed) -> BridgeObjects | None:
    """The bridge among what the server has; None unless it can work."""
    if faults_of(listed):
        return None
    (outbound,), (inbound,), (rule,) = listed.outbound, listed.inbound, listed.rules
    return BridgeObjects(
        trunk_id=outbound.sip_trunk_id,
        number=outbound.numbers[0],
        room_prefix=rule.rule.dispatch_rule_callee.room_prefix,
        inbound_trunk_id=inbound.sip_trunk_id,
        rule_id=rule.sip_dispatch_rule_id,
    )


def faults_of(listed: Listed) -> tuple[str, ...]:
    """What keeps the bridge from working, each in a sentence without any secret."""
    counts = tuple(_counts(listed))
    if counts:
        return counts
    (outbound,), (inbound,), (rule,) = listed.outbound, listed.inbound, listed.rules
    return (
        *_trunk_faults(outbound, inbound),
        *_rule_faults(rule, inbound.sip_trunk_id),
        *_in_the_way(listed, outbound, inbound),
    )


def _counts(listed: Listed) -> Iterator[str]:
    kinds = (
        (OUTBOUND_NAME, len(listed.outbound)),
        (INBOUND_NAME, len(listed.inbound)),
        (RULE_NAME, len(listed.rules)),
    )
    for name, count in kinds:
        if count != 1:
            yield f"{name!r} is missing" if not count else f"{name!r} is there {count} times"


def _trunk_faults(
    outbound: lkapi.SIPOutboundTrunkInfo, inbound: lkapi.SIPInboundTrunkInfo
) -> Iterator[str]:
    if not outbound.address:
        yield "the outbound trunk has no address"
    if len(outbound.numbers) != 1 or list(outbound.numbers) != list(inbound.allowed_numbers):
        yield "the inbound trunk does not let in the number of the outbound trunk, and no other"
    if inbound.numbers:
        yield "the inbound trunk takes listed numbers only, but tokens are called"
    if not (outbound.auth_username and inbound.auth_username):
        # Without a password everybody who can send SIP could join any consult room.
        yield "a trunk has no user and password"
    elif outbound.auth_username != inbound.auth_username or _differ(
        outbound.auth_password, inbound.auth_password
    ):
        yield "the trunks have different users or passwords"


def _differ(one: str, other: str) -> bool:
    """Whether two passwords differ; a server that hides them shows none."""
    return bool(one and other) and one != other


def _rule_faults(rule: lkapi.SIPDispatchRuleInfo, inbound_trunk_id: str) -> Iterator[str]:
    callee = rule.rule.dispatch_rule_callee
    if rule.rule.WhichOneof("rule") != "dispatch_rule_callee" or not callee.room_prefix:
        yield "the dispatch rule does not make rooms from a prefix and the called user"
    if callee.randomize or callee.pin:
        yield "the dispatch rule adds random letters or asks for a PIN"
    if list(rule.trunk_ids) != [inbound_trunk_id]:
        yield "the dispatch rule is not bound to the inbound trunk alone"
    if rule.inbound_numbers or rule.numbers:
        yield "the dispatch rule is for certain numbers only"


def _in_the_way(
    listed: Listed, outbound: lkapi.SIPOutboundTrunkInfo, inbound: lkapi.SIPInboundTrunkInfo
) -> Iterator[str]:
    host = outbound.address.rpartition(":")[0] or outbound.address
    ours = _networks([*inbound.allowed_addresses, host.strip("[]")])
    for trunk in listed.other_inbound:
        if _takes(trunk, outbound.numbers, ours):
            # The server refuses a call that two trunks without numbers would take.
            yield (
                f"inbound trunk {trunk.sip_trunk_id} takes calls from and to any number, the "
                "bridge's as well, and the server refuses what two trunks take: "
                "give it `numbers` or `allowed_numbers`"
            )
    for rule in listed.other_rules:
        if inbound.sip_trunk_id in rule.trunk_ids:
            yield f"dispatch rule {rule.sip_dispatch_rule_id} is bound to the inbound trunk as well"


def _takes(
    trunk: lkapi.SIPInboundTrunkInfo, numbers: Iterable[str], ours: Sequence[_Network]
) -> bool:
    """Whether another trunk would take the bridge's call, as far as can be known from here."""
    if trunk.numbers:
        return False
    if trunk.allowed_numbers and not set(numbers) & set(trunk.allowed_numbers):
        return False
    if not trunk.allowed_addresses:
        return True
    theirs = _networks(trunk.allowed_addresses)
    if not ours:
        # The service's own address is not known: it is hardly one of a carrier's.
        return any(each.prefixlen == 0 or each.is_private for each in theirs)
    return any(
        one.version == other.version and one.overlaps(other) for one in theirs for other in ours
    )


def _networks(addresses: Iterable[str]) -> list[_Network]:
    found: list[_Network] = []
    for each in addresses:
        # A host name is not resolved: where it leads only the server knows.
        with contextlib.suppress(ValueError):
            found.append(ipaddress.ip_network(each, strict=False))
    return found
