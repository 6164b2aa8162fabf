from __future__ import annotations

import pytest
from livekit import api

from tests.livekit.trunks import PASSWORD, FakeSip, FakeSipApi, a_bridge, an_inbound, an_outbound
from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.bridge_objects import (
    BRIDGE_NUMBER,
    INBOUND_NAME,
    OUTBOUND_NAME,
    RULE_NAME,
    BridgeObjects,
    find_bridge,
)
from warm_transfer.livekit.bridge_setup import Action, SetUp, Wish, remove, set_up

HERE = Wish(sip_address="10.0.0.5:5060")


def actions(done: SetUp) -> list[Action]:
    return [step.action for step in done.steps]


async def settled(sip: FakeSip, wish: Wish = HERE) -> SetUp:
    return await set_up(FakeSipApi(sip), wish)


@pytest.mark.asyncio
async def test_where_nothing_is_all_three_are_created_and_found_again() -> None:
    sip = FakeSip()
    done = await settled(sip)
    assert actions(done) == [Action.CREATED] * 3
    assert [step.name for step in done.steps] == [OUTBOUND_NAME, INBOUND_NAME, RULE_NAME]
    assert done.faults == done.notes == ()
    assert done.bridge == await find_bridge(FakeSipApi(sip))
    (outbound,), (inbound,), (rule,) = sip.outbound, sip.inbound, sip.rules
    assert done.bridge == BridgeObjects(
        outbound.sip_trunk_id, "wt-bridge", "wt", inbound.sip_trunk_id, rule.sip_dispatch_rule_id
    )
    assert outbound.address == "10.0.0.5:5060"
    assert list(outbound.numbers) == list(inbound.allowed_numbers) == [BRIDGE_NUMBER]
    assert list(inbound.allowed_addresses) == ["10.0.0.5"]
    assert list(rule.trunk_ids) == [inbound.sip_trunk_id]
    assert rule.rule.dispatch_rule_callee.room_prefix == "wt"
    assert dict(rule.attributes) == {"wt.role": "bridge"}


@pytest.mark.asyncio
async def test_the_password_is_long_the_same_on_both_and_made_for_this_bridge() -> None:
    passwords = set()
    for _ in range(2):
        sip = FakeSip()
        await settled(sip)
        assert sip.outbound[0].auth_password == sip.inbound[0].auth_password
        assert sip.outbound[0].auth_username == sip.inbound[0].auth_username != ""
        passwords.add(sip.outbound[0].auth_password)
    assert len(passwords) == 2
    assert all(len(each) >= 32 for each in passwords)


@pytest.mark.asyncio
@pytest.mark.parametrize("wish", [HERE, Wish()])
async def test_a_second_time_nothing_is_written(wish: Wish) -> None:
    sip = FakeSip()
    first = await settled(sip)
    sip.writes.clear()
    again = await settled(sip, wish)
    assert actions(again) == [Action.KEPT] * 3
    assert sip.writes == []
    assert again.bridge == first.bridge


@pytest.mark.asyncio
async def test_what_others_have_is_not_touched() -> None:
    sip = FakeSip()
    sip.outbound.append(an_outbound())
    sip.inbound.append(an_inbound())
    sip.rules.append(api.SIPDispatchRuleInfo(sip_dispatch_rule_id="SDR_other", name="callers"))
    await settled(sip)
    await remove(FakeSipApi(sip))
    assert [each.sip_trunk_id for each in sip.outbound] == ["ST_people"]
    assert [each.sip_trunk_id for each in sip.inbound] == ["ST_callers"]
    assert [each.sip_dispatch_rule_id for each in sip.rules] == ["SDR_other"]


@pytest.mark.asyncio
async def test_a_new_address_changes_the_trunks_in_place_and_keeps_the_password() -> None:
    sip = FakeSip()
    first = await settled(sip)
    password = sip.outbound[0].auth_password
    moved = await settled(sip, Wish(sip_address="10.0.0.6"))
    assert actions(moved) == [Action.CHANGED, Action.CHANGED, Action.KEPT]
    assert [step.fields for step in moved.steps] == [("address",), ("allowed_addresses",), ()]
    assert moved.bridge == first.bridge
    assert list(sip.inbound[0].allowed_addresses) == ["10.0.0.6"]
    assert sip.outbound[0].auth_password == sip.inbound[0].auth_password == password


@pytest.mark.asyncio
async def test_what_a_user_set_on_our_objects_stays_when_they_are_changed() -> None:
    sip = FakeSip()
    await settled(sip)
    sip.outbound[0].media_encryption = api.SIP_MEDIA_ENCRYPT_ALLOW
    await settled(sip, Wish(sip_address="10.0.0.6"))
    assert sip.outbound[0].media_encryption == api.SIP_MEDIA_ENCRYPT_ALLOW


@pytest.mark.asyncio
async def test_addresses_that_were_allowed_by_hand_stay_until_others_are_given() -> None:
    sip = FakeSip()
    await settled(sip, Wish(sip_address="10.0.0.5:5060", allowed_addresses=("10.0.0.0/8",)))
    await settled(sip)
    assert list(sip.inbound[0].allowed_addresses) == ["10.0.0.0/8"]
    await settled(sip, Wish(allowed_addresses=("192.168.0.0/16",)))
    assert list(sip.inbound[0].allowed_addresses) == ["192.168.0.0/16"]


@pytest.mark.asyncio
async def test_a_host_name_allows_every_address_and_leaves_it_to_the_password() -> None:
    sip = FakeSip()
    done = await settled(sip, Wish(sip_address="livekit-sip:5060"))
    assert list(sip.inbound[0].allowed_addresses) == []
    assert done.bridge is not None


