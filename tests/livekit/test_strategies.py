from __future__ import annotations

from typing import get_args

import pytest

from tests.livekit.test_merge import Fake
from warm_transfer.errors import InvalidArgument
from warm_transfer.livekit.merge import MergeStrategy
from warm_transfer.livekit.relay import Relay
from warm_transfer.livekit.strategies import STRATEGIES, MergeChoice, strategies_of


@pytest.mark.parametrize("merge", ["auto", "relay", ["relay"], ("auto",)])
def test_auto_and_relay_are_the_relay(merge: object) -> None:
    (strategy,) = strategies_of(merge)
    assert isinstance(strategy, Relay)


def test_one_strategy_of_the_application_needs_no_list() -> None:
    strategy = Fake("own")
    assert strategies_of(strategy) == (strategy,)


def test_strategies_of_the_application_keep_their_order() -> None:
    first, last = Fake("first"), Fake("last")
    found = strategies_of([first, "relay", last])
    assert [each.name for each in found] == ["first", "relay", "last"]


@pytest.mark.parametrize("merge", ["teleport", ["relay", "sip"], [], ""])
def test_unknown_or_no_strategies_name_the_argument(merge: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        strategies_of(merge)
    assert caught.value.argument == "merge"
    assert "relay" in caught.value.remedy


def test_something_that_is_no_list_names_the_argument() -> None:
    for wrong in (None, 3, object(), {"relay": 1}):
        with pytest.raises(InvalidArgument) as caught:
            strategies_of(wrong)
        assert caught.value.argument == "merge"


def test_something_that_is_no_strategy_names_the_argument() -> None:
    for wrong in (None, 3, object()):
        with pytest.raises(InvalidArgument) as caught:
            strategies_of([wrong])
        assert caught.value.argument == "merge"


def test_two_strategies_of_one_name_name_the_argument() -> None:
    with pytest.raises(InvalidArgument) as caught:
        strategies_of([Fake("a"), Fake("a")])
    assert caught.value.argument == "merge"


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_each_name_makes_a_new_strategy_of_that_name(name: str) -> None:
    (one,), (other,) = strategies_of(name), strategies_of(name)
    assert one.name == other.name == name
    assert one is not other


def test_auto_stands_for_what_it_is_told() -> None:
    found = strategies_of("auto", auto=("relay",))
    assert [each.name for each in found] == ["relay"]


def test_auto_stands_alone() -> None:
    with pytest.raises(InvalidArgument):
        strategies_of(["relay", "auto"])


def test_a_strategy_that_talks_elsewhere_stands_alone() -> None:
    assert strategies_of([Fake("shared_room")])
    with pytest.raises(InvalidArgument) as caught:
        strategies_of([Fake("shared_room"), "relay"])
    assert caught.value.argument == "merge"
    assert "shared_room" in str(caught.value)


ROOM = "mine_0123456789abcdef01234567"


@pytest.mark.parametrize("room", ["mine", "mine_0123", ROOM[:-1], ROOM + "x", ROOM[4:]])
def test_a_room_that_the_bridge_cannot_reach_is_named_before_anybody_is_dialled(room: str) -> None:
    for merge in ("sip_bridge", ["sip_bridge", "relay"]):
        with pytest.raises(InvalidArgument, match="room_name"):
            strategies_of(merge, room_name=room)
    (left,) = strategies_of("auto", auto=("sip_bridge", "relay"), room_name=room)
    assert left.name == "relay"


@pytest.mark.parametrize("room", [None, ROOM])
def test_a_room_that_cannot_be_guessed_is_bridged(room: str | None) -> None:
    found = strategies_of("auto", auto=("sip_bridge", "relay"), room_name=room)
    assert [each.name for each in found] == ["sip_bridge", "relay"]
    (bridge,) = strategies_of("sip_bridge", room_name=room)
    assert bridge.name == "sip_bridge"


def test_a_type_checker_knows_every_strategy_by_its_name() -> None:
    auto, named, port, several = get_args(MergeChoice)
    assert get_args(auto) == ("auto",)
    assert set(get_args(named)) == set(STRATEGIES)
    assert port is MergeStrategy
    assert get_args(several) == (named | port,)
