"""The core by itself: clocks, staleness, marks, and the outcome it makes."""

from collections.abc import Iterable

import pytest

from warm_transfer.effects import Do
from warm_transfer.errors import UnexpectedEvent
from warm_transfer.events import Event, Facts, On
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.policy import Carrier, Plan, Strategy, TransferPolicy
from warm_transfer.rows import Keep
from warm_transfer.states import State
from warm_transfer.transfer import Handling, Step, Transfer

MOVE = Strategy("move")
RELAY = Strategy("relay", Carrier.AGENT)
TO_BRIEFING = (On.TRANSFER_REQUESTED, On.CALLER_HELD, On.CONSULT_ANSWERED)
TO_MERGING = (*TO_BRIEFING, On.CONSULT_ACCEPTED)


class Told:
    """A transfer that is told events by name, with the id of the newest effect they report for."""

    def __init__(self, *ons: On, plan: Plan | None = None, **policy: object) -> None:
        self.transfer = Transfer(
            "tr_1",
            policy=TransferPolicy(**policy),  # type: ignore[arg-type]  # by name
            plan=plan,
        )
        self.now_s = 0.0
        self.ids: dict[Do, list[int]] = {}
        for on in ons:
            self.on(on)

    def on(
        self, on: On, by: Do | None = None, *, nth: int = -1, facts: Facts | None = None
    ) -> Step:
        effect = self.ids[by][nth] if by is not None else None
        return self.receive(Event(on, facts or Facts(), effect=effect))

    def receive(self, event: Event) -> Step:
        step = self.transfer.receive(event, self.now_s)
        for effect in step.effects:
            self.ids.setdefault(effect.name, []).append(effect.id)
        return step

    def deadline_passes(self) -> Step:
        deadline = self.transfer.deadline
        assert deadline is not None
        self.now_s = deadline.at_s
        return self.receive(deadline.event)

    @property
    def state(self) -> State:
        return self.transfer.state


def names(step: Step) -> tuple[Do, ...]:
    return tuple(effect.name for effect in step.effects)


def outcome_of(told: Told) -> TransferOutcome:
    assert told.transfer.outcome is not None
    return told.transfer.outcome


def merged(plan: Plan | None = None, **policy: object) -> Told:
    told = Told(*TO_MERGING, plan=plan, **policy)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS)
    assert told.state is State.MERGED
    return told


# Steps.


def test_steps_are_counted_from_one_without_gaps() -> None:
    told = Told()
    steps = [told.on(on) for on in (*TO_BRIEFING, On.TRANSFER_REQUESTED)]
    assert [step.seq for step in steps] == [1, 2, 3, 4]


def test_an_impossible_event_is_an_error_and_counts_for_nothing() -> None:
    told = Told(On.TRANSFER_REQUESTED)
    with pytest.raises(UnexpectedEvent, match="CONSULT_RANG cannot happen while holding"):
        told.on(On.CONSULT_RANG)
    assert told.on(On.CALLER_HELD).seq == 2


def test_effects_have_rising_ids_and_the_attempt_they_belong_to() -> None:
    step = Told().on(On.TRANSFER_REQUESTED)
    ids = [effect.id for effect in step.effects]
    assert ids == sorted(set(ids))
    assert {effect.attempt for effect in step.effects} == {1}


def test_only_the_effects_of_a_merge_name_a_strategy() -> None:
    told = Told(*TO_MERGING)
    (joins,) = told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING).effects
    assert joins.strategy == "relay"
    (looks,) = told.on(On.CONSULT_HUNG_UP).effects
    assert looks.strategy == "relay"
    assert {effect.strategy for effect in told.on(On.CALLER_HUNG_UP).effects} == {None}


# Clocks.


def test_nothing_is_waited_for_before_the_request_and_after_the_end() -> None:
    told = Told()
    assert told.transfer.deadline is None
    told.on(On.TRANSFER_REQUESTED)
    assert told.transfer.deadline is not None
    told.on(On.APP_CANCELLED)
    assert told.transfer.deadline is None


