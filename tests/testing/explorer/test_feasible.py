"""What the core alone makes possible."""

from tests.testing.explorer.tables import SMALL
from warm_transfer.effects import FAILURE, Do
from warm_transfer.events import On
from warm_transfer.rows import Guard, Row
from warm_transfer.states import FINAL, State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer.feasible import (
    REPORTS,
    adjacent,
    feasible,
    row_paths,
    state_paths,
)


def test_what_fails_is_reported_for_the_effect_that_failed() -> None:
    for effect, on in FAILURE.items():
        if on not in (None, On.RELEASE_FAILED):
            assert effect in REPORTS[on]


def test_adjacent_rows_meet_in_a_state() -> None:
    found = adjacent(TABLE)
    assert ("idle x TRANSFER_REQUESTED", "holding x CALLER_HELD") in found
    assert ("holding x CALLER_HELD", "holding x CALLER_HELD") not in found
    assert len(found) == sum(
        sum(row.source is before.target for row in TABLE.rows) for before in TABLE.rows
    )


def test_a_simple_path_visits_no_state_twice_and_ends() -> None:
    paths = list(row_paths(TABLE))
    assert len({tuple(row.id for row in path) for path in paths}) == len(paths)
    for path in paths:
        states = [path[0].source, *(row.target for row in path)]
        assert states[0] is State.IDLE
        assert states[-1] in FINAL
        assert len(set(states)) == len(states)
    happy = (State.IDLE, State.HOLDING, State.DIALING, State.BRIEFING, State.MERGING, State.MERGED)
    assert (*happy, State.ENDED) in state_paths(TABLE)


def test_a_table_that_leads_back_has_no_more_simple_paths() -> None:
    back = Row(State.DIALING, On.CONSULT_REFUSED, State.HOLDING, guard=Guard.RETURNS)
    assert set(row_paths(TABLE.with_rows((*TABLE.rows, back)))) == set(row_paths(TABLE))


def test_guards_and_marks_exclude_what_the_graph_would_allow() -> None:
    possible = feasible(TABLE, [SMALL])
    assert possible.switches < adjacent(TABLE)
    relayed, direct = (
        f"merging x MERGE_CONFIRMED [{g.name}]" for g in (Guard.RELAYED, Guard.BRIDGED)
    )
    stopped = "merging x BRIEFING_STOPPED"
    assert (stopped, relayed) in possible.switches
    assert (stopped, direct) not in possible.switches
    assert possible.paths < {tuple(row.id for row in path) for path in row_paths(TABLE)}


def test_a_superseded_report_follows_nothing() -> None:
    # STOP_BRIEFING reports once: the second time a merge has begun since.
    stopped = "merging x BRIEFING_STOPPED"
    assert (stopped, stopped) not in feasible(TABLE, [SMALL]).switches
    assert Do.STOP_BRIEFING in REPORTS[On.BRIEFING_STOPPED]
