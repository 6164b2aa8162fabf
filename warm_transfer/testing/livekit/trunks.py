"""What the simulated server knows of SIP: trunks, dispatch rules, and which call they let in.

As in livekit-server ``pkg/service/sip.go`` and livekit/protocol ``sip/sip.go``
(``MatchTrunkDetailed``, ``MatchDispatchRuleIter``, ``EvaluateDispatchRule``), without PINs,
addresses and random room names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from livekit import api

from warm_transfer.livekit.bridge_objects import (
    BRIDGE_NUMBER,
    INBOUND_NAME,
    OUTBOUND_NAME,
    ROOM_PREFIX,
    RULE_NAME,
)
from warm_transfer.testing.livekit.server import Refused

__all__ = ["OWN_ADDRESS", "Inbound", "NotLetIn", "Trunks"]

OWN_ADDRESS = "sip.simulated"
"""Where the SIP service itself can be called."""
CARRIER = "sip.carrier.example"

_PASSWORD = "simulated"  # noqa: S105 - of a simulated trunk
_WRONG_PASSWORD = 407
_UNDECIDED = 503
"""Two trunks take the call."""


class NotLetIn(Exception):
    """A call is not let in."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status
        """The SIP status that is answered; None when nothing is."""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A call that is let in: where it comes out, and as whom."""

    room: str
    identity: str
    name: str
    attributes: dict[str, str]
    limit_s: float
    """``max_call_duration`` of the trunk; 0 for none."""


class Trunks:
    """Trunks and rules, by id.

    Args:
        number: gives fresh ids.
        outbound: the ids of trunks to a carrier that are there from the beginning.
    """

    def __init__(self, number: Callable[[str], str], outbound: Iterable[str] = ()) -> None:
        self._number = number
        self.outbound = {
            each: api.SIPOutboundTrunkInfo(
                sip_trunk_id=each, name="carrier", address=CARRIER, numbers=["+15105550100"]
            )
            for each in sorted(outbound)
        }
        self.inbound: dict[str, api.SIPInboundTrunkInfo] = {}
        self.rules: dict[str, api.SIPDispatchRuleInfo] = {}

    # Setting up.

    def add_outbound(self, trunk: api.SIPOutboundTrunkInfo) -> api.SIPOutboundTrunkInfo:
        """Keep a new outbound trunk.

        Raises:
            Refused: something is missing.
        """
        _check(not trunk.sip_trunk_id, "trunk id must not be set")
        _check(bool(trunk.numbers), "no trunk numbers specified")
        _check(bool(trunk.address), "no outbound address specified")
        kept = api.SIPOutboundTrunkInfo()
        kept.CopyFrom(trunk)
        kept.sip_trunk_id = self._number("ST_")
        self.outbound[kept.sip_trunk_id] = kept
        return kept

    def add_inbound(self, trunk: api.SIPInboundTrunkInfo) -> api.SIPInboundTrunkInfo:
        """Keep a new inbound trunk.

        Raises:
            Refused: anybody could call over it, or another trunk takes the same calls.
        """
        _check(not trunk.sip_trunk_id, "trunk id must not be set")
        _check(
            bool(trunk.auth_username or trunk.allowed_addresses or trunk.numbers),
            "for security, one of the fields must be set: AuthUsername+AuthPassword, "
            "AllowedAddresses or Numbers",
        )
        for other in self.inbound.values():
            same = set(other.numbers) & set(trunk.numbers) or not (other.numbers or trunk.numbers)
            from_same = set(other.allowed_numbers) & set(trunk.allowed_numbers)
            from_any = not (other.allowed_numbers and trunk.allowed_numbers)
            _check(not (same and (from_same or from_any)), "Conflicting inbound SIP Trunks")
        kept = api.SIPInboundTrunkInfo()
        kept.CopyFrom(trunk)
        kept.sip_trunk_id = self._number("ST_")
        self.inbound[kept.sip_trunk_id] = kept
        return kept

    def add_rule(self, rule: api.SIPDispatchRuleInfo) -> api.SIPDispatchRuleInfo:
        """Keep a new dispatch rule.

        Raises:
            Refused: it says nothing.
        """
        _check(not rule.sip_dispatch_rule_id, "rule id must not be set")
        _check(rule.rule.WhichOneof("rule") is not None, "missing rule")
        kept = api.SIPDispatchRuleInfo()
        kept.CopyFrom(rule)
        kept.sip_dispatch_rule_id = self._number("SDR_")
        self.rules[kept.sip_dispatch_rule_id] = kept
        return kept

    def delete_trunk(self, trunk_id: str) -> None:
        """Forget a trunk.

        Raises:
            Refused: there is none.
        """
        if not (self.outbound.pop(trunk_id, None) or self.inbound.pop(trunk_id, None)):
            raise Refused("not_found", 404, "requested sip trunk does not exist")

    def delete_rule(self, rule_id: str) -> api.SIPDispatchRuleInfo:
        """Forget a rule.

        Raises:
            Refused: there is none.
        """
        if rule_id not in self.rules:
            raise Refused("not_found", 404, "requested sip dispatch rule does not exist")
        return self.rules.pop(rule_id)

    def set_up_bridge(self, *, number: str = BRIDGE_NUMBER, prefix: str = ROOM_PREFIX) -> str:
        """Make the three objects by which the service calls itself (facts A.4).

        Returns:
            the id of the trunk to dial over.
        """
        outbound = self.add_outbound(
            api.SIPOutboundTrunkInfo(
                name=OUTBOUND_NAME,
                address=OWN_ADDRESS,
                numbers=[number],
                auth_username="bridge",
                auth_password=_PASSWORD,
            )
        )
        inbound = self.add_inbound(
            api.SIPInboundTrunkInfo(
                name=INBOUND_NAME,
                allowed_numbers=[number],
                auth_username="bridge",
                auth_password=_PASSWORD,
            )
        )
        callee = api.SIPDispatchRuleCallee(room_prefix=prefix)
        self.add_rule(
            api.SIPDispatchRuleInfo(
                name=RULE_NAME,
                trunk_ids=[inbound.sip_trunk_id],
                rule=api.SIPDispatchRule(dispatch_rule_callee=callee),
                attributes={"wt.role": "bridge"},
            )
        )
        return outbound.sip_trunk_id

    # Calling.

    def leads_here(self, trunk_id: str) -> bool:
        """Whether calls over a trunk come back to the SIP service itself."""
        trunk = self.outbound.get(trunk_id)
        return trunk is not None and trunk.address.partition(":")[0] == OWN_ADDRESS

    def let_in(self, trunk_id: str, from_user: str, to_user: str) -> Inbound:
        """What becomes of a call to ourselves over an outbound trunk.

        Raises:
            NotLetIn: no trunk or rule takes it, or the password is wrong.
        """
        over = self.outbound[trunk_id]
        trunk = self._inbound_for(from_user, to_user)
        if trunk is not None and trunk.auth_username:
            given = (over.auth_username, over.auth_password)
            if given != (trunk.auth_username, trunk.auth_password):
                raise NotLetIn(_WRONG_PASSWORD)
        rule = self._rule_for(trunk, from_user, to_user)
        if rule is None:
            raise NotLetIn(None)
        trunk_id = trunk.sip_trunk_id if trunk is not None else ""
        limit_s = trunk.max_call_duration.ToTimedelta().total_seconds() if trunk else 0.0
        return Inbound(
            _room_of(rule, from_user, to_user),
            f"sip_{from_user}",
            f"Phone {from_user}",
            {
                **rule.attributes,
                "sip.trunkID": trunk_id,
                "sip.ruleID": rule.sip_dispatch_rule_id,
                "sip.phoneNumber": from_user,
                "sip.hostname": OWN_ADDRESS,
                "sip.trunkPhoneNumber": to_user,
            },
            limit_s,
        )

    def _inbound_for(self, from_user: str, to_user: str) -> api.SIPInboundTrunkInfo | None:
        takes = [
            each
            for each in self.inbound.values()
            if not each.allowed_numbers or from_user in each.allowed_numbers
        ]
        found = [each for each in takes if to_user in each.numbers]
        found = found or [each for each in takes if not each.numbers]
        if len(found) > 1:
            raise NotLetIn(_UNDECIDED)
        return found[0] if found else None

    def _rule_for(
        self, trunk: api.SIPInboundTrunkInfo | None, from_user: str, to_user: str
    ) -> api.SIPDispatchRuleInfo | None:
        takes = [
            each
            for each in self.rules.values()
            if (not each.inbound_numbers or from_user in each.inbound_numbers)
            and (not each.numbers or to_user in each.numbers)
        ]
        bound = [
            each for each in takes if trunk is not None and trunk.sip_trunk_id in each.trunk_ids
        ]
        return next(iter(bound or [each for each in takes if not each.trunk_ids]), None)


def _room_of(rule: api.SIPDispatchRuleInfo, from_user: str, to_user: str) -> str:
    kind = rule.rule.WhichOneof("rule")
    if kind == "dispatch_rule_direct":
        return rule.rule.dispatch_rule_direct.room_name
    if kind == "dispatch_rule_individual":
        return _joined(rule.rule.dispatch_rule_individual.room_prefix, from_user)
    return _joined(rule.rule.dispatch_rule_callee.room_prefix, to_user)


def _joined(prefix: str, user: str) -> str:
    return f"{prefix}_{user}" if prefix else user


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise Refused("invalid_argument", 400, message)