@pytest.mark.parametrize(
    ("ons", "seconds"),
    [
        (TO_BRIEFING[:1], 5.0),
        (TO_BRIEFING[:2], 33.0),
        (TO_BRIEFING, 120.0),
        (TO_MERGING, 10.0),
    ],
)
def test_each_state_has_its_own_limit(ons: Iterable[On], seconds: float) -> None:
    told = Told(*ons, plan=Plan(dtmf_s=3.0))
    assert told.transfer.deadline is not None
    assert told.transfer.deadline.at_s == seconds
    assert told.transfer.deadline.event.name is On.DEADLINE_PASSED


def test_a_row_that_stays_keeps_the_running_clock() -> None:
    told = Told(*TO_BRIEFING[:2])
    before = told.transfer.deadline
    told.now_s = 20.0
    told.on(On.CONSULT_RANG)
    assert told.transfer.deadline == before


def test_the_hold_limit_runs_from_the_request_over_all_held_states() -> None:
    told = Told(On.TRANSFER_REQUESTED, hold_limit_s=50.0)
    told.on(On.CALLER_HELD)
    told.now_s = 20.0
    told.on(On.CONSULT_ANSWERED)
    step = told.deadline_passes()
    assert (step.at_s, step.event.name) == (50.0, On.HOLD_LIMIT_PASSED)
    assert outcome_of(told).reason is Reason.HOLD_LIMIT


def test_at_the_same_instant_the_states_own_clock_is_the_reason() -> None:
    told = Told(*TO_BRIEFING[:2], hold_limit_s=30.0, ring_timeout_s=30.0)
    assert told.deadline_passes().event.name is On.DEADLINE_PASSED


def test_the_hold_limit_ends_with_the_merge() -> None:
    told = merged(hold_limit_s=60.0)
    assert told.transfer.deadline is not None
    assert told.transfer.deadline.at_s == 4 * 3600.0


def test_a_hold_limit_that_passes_while_merging_is_spent_and_changes_nothing() -> None:
    told = Told(*TO_BRIEFING, hold_limit_s=100.0)
    told.now_s = 99.0
    told.on(On.CONSULT_ACCEPTED)
    step = told.deadline_passes()
    assert (step.event.name, step.handling) == (On.HOLD_LIMIT_PASSED, Handling.IGNORED)
    assert told.transfer.deadline is not None
    assert told.transfer.deadline.event.name is On.DEADLINE_PASSED


def test_the_deadline_of_an_earlier_state_is_stale() -> None:
    told = Told(*TO_BRIEFING[:2])
    old = told.transfer.deadline
    assert old is not None
    told.on(On.CONSULT_ANSWERED)
    step = told.receive(old.event)
    assert (step.handling, told.state) == (Handling.STALE, State.BRIEFING)


@pytest.mark.parametrize(
    ("ons", "reason"),
    [
        (TO_BRIEFING[:1], Reason.HOLD_FAILED),
        (TO_BRIEFING[:2], Reason.NO_ANSWER),
        (TO_BRIEFING, Reason.NO_DECISION),
    ],
)
def test_silence_ends_a_wait_with_its_reason(ons: Iterable[On], reason: Reason) -> None:
    told = Told(*ons)
    told.deadline_passes()
    assert (told.state, outcome_of(told).reason) == (State.FAILED, reason)


# Staleness.


def test_an_event_of_an_older_attempt_is_stale() -> None:
    told = Told(*TO_BRIEFING[:2])
    step = told.receive(Event(On.CONSULT_ANSWERED, attempt=0))
    assert (step.handling, told.state) == (Handling.STALE, State.DIALING)


def test_a_briefing_that_fails_after_the_yes_is_stale() -> None:
    told = Told(*TO_MERGING)
    assert told.on(On.BRIEFING_FAILED, Do.START_BRIEFING).handling is Handling.STALE
    assert told.on(On.BRIEFING_FAILED, Do.STOP_BRIEFING).after is State.FAILED


def test_a_briefing_that_stops_twice_is_merged_once() -> None:
    told = Told(*TO_MERGING)
    assert names(told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)) == (Do.MERGE_LEGS,)
    again = told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    assert (again.handling, again.effects) == (Handling.STALE, ())


def test_a_merge_that_is_uncertain_twice_is_looked_at_once() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    assert names(told.on(On.MERGE_UNCERTAIN, Do.MERGE_LEGS)) == (Do.LOOK_AT_ROOMS,)
    assert told.on(On.MERGE_UNCERTAIN, Do.MERGE_LEGS).handling is Handling.STALE


