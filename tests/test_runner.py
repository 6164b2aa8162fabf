"""The shell of one transfer, on a scripted line and a virtual clock."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.lines import (
    HANGS,
    HAPPY,
    WAY_TO,
    Act,
    FakeLine,
    Stage,
    Steered,
    on_virtual_clock,
    stall_until,
    tasks_left,
    timers_left,
    turns,
)
from warm_transfer.effects import AFTER, FAILURE, OVERTAKES, RELEASES, TIMEOUT, Do, Effect
from warm_transfer.events import ACCEPTANCES, OVERTAKES_ACCEPTANCE, Event, Facts, On
from warm_transfer.journal import MemoryJournal, replay
from warm_transfer.limits import limit_s
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.policy import Plan, TransferPolicy
from warm_transfer.ports import StateChange, Work
from warm_transfer.runner import Runner
from warm_transfer.states import FINAL, State
from warm_transfer.transfer import Transfer

S = State

#: Pairs of an effect and one that it comes after.
COMES_AFTER = [(name, before) for name in Do for before in sorted(AFTER.get(name, ()))]
#: Pairs of a release and a start that it overtakes.
OVERTAKEN = [(name, start) for name in Do for start in sorted(OVERTAKES.get(name, ()))]


#: With limits that no effect of a test about order reaches.
PATIENT = TransferPolicy(look_timeout_s=30.0, merge_timeout_s=30.0, release_timeout_s=30.0)


def undoes(release: Do, start: Do) -> bool:
    return start in OVERTAKES.get(release, frozenset())


# What is written, and when.


class Diary:
    """A journal and a line that write into one list, to see what came first."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, int]] = []

    def write(self, line: Mapping[str, Any]) -> None:
        self.entries.extend(("journal", effect["id"]) for effect in line["effects"])


class DiaryLine(FakeLine):
    def __init__(self, script: Mapping[Do, Act], diary: Diary) -> None:
        super().__init__(script)
        self._diary = diary

    def start(self, effect: Effect) -> Work | None:
        self._diary.entries.append(("start", effect.id))
        return super().start(effect)


@on_virtual_clock
async def test_a_step_is_journalled_before_any_of_its_effects_starts() -> None:
    diary = Diary()
    line = DiaryLine(HAPPY, diary)
    runner = Runner(Transfer("t1"), line, journal=diary)
    line.post = runner.post
    runner.post(Event(On.TRANSFER_REQUESTED))
    await asyncio.sleep(10)
    runner.post(Event(On.CONSULT_ACCEPTED))
    await asyncio.sleep(10)
    runner.post(Event(On.CALLER_HUNG_UP))
    await runner.wait_closed()
    started = [number for what, number in diary.entries if what == "start"]
    assert len(started) >= 10
    for number in started:
        assert ("journal", number) in diary.entries
        assert diary.entries.index(("journal", number)) < diary.entries.index(("start", number))


@on_virtual_clock
async def test_the_effects_of_a_step_start_before_the_next_event_is_taken() -> None:
    stage = Stage({Do.HOLD_CALLER: Act(posts=On.CALLER_HELD)})
    stage.take(On.TRANSFER_REQUESTED)
    assert [call.effect.name for call in stage.line.calls if call.what == "begins"] == [
        Do.HOLD_CALLER,
        Do.PLAY_HOLD_AUDIO,
        Do.OPEN_CONSULT,
        Do.DIAL_CONSULT,
    ]


@on_virtual_clock
async def test_an_event_is_taken_in_a_later_turn_and_in_the_order_of_posting() -> None:
    stage = Stage()
    for name in WAY_TO[S.BRIEFING]:
        stage.runner.post(Event(name))
    assert stage.state is S.IDLE
    await turns(1)
    assert stage.events() == list(WAY_TO[S.BRIEFING])


@on_virtual_clock
async def test_an_event_posted_while_another_is_taken_waits_for_its_turn() -> None:
    nested: list[bool] = []

    class Impatient(FakeLine):
        def start(self, effect: Effect) -> Work | None:
            if effect.name is Do.HOLD_CALLER:
                nested.append(stage.runner.post_now(Event(On.CALLER_HELD)))
                assert stage.state is S.HOLDING
            return super().start(effect)

    stage = Stage()
    stage.runner._line = Impatient({name: Act() for name in Do})
    stage.take(On.TRANSFER_REQUESTED)
    assert nested == [False]
    assert stage.went() == ["holding", "dialing"]


# What was posted first.


@on_virtual_clock
async def test_what_was_posted_before_the_deadline_wins_even_after_a_stall() -> None:
    stage = Stage()
    stage.go_to(S.DIALING)
    await asyncio.sleep(29)
    stage.runner.post(Event(On.CONSULT_ANSWERED))
    stall_until(35)
    await turns()
    assert stage.state is S.BRIEFING
    assert stage.kept.lines[-1]["t_s"] == 29
    assert On.DEADLINE_PASSED not in stage.events()


@on_virtual_clock
async def test_what_is_posted_after_the_deadline_loses_even_when_it_is_taken_first() -> None:
    stage = Stage()
    stage.go_to(S.DIALING)
    await asyncio.sleep(29)
    stall_until(35)
    stage.runner.post(Event(On.CONSULT_ANSWERED))
    await turns()
    assert stage.state is S.FAILED
    assert stage.events()[-2:] == [On.DEADLINE_PASSED, On.CONSULT_ANSWERED]
    # The deadline counts from when it was due, not from when the stall let it through.
    assert [line["t_s"] for line in stage.kept.lines[-2:]] == [30, 35]
    assert stage.line.outcomes[0].reason is Reason.NO_ANSWER


