"""Each promise is broken once on purpose, and names itself."""

from collections.abc import Callable
from typing import Any

import pytest

from warm_transfer.effects import Do, Effect
from warm_transfer.events import Event, On
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.policy import Carrier, TransferPolicy
from warm_transfer.states import State
from warm_transfer.testing.invariants import (
    CORES,
    SCENES,
    STEPS,
    Core,
    Known,
    Moment,
    Scene,
    broken_by,
    learn,
    repeated,
)
from warm_transfer.testing.model import Flight, Leg, Music, Phase, Room, World
from warm_transfer.transfer import Deadline, Handling, Step, Transfer

S = State
ASKED = Known(requested=True)
ANSWERED = Known(requested=True, answered=True)
SAID_YES = Known(requested=True, answered=True, accepted=True, stops=1)


def outcome(result: State, reason: Reason) -> TransferOutcome:
    return TransferOutcome(result=result, reason=reason, transfer_id="t")


def moment(
    before: State,
    on: On,
    after: State,
    *done: Do,
    known: Known = SAID_YES,
    strategy: str | None = "relay",
    handling: Handling = Handling.ROW,
    **rest: Any,
) -> Moment:
    step = Step(
        seq=1,
        at_s=0.0,
        event=Event(on, effect=rest.get("effect")),
        before=before,
        after=after,
        handling=handling,
        row=None,
        ignored=None,
        effects=tuple(Effect(10 + n, name, 1, strategy) for n, name in enumerate(done)),
        attempt=1,
        deadline=rest.get("deadline"),
        outcome=rest.get("outcome"),
    )
    policy = TransferPolicy(
        on_human_left="return" if rest.get("returns") else "end_call",
        after_merge="leave" if rest.get("agent_leaves") else "silent",
    )
    return Moment(step, known, policy, rest.get("carrier", Carrier.AGENT))


def scene(state: State, *flights: Flight, carrier: Carrier = Carrier.AGENT, **world: Any) -> Scene:
    return Scene(state, World(**world), flights, carrier)


HELD_WORLD: dict[str, Any] = {"input_on": False, "output_on": False, "music": Music.ON}