def test_a_merge_confirmed_after_the_human_left_is_settled_by_the_look() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.CONSULT_HUNG_UP)
    assert told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS).handling is Handling.STALE
    told.on(On.MERGE_FAILED, Do.LOOK_AT_ROOMS)
    assert (told.state, outcome_of(told).reason) == (State.FAILED, Reason.HUMAN_LEFT)


def test_a_departure_that_was_the_merge_is_found_by_the_look() -> None:
    told = Told(*TO_MERGING, plan=Plan(strategies=(MOVE,)))
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.CONSULT_HUNG_UP)
    assert told.on(On.MERGE_CONFIRMED, Do.LOOK_AT_ROOMS).after is State.MERGED


def test_a_newer_look_makes_the_older_one_stale() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.CONSULT_HUNG_UP)
    told.on(On.CONSULT_ROOM_LOST)
    assert told.on(On.MERGE_CONFIRMED, Do.LOOK_AT_ROOMS, nth=0).handling is Handling.STALE
    assert told.on(On.MERGE_FAILED, Do.LOOK_AT_ROOMS).after is State.FAILED


def test_a_look_that_fails_after_the_merge_is_known_is_stale() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.deadline_passes()
    told.on(On.MERGE_CONFIRMED, Do.LOOK_AT_ROOMS)
    assert told.on(On.MERGE_FAILED, Do.MERGE_LEGS).handling is Handling.STALE
    assert told.state is State.MERGED


def test_a_merge_that_comes_about_after_the_end_is_undone_even_if_superseded() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.MERGE_UNCERTAIN, Do.MERGE_LEGS)
    told.on(On.MERGE_FAILED, Do.LOOK_AT_ROOMS)
    late = told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS)
    assert Do.UNMERGE_LEGS in names(late)


# The merge.


def test_the_first_wish_while_merging_decides_when_the_merge_fails() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.CONSULT_DECLINED, facts=Facts(words="not now"))
    told.on(On.APP_CANCELLED)
    step = told.on(On.MERGE_FAILED, Do.MERGE_LEGS)
    assert step.after is State.DECLINED
    assert outcome_of(told).words == "not now"


def test_a_merge_that_succeeds_overtakes_every_wish() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    for on in (On.APP_CANCELLED, On.CONSULT_DECLINED, On.VOICEMAIL_DETECTED):
        assert told.on(on).effects == ()
    assert told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS).after is State.MERGED


@pytest.mark.parametrize(
    ("on", "state", "reason"),
    [
        (On.APP_CANCELLED, State.CANCELLED, Reason.APP_CANCELLED),
        (On.APP_DECLINED, State.DECLINED, Reason.DECLINED),
        (On.CONSULT_DECLINED, State.DECLINED, Reason.DECLINED),
        (On.VOICEMAIL_DETECTED, State.VOICEMAIL, Reason.VOICEMAIL),
        (On.SESSION_CLOSED, State.CANCELLED, Reason.SESSION_CLOSED),
    ],
)
def test_a_wish_that_waited_is_followed_after_the_last_deadline(
    on: On, state: State, reason: Reason
) -> None:
    told = Told(*TO_MERGING)
    told.on(on)
    assert names(told.deadline_passes()) == (Do.LOOK_AT_ROOMS,)
    told.deadline_passes()
    assert (told.state, outcome_of(told).reason) == (state, reason)


def test_a_closed_session_counts_more_than_a_wish_and_gives_nobody_back() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.APP_CANCELLED)
    told.on(On.SESSION_CLOSED)
    step = told.on(On.MERGE_FAILED, Do.MERGE_LEGS)
    assert outcome_of(told).reason is Reason.SESSION_CLOSED
    assert Do.RESUME_CALLER not in names(step)