@on_virtual_clock
async def test_what_is_posted_at_the_very_deadline_still_wins() -> None:
    stage = Stage()
    stage.go_to(S.DIALING)
    stall_until(30)
    stage.runner.post(Event(On.CONSULT_ANSWERED))
    await turns()
    assert stage.state is S.BRIEFING


@on_virtual_clock
async def test_the_application_cannot_overtake_a_deadline_that_a_stall_held_up() -> None:
    stage = Stage()
    stage.go_to(S.BRIEFING)
    stall_until(500)
    assert not stage.runner.post_now(Event(On.APP_ACCEPTED))
    assert stage.state is S.FAILED
    assert stage.line.outcomes[0].reason is Reason.NO_DECISION


@on_virtual_clock
async def test_a_stall_over_two_deadlines_takes_each_at_its_time() -> None:
    stage = Stage()
    stage.go_to(S.MERGING)
    stall_until(60)
    await turns()
    assert stage.events()[-2:] == [On.DEADLINE_PASSED, On.DEADLINE_PASSED]
    assert [line["t_s"] for line in stage.kept.lines[-2:]] == [10, 12]
    assert stage.state is S.FAILED


# A yes and a no in the same turn is a no.


@pytest.mark.parametrize("no", sorted(OVERTAKES_ACCEPTANCE))
@pytest.mark.parametrize("yes", sorted(ACCEPTANCES))
@pytest.mark.parametrize("no_is_first", [True, False])
@on_virtual_clock
async def test_a_no_in_the_same_turn_as_a_yes_wins(yes: On, no: On, no_is_first: bool) -> None:
    alone = Stage()
    alone.go_to(S.BRIEFING)
    alone.take(no)
    stage = Stage()
    stage.go_to(S.BRIEFING)
    for name in (no, yes) if no_is_first else (yes, no):
        stage.runner.post(Event(name))
    await turns()
    assert stage.state is alone.state
    assert stage.state in FINAL
    assert stage.line.outcomes == alone.line.outcomes
    assert "merging" not in stage.went()
    assert stage.line.count("begins", Do.STOP_BRIEFING) == 0


@pytest.mark.parametrize("yes", sorted(ACCEPTANCES))
@on_virtual_clock
async def test_a_no_wins_over_a_yes_with_other_events_between_them(yes: On) -> None:
    stage = Stage()
    stage.go_to(S.BRIEFING)
    for name in (yes, On.CONSULT_OPENED, yes, On.CONSULT_DECLINED):
        stage.runner.post(Event(name))
    await turns()
    assert stage.state is S.DECLINED


@pytest.mark.parametrize("yes", sorted(ACCEPTANCES))
@on_virtual_clock
async def test_a_no_in_a_later_turn_than_the_yes_comes_too_late_to_overtake(yes: On) -> None:
    stage = Stage()
    stage.go_to(S.BRIEFING)
    stage.runner.post(Event(yes))
    await turns()
    stage.runner.post(Event(On.CONSULT_DECLINED))
    await turns()
    assert stage.state is S.MERGING


@on_virtual_clock
async def test_what_does_not_overtake_an_acceptance_waits_behind_it() -> None:
    stage = Stage()
    stage.go_to(S.BRIEFING)
    stage.runner.post(Event(On.CONSULT_ACCEPTED))
    stage.runner.post(Event(On.APP_CANCELLED))
    await turns()
    assert stage.events()[-2:] == [On.CONSULT_ACCEPTED, On.APP_CANCELLED]


# What the application is told.


@on_virtual_clock
async def test_post_now_says_yes_when_a_row_took_the_event() -> None:
    stage = Stage()
    stage.go_to(S.BRIEFING)
    assert stage.runner.post_now(Event(On.APP_ACCEPTED))
    assert stage.state is S.MERGING


@on_virtual_clock
async def test_post_now_says_no_when_the_event_was_ignored() -> None:
    stage = Stage()
    stage.go_to(S.DIALING)
    assert not stage.runner.post_now(Event(On.APP_ACCEPTED))
    assert stage.kept.lines[-1]["handling"] == "ignored"


@on_virtual_clock
async def test_post_now_says_no_when_the_event_was_stale() -> None:
    stage = Stage()
    stage.go_to(S.DIALING)
    assert not stage.runner.post_now(Event(On.CONSULT_ANSWERED, attempt=0))
    assert stage.kept.lines[-1]["handling"] == "stale"
    assert stage.state is S.DIALING


@on_virtual_clock
async def test_post_now_says_no_when_a_queued_no_overtook_the_acceptance() -> None:
    stage = Stage()
    stage.go_to(S.BRIEFING)
    stage.runner.post(Event(On.CONSULT_DECLINED))
    assert not stage.runner.post_now(Event(On.APP_ACCEPTED))
    assert stage.state is S.DECLINED


@on_virtual_clock
async def test_post_now_takes_what_was_queued_before() -> None:
    stage = Stage()
    stage.runner.post(Event(On.TRANSFER_REQUESTED))
    assert stage.runner.post_now(Event(On.CALLER_HELD))
    assert stage.state is S.DIALING


@pytest.mark.parametrize("name", sorted(On))
@on_virtual_clock
async def test_no_event_changes_anything_after_the_end(name: On) -> None:
    stage = Stage()
    stage.go_to(S.CANCELLED)
    await stage.runner.wait_closed()
    lines, calls = list(stage.kept.lines), list(stage.line.calls)
    stage.runner.post(Event(name))
    assert not stage.runner.post_now(Event(name))
    await turns()
    assert (stage.kept.lines, stage.line.calls) == (lines, calls)
    assert stage.line.closings == 1
    assert not tasks_left()


