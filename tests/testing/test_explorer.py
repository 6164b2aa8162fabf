"""The explorer itself; what it finds is in tests/properties/test_every_path.py."""

from dataclasses import replace

import pytest

from tests.conftest import Explored
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.policy import Carrier
from warm_transfer.rows import Table
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import SCOPES, Explorer, explore
from warm_transfer.transfer import Transfer

SMALL = SCOPES[0]


@pytest.fixture(scope="module")
def small(explored: Explored) -> Explorer:
    return explored.explorers[0]


def without(row_id: str, effect: Do) -> Table:
    return TABLE.with_rows(
        replace(row, effects=tuple(each for each in row.effects if each is not effect))
        if row.id == row_id
        else row
        for row in TABLE.rows
    )


def test_the_scopes_cover_every_choice_of_policy_and_kind_of_plan() -> None:
    assert {scope.policy.on_human_left for scope in SCOPES} == {"end_call", "return"}
    assert {scope.policy.after_merge for scope in SCOPES} == {"silent", "leave"}
    assert {tuple(each.carrier for each in scope.strategies) for scope in SCOPES} == {
        (Carrier.AGENT,),
        (Carrier.SERVER,),
        (Carrier.BRIDGE,),
        (Carrier.SERVER, Carrier.BRIDGE, Carrier.AGENT),
        (Carrier.SERVER, Carrier.AGENT),
    }
    assert len({scope.name for scope in SCOPES}) == len(SCOPES)


def test_nothing_is_found_in_the_table_as_it_is(small: Explorer) -> None:
    assert small.found == {}


def test_every_state_but_the_return_is_reached_when_the_policy_ends_calls(small: Explorer) -> None:
    reached = {small.nodes[config.node].state for config in small.configs}
    assert reached == set(State) - {State.RETURNED}


def test_no_configuration_is_walked_twice(small: Explorer) -> None:
    assert len(set(small.configs)) == len(small.configs)


def test_two_walks_are_the_same(small: Explorer) -> None:
    again = Explorer(SMALL)
    again.run()
    assert again.configs == small.configs
    assert again.edges == small.edges


def test_the_core_of_a_remembered_step_is_not_changed_by_walking_on(small: Explorer) -> None:
    first = small.nodes[0].transfer
    assert first.state is State.IDLE
    assert first.outcome is None
    assert vars(first)["_names"] == {}


def test_a_path_can_be_played_through_a_fresh_transfer(small: Explorer) -> None:
    merged = next(
        index
        for index, config in enumerate(small.configs)
        if small.nodes[config.node].state is State.MERGED
    )
    transfer, events = small.replay(small.path_to(merged))
    assert isinstance(transfer, Transfer)
    assert transfer.state is State.MERGED
    assert [event.name for event in events][-2:] == [On.BRIEFING_STOPPED, On.MERGE_CONFIRMED]
    again = Transfer("again")
    for event in events:
        again.receive(event, 0.0)
    assert again.state is State.MERGED


def test_a_broken_table_gives_a_counterexample_that_can_be_read_and_played() -> None:
    broken = without("idle x TRANSFER_REQUESTED", Do.PLAY_HOLD_AUDIO)
    report = explore([SMALL], broken, stop_at=1)
    (found,) = report.violations
    assert found.invariant == "the_held_caller_hears_music"
    assert found.path[0] == "TRANSFER_REQUESTED"
    assert found.path[-1] == "[PREPARE_MERGE returns]"
    assert str(found).startswith(f"the_held_caller_hears_music ({SMALL.name}): ")
    transfer = Transfer("played", table=broken)
    for event in found.events:
        transfer.receive(event, 0.0)
    assert transfer.state is State.BRIEFING


def test_another_table_is_walked_only_where_it_differs(small: Explorer) -> None:
    broken = without("briefing x DEADLINE_PASSED", Do.NOTIFY_CONSULT)
    found = small.differs(broken, (State.BRIEFING, On.DEADLINE_PASSED))
    assert found is not None
    assert found.invariant == "whoever_is_let_go_is_told"
    assert small.differs(TABLE, (State.BRIEFING, On.DEADLINE_PASSED)) is None


def test_a_walk_that_grows_without_end_is_given_up(small: Explorer) -> None:
    broken = without("idle x TRANSFER_REQUESTED", Do.PLAY_HOLD_AUDIO)
    assert small.differs(broken, (State.IDLE, On.TRANSFER_REQUESTED), limit=3) is None


def test_an_impossible_pair_that_is_reached_is_a_violation() -> None:
    pair = (State.DIALING, On.CONSULT_RANG)
    rows = TABLE.with_rows(row for row in TABLE.rows if (row.source, row.event) != pair)
    wrong = replace(rows, impossible=TABLE.impossible | {pair})
    report = explore([SMALL], wrong, stop_at=1)
    assert [found.invariant for found in report.violations] == ["an_impossible_pair"]
    assert report.pairs_impossible == {pair}
    assert report.violations[0].events[-1].name is On.CONSULT_RANG


def test_what_is_not_followed_is_counted(explored: Explored) -> None:
    assert explored.report.cut == sum(each.cut for each in explored.explorers) > 0