def test_a_failed_strategy_is_undone_and_the_next_has_its_whole_time() -> None:
    told = Told(*TO_MERGING, plan=Plan(strategies=(MOVE, RELAY)))
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.now_s = 9.0
    step = told.on(On.MERGE_FAILED, Do.MERGE_LEGS)
    assert names(step) == (Do.UNMERGE_LEGS, Do.MERGE_LEGS)
    assert step.effects[1].strategy == "relay"
    assert step.deadline is not None
    assert step.deadline.at_s == 19.0
    assert told.on(On.MERGE_FAILED, Do.MERGE_LEGS).after is State.FAILED
    assert outcome_of(told).strategy == "relay"


def test_the_next_strategy_is_not_tried_before_the_briefing_is_silent() -> None:
    told = Told(*TO_MERGING, plan=Plan(strategies=(MOVE, RELAY)))
    told.on(On.CONSULT_ROOM_LOST)
    step = told.on(On.MERGE_FAILED, Do.LOOK_AT_ROOMS)
    assert Do.MERGE_LEGS not in names(step)
    assert (told.state, outcome_of(told).reason) == (State.FAILED, Reason.MERGE_FAILED)


def test_the_next_strategy_is_not_tried_for_a_human_who_has_left() -> None:
    told = Told(*TO_MERGING, plan=Plan(strategies=(MOVE, RELAY)))
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.CONSULT_HUNG_UP)
    told.on(On.MERGE_FAILED, Do.LOOK_AT_ROOMS)
    assert (told.state, outcome_of(told).reason) == (State.FAILED, Reason.HUMAN_LEFT)


def test_after_the_second_deadline_no_other_strategy_is_tried() -> None:
    told = Told(*TO_MERGING, plan=Plan(strategies=(MOVE, RELAY)))
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.deadline_passes()
    assert told.deadline_passes().after is State.FAILED
    assert told.now_s == 12.0


def test_the_caller_who_hangs_up_while_merging_waits_for_nothing() -> None:
    told = Told(*TO_MERGING)
    step = told.on(On.CALLER_HUNG_UP)
    assert step.after is State.ABANDONED
    assert names(step)[0] is Do.UNMERGE_LEGS


# The merged call.


@pytest.mark.parametrize(("left", "state"), [("end_call", "ended"), ("return", "returned")])
def test_the_policy_says_what_follows_the_human(left: str, state: str) -> None:
    told = merged(on_human_left=left)
    assert told.on(On.CONSULT_HUNG_UP).after == state


def test_a_closed_session_gets_nobody_back_from_a_merged_call() -> None:
    told = merged(on_human_left="return")
    told.on(On.SESSION_CLOSED)
    assert told.on(On.CONSULT_HUNG_UP).after is State.ENDED


def test_the_first_break_is_repaired_and_the_second_ends() -> None:
    told = merged()
    assert names(told.on(On.MERGE_BROKE)) == (Do.MERGE_LEGS,)
    assert Keep.BROKE in told.transfer._kept
    assert told.on(On.MERGE_BROKE).after is State.ENDED


def test_a_repair_that_fails_ends_the_call_and_a_late_first_merge_does_not() -> None:
    told = merged()
    told.on(On.MERGE_BROKE)
    assert told.on(On.MERGE_FAILED, Do.MERGE_LEGS, nth=0).handling is Handling.STALE
    assert told.on(On.MERGE_FAILED, Do.MERGE_LEGS).after is State.ENDED


@pytest.mark.parametrize("on", [On.JOB_SHUTTING_DOWN, On.CALLER_ROOM_LOST])
def test_a_call_that_needs_no_agent_lives_on_without_it(on: On) -> None:
    direct = merged(Plan(strategies=(MOVE,))).on(on)
    assert (direct.after, direct.effects) == (State.ENDED, ())
    relayed = merged().on(on)
    assert Do.END_CALL in names(relayed)


@pytest.mark.parametrize("on", [On.JOB_SHUTTING_DOWN, On.CALLER_ROOM_LOST])
def test_a_broken_merge_needs_the_agent_until_it_is_repaired(on: On) -> None:
    broken = merged(Plan(strategies=(MOVE,)))
    broken.on(On.MERGE_BROKE)
    assert Do.END_CALL in names(broken.on(on))

    repaired = merged(Plan(strategies=(MOVE,)))
    repaired.on(On.MERGE_BROKE)
    repaired.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS)
    assert repaired.on(on).effects == ()


