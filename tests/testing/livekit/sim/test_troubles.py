from __future__ import annotations

from collections.abc import Sequence

import pytest

from warm_transfer.states import State
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.humans import Human
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.script import Agent, Caller, Scenario, Server
from warm_transfer.testing.livekit.sim.drawing import Drawn
from warm_transfer.testing.livekit.sim.running import Ran, run
from warm_transfer.testing.livekit.sim.troubles import KIND_OF, Kind, Met, Trouble, What
from warm_transfer.testing.livekit.when import When

PLAIN = Scenario(phone=Phone(answers_after_s=1.0), human=Human("yes", 2.0))
BRIEFED = When(1.0, "answer")


def ran(*troubles: Trouble, told: Scenario = PLAIN) -> Ran:
    found = run(Drawn(seed=4, scenario=told, troubles=troubles))
    assert found.problems == ()
    return found


def events(found: Ran) -> Sequence[str]:
    return [line.split('"event":"')[1].split('"')[0] for line in found.journal]


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        (What.STALL, Kind.STALL),
        (What.SLOW_NEWS, Kind.REORDERING),
        (What.ALL_CANCELLED, Kind.CANCELLATION),
        (What.AWAIT_CANCELLED, Kind.CANCELLATION),
        (What.CALLER_RECONNECTS, Kind.RECONNECT),
        (What.HUMAN_RECONNECTS, Kind.RECONNECT),
    ],
)
def test_a_trouble_is_met_and_noted_with_the_state(what: What, kind: Kind) -> None:
    trouble = Trouble(what, When(0.05, "request"), 0.5)
    if what is What.HUMAN_RECONNECTS:
        trouble = Trouble(what, BRIEFED, 0.5)
    met = ran(trouble).met
    assert [each.kind for each in met] == [kind]
    assert met[0].state in (State.DIALING, State.BRIEFING)


def test_nothing_is_met_of_what_comes_after_the_end() -> None:
    later = When(60.0, "outcome")
    gone = Scenario(phone=Phone(refuses_with=486))
    assert ran(*(Trouble(each, later, 0.5) for each in What), told=gone).met == ()


def test_a_stall_makes_what_comes_next_late() -> None:
    calm, stalled = ran(), ran(Trouble(What.STALL, BRIEFED, 5.0))
    assert events(calm) == events(stalled)
    assert stalled.journal != calm.journal


def test_a_repeated_event_stands_in_the_journal_twice() -> None:
    found = ran(Trouble(What.REPEATED_EVENT, When(0.5, "request"), 0.05))
    (met,) = found.met
    assert met.kind is Kind.DUPLICATE
    assert events(found).count(met.name) == 2


def test_one_task_is_cancelled_and_the_transfer_says_what_came_of_it() -> None:
    found = ran(Trouble(What.TASK_CANCELLED, When(0.05, "request"), which=0))
    (met,) = found.met
    assert met == Met(Kind.CANCELLATION, "DIAL_CONSULT", State.DIALING)
    assert found.outcome is State.FAILED


def test_a_cancelled_task_is_told_by_its_work_and_not_by_whom_it_is_for() -> None:
    # A stable name: that of the human's leg is another one in every run.
    merged = When(1.0, "merge")
    names = {
        met.name for i in range(4) for met in ran(Trouble(What.TASK_CANCELLED, merged, which=i)).met
    }
    assert names == {"relay", "tones"}


def test_slow_news_come_behind_the_others_and_change_no_outcome() -> None:
    found = ran(Trouble(What.SLOW_NEWS, When(0.5, "request"), 3.0, which=1))
    assert found.outcome is State.MERGED
    assert found.journal != ran().journal


def test_what_the_scenario_tells_is_noted_too() -> None:
    told = Scenario(
        phone=Phone(answers_after_s=1.0),
        human=Human("nothing"),
        caller=Caller(hangs_up=When(15.0, "answer")),
        agent=Agent(
            reconnects=When(0.3, "answer"), loses_consult_room=When(2.0, "answer"), reconnect_s=0.2
        ),
        server=Server(restarts=When(1.0, "answer")),
    )
    assert [each.kind for each in ran(told=told).met] == [
        Kind.RECONNECT,
        Kind.RESTART,
        Kind.DISCONNECT,
    ]


def test_a_lost_caller_room_and_a_model_that_fails_are_noted() -> None:
    for agent, kind in (
        (Agent(loses_caller_room=BRIEFED), Kind.DISCONNECT),
        (Agent(model_fails=BRIEFED), Kind.ERROR),
    ):
        (met,) = ran(told=Scenario(phone=Phone(answers_after_s=1.0), agent=agent)).met
        assert (met.kind, met.state) == (kind, State.BRIEFING)


@pytest.mark.parametrize("how", How)
def test_a_fault_of_the_seam_is_noted_by_its_kind(how: How) -> None:
    faults = {("room.list_participants", 1): Fault(how, seconds=0.1)}
    faults |= {("player.start", 1): Fault(how, seconds=0.1)}
    found = ran(told=Scenario(phone=Phone(answers_after_s=1.0), faults=faults))
    assert [(each.kind, each.name) for each in found.met] == [(KIND_OF[how], "player.start")]
