from __future__ import annotations

from typing import Any, cast

import pytest
from livekit import api

from tests.livekit.bench import Bench
from warm_transfer.livekit import preflight
from warm_transfer.livekit.bridge_objects import (
    BRIDGE_NUMBER,
    INBOUND_NAME,
    OUTBOUND_NAME,
    ROOM_PREFIX,
    RULE_NAME,
    BridgeObjects,
)
from warm_transfer.livekit.preflight import auto_at, bridge_at, forget, remember
from warm_transfer.testing.livekit.faults import Fault, How

URL = "ws://simulated"
BRIDGE = BridgeObjects("ST_out")
LIMIT_S = 5.0


class Sip:
    """The trunks and rules of a server, and how often it was asked."""

    def __init__(self, *, bridged: bool) -> None:
        self.asked = 0
        auth: Any = {"auth_username": "u", "auth_password": "p"}
        callee = api.SIPDispatchRuleCallee(room_prefix=ROOM_PREFIX)
        self.outbound = api.SIPOutboundTrunkInfo(
            sip_trunk_id="ST_out",
            name=OUTBOUND_NAME,
            address="10.0.0.1:5060",
            numbers=[BRIDGE_NUMBER],
            **auth,
        )
        self.inbound = api.SIPInboundTrunkInfo(
            sip_trunk_id="ST_in", name=INBOUND_NAME, allowed_numbers=[BRIDGE_NUMBER], **auth
        )
        self.rule = api.SIPDispatchRuleInfo(
            sip_dispatch_rule_id="SDR_1",
            name=RULE_NAME,
            trunk_ids=["ST_in"],
            rule=api.SIPDispatchRule(dispatch_rule_callee=callee),
        )
        self.bridged = bridged

    async def list_outbound_trunk(self, _: Any) -> Any:
        self.asked += 1
        items = [self.outbound] if self.bridged else []
        return api.ListSIPOutboundTrunkResponse(items=items)

    async def list_inbound_trunk(self, _: Any) -> Any:
        return api.ListSIPInboundTrunkResponse(items=[self.inbound] if self.bridged else [])

    async def list_dispatch_rule(self, _: Any) -> Any:
        return api.ListSIPDispatchRuleResponse(items=[self.rule] if self.bridged else [])


class Client:
    """A client of such a server."""

    def __init__(self, *, bridged: bool = False) -> None:
        self.sip = Sip(bridged=bridged)
        self.room = None
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1


class Server:
    """An SDK that makes one client."""

    def __init__(self, client: Client, url: str = URL) -> None:
        self.client = client
        self.url = url
        self.made = 0

    def api(self) -> Client:
        self.made += 1
        return self.client


def sdk_of(server: Server) -> Any:
    return server


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WT_BRIDGE_TRUNK", raising=False)
    forget(URL)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("bridged", "names"), [(True, ("sip_bridge", "relay")), (False, ("relay",))]
)
async def test_auto_looks_once_for_the_bridge(bridged: bool, names: tuple[str, ...]) -> None:
    server = Server(Client(bridged=bridged))
    for _ in range(3):
        assert (await auto_at(sdk_of(server), None, LIMIT_S)).strategies == names
    assert (server.client.sip.asked, server.made, server.client.closed) == (1, 1, 1)


@pytest.mark.asyncio
async def test_each_server_is_asked_for_itself() -> None:
    first, second = Server(Client(bridged=True)), Server(Client(), "ws://other")
    await auto_at(sdk_of(first), None, LIMIT_S)
    choice = await auto_at(sdk_of(second), None, LIMIT_S)
    forget("ws://other")
    assert choice.strategies == ("relay",)


@pytest.mark.asyncio
async def test_the_client_of_the_application_is_used_and_left_open() -> None:
    client: Any = Client(bridged=True)
    server = Server(Client())
    assert "sip_bridge" in (await auto_at(sdk_of(server), client, LIMIT_S)).strategies
    assert (server.made, client.closed) == (0, 0)


@pytest.mark.asyncio
async def test_the_cloud_is_told_by_its_address_and_asked_nothing() -> None:
    server = Server(Client(bridged=True), "wss://x.livekit.cloud")
    assert (await auto_at(sdk_of(server), None, LIMIT_S)).strategies == ("move", "relay")
    assert server.made == 0


@pytest.mark.asyncio
async def test_the_environment_names_a_bridge_without_a_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WT_BRIDGE_TRUNK", "ST_env")
    server = Server(Client())
    assert (await auto_at(sdk_of(server), None, LIMIT_S)).strategies[0] == "sip_bridge"
    client: Any = server.client
    found = await bridge_at(URL, client, LIMIT_S)
    assert found is not None
    assert found.trunk_id == "ST_env"
    assert server.client.sip.asked == 0


@pytest.mark.asyncio
@pytest.mark.parametrize("how", [How.FAILS, How.HANGS])
async def test_a_look_that_fails_or_hangs_delays_one_transfer_by_its_limit_only(how: How) -> None:
    bench = await Bench.set_up()
    bench.stage.world.faults.plan["sip.list_outbound_trunk", 0] = Fault(how)
    server = sdk_of(Server(cast("Any", bench.api)))
    began_s = bench.now_s
    assert (await auto_at(server, None, LIMIT_S)).strategies == ("relay",)
    assert bench.now_s - began_s == pytest.approx(LIMIT_S if how is How.HANGS else 0.0)
    looked_s = bench.now_s
    assert (await auto_at(server, None, LIMIT_S)).strategies == ("relay",)
    assert bench.now_s == looked_s


@pytest.mark.asyncio
async def test_who_asks_for_a_bridge_looks_again_after_a_look_that_failed() -> None:
    bench = await Bench.set_up()
    bench.stage.world.trunks.set_up_bridge()
    bench.stage.world.faults.plan["sip.list_outbound_trunk", 1] = Fault(How.FAILS)
    assert await bridge_at(URL, bench.api, LIMIT_S) is None
    assert await bridge_at(URL, bench.api, LIMIT_S) is not None
    await bench.finish()


@pytest.mark.asyncio
async def test_what_is_known_takes_no_turn_of_the_loop() -> None:
    remember(URL, BRIDGE)
    looking = auto_at(sdk_of(Server(Client())), None, LIMIT_S)
    with pytest.raises(StopIteration) as done:
        looking.send(None)
    assert done.value.value.strategies == ("sip_bridge", "relay")


def test_forgetting_is_safe_to_repeat() -> None:
    remember(URL, BRIDGE)
    forget(URL)
    forget(URL)
    assert preflight._FOUND.get(URL) is None