def leaving(*strategies: Strategy) -> Told:
    return merged(Plan(strategies=strategies or (MOVE,)), after_merge="leave")


def test_an_agent_leaves_when_its_last_words_are_said() -> None:
    told = leaving()
    step = told.on(On.AGENT_HEARD_OUT, Do.AWAIT_LAST_WORDS)
    assert (step.after, names(step)) == (State.ENDED, (Do.LEAVE_CALL,))
    assert outcome_of(told).after_merge == "leave"


def test_an_agent_that_carries_the_sound_stays_whatever_the_policy_says() -> None:
    told = leaving(RELAY)
    assert Do.AWAIT_LAST_WORDS not in told.ids
    assert outcome_of(told).after_merge == "silent"


def test_an_agent_that_had_to_fall_back_on_the_relay_stays() -> None:
    told = Told(*TO_MERGING, plan=Plan(strategies=(MOVE, RELAY)), after_merge="leave")
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.MERGE_FAILED, Do.MERGE_LEGS)
    told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS)
    assert told.state is State.MERGED
    assert Do.AWAIT_LAST_WORDS not in told.ids
    assert outcome_of(told).after_merge == "silent"


def test_an_agent_does_not_leave_a_broken_merge_and_leaves_a_repaired_one() -> None:
    told = leaving()
    told.on(On.MERGE_BROKE)
    step = told.on(On.AGENT_HEARD_OUT, Do.AWAIT_LAST_WORDS)
    assert (step.after, step.effects) == (State.MERGED, ())
    assert names(told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS)) == (Do.AWAIT_LAST_WORDS,)
    assert told.on(On.AGENT_HEARD_OUT, Do.AWAIT_LAST_WORDS, nth=0).handling is Handling.STALE
    assert told.on(On.AGENT_HEARD_OUT, Do.AWAIT_LAST_WORDS).after is State.ENDED


def test_an_agent_that_is_to_stay_is_not_made_to_leave() -> None:
    told = merged(Plan(strategies=(MOVE,)))
    step = told.on(On.AGENT_HEARD_OUT)
    assert (step.after, step.effects) == (State.MERGED, ())


def test_a_repair_that_is_reported_twice_is_heard_once() -> None:
    told = leaving()
    told.on(On.MERGE_BROKE)
    told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS)
    assert told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS).handling is Handling.STALE


def test_a_second_break_is_no_repaired_merge() -> None:
    told = merged(Plan(strategies=(MOVE,)))
    # Nothing was broken yet, so this is no repair of what breaks later.
    told.on(On.MERGE_CONFIRMED)
    told.on(On.MERGE_BROKE)
    assert Do.END_CALL in names(told.on(On.JOB_SHUTTING_DOWN))


@pytest.mark.parametrize("on", [On.CALLER_HUNG_UP, On.CONSULT_HUNG_UP])
def test_a_hang_up_while_the_agent_still_speaks_ends_the_call(on: On) -> None:
    told = leaving()
    assert Do.END_CALL in names(told.on(on))
    late = told.on(On.AGENT_HEARD_OUT, Do.AWAIT_LAST_WORDS)
    assert (late.handling, late.effects) == (Handling.IGNORED, ())


def test_a_merge_after_which_the_agent_stays_says_so() -> None:
    assert outcome_of(merged(Plan(strategies=(MOVE,)))).after_merge == "silent"
    assert outcome_of(merged()).after_merge == "silent"
    declined = Told(*TO_BRIEFING, after_merge="leave")
    declined.on(On.CONSULT_DECLINED)
    assert outcome_of(declined).after_merge is None


def test_a_lost_consult_room_ends_only_a_relayed_call() -> None:
    assert merged(Plan(strategies=(MOVE,))).on(On.CONSULT_ROOM_LOST).after is State.MERGED
    assert merged().on(On.CONSULT_ROOM_LOST).after is State.ENDED
    assert merged(on_human_left="return").on(On.CONSULT_ROOM_LOST).after is State.RETURNED


# The outcome.


