"""A SIP API that keeps trunks and rules as livekit-server does, for tests without a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livekit import api

from warm_transfer.livekit.bridge_objects import (
    BRIDGE_NUMBER,
    INBOUND_NAME,
    OUTBOUND_NAME,
    ROOM_PREFIX,
    RULE_NAME,
)

__all__ = ["FakeSip", "FakeSipApi", "a_bridge", "an_inbound", "an_outbound"]

PASSWORD = "pa55-of-the-bridge"  # noqa: S105 - what must never be printed
NO_REDIS = "twirp error unknown: sip not connected (redis required)"


class FakeSip:
    """``api.LiveKitAPI().sip`` (livekit-server ``pkg/service/sip.go``).

    Args:
        redis: without it every request is answered as a server without Redis answers.
    """

    def __init__(self, *, redis: bool = True) -> None:
        self.redis = redis
        self.outbound: list[api.SIPOutboundTrunkInfo] = []
        self.inbound: list[api.SIPInboundTrunkInfo] = []
        self.rules: list[api.SIPDispatchRuleInfo] = []
        self.writes: list[str] = []
        self.fails: dict[str, Exception] = {}
        self._ids = 0

    def _enter(self, name: str) -> None:
        if name in self.fails:
            raise self.fails[name]
        if not self.redis:
            raise api.ServerError("internal", NO_REDIS, status=500)
        if not name.startswith("list"):
            self.writes.append(name)

    def _new_id(self, prefix: str) -> str:
        self._ids += 1
        return f"{prefix}_{self._ids:04d}"

    # Listing gives copies, as a server does.

    async def list_outbound_trunk(self, list: api.ListSIPOutboundTrunkRequest) -> Any:  # noqa: A002
        del list
        self._enter("list_outbound_trunk")
        return api.ListSIPOutboundTrunkResponse(items=self.outbound)

    async def list_inbound_trunk(self, list: api.ListSIPInboundTrunkRequest) -> Any:  # noqa: A002
        del list
        self._enter("list_inbound_trunk")
        return api.ListSIPInboundTrunkResponse(items=self.inbound)

    async def list_dispatch_rule(self, list: api.ListSIPDispatchRuleRequest) -> Any:  # noqa: A002
        del list
        self._enter("list_dispatch_rule")
        return api.ListSIPDispatchRuleResponse(items=self.rules)

    async def create_outbound_trunk(self, create: api.CreateSIPOutboundTrunkRequest) -> Any:
        self._enter("create_outbound_trunk")
        trunk = _copy(create.trunk)
        if not trunk.numbers or not trunk.address:
            raise api.ServerError("invalid_argument", "no trunk numbers specified", status=400)
        trunk.sip_trunk_id = self._new_id("ST")
        self.outbound.append(trunk)
        return trunk

    async def create_inbound_trunk(self, create: api.CreateSIPInboundTrunkRequest) -> Any:
        self._enter("create_inbound_trunk")
        trunk = _copy(create.trunk)
        for other in self.inbound:
            if set(other.allowed_numbers) & set(trunk.allowed_numbers):
                words = "Conflicting inbound SIP Trunks"
                raise api.ServerError("invalid_argument", words, status=400)
        trunk.sip_trunk_id = self._new_id("ST")
        self.inbound.append(trunk)
        return trunk

    async def create_dispatch_rule(self, create: api.CreateSIPDispatchRuleRequest) -> Any:
        self._enter("create_dispatch_rule")
        rule = _copy(create.dispatch_rule)
        rule.sip_dispatch_rule_id = self._new_id("SDR")
        self.rules.append(rule)
        return rule

    async def update_outbound_trunk(self, trunk_id: str, trunk: api.SIPOutboundTrunkInfo) -> Any:
        self._enter("update_outbound_trunk")
        return _replace(self.outbound, "sip_trunk_id", trunk_id, trunk)

    async def update_inbound_trunk(self, trunk_id: str, trunk: api.SIPInboundTrunkInfo) -> Any:
        self._enter("update_inbound_trunk")
        return _replace(self.inbound, "sip_trunk_id", trunk_id, trunk)

    async def update_dispatch_rule(self, rule_id: str, rule: api.SIPDispatchRuleInfo) -> Any:
        self._enter("update_dispatch_rule")
        return _replace(self.rules, "sip_dispatch_rule_id", rule_id, rule)

    async def delete_trunk(self, delete: api.DeleteSIPTrunkRequest) -> Any:
        self._enter("delete_trunk")
        before = len(self.outbound) + len(self.inbound)
        self.outbound = [t for t in self.outbound if t.sip_trunk_id != delete.sip_trunk_id]
        self.inbound = [t for t in self.inbound if t.sip_trunk_id != delete.sip_trunk_id]
        if before == len(self.outbound) + len(self.inbound):
            raise api.ServerError("not_found", "requested sip trunk does not exist", status=404)

    async def delete_dispatch_rule(self, delete: api.DeleteSIPDispatchRuleRequest) -> Any:
        self._enter("delete_dispatch_rule")
        wanted = delete.sip_dispatch_rule_id
        left = [rule for rule in self.rules if rule.sip_dispatch_rule_id != wanted]
        if len(left) == len(self.rules):
            words = "requested sip dispatch rule does not exist"
            raise api.ServerError("not_found", words, status=404)
        self.rules = left


class FakeSipApi:
    """``api.LiveKitAPI()`` of which only the SIP part is used."""

    def __init__(self, sip: FakeSip) -> None:
        self.sip = sip
        self.closed = False

    @property
    def room(self) -> Any:
        raise AssertionError("no room is needed here")

    async def aclose(self) -> None:
        self.closed = True


def _copy(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def _replace(kept: list[Any], key: str, wanted: str, message: Any) -> Any:
    for index, each in enumerate(kept):
        if getattr(each, key) == wanted:
            kept[index] = _copy(message)
            setattr(kept[index], key, wanted)
            return kept[index]
    raise api.ServerError("not_found", "does not exist", status=404)


def an_outbound(trunk_id: str = "ST_people", **fields: Any) -> api.SIPOutboundTrunkInfo:
    """An outbound trunk of the application's own, to people's phones."""
    known = {"name": "carrier", "address": "sip.example.com", "numbers": ["+15105550100"]}
    return api.SIPOutboundTrunkInfo(**{"sip_trunk_id": trunk_id, **known, **fields})


def an_inbound(trunk_id: str = "ST_callers", **fields: Any) -> api.SIPInboundTrunkInfo:
    """An inbound trunk of the application's own, for callers."""
    known: dict[str, Any] = {"name": "callers", "numbers": ["+15105550101"]}
    return api.SIPInboundTrunkInfo(**{"sip_trunk_id": trunk_id, **known, **fields})


def a_bridge(addresses: Sequence[str] = ("10.0.0.5",)) -> FakeSip:
    """A server at which the bridge is set up, as `warm-transfer bridge setup` does."""
    sip = FakeSip()
    sip.outbound.append(
        api.SIPOutboundTrunkInfo(
            sip_trunk_id="ST_out",
            name=OUTBOUND_NAME,
            address="10.0.0.5:5060",
            numbers=[BRIDGE_NUMBER],
            auth_username="warm-transfer",
            auth_password=PASSWORD,
        )
    )
    sip.inbound.append(
        api.SIPInboundTrunkInfo(
            sip_trunk_id="ST_in",
            name=INBOUND_NAME,
            allowed_numbers=[BRIDGE_NUMBER],
            allowed_addresses=addresses,
            auth_username="warm-transfer",
            auth_password=PASSWORD,
        )
    )
    callee = api.SIPDispatchRuleCallee(room_prefix=ROOM_PREFIX)
    sip.rules.append(
        api.SIPDispatchRuleInfo(
            sip_dispatch_rule_id="SDR_bridge",
            name=RULE_NAME,
            trunk_ids=["ST_in"],
            rule=api.SIPDispatchRule(dispatch_rule_callee=callee),
        )
    )
    return sip