# An impossible event.


@on_virtual_clock
async def test_an_impossible_event_is_logged_and_changes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(base=HAPPY)
    assert not stage.runner.post_now(Event(On.MERGE_CONFIRMED))
    assert [record.message for record in caplog.records] == ["unexpected event"]
    assert caplog.records[0].levelno == logging.ERROR
    assert not stage.kept.lines
    assert not stage.line.calls
    # The caller does not pay for it: the transfer goes on.
    stage.take(On.TRANSFER_REQUESTED, On.MERGE_CONFIRMED)
    assert stage.state is S.DIALING
    assert [line["seq"] for line in stage.kept.lines] == [1, 2]


# The order between effects.


def steered(
    *steps: tuple[Do, ...],
    acts: Mapping[Do, Act | Sequence[Act]],
    policy: TransferPolicy = PATIENT,
) -> Stage:
    """A merged transfer whose core starts what the test wants at each CONSULT_RANG."""
    core = Steered(*steps, policy=policy)
    stage = Stage(transfer=core)
    stage.go_to(S.MERGED)
    core.received.clear()
    stage.line.calls.clear()
    stage.line.learn(acts)
    return stage


@pytest.mark.parametrize(("name", "before"), COMES_AFTER)
@on_virtual_clock
async def test_an_effect_begins_when_what_it_comes_after_has_returned(name: Do, before: Do) -> None:
    stage = steered((before,), (name,), acts={before: Act(takes_s=3.0)})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(1)
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(9)
    assert stage.line.begins_s(before) == [0.0]
    assert stage.line.begins_s(name) == [3.0]


def until_given_up_s(takes_s: float, policy: TransferPolicy | None = None) -> float:
    """How long a release that always fails is tried, the doubling pauses included."""
    policy = policy or TransferPolicy()
    tries = policy.release_attempts_max
    pauses = float(2 ** (tries - 1) - 1)
    return takes_s * tries + policy.release_pause_s * pauses


@pytest.mark.parametrize(("name", "before"), COMES_AFTER)
@on_virtual_clock
async def test_an_effect_begins_when_what_it_comes_after_has_failed(name: Do, before: Do) -> None:
    wrong = Act(takes_s=3.0, error=RuntimeError("no"))
    stage = steered((before, name), acts={before: wrong})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(60)
    undone = name in OVERTAKES.get(before, ())
    # What a release would undo waits for its last try, everything else for the first.
    wanted_s = until_given_up_s(3.0) if undone else 3.0
    assert stage.line.begins_s(name)[0] == wanted_s


@pytest.mark.parametrize(("name", "before"), COMES_AFTER)
@on_virtual_clock
async def test_an_effect_waits_for_nothing_when_nothing_is_in_flight(name: Do, before: Do) -> None:
    stage = steered((before,), (name,), acts={before: Act(takes_s=3.0)})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(4)
    stage.take(On.CONSULT_RANG)
    assert stage.line.begins_s(name) == [4.0]


UNORDERED = [
    (name, other)
    for name in Do
    for other in Do
    if other not in AFTER.get(name, ()) and name is not other
]


@pytest.mark.parametrize(("name", "other"), UNORDERED)
@on_virtual_clock
async def test_what_has_no_order_runs_at_the_same_time(name: Do, other: Do) -> None:
    stage = steered((other, name), acts={other: Act(takes_s=3.0), name: Act(takes_s=3.0)})
    stage.take(On.CONSULT_RANG)
    assert stage.line.begins_s(other) == [0.0]
    assert stage.line.begins_s(name) == [0.0]


@pytest.mark.parametrize(("release", "start"), OVERTAKEN)
@on_virtual_clock
async def test_a_release_runs_at_once_and_again_when_the_start_it_overtook_returns(
    release: Do, start: Do
) -> None:
    stage = steered((start,), (release,), acts={start: Act(takes_s=5.0), release: Act(takes_s=1.0)})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(2)
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(20)
    assert stage.line.begins_s(release) == [2.0, 5.0]
    assert stage.line.count("returns", release) == 2


@pytest.mark.parametrize(("release", "start"), OVERTAKEN)
@on_virtual_clock
async def test_a_release_is_repeated_even_when_the_start_returns_while_it_runs(
    release: Do, start: Do
) -> None:
    # It may have looked before the start had done its work.
    stage = steered((start, release), acts={start: Act(takes_s=1.0), release: Act(takes_s=4.0)})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(20)
    assert stage.line.begins_s(release) == [0.0, 4.0]


@pytest.mark.parametrize(("release", "start"), OVERTAKEN)
@on_virtual_clock
async def test_a_release_without_work_is_repeated_as_well(release: Do, start: Do) -> None:
    stage = steered((start, release), acts={start: Act(takes_s=1.5)})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(20)
    assert stage.line.begins_s(release) == [0.0, 1.5]


@pytest.mark.parametrize(("release", "start"), OVERTAKEN)
@on_virtual_clock
async def test_a_release_is_not_repeated_when_the_start_had_returned(
    release: Do, start: Do
) -> None:
    stage = steered((start,), (release,), acts={start: Act(takes_s=1.0), release: Act(takes_s=1.0)})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(2)
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(20)
    assert stage.line.begins_s(release) == [2.0]


#: A release, a start that it overtakes, and what that start is still waiting for.
NOT_BEGUN = [
    (release, start, blocker)
    for release, start in OVERTAKEN
    for blocker in sorted(AFTER.get(start, ()))
]


