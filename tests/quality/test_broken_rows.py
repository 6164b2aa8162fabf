"""Rows broken on purpose, one for each kind of mistake, and the invariant that must name it."""

from __future__ import annotations

import pytest

from tests.conftest import Explored
from tests.quality.table_mutants import judge, mutants
from warm_transfer.table import TABLE

BROKEN = {
    "idle x TRANSFER_REQUESTED: drop HOLD_CALLER": "the_callers_input_is_off_while_held",
    "idle x TRANSFER_REQUESTED: drop PLAY_HOLD_AUDIO": "the_held_caller_hears_music",
    "dialing x CONSULT_ANSWERED: drop START_BRIEFING": "the_human_is_told",
    "dialing x CONSULT_ANSWERED: drop PREPARE_MERGE": "a_merge_is_prepared_when_the_human_answers",
    "holding x JOB_SHUTTING_DOWN: retarget to failed": "whoever_leaves_ends_the_waiting",
    "briefing x CONSULT_ACCEPTED: drop STOP_BRIEFING": (
        "the_briefing_is_over_before_the_legs_are_joined"
    ),
    "briefing x DEADLINE_PASSED: drop NOTIFY_CONSULT": "whoever_is_let_go_is_told",
    "briefing x CONSULT_DECLINED: retarget to failed": "what_the_human_says_is_the_outcome",
    "merging x APP_CANCELLED: drop mark PENDING": "what_was_asked_while_merging_is_followed",
    "merging x CONSULT_HUNG_UP: drop LOOK_AT_ROOMS": "a_merge_that_fails_goes_on_or_ends",
    "merging x MERGE_CONFIRMED [RELAYED]: drop mark SETTLED": (
        "a_settled_merge_is_not_undone_by_an_older_report"
    ),
    "merging x MERGE_CONFIRMED [DIRECT_STAYS]: drop CLOSE_CONSULT": "nothing_is_left",
    "merging x MERGE_CONFIRMED [DIRECT_LEAVES]: drop AWAIT_LAST_WORDS": (
        "the_policy_says_whether_the_agent_leaves"
    ),
    "merged x MERGE_CONFIRMED [DIRECT_LEAVES]: drop mark REPAIRED": (
        "a_merged_call_outlives_what_it_does_not_need"
    ),
    "merged x AGENT_HEARD_OUT [LEAVES]: drop LEAVE_CALL": (
        "the_policy_says_whether_the_agent_leaves"
    ),
    "merged x CONSULT_ROOM_LOST [BRIDGED]: drop LOOK_AT_ROOMS": "merged_means_they_talk",
    "merged x CONSULT_ROOM_LOST [BRIDGED]: drop mark DOUBTED": "a_call_that_ends_is_ended_for_all",
    "merged x CALLER_HUNG_UP: drop END_CALL": "a_call_that_ends_is_ended_for_all",
    "merged x CONSULT_HUNG_UP [RETURNS]: drop RESUME_CALLER": "the_caller_is_back_with_the_agent",
    "merged x SESSION_CLOSED: drop mark SESSION_GONE": (
        "nobody_is_returned_to_an_agent_who_has_gone"
    ),
    "declined x CONSULT_ANSWERED: drop HANG_UP_CONSULT": "a_late_start_is_compensated",
}


@pytest.mark.parametrize("row", BROKEN)
def test_a_broken_row_is_named_by_its_invariant(row: str, explored: Explored) -> None:
    (mutant,) = [each for each in mutants(TABLE) if each.id == row]
    explorers = sorted(explored.explorers, key=lambda each: len(each.configs))

    verdict = judge(mutant, explorers)

    assert verdict.rule is None, "the rules alone would not let it pass"
    assert verdict.invariant == BROKEN[row]