@pytest.mark.asyncio
@pytest.mark.parametrize("missing", ["outbound", "inbound", "rules"])
async def test_what_is_missing_is_created_and_the_rest_fits_it(missing: str) -> None:
    sip = FakeSip()
    await settled(sip)
    setattr(sip, missing, [])
    done = await settled(sip)
    assert actions(done).count(Action.CREATED) == 1
    assert done.bridge is not None
    assert done.faults == ()


@pytest.mark.asyncio
async def test_what_is_there_twice_is_removed_first() -> None:
    sip = FakeSip()
    first = await settled(sip)
    second = api.SIPInboundTrunkInfo()
    second.CopyFrom(sip.inbound[0])
    second.sip_trunk_id = "ST_zzzz"
    sip.inbound.append(second)
    done = await settled(sip)
    assert actions(done) == [Action.REMOVED, *[Action.KEPT] * 3]
    assert done.steps[0].id == "ST_zzzz"
    assert done.bridge == first.bridge


@pytest.mark.asyncio
async def test_different_passwords_are_replaced_by_a_new_one() -> None:
    sip = a_bridge()
    sip.inbound[0].auth_password = "other"  # noqa: S105 - of a test
    done = await settled(sip)
    assert done.bridge is not None
    assert sip.outbound[0].auth_password == sip.inbound[0].auth_password
    assert sip.outbound[0].auth_password not in {PASSWORD, "other", ""}


@pytest.mark.asyncio
async def test_hidden_passwords_are_left_alone_until_something_else_changes() -> None:
    sip = FakeSip()
    await settled(sip)
    sip.outbound[0].auth_password = sip.inbound[0].auth_password = ""
    assert actions(await settled(sip)) == [Action.KEPT] * 3
    await settled(sip, Wish(sip_address="10.0.0.6"))
    assert sip.outbound[0].auth_password == sip.inbound[0].auth_password != ""


@pytest.mark.asyncio
async def test_a_dry_run_says_the_same_and_writes_nothing() -> None:
    sip = FakeSip()
    would = await set_up(FakeSipApi(sip), HERE, dry_run=True)
    assert sip.writes == []
    assert actions(would) == [Action.CREATED] * 3
    assert would.faults == ()
    assert {step.id for step in would.steps} == {"(new)"}
    done = await settled(sip)
    assert [step.name for step in done.steps] == [step.name for step in would.steps]
    sip.writes.clear()
    assert actions(await remove(FakeSipApi(sip), dry_run=True)) == [Action.REMOVED] * 3
    assert sip.writes == []


@pytest.mark.asyncio
async def test_removing_takes_the_rule_first_and_all_of_ours() -> None:
    sip = FakeSip()
    await settled(sip)
    done = await remove(FakeSipApi(sip))
    assert [step.name for step in done.steps] == [RULE_NAME, INBOUND_NAME, OUTBOUND_NAME]
    assert sip.outbound == sip.inbound == sip.rules == []
    assert (await remove(FakeSipApi(sip))).steps == ()


@pytest.mark.asyncio
async def test_what_has_gone_meanwhile_is_removed_as_wanted() -> None:
    sip = FakeSip()
    await settled(sip)
    sip.fails["delete_trunk"] = api.ServerError("not_found", "gone", status=404)
    assert len((await remove(FakeSipApi(sip))).steps) == 3
    sip.fails["delete_trunk"] = api.ServerError("internal", "broken", status=500)
    with pytest.raises(api.ServerError, match="broken"):
        await remove(FakeSipApi(sip))


@pytest.mark.asyncio
async def test_what_is_in_the_way_of_the_bridge_is_said_after_it_was_set_up() -> None:
    sip = FakeSip()
    sip.inbound.append(an_inbound(numbers=[]))
    done = await settled(sip)
    assert done.bridge is None
    assert "ST_callers takes calls from and to any number" in done.faults[0]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("wish", "notes"),
    [
        (Wish(sip_address="203.0.113.9"), 0),  # kept for documentation, so not a public one
        (Wish(sip_address="198.18.0.1", transport="udp"), 0),
        (Wish(sip_address="8.8.8.8:5060"), 1),
        (Wish(sip_address="8.8.8.8:5061", transport="tls"), 0),
        (Wish(sip_address="[fd00::5]:5060"), 0),
    ],
)
async def test_a_call_in_the_open_is_noted(wish: Wish, notes: int) -> None:
    assert len((await settled(FakeSip(), wish)).notes) == notes


@pytest.mark.asyncio
async def test_without_an_address_there_is_nothing_to_begin_with() -> None:
    sip = FakeSip()
    with pytest.raises(InvalidArgument, match="`--sip-address` is missing"):
        await settled(sip, Wish())
    assert sip.writes == []


@pytest.mark.parametrize(
    "value", ["", "sip:10.0.0.5", "10.0.0.5;transport=udp", "a@b", "host:99999", "::1", "a b", "é"]
)
def test_an_address_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(InvalidArgument, match="--sip-address"):
        Wish(sip_address=value)


@pytest.mark.parametrize("value", ["", "host", "10.0.0.0/99"])
def test_only_addresses_and_networks_are_allowed(value: str) -> None:
    with pytest.raises(InvalidArgument, match="--allow"):
        Wish(sip_address="10.0.0.5", allowed_addresses=(value,))


def test_an_unknown_transport_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidArgument, match="auto, udp, tcp, tls"):
        Wish(sip_address="10.0.0.5", transport="sctp")
