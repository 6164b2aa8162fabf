"""What must hold, as Promela expressions: the promises of the design, put a second time.

A claim about a step looks at the state before and after, the event, the effects it starts and
what an observer has seen so far (``seen_``); a claim about a scene looks at the world between two
steps. Spin names the claim that does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.quality.promela.words import EVENTS, STATES, any_of, one_of
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.states import State

__all__ = ["OBSERVED", "OBSERVER", "SCENES", "STEPS"]

S = State


def _in(*states: State) -> str:
    return one_of("before", [STATES[each] for each in states])


def _to(*states: State) -> str:
    return one_of("state", [STATES[each] for each in states])


def _on(*events: On) -> str:
    return one_of("event", [EVENTS[each] for each in events])


def _does(*effects: Do) -> str:
    return any_of(f"(done & D_{each}) != 0" for each in effects)


def _if(when: str, then: str) -> str:
    return f"(!({when}) || ({then}))"


def _all(*parts: str) -> str:
    return f"({' && '.join(parts)})"


def _flies(*effects: Do) -> str:
    return any_of(f"p_{each} != NOT" for each in effects)


_LEFT = "(before != state)"
_ENDS = "(before != state && OVER)"
_WAS_OVER = "(before >= FIRST_FINAL)"
_WAITED = _in(S.HOLDING, S.DIALING, S.BRIEFING)
_HELD = _to(S.HOLDING, S.DIALING, S.BRIEFING, S.MERGING)
_NEEDED = "(carrier == C_agent || seen_broken)"
_MERGE_REPORT = _on(On.MERGE_CONFIRMED, On.MERGE_FAILED, On.MERGE_UNCERTAIN)
_WISH = _on(On.APP_CANCELLED, On.CONSULT_DECLINED, On.APP_DECLINED, On.VOICEMAIL_DETECTED)
_YES = _on(On.CONSULT_ACCEPTED, On.APP_ACCEPTED)
_CALLER_GOES = _on(On.CALLER_HUNG_UP, On.CALLER_ROOM_LOST, On.JOB_SHUTTING_DOWN)

OBSERVED: Mapping[str, int] = {
    "seen_request": 1,
    "seen_answer": 1,
    "seen_yes": 1,
    "seen_wish": 3,
    "seen_close": 1,
    "seen_leaving": 1,
    "seen_tried": 7,
    "seen_repair": 1,
    "seen_broken": 1,
    "seen_dial": 1,
    "seen_stop": 1,
    "seen_outcome": 1,
}
"""What an observer keeps of the steps it has seen, each with its largest value."""

_MERGES_NOW = _all(_LEFT, _to(S.MERGED))
_FORGETS = any_of(("OVER", _MERGES_NOW))

OBSERVER: Mapping[str, str] = {
    "seen_request": f"(seen_request || {_on(On.TRANSFER_REQUESTED)})",
    "seen_answer": f"!OVER && (seen_answer || {_on(On.CONSULT_ANSWERED)})",
    "seen_yes": f"!OVER && (seen_yes || {_YES})",
    "seen_wish": (
        f"({_FORGETS} -> 0 : (seen_wish == 0 && {_in(S.MERGING)} && {_to(S.MERGING)} -> "
        f"({_on(On.APP_CANCELLED)} -> CANCELLED : "
        f"({_on(On.CONSULT_DECLINED, On.APP_DECLINED)} -> DECLINED : "
        f"({_on(On.VOICEMAIL_DETECTED)} -> VOICEMAIL : 0))) : seen_wish))"
    ),
    "seen_close": f"!OVER && (seen_close || {_on(On.SESSION_CLOSED)})",
    "seen_leaving": (
        f"!{_FORGETS} && (seen_leaving || ({_in(S.MERGING)} && {_on(On.CONSULT_HUNG_UP)}))"
    ),
    "seen_tried": (
        f"({_FORGETS} -> 0 : ({_in(S.MERGING)} && {_does(Do.MERGE_LEGS)} -> "
        "(seen_tried | (1 << strategy)) : seen_tried))"
    ),
    "seen_repair": (
        f"!{_FORGETS} && (seen_repair || (!{_in(S.MERGING)} && {_does(Do.MERGE_LEGS)}))"
    ),
    "seen_broken": (
        f"!{_FORGETS} && !({_in(S.MERGED)} && {_on(On.MERGE_CONFIRMED)}) && (seen_broken || "
        f"({_in(S.MERGED)} && ({_on(On.MERGE_BROKE)} || "
        f"({_on(On.CONSULT_ROOM_LOST)} && carrier == C_bridge))))"
    ),
    "seen_dial": f"!OVER && (seen_dial || {_does(Do.DIAL_CONSULT)})",
    "seen_stop": f"!OVER && (seen_stop || {_does(Do.STOP_BRIEFING)})",
    "seen_outcome": f"(seen_outcome || {_does(Do.DELIVER_OUTCOME)})",
}
"""How the observer learns from a step that took a row. A wish is seen before what it waits for."""


def _asked_and_followed() -> str:
    """What decides a merge that did not come about: first a closed session, then the first wish."""
    want = (
        f"(seen_close -> {_to(S.CANCELLED)} : "
        f"(seen_wish == CANCELLED -> {_to(S.CANCELLED)} : "
        f"(seen_wish == DECLINED -> {_to(S.DECLINED)} : "
        f"(seen_wish == VOICEMAIL -> {_to(S.VOICEMAIL)} : {_to(S.FAILED)}))))"
    )
    unmerged = _all(_in(S.MERGING), _on(On.MERGE_FAILED, On.DEADLINE_PASSED))
    tries = _all(unmerged, _on(On.MERGE_FAILED), _does(Do.MERGE_LEGS))
    unwanted = "seen_close || seen_wish || seen_leaving"
    return _all(_if(f"{unmerged} && OVER", want), _if(tries, f"!({unwanted})"))


def _followed_at_once() -> str:
    fails = _on(
        On.HOLD_LIMIT_PASSED,
        On.CONSULT_ROOM_LOST,
        On.CONSULT_OPEN_FAILED,
        On.CALLER_HOLD_FAILED,
        On.BRIEFING_FAILED,
    )
    cancels = _on(On.APP_CANCELLED, On.SESSION_CLOSED)
    return _if(
        f"!stale && {_WAITED}",
        _all(
            _if(cancels, _to(S.CANCELLED)),
            _if(_on(On.APP_DECLINED), _to(S.DECLINED)),
            _if(fails, _to(S.FAILED)),
        ),
    )


def _whoever_leaves() -> str:
    merged, merging = _in(S.MERGED), _in(S.MERGING)
    job = f"({merging} -> {_to(S.FAILED)} : {_to(S.CANCELLED)})"
    return _if(
        f"!{_WAS_OVER} && {_CALLER_GOES}",
        f"({merged} -> {_to(S.ENDED)} : ({_on(On.CALLER_HUNG_UP)} -> {_to(S.ABANDONED)} : "
        f"({_on(On.CALLER_ROOM_LOST)} -> {_to(S.FAILED)} : {job})))",
    )


def _only_the_merge_ends() -> str:
    may = any_of(
        (
            _MERGE_REPORT,
            _CALLER_GOES,
            _on(On.DEADLINE_PASSED, On.CONSULT_OPEN_FAILED, On.BRIEFING_FAILED),
        )
    )
    waits = any_of((_WISH, _YES, _on(On.SESSION_CLOSED)))
    return _if(_in(S.MERGING), _all(_if(_LEFT, may), _if(waits, "done == 0")))


def _goes_on_or_ends() -> str:
    goes_on = _all(_does(Do.MERGE_LEGS), _does(Do.UNMERGE_LEGS))
    looks = any_of(
        (
            _on(On.MERGE_UNCERTAIN, On.CONSULT_HUNG_UP, On.CONSULT_ROOM_LOST, On.MERGE_BROKE),
            f"({_on(On.DEADLINE_PASSED)} && !OVER)",
        )
    )
    return _if(
        f"taken && {_in(S.MERGING)}",
        _all(
            _if(f"{_on(On.MERGE_FAILED)} && !OVER", goes_on),
            _if(looks, _does(Do.LOOK_AT_ROOMS)),
        ),
    )


def _policy_says() -> str:
    gone = _on(On.CONSULT_HUNG_UP, On.MERGE_BROKE, On.MERGE_FAILED, On.MERGE_UNCERTAIN)
    lost = f"({_on(On.CONSULT_ROOM_LOST)} && carrier == C_agent)"
    returned = _to(S.RETURNED)
    return _if(
        f"{_in(S.MERGED)} && {_ENDS}",
        f"({gone} || {lost} -> {returned} == (RETURN && !seen_close) : !{returned})",
    )


def _outlives() -> str:
    may = any_of(
        (
            _CALLER_GOES,
            _on(
                On.CONSULT_HUNG_UP,
                On.MERGE_BROKE,
                On.MERGE_FAILED,
                On.MERGE_UNCERTAIN,
                On.DEADLINE_PASSED,
                On.AGENT_HEARD_OUT,
            ),
            f"({_on(On.CONSULT_ROOM_LOST)} && carrier == C_agent)",
        )
    )
    goes = _on(On.JOB_SHUTTING_DOWN, On.CALLER_ROOM_LOST, On.AGENT_HEARD_OUT)
    return _if(
        _in(S.MERGED),
        _all(
            _if(_LEFT, may),
            _if(f"OVER && {goes} && !{_NEEDED}", f"(done & ~D_{Do.LEAVE_CALL}) == 0"),
        ),
    )


def _ended_for_all() -> str:
    goes = _on(On.JOB_SHUTTING_DOWN, On.CALLER_ROOM_LOST, On.AGENT_HEARD_OUT)
    lives = f"({goes} && !{_NEEDED})"
    return _if(f"{_LEFT} && {_to(S.ENDED)} && !{lives}", _does(Do.END_CALL))


def _whether_it_leaves() -> str:
    leaves = "(LEAVE && carrier == C_server)"
    mended = f"taken && {_in(S.MERGED)} && seen_broken && {_on(On.MERGE_CONFIRMED)}"
    heard = f"taken && {_in(S.MERGED)} && {leaves} && {_on(On.AGENT_HEARD_OUT)}"
    words = _does(Do.AWAIT_LAST_WORDS)
    return _all(
        _if(_does(Do.AWAIT_LAST_WORDS, Do.LEAVE_CALL), leaves),
        _if(f"{_MERGES_NOW} && {leaves}", words),
        _if(f"{mended} && {leaves}", words),
        _if(heard, f"{_does(Do.LEAVE_CALL)} == !{_NEEDED}"),
    )


def _is_told() -> str:
    own = _on(
        On.CONSULT_DECLINED,
        On.VOICEMAIL_DETECTED,
        On.CONSULT_HUNG_UP,
        On.CONSULT_OPEN_FAILED,
        On.CONSULT_ROOM_LOST,
    )
    return _if(f"{_in(S.BRIEFING)} && {_ENDS} && !{own}", _does(Do.NOTIFY_CONSULT))


def _compensated() -> str:
    late = f"taken && {_WAS_OVER}"
    undecided = f"{late} && !{_in(S.ENDED, S.RETURNED)}"
    undone = _all(_does(Do.UNMERGE_LEGS), _does(Do.HANG_UP_CONSULT))
    return _all(
        _if(f"{undecided} && {_on(On.CONSULT_OPENED)}", _does(Do.CLOSE_CONSULT)),
        _if(f"{undecided} && {_on(On.CONSULT_ANSWERED)}", _does(Do.HANG_UP_CONSULT)),
        _if(f"{undecided} && {_on(On.MERGE_CONFIRMED)}", undone),
    )


_SAID = _on(On.CONSULT_ACCEPTED, On.CONSULT_DECLINED, On.VOICEMAIL_DETECTED, On.APP_ACCEPTED)
_DIAL_REPORT = _on(On.CONSULT_RANG, On.CONSULT_REFUSED, On.DIAL_UNCERTAIN, On.CONSULT_ANSWERED)

STEPS: Mapping[str, str] = {
    "an_impossible_pair": "!impossible",
    "one_outcome_is_delivered_once": _all(
        _if(_does(Do.DELIVER_OUTCOME), "!seen_outcome"),
        _if(f"{_ENDS} || {_MERGES_NOW}", f"seen_outcome || {_does(Do.DELIVER_OUTCOME)}"),
    ),
    "final_states_do_not_change": _if(_WAS_OVER, "before == state && (done & ~RELEASES) == 0"),
    "a_transfer_is_asked_for_once": _if(
        f"{_on(On.TRANSFER_REQUESTED)} && seen_request", f"!{_LEFT} && done == 0"
    ),
    "nothing_is_done_before_it_is_asked": _if(
        f"{_in(S.IDLE)} && !{_on(On.TRANSFER_REQUESTED)}",
        f"(done & ~D_{Do.DELIVER_OUTCOME}) == 0 && (OVER || {_to(S.IDLE)})",
    ),
    "a_merge_follows_a_yes": _all(
        _if(_does(Do.MERGE_LEGS), "seen_answer && seen_yes"), _if(_MERGES_NOW, "seen_yes")
    ),
    "a_merge_is_prepared_when_the_human_answers": (
        f"(({_LEFT} && {_to(S.BRIEFING)}) == {_does(Do.PREPARE_MERGE)})"
    ),
    "nobody_decides_before_the_answer": _if(f"{_SAID} && !seen_answer", f"!{_LEFT}"),
    "the_briefing_is_over_before_the_legs_are_joined": _all(
        _if(f"{_LEFT} && {_to(S.MERGING)}", _does(Do.STOP_BRIEFING)),
        _if(_does(Do.STOP_BRIEFING), "!seen_stop"),
        _if(_does(Do.MERGE_LEGS), "seen_stop"),
        _if(f"taken && {_in(S.MERGING)} && {_on(On.BRIEFING_STOPPED)}", _does(Do.MERGE_LEGS)),
    ),
    "one_dial_at_most": _if(_does(Do.DIAL_CONSULT), "!seen_dial"),
    "a_dial_that_was_answered_has_said_all": _if(
        f"{_DIAL_REPORT} && seen_answer", f"!{_LEFT} && done == 0"
    ),
    "whoever_leaves_ends_the_waiting": _whoever_leaves(),
    "what_the_human_says_is_the_outcome": _if(
        _in(S.BRIEFING),
        _all(
            _if(_on(On.CONSULT_DECLINED), _to(S.DECLINED)),
            _if(_on(On.VOICEMAIL_DETECTED), _to(S.VOICEMAIL)),
        ),
    ),
    "before_the_merge_every_wish_is_followed_at_once": _followed_at_once(),
    "only_the_merge_ends_the_merging": _only_the_merge_ends(),
    "what_was_asked_while_merging_is_followed": _asked_and_followed(),
    "a_merge_that_fails_goes_on_or_ends": _goes_on_or_ends(),
    "each_strategy_is_tried_once_with_its_whole_time": _if(
        f"{_in(S.MERGING)} && {_does(Do.MERGE_LEGS)}",
        "!(seen_tried & (1 << strategy)) && (!seen_tried || started == W_MERGE)",
    ),
    "a_broken_merge_is_repaired_once": _if(
        f"{_in(S.MERGED)} && {_on(On.MERGE_BROKE)}",
        f"(seen_repair -> OVER : {_does(Do.MERGE_LEGS)})",
    ),
    "a_settled_merge_is_not_undone_by_an_older_report": _if(
        f"{_MERGE_REPORT} && old", f"!{_LEFT} && done == 0"
    ),
    "nobody_is_returned_to_an_agent_who_has_gone": _if(
        f"{_in(S.MERGED)} && seen_close", f"!{_to(S.RETURNED)} && !{_does(Do.RESUME_CALLER)}"
    ),
    "the_policy_says_what_follows_the_human": _policy_says(),
    "the_humans_leaving_is_followed": _if(
        f"{_on(On.CONSULT_HUNG_UP)} && !{_WAS_OVER} && !{_in(S.MERGING)}", _ENDS
    ),
    "a_merged_call_outlives_what_it_does_not_need": _outlives(),
    "a_call_that_ends_is_ended_for_all": _ended_for_all(),
    "the_policy_says_whether_the_agent_leaves": _whether_it_leaves(),
    "the_agent_leaves_after_the_outcome": _if(
        _does(Do.LEAVE_CALL), f"seen_outcome && {_on(On.AGENT_HEARD_OUT)}"
    ),
    "whoever_is_let_go_is_told": _is_told(),
    "after_the_end_only_a_late_start_is_answered": _if(
        f"{_WAS_OVER} && done != 0",
        f"{_on(On.CONSULT_OPENED, On.CONSULT_ANSWERED, On.MERGE_CONFIRMED)} && "
        f"!{_in(S.ENDED, S.RETURNED)}",
    ),
    "a_late_start_is_compensated": _compensated(),
    "every_wait_has_a_deadline": _all(
        _if(f"{_HELD} || {_to(S.MERGED)}", "clock"),
        _if(_to(S.HOLDING, S.DIALING, S.BRIEFING), "hold_clock"),
        _if("OVER", "!clock && !hold_clock"),
    ),
    # Not promises of the design, but what the model itself relies on.
    "nothing_is_started_while_it_runs": "!twice",
    "there_is_a_strategy": "strategy < STRATEGIES",
}
"""Promises about a step, by the names they have in `warm_transfer.testing.invariants`."""

_UP = "(leg == RINGING || leg == ANSWERED)"
_LIVES_ON = (
    f"({_to(S.ENDED)} && caller && carrier != C_agent && (!agent || {_flies(Do.LEAVE_CALL)}))"
)

SCENES: Mapping[str, str] = {
    "the_callers_input_is_off_while_held": _if(f"{_HELD} || {_to(S.MERGED)}", "!input_on"),
    "the_held_caller_hears_music": _if(f"{_HELD} && QUIET", "music != OFF && !output_on"),
    "the_human_is_told": _if(f"{_to(S.BRIEFING)} && QUIET", "room == OPEN && speaks"),
    "music_and_agent_do_not_mix": _if("music == ON && input_on", _flies(Do.STOP_HOLD_AUDIO)),
    "no_briefing_reaches_the_caller": "!(joined && speaks)",
    "no_leg_is_left_up_after_the_end": _if(
        f"{_UP} && (OVER || !caller) && !{_LIVES_ON}", _flies(Do.HANG_UP_CONSULT)
    ),
    "nothing_is_left": _if(
        "OVER && QUIET",
        _all(
            f"(room != OPEN || ({_LIVES_ON} && carrier == C_bridge))",
            f"(!prepared || {_LIVES_ON})",
            "!speaks",
            "(music == OFF || !caller)",
            f"(!joined || {_LIVES_ON})",
        ),
    ),
    "the_caller_is_back_with_the_agent": _if(
        f"OVER && !{_to(S.ENDED)} && QUIET && caller && agent", "input_on && output_on"
    ),
    "an_ended_call_is_over": _if(f"{_to(S.ENDED)} && QUIET && !{_LIVES_ON}", "!caller"),
    "merged_means_they_talk": _if(
        f"{_to(S.MERGED)} && QUIET",
        _all(
            "joined",
            "leg == ANSWERED",
            "music == OFF",
            "output_on",
            "!(carrier == C_server && room == OPEN)",
        ),
    ),
    "nobody_is_left_in_silence": _if(f"{_LIVES_ON} && QUIET", "joined"),
    "the_agent_goes_last": _if(
        one_of(f"p_{Do.LEAVE_CALL}", ("RUNNING", "BEHIND", "REPEATING")),
        f"delivered && (music != ON || {_flies(Do.STOP_HOLD_AUDIO)})",
    ),
    "the_outcome_arrives_once": _all(
        "delivered < 2", _if(f"QUIET && (OVER || {_to(S.MERGED)})", "delivered == 1")
    ),
    "something_can_go_on": "(QUIET || SOMETHING_CAN)",
}
"""Promises about the world between two steps, by the same names."""
