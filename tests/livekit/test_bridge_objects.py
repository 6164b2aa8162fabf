from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from livekit import api

from tests.livekit.trunks import (
    NO_REDIS,
    PASSWORD,
    FakeSip,
    FakeSipApi,
    a_bridge,
    an_inbound,
    an_outbound,
)
from warm_transfer.livekit.bridge_objects import (
    INBOUND_NAME,
    OUTBOUND_NAME,
    RULE_NAME,
    BridgeObjects,
    Listed,
    bridge_from_environment,
    faults_of,
    find_bridge,
    list_bridge,
    objects_of,
)

FOUND = BridgeObjects("ST_out", "wt-bridge", "wt", "ST_in", "SDR_bridge")


async def listed(sip: FakeSip) -> Listed:
    return await list_bridge(FakeSipApi(sip))


@pytest.mark.asyncio
async def test_a_bridge_is_found_by_its_names_among_others() -> None:
    sip = a_bridge()
    sip.outbound.insert(0, an_outbound())
    sip.inbound.append(an_inbound())
    sip.rules.append(api.SIPDispatchRuleInfo(sip_dispatch_rule_id="SDR_other", name="callers"))
    assert await find_bridge(FakeSipApi(sip)) == FOUND
    found = await listed(sip)
    assert [each.sip_trunk_id for each in found.other_outbound] == ["ST_people"]
    assert [each.sip_trunk_id for each in found.other_inbound] == ["ST_callers"]
    assert [each.sip_dispatch_rule_id for each in found.other_rules] == ["SDR_other"]


@pytest.mark.asyncio
async def test_a_call_to_a_token_comes_out_in_the_room_of_that_name() -> None:
    assert FOUND.room_of("c0ffee") == "wt_c0ffee"


@pytest.mark.asyncio
async def test_where_nothing_is_set_up_there_is_no_bridge() -> None:
    assert await find_bridge(FakeSipApi(FakeSip())) is None
    empty = await listed(FakeSip())
    assert empty.nothing
    assert faults_of(empty) == tuple(
        f"{name!r} is missing" for name in (OUTBOUND_NAME, INBOUND_NAME, RULE_NAME)
    )


@pytest.mark.asyncio
async def test_without_redis_the_servers_own_words_come_through() -> None:
    with pytest.raises(api.ServerError) as raised:
        await find_bridge(FakeSipApi(FakeSip(redis=False)))
    assert raised.value.message == NO_REDIS


def _two_of_a_kind(sip: FakeSip) -> None:
    second = api.SIPOutboundTrunkInfo()
    second.CopyFrom(sip.outbound[0])
    second.sip_trunk_id = "ST_a"
    sip.outbound.append(second)


def _no_address(sip: FakeSip) -> None:
    sip.outbound[0].address = ""


def _other_number(sip: FakeSip) -> None:
    sip.inbound[0].allowed_numbers[:] = ["another"]


def _more_numbers(sip: FakeSip) -> None:
    sip.inbound[0].allowed_numbers.append("another")


def _for_numbers_only(sip: FakeSip) -> None:
    sip.inbound[0].numbers.append("+15105550101")


def _open_to_all(sip: FakeSip) -> None:
    sip.inbound[0].auth_username = ""


def _other_password(sip: FakeSip) -> None:
    sip.inbound[0].auth_password = "other"  # noqa: S105 - of a test


def _other_user(sip: FakeSip) -> None:
    sip.inbound[0].auth_username = "other"


def _another_kind_of_rule(sip: FakeSip) -> None:
    sip.rules[0].rule.dispatch_rule_individual.room_prefix = "wt"


def _no_prefix(sip: FakeSip) -> None:
    sip.rules[0].rule.dispatch_rule_callee.room_prefix = ""


def _random_rooms(sip: FakeSip) -> None:
    sip.rules[0].rule.dispatch_rule_callee.randomize = True


def _pin(sip: FakeSip) -> None:
    sip.rules[0].rule.dispatch_rule_callee.pin = "1234"


def _unbound_rule(sip: FakeSip) -> None:
    del sip.rules[0].trunk_ids[:]


def _rule_for_numbers(sip: FakeSip) -> None:
    sip.rules[0].inbound_numbers.append("+15105550101")