def test_an_outcome_carries_the_evidence() -> None:
    told = Told(*TO_BRIEFING[:2])
    cause = RuntimeError("busy")
    facts = Facts(
        sip_status=486,
        sip_phrase="Busy Here",
        api_code="resource_exhausted",
        disconnect_reason="USER_REJECTED",
        cause=cause,
    )
    step = told.on(On.CONSULT_REFUSED, facts=facts)
    assert step.outcome is told.transfer.outcome
    outcome = outcome_of(told)
    assert (outcome.result, outcome.reason) == (State.FAILED, Reason.BUSY)
    assert (outcome.sip_status, outcome.sip_phrase) == (486, "Busy Here")
    assert (outcome.api_code, outcome.disconnect_reason) == ("resource_exhausted", "USER_REJECTED")
    assert outcome.cause is cause
    assert outcome.transfer_id == "tr_1"
    assert outcome.strategy is None


def test_an_outcome_says_how_long_each_state_took() -> None:
    told = Told()
    for at_s, on in ((10.0, On.TRANSFER_REQUESTED), (10.5, On.CALLER_HELD)):
        told.now_s = at_s
        told.on(on)
    told.now_s = 14.5
    told.on(On.CONSULT_ANSWERED)
    told.now_s = 30.0
    told.on(On.CONSULT_ACCEPTED)
    told.now_s = 31.0
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.MERGE_CONFIRMED, Do.MERGE_LEGS)
    outcome = outcome_of(told)
    assert dict(outcome.seconds) == {
        State.IDLE: 0.0,
        State.HOLDING: 0.5,
        State.DIALING: 4.0,
        State.BRIEFING: 15.5,
        State.MERGING: 1.0,
    }
    assert outcome.time_to_human_s == 21.0
    assert outcome.strategy == "relay"


def test_an_outcome_that_is_no_merge_has_no_time_to_the_human() -> None:
    told = Told(*TO_BRIEFING)
    told.on(On.CONSULT_DECLINED)
    assert outcome_of(told).time_to_human_s is None


def test_the_outcome_stays_when_late_news_comes() -> None:
    told = Told(*TO_BRIEFING)
    told.on(On.CONSULT_DECLINED)
    outcome = outcome_of(told)
    for on in (On.CONSULT_ANSWERED, On.MERGE_CONFIRMED, On.CALLER_HUNG_UP, On.RELEASE_FAILED):
        step = told.on(on)
        assert (step.after, step.outcome) == (State.DECLINED, None)
    assert told.transfer.outcome is outcome


# What a journal shows.


def test_clocks_and_effects_are_counted_from_one_and_share_no_id() -> None:
    told = Told(On.TRANSFER_REQUESTED)
    assert told.ids == {Do.HOLD_CALLER: [3], Do.PLAY_HOLD_AUDIO: [4], Do.OPEN_CONSULT: [5]}
    deadline = told.transfer.deadline
    assert deadline is not None
    assert (deadline.event.name, deadline.event.effect) == (On.DEADLINE_PASSED, 1)

    told = Told(*TO_BRIEFING, hold_limit_s=60.0)
    deadline = told.transfer.deadline
    assert deadline is not None
    assert (deadline.event.name, deadline.event.effect) == (On.HOLD_LIMIT_PASSED, 2)


def test_of_three_strategies_each_has_its_turn() -> None:
    plan = Plan(strategies=(MOVE, Strategy("sip_bridge", Carrier.BRIDGE), RELAY))
    told = Told(*TO_MERGING, plan=plan)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    tried = [told.transfer.strategy.name]
    for _ in range(2):
        told.on(On.MERGE_FAILED, Do.MERGE_LEGS)
        tried.append(told.transfer.strategy.name)
    assert tried == ["move", "sip_bridge", "relay"]


def test_what_ends_a_merge_is_the_cause_of_what_had_been_asked_for_before() -> None:
    told = Told(*TO_MERGING)
    told.on(On.BRIEFING_STOPPED, Do.STOP_BRIEFING)
    told.on(On.APP_DECLINED, facts=Facts(detail="not now", cause=ValueError("asked")))
    broke = ConnectionError("the room is gone")
    told.on(On.MERGE_FAILED, Do.MERGE_LEGS, facts=Facts(detail="no room", cause=broke))
    outcome = told.transfer.outcome
    assert outcome is not None
    assert (outcome.result, outcome.detail, outcome.attempt) == (State.DECLINED, "not now", 1)
    assert outcome.cause is broke