#: For every promise something that breaks it.
BROKEN: dict[str, Callable[[], Moment | Core | Scene]] = {
    "one_outcome_is_delivered_once": lambda: moment(
        S.BRIEFING, On.CONSULT_DECLINED, S.DECLINED, known=ANSWERED
    ),
    "the_result_is_the_state_and_the_reason_fits": lambda: moment(
        S.BRIEFING,
        On.CONSULT_DECLINED,
        S.DECLINED,
        outcome=outcome(S.DECLINED, Reason.BUSY),
    ),
    "final_states_do_not_change": lambda: moment(S.FAILED, On.CALLER_HUNG_UP, S.ABANDONED),
    "after_the_end_only_a_late_start_is_answered": lambda: moment(
        S.FAILED, On.CALLER_HUNG_UP, S.FAILED, Do.HANG_UP_CONSULT
    ),
    "a_transfer_is_asked_for_once": lambda: moment(
        S.HOLDING, On.TRANSFER_REQUESTED, S.HOLDING, Do.OPEN_CONSULT
    ),
    "nothing_is_done_before_it_is_asked": lambda: moment(
        S.IDLE, On.APP_CANCELLED, S.CANCELLED, Do.CLOSE_CONSULT
    ),
    "a_merge_follows_a_yes": lambda: moment(
        S.MERGING, On.BRIEFING_STOPPED, S.MERGING, Do.MERGE_LEGS, known=ANSWERED
    ),
    "a_merge_is_prepared_when_the_human_answers": lambda: moment(
        S.DIALING, On.CONSULT_ANSWERED, S.BRIEFING, known=ASKED
    ),
    "nobody_decides_before_the_answer": lambda: moment(
        S.DIALING, On.CONSULT_DECLINED, S.DECLINED, known=ASKED
    ),
    "the_briefing_is_over_before_the_legs_are_joined": lambda: moment(
        S.BRIEFING, On.CONSULT_ACCEPTED, S.MERGING, known=ANSWERED
    ),
    "one_dial_at_most": lambda: moment(
        S.DIALING, On.CONSULT_RANG, S.DIALING, Do.DIAL_CONSULT, known=Known(dials=1)
    ),
    "a_dial_that_was_answered_has_said_all": lambda: moment(
        S.BRIEFING, On.DIAL_UNCERTAIN, S.FAILED, known=ANSWERED
    ),
    "whoever_leaves_ends_the_waiting": lambda: moment(S.DIALING, On.CALLER_HUNG_UP, S.DIALING),
    "what_the_human_says_is_the_outcome": lambda: moment(
        S.BRIEFING, On.VOICEMAIL_DETECTED, S.DECLINED
    ),
    "before_the_merge_every_wish_is_followed_at_once": lambda: moment(
        S.DIALING, On.APP_CANCELLED, S.DIALING
    ),
    "only_the_merge_ends_the_merging": lambda: moment(S.MERGING, On.APP_CANCELLED, S.CANCELLED),
    "what_was_asked_while_merging_is_followed": lambda: moment(
        S.MERGING,
        On.MERGE_FAILED,
        S.FAILED,
        Do.DELIVER_OUTCOME,
        outcome=outcome(S.FAILED, Reason.MERGE_FAILED),
        known=SAID_YES._replace(asked=On.APP_CANCELLED),
    ),
    "a_merge_that_fails_goes_on_or_ends": lambda: moment(S.MERGING, On.MERGE_FAILED, S.MERGING),
    "each_strategy_is_tried_once_with_its_whole_time": lambda: moment(
        S.MERGING,
        On.MERGE_FAILED,
        S.MERGING,
        Do.UNMERGE_LEGS,
        Do.MERGE_LEGS,
        known=SAID_YES._replace(tried=("move",)),
        deadline=Deadline(2.0, Event(On.DEADLINE_PASSED)),
    ),
    "a_broken_merge_is_repaired_once": lambda: moment(S.MERGED, On.MERGE_BROKE, S.MERGED),
    "a_settled_merge_is_not_undone_by_an_older_report": lambda: moment(
        S.MERGED, On.MERGE_FAILED, S.ENDED, known=SAID_YES._replace(settled=9), effect=9
    ),
    "nobody_is_returned_to_an_agent_who_has_gone": lambda: moment(
        S.MERGED,
        On.CONSULT_HUNG_UP,
        S.RETURNED,
        known=SAID_YES._replace(agent_gone=True),
        returns=True,
    ),
    "the_policy_says_what_follows_the_human": lambda: moment(
        S.MERGED, On.CONSULT_HUNG_UP, S.ENDED, Do.END_CALL, returns=True
    ),
    "the_humans_leaving_is_followed": lambda: moment(S.BRIEFING, On.CONSULT_HUNG_UP, S.BRIEFING),
    "a_merged_call_outlives_what_it_does_not_need": lambda: moment(
        S.MERGED, On.CONSULT_DECLINED, S.ENDED, Do.END_CALL
    ),
    "a_call_that_ends_is_ended_for_all": lambda: moment(S.MERGED, On.DEADLINE_PASSED, S.ENDED),
    "the_policy_says_whether_the_agent_leaves": lambda: moment(
        S.MERGING, On.MERGE_CONFIRMED, S.MERGED, carrier=Carrier.SERVER, agent_leaves=True
    ),
    "the_agent_leaves_after_the_outcome": lambda: moment(
        S.MERGED,
        On.AGENT_HEARD_OUT,
        S.ENDED,
        Do.LEAVE_CALL,
        carrier=Carrier.SERVER,
        agent_leaves=True,
    ),
    "whoever_is_let_go_is_told": lambda: moment(S.BRIEFING, On.DEADLINE_PASSED, S.FAILED),
    "a_late_start_is_compensated": lambda: moment(S.FAILED, On.CONSULT_ANSWERED, S.FAILED),
    "every_wait_has_a_deadline": lambda: Core(S.DIALING, frozenset({On.HOLD_LIMIT_PASSED}), 1),
    "the_clocks_alone_end_it": lambda: Core(S.MERGING, frozenset({On.DEADLINE_PASSED}), None),
    "the_callers_input_is_off_while_held": lambda: scene(S.DIALING),
    "the_held_caller_hears_music": lambda: scene(
        S.DIALING, input_on=False, output_on=False, music=Music.OFF
    ),
    "the_human_is_told": lambda: scene(S.BRIEFING, room=Room.OPEN, **HELD_WORLD),
    "music_and_agent_do_not_mix": lambda: scene(S.FAILED, music=Music.ON, delivered=1),
    "no_briefing_reaches_the_caller": lambda: scene(
        S.MERGING, joined=True, briefing=True, leg=Leg.ANSWERED, **HELD_WORLD
    ),
    "no_leg_is_left_up_after_the_end": lambda: scene(S.FAILED, leg=Leg.RINGING, delivered=1),
    "nothing_is_left": lambda: scene(S.FAILED, room=Room.OPEN, delivered=1),
    "the_caller_is_back_with_the_agent": lambda: scene(S.FAILED, input_on=False, delivered=1),
    "an_ended_call_is_over": lambda: scene(S.ENDED, delivered=1),
    "merged_means_they_talk": lambda: scene(
        S.MERGED, input_on=False, leg=Leg.ANSWERED, delivered=1
    ),
    "nobody_is_left_in_silence": lambda: scene(
        S.ENDED, carrier=Carrier.SERVER, input_on=False, agent=False, leg=Leg.ANSWERED, delivered=1
    ),
    "the_agent_goes_last": lambda: scene(
        S.ENDED, Flight(1, Do.LEAVE_CALL, Phase.RUNNING), carrier=Carrier.SERVER, input_on=False
    ),
    "the_outcome_arrives_once": lambda: scene(S.FAILED, delivered=2),
    "something_can_go_on": lambda: scene(
        S.FAILED, Flight(1, Do.RESUME_CALLER, Phase.WAITING), delivered=1
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_names_itself(name: str) -> None:
    broken = dict(broken_by(BROKEN[name]()))
    assert name in broken
    assert broken[name]


def test_every_promise_is_broken_by_a_test() -> None:
    assert set(BROKEN) == {promise.__name__ for promise in (*STEPS, *CORES, *SCENES)}


def test_the_happy_path_breaks_no_promise() -> None:
    transfer = Transfer("t")
    known = Known()
    for on in (
        On.TRANSFER_REQUESTED,
        On.CALLER_HELD,
        On.CONSULT_OPENED,
        On.CONSULT_ANSWERED,
        On.CONSULT_ACCEPTED,
        On.BRIEFING_STOPPED,
        On.MERGE_CONFIRMED,
        On.CALLER_HUNG_UP,
    ):
        step = transfer.receive(Event(on), 0.0)
        seen = Moment(step, known, transfer.policy, carrier=Carrier.AGENT)
        assert list(broken_by(seen)) == []
        known = learn(seen)
    assert known.outcomes == 1


LEAVES = "the_policy_says_whether_the_agent_leaves"


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (
            moment(S.MERGING, On.MERGE_CONFIRMED, S.MERGED, Do.AWAIT_LAST_WORDS, agent_leaves=True),
            "is to stay",
        ),
        (
            moment(
                S.MERGED,
                On.MERGE_CONFIRMED,
                S.MERGED,
                carrier=Carrier.SERVER,
                agent_leaves=True,
                known=SAID_YES._replace(broken=True),
            ),
            "stays after a repair",
        ),
        (
            moment(
                S.MERGED, On.AGENT_HEARD_OUT, S.MERGED, carrier=Carrier.SERVER, agent_leaves=True
            ),
            "and stays",
        ),
        (
            moment(
                S.MERGED,
                On.AGENT_HEARD_OUT,
                S.ENDED,
                Do.LEAVE_CALL,
                carrier=Carrier.SERVER,
                agent_leaves=True,
                known=SAID_YES._replace(broken=True, outcomes=1),
            ),
            "leaves silence",
        ),
    ],
)
def test_each_way_to_leave_wrongly_is_found(told: Moment, problem: str) -> None:
    assert problem in dict(broken_by(told))[LEAVES]


