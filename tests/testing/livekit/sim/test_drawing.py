from __future__ import annotations

from collections import Counter

from warm_transfer.livekit.strategies import STRATEGIES
from warm_transfer.policy import TransferPolicy
from warm_transfer.testing.livekit.faults import How
from warm_transfer.testing.livekit.sim.drawing import Drawn, draw
from warm_transfer.testing.livekit.sim.troubles import What

DRAWN = [draw(seed) for seed in range(3000)]


def test_a_seed_is_one_transfer_and_two_seeds_are_two() -> None:
    assert repr(draw(7)) == repr(draw(7))
    assert len({repr(each.scenario) for each in DRAWN[:200]}) == 200


def test_what_is_drawn_can_be_asked_for() -> None:
    for each in DRAWN:
        TransferPolicy(**each.scenario.policy)
        if "shared_room" in each.scenario.merge:
            assert each.scenario.caller.by_phone


def test_every_strategy_every_trouble_and_every_kind_of_fault_is_drawn() -> None:
    names = {name for each in DRAWN for name in each.scenario.merge}
    assert names >= set(STRATEGIES)
    assert {trouble.what for each in DRAWN for trouble in each.troubles} == set(What)
    hows = {fault.how for each in DRAWN for fault in each.scenario.faults.values()}
    assert hows == set(How)
    assert {each.scenario.server.restarts is not None for each in DRAWN} == {True, False}


def test_every_service_tells_why_legs_leave_and_some_stop() -> None:
    phones = [each.scenario.phone for each in DRAWN]
    assert {each.service for each in phones} == {"measured", "old", "new"}
    assert any(each.service_stops_after_s for each in phones)


def test_some_sessions_outlive_their_caller() -> None:
    open_ones = sum(not each.scenario.app.close_on_disconnect for each in DRAWN)
    assert 0.15 < open_ones / len(DRAWN) < 0.35


def test_half_of_them_are_told_to_meet_a_fault() -> None:
    asked = sum(goes_wrong(each) for each in DRAWN)
    assert 0.4 < asked / len(DRAWN) < 0.6


def test_everybody_says_something_of_every_kind() -> None:
    says = Counter(each.scenario.human.says for each in DRAWN)
    assert set(says) == {"yes", "no", "voicemail", "nothing"}
    assert min(says.values()) > 100


def goes_wrong(drawn: Drawn) -> bool:
    told = drawn.scenario
    agent, server = told.agent, told.server
    rooms = (agent.loses_caller_room, agent.loses_consult_room, agent.reconnects, agent.model_fails)
    return bool(told.faults or drawn.troubles or server.restarts or any(rooms))
