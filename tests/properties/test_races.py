"""Two events in the same turn, in both orders, in every state: nobody is stranded by a crossing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import pytest

from warm_transfer.events import ACCEPTANCES, OVERTAKES_ACCEPTANCE, Event, On
from warm_transfer.livekit.engine import Engine
from warm_transfer.states import State
from warm_transfer.testing import clock
from warm_transfer.testing.livekit.audit import audit
from warm_transfer.testing.livekit.play import Result, Stage, play
from warm_transfer.testing.scenario import SCENARIOS, Scenario, When

#: What can come from outside at any time; reports of effects are crossed by the explorer.
FROM_OUTSIDE = (
    On.TRANSFER_REQUESTED,
    On.APP_ACCEPTED,
    On.APP_DECLINED,
    On.APP_CANCELLED,
    On.SESSION_CLOSED,
    On.JOB_SHUTTING_DOWN,
    On.HOLD_AUDIO_FAILED,
    On.CALLER_HUNG_UP,
    On.CALLER_ROOM_LOST,
    On.CONSULT_RANG,
    On.CONSULT_ACCEPTED,
    On.CONSULT_DECLINED,
    On.VOICEMAIL_DETECTED,
    On.CONSULT_HUNG_UP,
    On.CONSULT_ROOM_LOST,
    On.BRIEFING_FAILED,
)

WHERE = {
    State.DIALING: ("merged", When(2.0, "dial")),
    State.BRIEFING: ("merged", When(2.0, "answer")),
    State.MERGING: ("merged", When(0.005, "yes")),
    State.MERGED: ("merged", When(5.0, "merge")),
    State.DECLINED: ("decline", When(0.01, "outcome")),
}


class _Crossing(Stage):
    """A stage on which two events are posted in one turn."""

    def __init__(self, told: Scenario, when: When, pair: tuple[On, On]) -> None:
        super().__init__(told)
        self._when = when
        self._pair = pair
        self.found: State | None = None

    def acts(self) -> list[tuple[When, Callable[[Engine], Any]]]:
        return [*super().acts(), (self._when, self._post)]

    def _post(self, engine: Engine) -> None:
        self.found = engine.state
        for name in self._pair:
            engine.post(Event(name))


async def _crossed(state: State, pair: tuple[On, On]) -> Result:
    name, when = WHERE[state]
    stage = _Crossing(SCENARIOS[name], when, pair)
    result = await play(SCENARIOS[name], stage=stage)
    assert stage.found is state
    return result


def _runs(state: State, pairs: Iterable[tuple[On, On]]) -> Iterator[tuple[str, Result]]:
    for pair in pairs:
        yield " then ".join(pair), clock.run(_crossed(state, pair))


@pytest.mark.parametrize("state", WHERE)
def test_two_events_in_one_turn_strand_nobody(
    state: State, record_property: Callable[[str, object], None]
) -> None:
    pairs = [(first, second) for first, second in product(FROM_OUTSIDE, FROM_OUTSIDE)]
    record_property("pairs tried", len(pairs))

    problems = [
        f"{pair}: {problem}" for pair, result in _runs(state, pairs) for problem in audit(result)
    ]

    assert problems == []


@pytest.mark.parametrize("acceptance", sorted(ACCEPTANCES))
def test_a_yes_and_a_no_in_one_turn_is_a_no(acceptance: On) -> None:
    noes = sorted(OVERTAKES_ACCEPTANCE)
    pairs = [pair for no in noes for pair in ((acceptance, no), (no, acceptance))]

    merged = [pair for pair, result in _runs(State.BRIEFING, pairs) if _was_merged(result)]

    assert merged == []


@pytest.mark.parametrize("second", sorted(ACCEPTANCES))
def test_two_acceptances_merge_once(second: On) -> None:
    result = clock.run(_crossed(State.BRIEFING, (On.CONSULT_ACCEPTED, second)))

    assert [state for _, state in result.states].count(State.MERGED) == 1
    assert audit(result) == ()


@pytest.mark.parametrize("tool", [On.CONSULT_ACCEPTED, On.CONSULT_DECLINED, On.VOICEMAIL_DETECTED])
def test_a_tool_called_before_the_answer_changes_nothing(tool: On) -> None:
    result = clock.run(_crossed(State.DIALING, (tool, tool)))

    assert _was_merged(result)
    assert audit(result) == ()


class _Leaving(Stage):
    """A stage on which the caller hangs up at a given time after the request."""

    def __init__(self, told: Scenario, at_s: float) -> None:
        super().__init__(told)
        self._at_s = at_s

    def acts(self) -> list[tuple[When, Callable[[Engine], Any]]]:
        return [(When(self._at_s, "request"), self.caller_hangs_up)]


async def _left_at(at_s: float) -> Result:
    return await play(SCENARIOS["merged"], stage=_Leaving(SCENARIOS["merged"], at_s))


def test_a_hang_up_around_the_answer_leaves_no_phone_talking_to_nobody() -> None:
    # The phone is answered 4.047 s after the request.
    times_s = [ms / 1000 for ms in range(3_950, 4_150, 2)]

    problems = [f"{at_s}: {each}" for at_s in times_s for each in audit(clock.run(_left_at(at_s)))]

    assert problems == []


def _was_merged(result: Result) -> bool:
    return any(state is State.MERGED for _, state in result.states)
