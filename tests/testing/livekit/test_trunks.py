from itertools import count
from typing import Any

import pytest
from livekit import api

from warm_transfer.testing.livekit.server import Refused
from warm_transfer.testing.livekit.trunks import OWN_ADDRESS, NotLetIn, Trunks


def trunks() -> Trunks:
    ids = count(1)
    return Trunks(lambda prefix: f"{prefix}{next(ids)}", {"ST_x"})


def outbound(**fields: Any) -> api.SIPOutboundTrunkInfo:
    known: dict[str, Any] = {
        "address": f"{OWN_ADDRESS}:5060",
        "numbers": ["wt"],
        "auth_username": "u",
    }
    return api.SIPOutboundTrunkInfo(**{**known, "auth_password": "p", **fields})


def inbound(**fields: Any) -> api.SIPInboundTrunkInfo:
    known: dict[str, Any] = {"allowed_numbers": ["wt"], "auth_username": "u", "auth_password": "p"}
    return api.SIPInboundTrunkInfo(**{**known, **fields})


def callee_rule(*trunk_ids: str, prefix: str = "wt", **fields: Any) -> api.SIPDispatchRuleInfo:
    rule = api.SIPDispatchRule(dispatch_rule_callee=api.SIPDispatchRuleCallee(room_prefix=prefix))
    return api.SIPDispatchRuleInfo(rule=rule, trunk_ids=trunk_ids, **fields)


def refused(status: int | None, known: Trunks, trunk_id: str, *call: str) -> None:
    with pytest.raises(NotLetIn) as caught:
        known.let_in(trunk_id, *call)
    assert caught.value.status == status


def test_a_call_to_ourselves_comes_out_in_the_room_of_the_called_user() -> None:
    # facts A.4; livekit/protocol sip/sip.go, EvaluateDispatchRule
    known = trunks()
    over = known.add_outbound(outbound()).sip_trunk_id
    into = known.add_inbound(inbound()).sip_trunk_id
    rule = known.add_rule(callee_rule(into, attributes={"wt.role": "bridge"}))
    let_in = known.let_in(over, "wt", "token")
    assert (let_in.room, let_in.identity, let_in.name) == ("wt_token", "sip_wt", "Phone wt")
    assert let_in.attributes == {
        "wt.role": "bridge",
        "sip.trunkID": into,
        "sip.ruleID": rule.sip_dispatch_rule_id,
        "sip.phoneNumber": "wt",
        "sip.hostname": OWN_ADDRESS,
        "sip.trunkPhoneNumber": "token",
    }


def test_only_a_trunk_to_our_own_address_leads_here() -> None:
    known = trunks()
    assert known.leads_here(known.add_outbound(outbound()).sip_trunk_id)
    assert not known.leads_here("ST_x")
    assert not known.leads_here("ST_unknown")


def test_a_wrong_password_is_answered_and_another_number_is_not() -> None:
    # facts A.4, security: without password 407; other From silently dropped
    known = trunks()
    over = known.add_outbound(outbound(auth_username="nobody")).sip_trunk_id
    known.add_rule(callee_rule(known.add_inbound(inbound()).sip_trunk_id))
    refused(407, known, over, "wt", "token")
    refused(None, known, over, "somebody", "token")


def test_without_a_rule_the_call_is_dropped() -> None:
    # livekit-server pkg/service/ioservice_sip.go, EvaluateSIPDispatchRules: DROP
    known = trunks()
    over = known.add_outbound(outbound()).sip_trunk_id
    known.add_inbound(inbound())
    refused(None, known, over, "wt", "token")
    known.add_rule(callee_rule("ST_other"))
    refused(None, known, over, "wt", "token")


def test_two_trunks_that_take_the_same_call_stop_it() -> None:
    known = trunks()
    over = known.add_outbound(outbound()).sip_trunk_id
    known.add_rule(callee_rule(known.add_inbound(inbound()).sip_trunk_id))
    known.inbound["ST_any"] = api.SIPInboundTrunkInfo(sip_trunk_id="ST_any", auth_username="v")
    refused(503, known, over, "wt", "token")


def test_a_trunk_for_the_called_number_goes_before_one_for_any() -> None:
    known = trunks()
    over = known.add_outbound(outbound()).sip_trunk_id
    known.add_inbound(inbound())
    into = known.add_inbound(inbound(numbers=["token"])).sip_trunk_id
    known.add_rule(callee_rule(prefix="any"))
    known.add_rule(callee_rule(into, prefix="own"))
    known.add_rule(callee_rule(into, prefix="not", numbers=["other"]))
    assert known.let_in(over, "wt", "token").room == "own_token"
    assert known.let_in(over, "wt", "elsewhere").room == "any_elsewhere"


def test_other_rules_make_other_rooms() -> None:
    rules = {
        "one": api.SIPDispatchRule(dispatch_rule_direct=api.SIPDispatchRuleDirect(room_name="one")),
        "from_wt": api.SIPDispatchRule(
            dispatch_rule_individual=api.SIPDispatchRuleIndividual(room_prefix="from")
        ),
        "token": api.SIPDispatchRule(dispatch_rule_callee=api.SIPDispatchRuleCallee()),
    }
    for room, rule in rules.items():
        known = trunks()
        over = known.add_outbound(outbound()).sip_trunk_id
        known.add_inbound(inbound())
        known.add_rule(api.SIPDispatchRuleInfo(rule=rule))
        assert known.let_in(over, "wt", "token").room == room


def test_what_is_incomplete_or_open_to_everybody_is_not_kept() -> None:
    # livekit/protocol livekit/sip.go, Validate
    known = trunks()
    for trunk in (outbound(numbers=[]), outbound(address=""), outbound(sip_trunk_id="ST_1")):
        with pytest.raises(Refused):
            known.add_outbound(trunk)
    for open_trunk in (inbound(auth_username=""), inbound(sip_trunk_id="ST_1")):
        with pytest.raises(Refused):
            known.add_inbound(open_trunk)
    for rule in (api.SIPDispatchRuleInfo(), callee_rule(sip_dispatch_rule_id="SDR_1")):
        with pytest.raises(Refused):
            known.add_rule(rule)
    assert (list(known.outbound), known.inbound, known.rules) == (["ST_x"], {}, {})


def test_two_inbound_trunks_for_the_same_calls_are_a_conflict() -> None:
    known = trunks()
    known.add_inbound(inbound())
    with pytest.raises(Refused, match="Conflicting"):
        known.add_inbound(inbound())
    with pytest.raises(Refused, match="Conflicting"):
        known.add_inbound(inbound(allowed_numbers=[]))
    known.add_inbound(inbound(allowed_numbers=["another"]))
    known.add_inbound(inbound(numbers=["+15105550100"]))


def test_what_is_deleted_is_gone_and_a_second_time_not_found() -> None:
    known = trunks()
    into = known.add_inbound(inbound()).sip_trunk_id
    rule = known.add_rule(callee_rule(into)).sip_dispatch_rule_id
    for trunk_id in ("ST_x", into):
        known.delete_trunk(trunk_id)
        with pytest.raises(Refused, match="sip trunk does not exist"):
            known.delete_trunk(trunk_id)
    known.delete_rule(rule)
    with pytest.raises(Refused, match="dispatch rule does not exist"):
        known.delete_rule(rule)