def test_an_agent_may_go_with_the_outcome_out_and_the_music_off() -> None:
    going = Flight(1, Do.LEAVE_CALL, Phase.RUNNING)
    joined: dict[str, Any] = {"input_on": False, "joined": True, "leg": Leg.ANSWERED}
    assert (
        list(broken_by(scene(S.ENDED, going, carrier=Carrier.SERVER, delivered=1, **joined))) == []
    )
    loud = scene(S.ENDED, going, carrier=Carrier.SERVER, delivered=1, music=Music.ON, **joined)
    assert list(dict(broken_by(loud))) == ["the_agent_goes_last"]


def test_what_was_ignored_teaches_nothing() -> None:
    ignored = moment(S.DIALING, On.CONSULT_ACCEPTED, S.DIALING, handling=Handling.IGNORED)
    assert learn(ignored) is ignored.known


def test_the_first_wish_while_merging_is_the_one_known() -> None:
    known = learn(moment(S.MERGING, On.APP_CANCELLED, S.MERGING))
    known = learn(moment(S.MERGING, On.CONSULT_DECLINED, S.MERGING, known=known))
    assert known.asked is On.APP_CANCELLED


def test_a_report_that_acts_twice_is_found() -> None:
    first = moment(S.MERGING, On.BRIEFING_STOPPED, S.MERGING, Do.MERGE_LEGS, effect=4).step
    assert [name for name, _ in repeated(first, first)] == [
        "a_report_delivered_twice_changes_nothing"
    ]
    again = moment(S.MERGING, On.BRIEFING_STOPPED, S.MERGING, effect=4).step
    assert list(repeated(first, again)) == []


def test_a_call_without_need_of_the_agent_may_live_on() -> None:
    joined: dict[str, Any] = {"agent": False, "joined": True, "leg": Leg.ANSWERED, "delivered": 1}
    alive = scene(S.ENDED, carrier=Carrier.SERVER, input_on=False, **joined)
    assert list(broken_by(alive)) == []
    assert dict(broken_by(scene(S.ENDED, carrier=Carrier.AGENT, input_on=False, **joined)))