@pytest.mark.parametrize(("release", "start", "blocker"), NOT_BEGUN)
@on_virtual_clock
async def test_a_start_that_has_not_begun_when_its_release_comes_never_begins(
    release: Do, start: Do, blocker: Do
) -> None:
    stage = steered((blocker, start), (release,), acts={blocker: Act(takes_s=3.0)})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(1)
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(20)
    assert stage.line.begins_s(blocker)[0] == 0.0
    assert stage.line.begins_s(start) == []
    assert not tasks_left()


@on_virtual_clock
async def test_a_briefing_that_waits_for_the_room_does_not_begin_behind_an_acceptance() -> None:
    slow_room = Act(takes_s=8.0, posts=On.CONSULT_OPENED)
    stage = Stage({Do.OPEN_CONSULT: slow_room}, base=HAPPY)
    stage.take(On.TRANSFER_REQUESTED)
    await asyncio.sleep(5)
    assert stage.runner.post_now(Event(On.APP_ACCEPTED))
    await asyncio.sleep(10)
    assert stage.state is S.MERGED
    assert stage.line.begins_s(Do.START_BRIEFING) == []


#: An effect, a release that it comes after, and a start which that release overtakes.
BEHIND_A_RELEASE = [
    (name, release, start)
    for name, release in COMES_AFTER
    for start in sorted(OVERTAKES.get(release, ()))
    if start not in AFTER[name]
]


@pytest.mark.parametrize(
    ("name", "release", "start"),
    [each for each in BEHIND_A_RELEASE if not undoes(each[1], each[0])],
)
@on_virtual_clock
async def test_what_comes_after_a_release_does_not_wait_for_its_repetition(
    name: Do, release: Do, start: Do
) -> None:
    stage = steered(
        (start, release, name), acts={start: Act(takes_s=4.0), release: Act(takes_s=1.0)}
    )
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(30)
    assert stage.line.begins_s(release) == [0.0, 4.0]
    assert stage.line.begins_s(name)[0] == 1.0


@pytest.mark.parametrize(
    ("name", "release", "start"), [each for each in BEHIND_A_RELEASE if undoes(each[1], each[0])]
)
@on_virtual_clock
async def test_a_start_waits_for_a_repetition_that_would_undo_it(
    name: Do, release: Do, start: Do
) -> None:
    acts = {release: Act(takes_s=1.0), start: Act(takes_s=5.0)}
    stage = steered((start, release, name), acts=acts)
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(30)
    assert stage.line.begins_s(release)[:2] == [0.0, 5.0]
    assert stage.line.begins_s(name)[-1] == 6.0


def test_the_lists_of_pairs_are_not_empty() -> None:
    assert COMES_AFTER
    assert OVERTAKEN
    assert NOT_BEGUN
    assert any(undoes(release, name) for name, release, _ in BEHIND_A_RELEASE)
    assert any(not undoes(release, name) for name, release, _ in BEHIND_A_RELEASE)


# Effects that fail.


def reports(stage: Stage) -> list[Event]:
    """What the runner itself has told the core since CONSULT_RANG."""
    assert isinstance(stage.transfer, Steered)
    return [event for event in stage.transfer.received if event.name is not On.CONSULT_RANG]


@pytest.mark.parametrize("name", sorted(Do))
@pytest.mark.parametrize("takes_s", [None, 0.0, 2.0])
@on_virtual_clock
async def test_an_effect_that_raises_becomes_its_failure_event(
    name: Do, takes_s: float | None
) -> None:
    error = RuntimeError("the room is on fire")
    stage = steered((name,), acts={name: Act(takes_s=takes_s, error=error)})
    stage.take(On.CONSULT_RANG)
    number = stage.line.calls[0].effect.id
    await asyncio.sleep(until_given_up_s(takes_s or 0.0) + 1)
    wanted = FAILURE[name]
    if wanted is None:
        assert reports(stage) == []
        return
    event = reports(stage)[0]
    assert (event.name, event.effect, event.attempt) == (wanted, number, 1)
    assert event.facts.effect_name == name
    assert event.facts.cause is error
    assert event.facts.strategy == stage.line.calls[0].effect.strategy
    assert event.facts.detail == f"RuntimeError in {name}"
    assert "fire" not in str(stage.kept.lines)


@pytest.mark.parametrize("name", sorted(Do))
@on_virtual_clock
async def test_an_effect_that_exceeds_its_limit_becomes_its_timeout_event(name: Do) -> None:
    stage = steered((name,), acts={name: HANGS})
    limit = limit_s(name, stage.transfer.policy, stage.transfer.plan)
    assert math.isfinite(limit)
    tries = stage.transfer.policy.release_attempts_max if name in RELEASES else 1
    stage.take(On.CONSULT_RANG)
    given_up_s = until_given_up_s(limit) if name in RELEASES else limit
    await asyncio.sleep(given_up_s - 0.001)
    assert reports(stage) == []
    await asyncio.sleep(0.002)
    wanted = TIMEOUT[name]
    assert [event.name for event in reports(stage)[:1]] == ([] if wanted is None else [wanted])
    assert stage.line.count("is cancelled", name) >= tries


@pytest.mark.parametrize("name", sorted(RELEASES))
@pytest.mark.parametrize("takes_s", [None, 0.5])
@pytest.mark.parametrize("attempts", [1, 2, 5])
@on_virtual_clock
async def test_a_release_is_tried_as_often_as_the_policy_says_and_then_reported(
    name: Do, takes_s: float | None, attempts: int
) -> None:
    wrong = Act(takes_s=takes_s, error=RuntimeError("no"))
    policy = TransferPolicy(release_attempts_max=attempts)
    stage = steered((name,), policy=policy, acts={name: wrong})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(until_given_up_s(takes_s or 0.0, policy) + 1)
    assert stage.line.count("begins", name) == attempts
    assert [event.name for event in reports(stage)] == [On.RELEASE_FAILED]


