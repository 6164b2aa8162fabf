"""Histories drawn by hypothesis: to a drawn state by the shortest path, then anything at all.

The explorer keeps to what the world can do. Here events come in any order, with waits between
them, reports of the newest or of an older effect, and clocks that run out when they will.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Explored
from warm_transfer.effects import Do
from warm_transfer.errors import UnexpectedEvent
from warm_transfer.events import CLOCKS, Event, On
from warm_transfer.policy import Plan, Strategy
from warm_transfer.states import FINAL, WAITING, State
from warm_transfer.table import TABLE
from warm_transfer.testing.explorer import Explorer
from warm_transfer.testing.invariants import Known, Moment, broken_by, learn, repeated
from warm_transfer.transfer import Handling, Step, Transfer

EXAMPLES = 2000
STEPS_MAX = 12
WEIGHTS = {
    State.HOLDING: 3,
    State.DIALING: 4,
    State.BRIEFING: 4,
    State.MERGING: 12,
    State.MERGED: 8,
}

#: Whose report an event is, if it is one.
REPORTS_FOR: dict[On, tuple[Do, ...]] = {
    On.CALLER_HELD: (Do.HOLD_CALLER,),
    On.CALLER_HOLD_FAILED: (Do.HOLD_CALLER,),
    On.HOLD_AUDIO_FAILED: (Do.PLAY_HOLD_AUDIO,),
    On.CONSULT_OPENED: (Do.OPEN_CONSULT,),
    On.CONSULT_OPEN_FAILED: (Do.OPEN_CONSULT,),
    On.CONSULT_RANG: (Do.DIAL_CONSULT,),
    On.CONSULT_ANSWERED: (Do.DIAL_CONSULT,),
    On.CONSULT_REFUSED: (Do.DIAL_CONSULT,),
    On.DIAL_UNCERTAIN: (Do.DIAL_CONSULT,),
    On.BRIEFING_STOPPED: (Do.STOP_BRIEFING,),
    On.BRIEFING_FAILED: (Do.START_BRIEFING, Do.STOP_BRIEFING),
    On.MERGE_CONFIRMED: (Do.MERGE_LEGS, Do.LOOK_AT_ROOMS),
    On.MERGE_FAILED: (Do.MERGE_LEGS, Do.LOOK_AT_ROOMS),
    On.MERGE_UNCERTAIN: (Do.MERGE_LEGS,),
    On.AGENT_HEARD_OUT: (Do.AWAIT_LAST_WORDS,),
}


#: Events that adapters post with the effect's id and never without.
ALWAYS_REPORTS = frozenset(
    {
        On.BRIEFING_STOPPED,
        On.MERGE_CONFIRMED,
        On.MERGE_FAILED,
        On.MERGE_UNCERTAIN,
        On.AGENT_HEARD_OUT,
    }
)


@dataclass(frozen=True)
class Drawn:
    """One thing that happens, drawn without knowing where it will happen."""

    on: On
    wait_s: float
    which: int
    """Whose report it is: the newest effect, the one before it, …; below 0 nobody's, if the event
    can also be news of its own."""


drawn_events = st.builds(
    Drawn,
    on=st.sampled_from(list(On)),
    wait_s=st.sampled_from([0.0, 0.01, 1.0, 40.0]),
    which=st.integers(min_value=-1, max_value=2),
)


@dataclass
class History:
    """A transfer, everything it has said, and what is known from it."""

    transfer: Transfer
    known: Known = field(default_factory=Known)
    now_s: float = 0.0
    ids: dict[Do, list[int]] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def post(self, event: Event) -> Step | None:
        before = self.transfer.state
        pair = (before, event.name)
        carrier = self.transfer.strategy.carrier
        try:
            step = self.transfer.receive(event, self.now_s)
        except UnexpectedEvent:
            assert pair in TABLE.impossible
            assert self.transfer.state is before
            return None
        moment = Moment(step, self.known, self.transfer.policy, carrier)
        assert list(broken_by(moment)) == []
        self.known = learn(moment)
        for effect in step.effects:
            self.ids.setdefault(effect.name, []).append(effect.id)
        self.steps.append(step)
        return step

    def happens(self, drawn: Drawn) -> None:
        self.now_s += drawn.wait_s
        deadline = self.transfer.deadline
        while deadline is not None and deadline.at_s < self.now_s:
            self.post(deadline.event)
            deadline = self.transfer.deadline
        if drawn.on in CLOCKS:
            if deadline is not None:
                self.now_s = max(self.now_s, deadline.at_s)
                self.post(deadline.event)
            return
        self.post(Event(drawn.on, effect=self.reporter(drawn)))

    def reporter(self, drawn: Drawn) -> int | None:
        names = REPORTS_FOR.get(drawn.on, ())
        ids = sorted(each for name in names for each in self.ids.get(name, ()))
        if not ids or (drawn.which < 0 and drawn.on not in ALWAYS_REPORTS):
            return None
        return ids[max(len(ids) - 1 - max(drawn.which, 0), 0)]


def words_to(explorers: Sequence[Explorer]) -> dict[tuple[int, State], list[Event]]:
    """The shortest way to every state, for each scope."""
    words: dict[tuple[int, State], list[Event]] = {}
    for number, explorer in enumerate(explorers):
        for index in range(len(explorer)):
            key = (number, explorer.state(index))
            if key not in words:
                words[key] = explorer.replay(explorer.path_to(index))[1]
    return words


@pytest.fixture(scope="module")
def starts(explored: Explored) -> list[tuple[Explorer, list[Event]]]:
    words = words_to(explored.explorers)
    # Where much can happen more histories begin; after the end little is left to be seen.
    return [
        (explored.explorers[number], word)
        for (number, state), word in words.items()
        for _ in range(WEIGHTS.get(state, 1))
    ]


def begin(explorer: Explorer, word: Sequence[Event]) -> History:
    scope = explorer.scope
    # The hold limit is far away, so that the state's own clock is the next one.
    policy = replace(scope.policy, hold_limit_s=1e6)
    plan = Plan(strategies=scope.strategies)
    history = History(Transfer("drawn", policy=policy, plan=plan))
    for event in word:
        history.post(event)
    return history


def test_no_drawn_history_breaks_a_promise(
    starts: list[tuple[Explorer, list[Event]]],
) -> None:
    rows: set[str] = set()
    pairs: set[tuple[State, On]] = set()
    begun: set[State] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.sampled_from(starts), st.lists(drawn_events, max_size=STEPS_MAX))
    def histories(start: tuple[Explorer, list[Event]], then: list[Drawn]) -> None:
        history = begin(*start)
        begun.add(history.transfer.state)
        for drawn in then:
            history.happens(drawn)
            check(history)
        rows.update(step.row.id for step in history.steps if step.row)
        pairs.update((step.before, step.event.name) for step in history.steps)

    histories()
    assert begun == set(State), "every state is a start"
    # The explorer takes every row; what is drawn has to come far enough to be worth drawing.
    assert len(rows) >= 0.8 * len(TABLE.rows), "the drawn histories reach most rows"
    assert len(pairs) >= 0.7 * len(State) * len(On) - len(TABLE.impossible)


def check(history: History) -> None:
    """What holds between any two steps."""
    transfer = history.transfer
    assert (transfer.deadline is None) == (transfer.state in FINAL | {State.IDLE})
    outcomes = [step.outcome for step in history.steps if step.outcome is not None]
    assert len(outcomes) <= 1
    assert transfer.outcome == (outcomes[0] if outcomes else None)
    delivered = [
        effect
        for step in history.steps
        for effect in step.effects
        if effect.name is Do.DELIVER_OUTCOME
    ]
    assert len(delivered) == len(outcomes)
    assert [step.seq for step in history.steps] == list(range(1, len(history.steps) + 1))


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_every_drawn_history_ends_when_only_the_clocks_are_left(
    starts: list[tuple[Explorer, list[Event]]], data: st.DataObject
) -> None:
    history = begin(*data.draw(st.sampled_from(starts)))
    for drawn in data.draw(st.lists(drawn_events, max_size=6)):
        history.happens(drawn)
    for _ in range(6):
        deadline = history.transfer.deadline
        if deadline is None:
            break
        history.now_s = deadline.at_s
        history.post(deadline.event)
    assert history.transfer.state not in WAITING


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_a_report_delivered_twice_changes_nothing(
    starts: list[tuple[Explorer, list[Event]]], data: st.DataObject
) -> None:
    history = begin(*data.draw(st.sampled_from(starts)))
    for drawn in data.draw(st.lists(drawn_events, max_size=6)):
        history.happens(drawn)
        last = history.steps[-1] if history.steps else None
        if last is None or last.handling is not Handling.ROW:
            continue
        second = history.post(last.event)
        assert second is not None
        assert list(repeated(last, second)) == []


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_the_same_events_give_the_same_steps(
    starts: list[tuple[Explorer, list[Event]]], data: st.DataObject
) -> None:
    explorer, word = data.draw(st.sampled_from(starts))
    history = begin(explorer, word)
    for drawn in data.draw(st.lists(drawn_events, max_size=STEPS_MAX)):
        history.happens(drawn)
    again = begin(explorer, [])
    for step in history.steps:
        again.now_s = step.at_s
        assert again.post(step.event) == step


def test_a_plan_of_one_direct_strategy_is_among_the_starts(
    starts: list[tuple[Explorer, list[Event]]],
) -> None:
    plans = {explorer.scope.strategies for explorer, _ in starts}
    assert (Strategy("move"),) in plans
