"""Our four merge strategies keep the contract."""

from __future__ import annotations

from warm_transfer.livekit.bridge import SipBridge
from warm_transfer.livekit.move import Move
from warm_transfer.livekit.relay import Relay
from warm_transfer.livekit.sharedroom import SharedRoom
from warm_transfer.livekit.strategies import STRATEGIES
from warm_transfer.testing.contracts import MergeStrategyContract
from warm_transfer.testing.livekit.world import World


class TestRelay(MergeStrategyContract):
    def make_strategy(self) -> Relay:
        return Relay()


class TestMove(MergeStrategyContract):
    def make_strategy(self) -> Move:
        return Move()

    def set_up(self, world: World) -> None:
        world.cloud = True


class TestSipBridge(MergeStrategyContract):
    def make_strategy(self) -> SipBridge:
        return SipBridge()

    def set_up(self, world: World) -> None:
        world.trunks.set_up_bridge()


class TestSharedRoom(MergeStrategyContract):
    caller_by_phone = True

    def make_strategy(self) -> SharedRoom:
        return SharedRoom()


def test_every_strategy_of_ours_is_here() -> None:
    suites = (TestRelay, TestMove, TestSipBridge, TestSharedRoom)
    assert {suite().make_strategy().name for suite in suites} == set(STRATEGIES)