def _another_rule_on_the_trunk(sip: FakeSip) -> None:
    other = api.SIPDispatchRuleInfo(sip_dispatch_rule_id="SDR_x", name="x", trunk_ids=["ST_in"])
    sip.rules.append(other)


def _open_trunk(sip: FakeSip) -> None:
    sip.inbound.append(an_inbound(numbers=[], auth_username="callers"))


BROKEN: dict[Callable[[FakeSip], None], str] = {
    _two_of_a_kind: "'warm-transfer bridge outbound' is there 2 times",
    _no_address: "the outbound trunk has no address",
    _other_number: "does not let in the number of the outbound trunk, and no other",
    _more_numbers: "does not let in the number of the outbound trunk, and no other",
    _for_numbers_only: "the inbound trunk takes listed numbers only",
    _open_to_all: "a trunk has no user and password",
    _other_password: "the trunks have different users or passwords",
    _other_user: "the trunks have different users or passwords",
    _another_kind_of_rule: "does not make rooms from a prefix and the called user",
    _no_prefix: "does not make rooms from a prefix and the called user",
    _random_rooms: "adds random letters or asks for a PIN",
    _pin: "adds random letters or asks for a PIN",
    _unbound_rule: "not bound to the inbound trunk alone",
    _rule_for_numbers: "for certain numbers only",
    _another_rule_on_the_trunk: "dispatch rule SDR_x is bound to the inbound trunk as well",
    _open_trunk: "inbound trunk ST_callers takes calls from and to any number",
}


@pytest.mark.asyncio
@pytest.mark.parametrize("breaks", BROKEN, ids=[each.__name__.strip("_") for each in BROKEN])
async def test_a_bridge_that_cannot_work_is_none_and_says_why(
    breaks: Callable[[FakeSip], None],
) -> None:
    sip = a_bridge()
    breaks(sip)
    found = await listed(sip)
    assert objects_of(found) is None
    (fault,) = faults_of(found)
    assert BROKEN[breaks] in fault
    assert PASSWORD not in fault
    assert not found.nothing


@pytest.mark.asyncio
async def test_a_server_that_hides_passwords_does_not_hide_the_bridge() -> None:
    sip = a_bridge()
    sip.outbound[0].auth_password = ""
    assert await find_bridge(FakeSipApi(sip)) == FOUND


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fields", "in_the_way"),
    [
        ({"numbers": []}, True),
        ({"numbers": ["+15105550101"]}, False),
        ({"numbers": [], "allowed_numbers": ["+1555"]}, False),
        ({"numbers": [], "allowed_numbers": ["+1555", "wt-bridge"]}, True),
        ({"numbers": [], "allowed_addresses": ["54.172.60.0/30"]}, False),
        ({"numbers": [], "allowed_addresses": ["10.0.0.0/8"]}, True),
        ({"numbers": [], "allowed_addresses": ["0.0.0.0/0"]}, True),
        ({"numbers": [], "allowed_addresses": ["2001:db8::/32"]}, False),
        ({"numbers": [], "allowed_addresses": ["sip.example.com"]}, False),
    ],
)
async def test_another_trunk_is_in_the_way_when_it_would_take_the_same_call(
    fields: dict[str, Any], in_the_way: bool
) -> None:
    sip = a_bridge()
    sip.inbound.append(an_inbound(**fields))
    assert bool(faults_of(await listed(sip))) == in_the_way


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("addresses", "in_the_way"),
    [(["54.172.60.0/30"], False), (["172.16.0.0/12"], True), (["::/0"], True)],
)
async def test_a_bridge_at_a_host_name_is_hardly_at_a_carrier(
    addresses: list[str], in_the_way: bool
) -> None:
    sip = a_bridge(addresses=())
    sip.outbound[0].address = "livekit-sip:5060"
    sip.inbound.append(an_inbound(numbers=[], allowed_addresses=addresses))
    assert bool(faults_of(await listed(sip))) == in_the_way


def test_the_environment_names_a_bridge_and_is_written_as_it_is_read() -> None:
    bridge = BridgeObjects("ST_out", "1000", "consult")
    assert bridge_from_environment(bridge.environment()) == bridge
    assert bridge_from_environment({"WT_BRIDGE_TRUNK": "ST_out"}) == BridgeObjects("ST_out")
    assert bridge_from_environment({"WT_BRIDGE_TRUNK": "", "WT_BRIDGE_NUMBER": "1"}) is None