@pytest.mark.parametrize("name", sorted(RELEASES))
@pytest.mark.parametrize("takes_s", [None, 0.5])
@on_virtual_clock
async def test_a_release_that_works_in_the_end_is_not_reported(
    name: Do, takes_s: float | None
) -> None:
    wrong, right = Act(takes_s=takes_s, error=RuntimeError("no")), Act(takes_s=0.5)
    stage = steered((name,), acts={name: [wrong, wrong, right]})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(5)
    assert stage.line.count("begins", name) == 3
    assert reports(stage) == []


@pytest.mark.parametrize("name", sorted(set(Do) - RELEASES))
@on_virtual_clock
async def test_what_is_no_release_is_tried_once(name: Do) -> None:
    stage = steered((name,), acts={name: Act(takes_s=0.5, error=RuntimeError("no"))})
    stage.take(On.CONSULT_RANG)
    await asyncio.sleep(0.6)
    assert stage.line.count("begins", name) == 1


@on_virtual_clock
async def test_a_release_that_fails_never_changes_the_outcome(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = Act(takes_s=0.5, error=RuntimeError("no"))
    stage = Stage(dict.fromkeys(RELEASES, wrong), base=HAPPY)
    stage.take(On.TRANSFER_REQUESTED)
    await asyncio.sleep(2)
    stage.take(On.APP_CANCELLED)
    await stage.runner.wait_closed()
    assert [outcome.reason for outcome in stage.line.outcomes] == [Reason.APP_CANCELLED]
    assert stage.state is S.CANCELLED
    assert stage.events().count(On.RELEASE_FAILED) >= 3
    risks = [each for each in caplog.records if each.message == "release failed: orphan risk"]
    assert len(risks) == stage.events().count(On.RELEASE_FAILED)
    assert all(each.levelno == logging.ERROR for each in risks)


@on_virtual_clock
async def test_a_line_that_does_not_take_the_outcome_still_gives_the_caller_back() -> None:
    class Deaf(FakeLine):
        def deliver(self, outcome: TransferOutcome) -> None:
            raise RuntimeError(outcome.result)

    stage = Stage()
    line = Deaf({name: Act() for name in Do})
    stage.runner._line = stage.line = line
    stage.go_to(S.CANCELLED)
    await stage.runner.wait_closed()
    assert line.count("returns", Do.RESUME_CALLER) == 1


# Journals and hooks that misbehave.


class Broken:
    def write(self, line: Mapping[str, object]) -> None:
        raise OSError(28, f"no space left for {len(line)} values")


class Slow(MemoryJournal):
    """Blocks the loop for a second on every line, as a disk does that spins up."""

    def write(self, line: Mapping[str, object]) -> None:
        super().write(line)
        stall_until(asyncio.get_running_loop().time() + 1.0)


def raising(change: StateChange) -> None:
    raise RuntimeError(f"I do not like {change.after}")


async def raising_later(change: StateChange) -> None:
    await asyncio.sleep(0.1)
    raise RuntimeError(f"I do not like {change.after}")


async def hanging(change: StateChange) -> None:
    assert change.transfer_id
    await asyncio.get_running_loop().create_future()


async def whole_transfer(stage: Stage) -> Stage:
    stage.take(On.TRANSFER_REQUESTED)
    await asyncio.sleep(10)
    stage.take(On.CONSULT_ACCEPTED)
    await asyncio.sleep(10)
    stage.take(On.CALLER_HUNG_UP)
    await stage.runner.wait_closed()
    return stage


def without_times(stage: Stage) -> list[tuple[str, Do]]:
    """What was done; what ends in the same instant has no order."""
    return sorted((call.what, call.effect.name) for call in stage.line.calls)


@pytest.mark.parametrize("hook", [None, raising, raising_later, hanging])
@pytest.mark.parametrize("journal", [None, Broken()])
@on_virtual_clock
async def test_a_journal_or_hook_that_fails_never_touches_the_transfer(
    hook: Any, journal: Broken | None
) -> None:
    calm = await whole_transfer(Stage(base=HAPPY))
    hooks = () if hook is None else (hook,)
    stage = await whole_transfer(Stage(base=HAPPY, journal=journal, hooks=hooks))
    assert without_times(stage) == without_times(calm)
    assert stage.line.outcomes == calm.line.outcomes
    assert stage.state is S.ENDED
    assert not tasks_left()


@on_virtual_clock
async def test_a_journal_that_fails_is_logged_once_a_line(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(journal=Broken())
    stage.go_to(S.DIALING)
    assert [each.message for each in caplog.records] == ["journal failed"] * 2


@on_virtual_clock
async def test_a_journal_that_hangs_for_a_while_costs_nothing_but_the_while() -> None:
    journal = Slow()
    stage = await whole_transfer(Stage(base=HAPPY, journal=journal))
    calm = await whole_transfer(Stage(base=HAPPY, transfer_id="t1"))
    assert stage.line.outcomes[0].reason is Reason.ACCEPTED
    assert [line["after"] for line in journal.lines] == [line["after"] for line in calm.kept.lines]


# Cancelled from outside.


async def play(stage: Stage, *, end: On) -> None:
    """The people's side of one transfer; the line does the rest."""
    stage.runner.post(Event(On.TRANSFER_REQUESTED))
    await asyncio.sleep(6)
    stage.runner.post(Event(On.CONSULT_ACCEPTED))
    await asyncio.sleep(3)
    stage.runner.post(Event(end))


def moments() -> list[float]:
    """When something happens in an uncancelled transfer."""
    found: list[float] = []

    @on_virtual_clock
    async def look() -> None:
        stage = Stage(base=HAPPY)
        await play(stage, end=On.CALLER_HUNG_UP)
        await stage.runner.wait_closed()
        found.extend(sorted({call.at_s for call in stage.line.calls}))

    look()
    return found


MOMENTS = moments()


async def cancelled_at(stage: Stage, at_s: float, after_turns: int, *, times: int) -> None:
    """Play a transfer and cancel all its tasks at a moment."""
    people = asyncio.ensure_future(play(stage, end=On.CALLER_HUNG_UP))
    await asyncio.sleep(at_s)
    await turns(after_turns)
    for _ in range(times):
        for task in tasks_left() - {people}:
            task.cancel()
        await turns(1)
    await people


def not_released(stage: Stage) -> set[Do]:
    """Which releases were asked for and have never returned."""
    asked = [effect["name"] for line in stage.kept.lines for effect in line["effects"]]
    return {name for name in RELEASES if name in asked and stage.line.count("returns", name) < 1}


@pytest.mark.parametrize("at_s", MOMENTS)
@pytest.mark.parametrize("after_turns", range(5))
@on_virtual_clock
async def test_cancelling_every_task_still_gives_an_outcome_and_closes(
    at_s: float, after_turns: int
) -> None:
    stage = Stage(base=HAPPY)
    await cancelled_at(stage, at_s, after_turns, times=1)
    async with asyncio.timeout(60):
        await stage.runner.wait_closed()
    assert len(stage.line.outcomes) == 1
    assert stage.state in FINAL
    assert not_released(stage) == set()
    assert On.RELEASE_FAILED not in stage.events()
    assert not tasks_left()
    assert not timers_left()
    # A coroutine that was never awaited would complain here.
    gc.collect()


@pytest.mark.parametrize("at_s", MOMENTS)
@on_virtual_clock
async def test_who_cancels_every_task_without_end_is_not_fought_without_end(at_s: float) -> None:
    stage = Stage(base=HAPPY)
    await cancelled_at(stage, at_s, 0, times=30)
    async with asyncio.timeout(60):
        await stage.runner.wait_closed()
    assert len(stage.line.outcomes) == 1
    begun = Counter(call.effect.id for call in stage.line.calls if call.what == "begins")
    # Three times, and again where it had overtaken a start.
    assert max(begun.values()) <= 2 * stage.transfer.policy.release_attempts_max
    assert not tasks_left()
    gc.collect()


@on_virtual_clock
async def test_a_cancelled_dial_counts_as_uncertain_and_is_hung_up() -> None:
    stage = Stage(base=HAPPY)
    stage.take(On.TRANSFER_REQUESTED)
    await asyncio.sleep(2)
    (dial,) = (task for task in tasks_left() if "DIAL_CONSULT" in task.get_name())
    dial.cancel()
    await stage.runner.wait_closed()
    assert stage.line.outcomes[0].reason is Reason.DIAL_UNCERTAIN
    assert stage.line.count("returns", Do.HANG_UP_CONSULT) == 1


@on_virtual_clock
async def test_a_cancelled_release_that_waits_goes_on_waiting() -> None:
    stage = Stage(base=HAPPY)
    stage.take(On.TRANSFER_REQUESTED)
    await asyncio.sleep(5)
    stage.take(On.APP_CANCELLED)
    for task in tasks_left():
        if "HANG_UP_CONSULT" in task.get_name():
            task.cancel()
    await stage.runner.wait_closed()
    notice, hang_up = (
        stage.line.begins_s(Do.NOTIFY_CONSULT),
        stage.line.begins_s(Do.HANG_UP_CONSULT),
    )
    assert (notice, hang_up) == ([5.0], [5.5])


# Closed means that nothing is left.


@on_virtual_clock
async def test_closed_only_when_the_repetition_of_a_release_has_returned() -> None:
    stage = Stage(
        {Do.DIAL_CONSULT: Act(takes_s=20.0), Do.HANG_UP_CONSULT: Act(takes_s=1.0)}, base=HAPPY
    )
    stage.take(On.TRANSFER_REQUESTED)
    await asyncio.sleep(2)
    stage.take(On.CALLER_HUNG_UP)
    await asyncio.sleep(17)
    assert not stage.runner.closed
    await stage.runner.wait_closed()
    assert stage.line.begins_s(Do.HANG_UP_CONSULT) == [2.0, 20.0]
    assert asyncio.get_running_loop().time() == 21.0
    assert stage.line.in_flight == 0
    assert stage.runner.closed


@on_virtual_clock
async def test_closed_only_when_every_hook_has_returned() -> None:
    done: list[State] = []

    async def slow(change: StateChange) -> None:
        await asyncio.sleep(4)
        done.append(change.after)

    stage = Stage(hooks=[slow])
    stage.go_to(S.CANCELLED)
    await stage.runner.wait_closed()
    assert done == [S.HOLDING, S.CANCELLED]
    assert not tasks_left()


@on_virtual_clock
async def test_closed_only_when_the_line_is_closed() -> None:
    stage = Stage(closing=Act(takes_s=3.0))
    stage.go_to(S.CANCELLED)
    await stage.runner.wait_closed()
    assert asyncio.get_running_loop().time() == 3.0
    assert stage.line.closings == 1


@pytest.mark.parametrize("closing", [HANGS, Act(error=RuntimeError("no")), Act(takes_s=99.0)])
@on_virtual_clock
async def test_a_line_that_cannot_be_closed_is_logged_and_given_up(
    closing: Act, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Stage(closing=closing)
    stage.go_to(S.CANCELLED)
    await stage.runner.wait_closed()
    assert asyncio.get_running_loop().time() <= stage.transfer.policy.release_timeout_s
    assert "closing failed" in [each.message for each in caplog.records]
    assert not tasks_left()


@on_virtual_clock
async def test_a_line_whose_closing_was_cancelled_is_closed_again() -> None:
    stage = Stage(closing=Act(takes_s=3.0))
    stage.go_to(S.CANCELLED)
    await asyncio.sleep(1)
    for task in tasks_left():
        task.cancel()
    await stage.runner.wait_closed()
    assert stage.line.closings == 2
    assert asyncio.get_running_loop().time() == 4.0


@on_virtual_clock
async def test_a_line_that_is_closed_is_not_closed_again_when_only_a_hook_was_cancelled() -> None:
    async def slow(_change: StateChange) -> None:
        await asyncio.sleep(2)

    stage = Stage(closing=Act(takes_s=1.0), hooks=[slow])
    stage.go_to(S.CANCELLED)
    await asyncio.sleep(1.5)
    for task in tasks_left():
        task.cancel()
    await stage.runner.wait_closed()
    assert stage.line.closings == 1
    assert asyncio.get_running_loop().time() == 1.5


@on_virtual_clock
async def test_a_closing_that_is_cancelled_without_end_ends() -> None:
    stage = Stage(closing=HANGS)
    stage.go_to(S.CANCELLED)
    for _ in range(30):
        await turns()
        for task in tasks_left():
            task.cancel()
    await stage.runner.wait_closed()
    assert stage.line.closings == stage.transfer.policy.release_attempts_max
    assert asyncio.get_running_loop().time() == 0.0


@on_virtual_clock
async def test_what_comes_late_while_the_line_closes_is_given_back_before_the_end() -> None:
    stage = Stage({Do.CLOSE_CONSULT: Act(takes_s=5.0)}, closing=Act(takes_s=1.0))
    stage.go_to(S.CANCELLED)
    await asyncio.sleep(5.5)
    assert stage.line.closings == 1
    stage.take(On.CONSULT_OPENED)
    await stage.runner.wait_closed()
    assert asyncio.get_running_loop().time() == 10.5
    assert stage.line.count("returns", Do.CLOSE_CONSULT) == 2


@on_virtual_clock
async def test_not_closed_before_the_end() -> None:
    stage = Stage()
    for name in WAY_TO[S.MERGED]:
        stage.take(name)
        await turns(5)
        assert not stage.runner.closed
    assert stage.line.closings == 0
    stage.take(On.CALLER_HUNG_UP)
    await stage.runner.wait_closed()


@on_virtual_clock
async def test_several_may_wait_for_the_end() -> None:
    stage = Stage()
    waiting = [asyncio.ensure_future(stage.runner.wait_closed()) for _ in range(3)]
    await turns()
    assert not any(task.done() for task in waiting)
    stage.go_to(S.CANCELLED)
    await asyncio.gather(*waiting)
    await stage.runner.wait_closed()


@on_virtual_clock
async def test_wait_returned_does_not_wait_for_a_repetition() -> None:
    stage = steered(
        (Do.PLAY_HOLD_AUDIO, Do.STOP_HOLD_AUDIO),
        acts={
            Do.PLAY_HOLD_AUDIO: Act(takes_s=9.0),
            Do.STOP_HOLD_AUDIO: Act(takes_s=2.0),
        },
    )
    stage.take(On.CONSULT_RANG)
    await stage.runner.wait_returned(Do.STOP_HOLD_AUDIO)
    assert asyncio.get_running_loop().time() == 2.0
    await stage.runner.wait_returned(Do.STOP_HOLD_AUDIO)
    await stage.runner.wait_returned(Do.RESUME_CALLER)
    assert asyncio.get_running_loop().time() == 2.0


# The clocks.


@pytest.mark.parametrize(
    ("state", "limits", "reason"),
    [
        (S.HOLDING, ("hold_timeout_s",), Reason.HOLD_FAILED),
        (S.DIALING, ("ring_timeout_s",), Reason.NO_ANSWER),
        (S.BRIEFING, ("decision_timeout_s",), Reason.NO_DECISION),
        (S.MERGING, ("merge_timeout_s", "look_timeout_s"), Reason.MERGE_FAILED),
    ],
)
@on_virtual_clock
async def test_a_held_caller_is_released_at_the_deadline_of_the_state(
    state: State, limits: tuple[str, ...], reason: Reason
) -> None:
    stage = Stage()
    stage.go_to(state)
    seconds = sum(getattr(stage.transfer.policy, limit) for limit in limits)
    await asyncio.sleep(seconds - 0.001)
    assert stage.state is state
    await asyncio.sleep(0.002)
    assert stage.state is S.FAILED
    assert stage.line.outcomes[0].reason is reason
    assert sum(stage.line.outcomes[0].seconds.values()) == seconds


@on_virtual_clock
async def test_a_merged_call_ends_at_the_call_limit() -> None:
    stage = Stage(policy=TransferPolicy(call_limit_s=600))
    stage.go_to(S.MERGED)
    await asyncio.sleep(599)
    assert not stage.runner.closed
    await asyncio.sleep(2)
    assert stage.runner.closed
    assert stage.state is S.ENDED


@on_virtual_clock
async def test_the_hold_limit_runs_over_dialing_and_briefing() -> None:
    stage = Stage(policy=TransferPolicy(hold_limit_s=60))
    stage.go_to(S.DIALING)
    await asyncio.sleep(25)
    stage.take(On.CONSULT_ANSWERED)
    await asyncio.sleep(34)
    assert stage.state is S.BRIEFING
    await asyncio.sleep(2)
    assert stage.line.outcomes[0].reason is Reason.HOLD_LIMIT
    assert stage.kept.lines[-1]["t_s"] == 60


@on_virtual_clock
async def test_key_tones_after_the_answer_prolong_the_ring_limit() -> None:
    stage = Stage(plan=Plan(dtmf_s=4.5))
    stage.go_to(S.DIALING)
    await asyncio.sleep(34)
    assert stage.went()[-1] == "dialing"
    await asyncio.sleep(1)
    assert stage.went()[-1] == "failed"


@pytest.mark.parametrize("state", [state for state in WAY_TO if state not in FINAL])
@on_virtual_clock
async def test_one_timer_runs_while_something_is_waited_for_and_none_after_the_end(
    state: State,
) -> None:
    stage = Stage()
    stage.go_to(state)
    assert len(timers_left()) == (0 if state is S.IDLE else 1)
    stage.take(On.CALLER_HUNG_UP)
    await stage.runner.wait_closed()
    assert timers_left() == []
    assert not tasks_left()


# Two transfers in one process.


@on_virtual_clock
async def test_two_transfers_at_once_do_not_mix() -> None:
    def stages() -> tuple[Stage, Stage]:
        one = Stage(base=HAPPY, transfer_id="one")
        two = Stage({Do.DIAL_CONSULT: Act(takes_s=3.0)}, base=HAPPY, transfer_id="two")
        return one, two

    async def second(stage: Stage) -> None:
        stage.take(On.TRANSFER_REQUESTED)
        await asyncio.sleep(5)
        stage.runner.post(Event(On.CONSULT_ANSWERED))
        stage.runner.post(Event(On.CONSULT_DECLINED, Facts(words="no")))
        await stage.runner.wait_closed()

    one, two = stages()
    await asyncio.gather(whole_transfer(one), second(two))
    alone, other = stages()
    await whole_transfer(alone)
    await second(other)
    assert one.state is S.ENDED
    assert two.state is S.DECLINED
    for together, apart in ((one, alone), (two, other)):
        assert together.kept.lines == apart.kept.lines
        assert without_times(together) == without_times(apart)
        assert {line["transfer"] for line in together.kept.lines} == {together.transfer.id}
        assert len(list(replay(together.kept.lines))) == len(together.kept.lines)


# Hooks that use the transfer.


@on_virtual_clock
async def test_a_hook_may_cancel_the_transfer_it_is_told_of() -> None:
    seen: list[tuple[State, bool]] = []
    depth = 0

    def cancel_when_dialing(change: StateChange) -> None:
        nonlocal depth
        depth += 1
        assert depth == 1
        if change.after is S.DIALING:
            seen.append((change.after, stage.runner.post_now(Event(On.APP_CANCELLED))))
        depth -= 1

    stage = Stage(base=HAPPY, hooks=[cancel_when_dialing])
    stage.take(On.TRANSFER_REQUESTED)
    await stage.runner.wait_closed()
    assert seen == [(S.DIALING, True)]
    assert stage.state is S.CANCELLED


@on_virtual_clock
async def test_hooks_are_told_every_change_with_its_cause_and_time() -> None:
    changes: list[StateChange] = []
    stage = Stage(base=HAPPY, hooks=[changes.append])
    await asyncio.sleep(100)
    await whole_transfer(stage)
    assert [(each.after, each.event, each.at_s) for each in changes] == [
        (S.HOLDING, On.TRANSFER_REQUESTED, 0.0),
        (S.DIALING, On.CALLER_HELD, 0.0),
        (S.BRIEFING, On.CONSULT_ANSWERED, 4.0),
        (S.MERGING, On.CONSULT_ACCEPTED, 10.0),
        (S.MERGED, On.MERGE_CONFIRMED, 11.5),
        (S.ENDED, On.CALLER_HUNG_UP, 20.0),
    ]
    assert [each.before for each in changes[1:]] == [each.after for each in changes[:-1]]
    assert all(each.transfer_id == "t1" and each.attempt == 1 for each in changes)
    outcomes = [each.outcome and each.outcome.result for each in changes]
    assert outcomes == [None, None, None, None, S.MERGED, S.MERGED]


@on_virtual_clock
async def test_what_is_posted_before_a_turn_is_taken_in_one_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage({Do.HOLD_CALLER: Act(posts=On.CALLER_HELD)})
    loop, asked = asyncio.get_running_loop(), list[Any]()
    call_soon = loop.call_soon

    def noted(callback: Any, *args: Any, **named: Any) -> Any:
        asked.append(callback)
        return call_soon(callback, *args, **named)

    monkeypatch.setattr(loop, "call_soon", noted)
    # The second is reported while the first is taken.
    stage.runner.post(Event(On.TRANSFER_REQUESTED))
    stage.runner.post(Event(On.TRANSFER_REQUESTED))
    assert asked.count(stage.runner._drain) == 1
    await turns()
    assert stage.events()[:3] == [On.TRANSFER_REQUESTED, On.TRANSFER_REQUESTED, On.CALLER_HELD]
    assert asked.count(stage.runner._drain) == 1
