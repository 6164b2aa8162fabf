"""A path as it is told and played."""

import pytest

from tests.testing.explorer.tables import SILENT, SMALL
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import Counterexample, explore
from warm_transfer.testing.explorer.cores import Cores
from warm_transfer.testing.explorer.counterexample import play
from warm_transfer.testing.explorer.memory import OLD_CLOCK, STATE_CLOCK
from warm_transfer.testing.model import Move, World
from warm_transfer.transfer import Transfer


@pytest.fixture(scope="module")
def found() -> Counterexample:
    (found,) = explore(SILENT, [SMALL], stop_at=1).violations
    return found


def test_it_can_be_read(found: Counterexample) -> None:
    assert found.invariant == "the_held_caller_hears_music"
    assert found.path[0] == "TRANSFER_REQUESTED"
    assert found.path[-1] == "[PREPARE_MERGE returns]"
    assert str(found).startswith(f"the_held_caller_hears_music ({SMALL.name}): ")


def test_it_can_be_played(found: Counterexample) -> None:
    transfer = Transfer("played", table=SILENT)
    for event in found.events:
        transfer.receive(event, 0.0)
    assert transfer.state is State.BRIEFING


def test_an_event_says_what_the_core_does_not_see_after_it(found: Counterexample) -> None:
    last = found.events[-1].facts.detail or ""
    assert "then PREPARE_MERGE returns" in last
    assert last.endswith(f"breaks {found.invariant}: {found.problem}")
    assert found.events[0].facts.detail is None


def move(on: On, effect: int | None = None) -> Move:
    return Move(on, effect, (), World(), "news")


def test_a_clock_runs_out_when_it_is_due_and_an_old_one_at_once() -> None:
    cores = Cores(SMALL, TABLE)
    path = [
        move(On.TRANSFER_REQUESTED),
        move(On.DEADLINE_PASSED, OLD_CLOCK),
        move(On.CALLER_HELD, 100),
        move(On.DEADLINE_PASSED, STATE_CLOCK),
        move(On.APP_ACCEPTED),
    ]
    played = play(cores, path)
    assert played.transfer.state is State.FAILED
    assert [event.name for event in played.events] == [each.event for each in path]
    ring_s = played.at_s[2] + SMALL.policy.ring_timeout_s
    assert played.at_s == pytest.approx([0.0, 0.1, 0.2, ring_s, ring_s + 0.1])


def test_a_report_has_the_id_that_the_fresh_transfer_gave() -> None:
    path = [move(On.TRANSFER_REQUESTED), move(On.CALLER_HELD, 100)]
    played = play(Cores(SMALL, TABLE), path)
    held = played.events[1].effect
    assert vars(played.transfer)["_names"][held] is Do.HOLD_CALLER
