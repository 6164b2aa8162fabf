"""Rows broken on purpose that Spin must find, each with the claim that must name it."""

from __future__ import annotations

from dataclasses import replace

from tests.quality.promela.model import Model, model_of
from tests.quality.table_mutants import mutants
from warm_transfer.policy import Carrier, Strategy, TransferPolicy
from warm_transfer.table import TABLE

__all__ = ["BROKEN", "QUICK", "broken_model"]

_RELAY = Strategy("relay", Carrier.AGENT)
_BRIDGE = Strategy("sip_bridge", Carrier.BRIDGE)
_MOVE = Strategy("move", Carrier.SERVER)
_ENDS = TransferPolicy(on_human_left="end_call")
_RETURNS = TransferPolicy(on_human_left="return")

RELAY = model_of(_ENDS, (_RELAY,))
RELAY_BACK = model_of(_RETURNS, (_RELAY,))
MOVE = model_of(_RETURNS, (_MOVE,))
BRIDGE = model_of(_RETURNS, (_BRIDGE,))
TWO = model_of(_ENDS, (_MOVE, _RELAY))
LEAVE = model_of(TransferPolicy(after_merge="leave"), (_MOVE, _RELAY))

BROKEN: dict[str, tuple[Model, str]] = {
    "idle x TRANSFER_REQUESTED: drop HOLD_CALLER": (RELAY, "the_callers_input_is_off_while_held"),
    "dialing x CONSULT_ANSWERED: drop START_BRIEFING": (RELAY, "the_human_is_told"),
    "holding x JOB_SHUTTING_DOWN: retarget to failed": (RELAY, "whoever_leaves_ends_the_waiting"),
    "briefing x CONSULT_ACCEPTED: drop STOP_BRIEFING": (
        RELAY,
        "the_briefing_is_over_before_the_legs_are_joined",
    ),
    "briefing x DEADLINE_PASSED: drop NOTIFY_CONSULT": (RELAY, "whoever_is_let_go_is_told"),
    "briefing x CONSULT_DECLINED: retarget to failed": (
        RELAY,
        "what_the_human_says_is_the_outcome",
    ),
    "merging x APP_CANCELLED: drop mark PENDING": (
        RELAY,
        "what_was_asked_while_merging_is_followed",
    ),
    "merging x CONSULT_HUNG_UP: drop LOOK_AT_ROOMS": (RELAY, "a_merge_that_fails_goes_on_or_ends"),
    "merging x MERGE_CONFIRMED [RELAYED]: drop mark SETTLED": (
        RELAY_BACK,
        "a_settled_merge_is_not_undone_by_an_older_report",
    ),
    "merging x MERGE_CONFIRMED [DIRECT_STAYS]: drop CLOSE_CONSULT": (
        MOVE,
        "merged_means_they_talk",
    ),
    "merging x MERGE_CONFIRMED [DIRECT_LEAVES]: drop AWAIT_LAST_WORDS": (
        LEAVE,
        "the_policy_says_whether_the_agent_leaves",
    ),
    "merging x MERGE_FAILED [STRATEGY_LEFT]: drop clock MERGE": (
        TWO,
        "each_strategy_is_tried_once_with_its_whole_time",
    ),
    "merged x CONSULT_ROOM_LOST [BRIDGED]: drop mark DOUBTED": (
        BRIDGE,
        "a_call_that_ends_is_ended_for_all",
    ),
    "merged x CONSULT_HUNG_UP [RETURNS]: drop RESUME_CALLER": (
        RELAY_BACK,
        "the_caller_is_back_with_the_agent",
    ),
    "merged x SESSION_CLOSED: drop mark SESSION_GONE": (
        RELAY_BACK,
        "nobody_is_returned_to_an_agent_who_has_gone",
    ),
    "merged x MERGE_BROKE [FIRST_BREAK]: drop MERGE_LEGS": (
        RELAY,
        "a_broken_merge_is_repaired_once",
    ),
    "declined x CONSULT_ANSWERED: drop HANG_UP_CONSULT": (RELAY, "a_late_start_is_compensated"),
    "failed x CONSULT_OPENED: drop CLOSE_CONSULT": (RELAY, "a_late_start_is_compensated"),
}
"""A fault of the table, the model in which it shows, and the claim that Spin names."""

QUICK = (
    "idle x TRANSFER_REQUESTED: drop HOLD_CALLER",
    "briefing x CONSULT_ACCEPTED: drop STOP_BRIEFING",
    "merging x APP_CANCELLED: drop mark PENDING",
    "merged x SESSION_CLOSED: drop mark SESSION_GONE",
    "declined x CONSULT_ANSWERED: drop HANG_UP_CONSULT",
)
"""Those that every test run tries where Spin is installed."""


def broken_model(fault: str) -> tuple[Model, str]:
    """The model of our table with one fault, and the claim that must name it."""
    (mutant,) = (each for each in mutants(TABLE) if each.id == fault)
    model, claim = BROKEN[fault]
    return replace(model, table=mutant.table), claim
