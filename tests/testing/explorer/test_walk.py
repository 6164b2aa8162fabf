"""The walk itself; what it finds is in tests/properties/test_every_path.py."""

from dataclasses import replace

import pytest

from tests.conftest import Explored
from tests.testing.explorer.tables import SILENT, SMALL, without
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import Explorer, OutsideModel, explore


@pytest.fixture(scope="module")
def small(explored: Explored) -> Explorer:
    return explored.explorers[0]


def test_nothing_is_found_in_the_table_as_it_is(small: Explorer) -> None:
    assert small.found == {}


def test_every_state_but_the_return_is_reached_when_the_policy_ends_calls(small: Explorer) -> None:
    reached = {small.state(index) for index in range(len(small))}
    assert reached == set(State) - {State.RETURNED}


def test_no_configuration_is_walked_twice(small: Explorer) -> None:
    assert len(set(small.configs)) == len(small.configs)


def test_two_walks_are_the_same(small: Explorer) -> None:
    again = Explorer(SMALL)
    again.run()
    assert again.configs == small.configs
    assert again.edges == small.edges


def test_the_core_of_a_remembered_step_is_not_changed_by_walking_on(small: Explorer) -> None:
    first = small.cores[0].transfer
    assert first.state is State.IDLE
    assert first.outcome is None
    assert vars(first)["_names"] == {}


def test_another_table_is_walked_only_where_it_differs(small: Explorer) -> None:
    broken = without("briefing x DEADLINE_PASSED", Do.NOTIFY_CONSULT)
    found = small.differs(broken, (State.BRIEFING, On.DEADLINE_PASSED))
    assert found is not None
    assert found.invariant == "whoever_is_let_go_is_told"
    assert small.differs(TABLE, (State.BRIEFING, On.DEADLINE_PASSED)) is None


def test_a_walk_that_grows_without_end_is_given_up(small: Explorer) -> None:
    assert small.differs(SILENT, (State.IDLE, On.TRANSFER_REQUESTED), limit=3) is None


def test_an_impossible_pair_that_is_reached_is_a_violation() -> None:
    pair = (State.DIALING, On.CONSULT_RANG)
    rows = TABLE.with_rows(row for row in TABLE.rows if (row.source, row.event) != pair)
    wrong = replace(rows, impossible=TABLE.impossible | {pair})
    report = explore(wrong, [SMALL], stop_at=1)
    assert [found.invariant for found in report.violations] == ["an_impossible_pair"]
    assert report.pairs_impossible == {pair}
    assert report.violations[0].events[-1].name is On.CONSULT_RANG


def test_a_table_that_grows_without_end_is_said_to() -> None:
    walk = Explorer(SMALL)
    with pytest.raises(OutsideModel, match="more than 1,000 configurations"):
        walk.run(configurations_max=1000)


def test_a_violation_in_what_another_table_changes_is_told_from_the_start(small: Explorer) -> None:
    broken = without("declined x CONSULT_ANSWERED", Do.HANG_UP_CONSULT)
    found = small.differs(broken, (State.DECLINED, On.CONSULT_ANSWERED))
    assert found is not None
    assert found.path[0] in {"TRANSFER_REQUESTED", "APP_DECLINED"}
    transfer = found.where.fresh("played", broken)
    for event in found.events:
        transfer.receive(event, 0.0)
    assert transfer.state is State.DECLINED


def test_what_is_not_followed_is_counted(explored: Explored) -> None:
    assert explored.report.cut == sum(each.cut for each in explored.explorers) > 0
