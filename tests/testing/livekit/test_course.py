from __future__ import annotations

from collections.abc import Callable

import pytest

from warm_transfer.effects import Do
from warm_transfer.policy import TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.livekit.course import Course, course_of
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.world import World
from warm_transfer.testing.scenario import SCENARIOS, run

POLICY = TransferPolicy()


def played(name: str) -> Course:
    return course_of(run(SCENARIOS[name]), POLICY)


def test_its_moments_are_those_of_the_states() -> None:
    course = played("human-leaves-returned")
    entered = {state: at_s for at_s, state in course.result.states}

    assert course.merging_s == entered[State.MERGING]
    assert course.merged_s == entered[State.MERGED]
    assert course.over_s == entered[State.RETURNED]
    assert Do.RESUME_CALLER in course.effects


def test_a_moment_that_never_came_is_none() -> None:
    course = played("decline")

    assert course.merging_s is None
    assert course.merged_s is None


def test_what_was_heard_is_that_of_the_ears() -> None:
    course = played("merged")
    world = course.result.world

    assert course.heard("caller") == world.heard("caller") != ()
    assert course.heard("human") == world.heard("human") != ()


@pytest.mark.parametrize(
    ("name", "given_back"),
    [
        ("decline", True),
        ("human-leaves-returned", True),
        ("merged", False),
        ("human-leaves-merged", False),
        ("caller-leaves-ringing", False),
    ],
)
def test_a_caller_is_given_back_who_is_with_the_agent_again(name: str, *, given_back: bool) -> None:
    assert played(name).given_back == given_back


HAMPERED: dict[str, Callable[[World], None]] = {
    "a fault of the seam": lambda world: world.faults.met.append(
        ("room.connect", 1, Fault(How.FAILS))
    ),
    "a stall": lambda world: world.stalls_s.append((1.0, 1.0)),
    "late news": lambda world: world.late_news_s.append((1.0, 1.0)),
    "the agent away": lambda world: world.away_s.append((1.0, 1.0)),
    "somebody away": lambda world: world.absent_s.append((1.0, 1.0)),
    "a return": lambda world: world.returns_s.append(1.0),
    "a cancellation": lambda world: world.cancelled_s.append(1.0),
}


@pytest.mark.parametrize("what", HAMPERED)
def test_it_is_calm_unless_something_went_wrong_around_it(what: str) -> None:
    result = run(SCENARIOS["decline"])
    assert course_of(result, POLICY).calm

    HAMPERED[what](result.world)

    assert not course_of(result, POLICY).calm
