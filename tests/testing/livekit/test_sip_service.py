import asyncio

import pytest
from livekit import api

from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.world import World

from .meeting import code_of, dial, service

pytestmark = pytest.mark.asyncio


async def test_no_sip_service_no_redis_no_trunk() -> None:
    # facts 5.3, and issue 3 for the missing Redis
    absent = await code_of(service(World(sip="absent")).sip.create_sip_participant(dial()))
    assert absent == ("unavailable", 503, "no response from servers")
    no_redis = await code_of(service(World(sip="not connected")).sip.create_sip_participant(dial()))
    assert no_redis[:2] == ("internal", 500)
    assert "sip not connected" in no_redis[2]
    no_trunk = await code_of(service(World(trunks=frozenset())).sip.create_sip_participant(dial()))
    assert no_trunk[:2] == ("not_found", 404)


async def test_a_sip_service_that_is_exhausted_rings_nobody() -> None:
    # facts A.0: unavailable 503 "cpu exhausted", before any INVITE
    world = World(sip="exhausted")
    answer = await code_of(service(world).sip.create_sip_participant(dial()))
    assert answer == ("unavailable", 503, "cpu exhausted")
    await asyncio.sleep(1)
    assert not world.left().phones
    assert not world.rooms


async def test_trunks_and_rules_are_made_listed_and_deleted() -> None:
    world = World()
    sip = service(world).sip
    trunk = api.SIPOutboundTrunkInfo(name="ours", address="sip.example.com", numbers=["1"])
    over = await sip.create_outbound_trunk(api.CreateSIPOutboundTrunkRequest(trunk=trunk))
    listed = await sip.list_outbound_trunk(api.ListSIPOutboundTrunkRequest())
    assert [each.sip_trunk_id for each in listed.items] == ["ST_x", over.sip_trunk_id]
    only = api.ListSIPOutboundTrunkRequest(trunk_ids=[over.sip_trunk_id])
    assert [each.name for each in (await sip.list_outbound_trunk(only)).items] == ["ours"]

    callers = api.SIPInboundTrunkInfo(name="callers", numbers=["1"])
    into = await sip.create_inbound_trunk(api.CreateSIPInboundTrunkRequest(trunk=callers))
    inbound = await sip.list_inbound_trunk(api.ListSIPInboundTrunkRequest())
    assert [each.name for each in inbound.items] == ["callers"]
    none = api.ListSIPInboundTrunkRequest(trunk_ids=["ST_none"])
    assert not (await sip.list_inbound_trunk(none)).items

    direct = api.SIPDispatchRule(dispatch_rule_direct=api.SIPDispatchRuleDirect(room_name="one"))
    told = api.SIPDispatchRuleInfo(name="rule", rule=direct)
    rule = await sip.create_dispatch_rule(api.CreateSIPDispatchRuleRequest(dispatch_rule=told))
    rules = await sip.list_dispatch_rule(api.ListSIPDispatchRuleRequest())
    assert [each.name for each in rules.items] == ["rule"]
    no_rule = api.ListSIPDispatchRuleRequest(dispatch_rule_ids=["SDR_none"])
    assert not (await sip.list_dispatch_rule(no_rule)).items

    for trunk_id in (over.sip_trunk_id, into.sip_trunk_id):
        await sip.delete_trunk(api.DeleteSIPTrunkRequest(sip_trunk_id=trunk_id))
    rule_id = rule.sip_dispatch_rule_id
    delete = api.DeleteSIPDispatchRuleRequest(sip_dispatch_rule_id=rule_id)
    await sip.delete_dispatch_rule(delete)
    assert (await code_of(sip.delete_dispatch_rule(delete)))[:2] == ("not_found", 404)
    assert list(world.trunks.outbound) == ["ST_x"]


async def test_what_is_listed_is_a_copy() -> None:
    world = World()
    sip = service(world).sip
    (trunk,) = (await sip.list_outbound_trunk(api.ListSIPOutboundTrunkRequest())).items
    trunk.address = "elsewhere"
    assert world.trunks.outbound["ST_x"].address != "elsewhere"


@pytest.mark.parametrize("sip", ["up", "absent", "exhausted", "not connected"])
async def test_trunks_are_listed_without_a_sip_service_but_not_without_redis(sip: str) -> None:
    # issue 6: without Redis the SIP API says "sip not connected"
    client = service(World(sip=sip)).sip
    listing = client.list_outbound_trunk(api.ListSIPOutboundTrunkRequest())
    if sip != "not connected":
        assert (await listing).items
        return
    answer = await code_of(listing)
    assert answer == ("internal", 500, "sip not connected (redis required)")


async def test_the_server_drops_a_dial_at_80_seconds_and_the_phone_rings_on() -> None:
    # facts 5.3, server defaults
    world = World()
    sip = service(world, Phone(answers_after_s=None)).sip
    answer = await code_of(sip.create_sip_participant(dial(ring_s=100), timeout=200))
    assert answer[:2] == ("deadline_exceeded", 408)
    assert world.now_s == pytest.approx(80, abs=0.1)
    assert world.left().phones == ("human ringing",)


async def test_an_unset_ring_time_is_pinned_to_30_seconds() -> None:
    # facts 5.4
    world = World()
    request = dial()
    request.ClearField("ringing_timeout")
    sip = service(world, Phone(answers_after_s=None)).sip
    assert (await code_of(sip.create_sip_participant(request)))[0] == "canceled"
    assert world.now_s == pytest.approx(30, abs=0.1)


async def test_a_client_timeout_is_never_shorter_than_the_ring_time_and_a_margin() -> None:
    # facts 5.4: whole seconds of ring + 2, never lower
    world = World()
    sip = service(world, Phone(answers_after_s=None, request_hangs=True)).sip
    with pytest.raises(TimeoutError):
        await sip.create_sip_participant(dial(ring_s=10), timeout=3)
    assert world.now_s == pytest.approx(12)


async def test_without_waiting_the_dial_returns_when_the_invite_is_out() -> None:
    world = World()
    request = dial()
    request.wait_until_answered = False
    info = await service(world).sip.create_sip_participant(request)
    assert info.participant_identity == "human-1"
    assert world.now_s < 0.05
