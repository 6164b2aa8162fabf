"""A broken table is named by the rule it breaks."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from warm_transfer.effects import Do
from warm_transfer.errors import TableError
from warm_transfer.events import On
from warm_transfer.outcome import Reason
from warm_transfer.rows import MAPPED, Guard, Ignored, Row, Table, Wait
from warm_transfer.states import State
from warm_transfer.table import TABLE
from warm_transfer.table_rules import RULES, check, faults
from warm_transfer.transfer import Transfer

BACK_FROM_MERGED = (
    Do.UNMERGE_LEGS,
    Do.STOP_HOLD_AUDIO,
    Do.HANG_UP_CONSULT,
    Do.CLOSE_CONSULT,
    Do.DELIVER_OUTCOME,
    Do.RESUME_CALLER,
)


def changed(row_id: str, **fields: object) -> Table:
    """The table with one row changed; a row that is not there is a fault of the test."""
    assert any(row.id == row_id for row in TABLE.rows)
    return TABLE.with_rows(
        replace(row, **fields) if row.id == row_id else row  # type: ignore[arg-type]  # by name
        for row in TABLE.rows
    )


def without(row_id: str) -> Table:
    return TABLE.with_rows(row for row in TABLE.rows if row.id != row_id)


def with_row(row: Row) -> Table:
    return TABLE.with_rows([*TABLE.rows, row])


def less(row_id: str, effect: Do) -> Table:
    (effects,) = [row.effects for row in TABLE.rows if row.id == row_id]
    assert effect in effects
    return changed(row_id, effects=tuple(each for each in effects if each is not effect))


def more(row_id: str, *added: Do) -> Table:
    (effects,) = [row.effects for row in TABLE.rows if row.id == row_id]
    return changed(row_id, effects=(*effects, *added))


def undecided() -> Table:
    pair = (State.IDLE, On.APP_ACCEPTED)
    ignored = {each: why for each, why in TABLE.ignored.items() if each != pair}
    return replace(TABLE, ignored=ignored)


def decided_twice() -> Table:
    pair = (State.IDLE, On.APP_CANCELLED)
    return replace(TABLE, ignored={**TABLE.ignored, pair: Ignored.NOT_ASKED_YET})


def unreachable() -> Table:
    rows = [
        replace(row, target=State.ENDED) if row.target is State.RETURNED and not row.stays else row
        for row in TABLE.rows
    ]
    return TABLE.with_rows(rows)


def no_hold_limit() -> Table:
    pair = (State.DIALING, On.HOLD_LIMIT_PASSED)
    rows = TABLE.with_rows(row for row in TABLE.rows if (row.source, row.event) != pair)
    return replace(rows, impossible=TABLE.impossible | {pair})


def back_reordered() -> Table:
    row_id = "holding x APP_CANCELLED"
    (effects,) = [row.effects for row in TABLE.rows if row.id == row_id]
    return changed(row_id, effects=tuple(reversed(effects)))


#: The rule, a table that breaks it, and the row or pair that is named.
BROKEN: list[tuple[str, Callable[[], Table], str]] = [
    ("every_pair_is_decided_once", undecided, "idle x APP_ACCEPTED"),
    ("every_pair_is_decided_once", decided_twice, "idle x APP_CANCELLED"),
    (
        "rows_of_a_pair_are_disjoint_and_exhaustive",
        lambda: with_row(Row(State.DIALING, On.CONSULT_RANG, State.DIALING)),
        "dialing x CONSULT_RANG",
    ),
    (
        "rows_of_a_pair_are_disjoint_and_exhaustive",
        lambda: changed("merged x CONSULT_HUNG_UP [ENDS]", guard=None),
        "merged x CONSULT_HUNG_UP",
    ),
    (
        "rows_of_a_pair_are_disjoint_and_exhaustive",
        lambda: without("merged x CONSULT_HUNG_UP [ENDS]"),
        "merged x CONSULT_HUNG_UP [RETURNS]",
    ),
    (
        "rows_of_a_pair_are_disjoint_and_exhaustive",
        lambda: changed("merged x CONSULT_HUNG_UP [ENDS]", guard=Guard.RETURNS),
        "merged x CONSULT_HUNG_UP [RETURNS]",
    ),
    ("every_state_is_reached", unreachable, "returned"),
    (
        "every_wait_is_bounded",
        lambda: changed("holding x CALLER_HELD", start=None),
        "holding x CALLER_HELD",
    ),
    (
        "every_wait_is_bounded",
        lambda: changed("briefing x CONSULT_DECLINED", start=Wait.CALL),
        "briefing x CONSULT_DECLINED",
    ),
    (
        "every_wait_is_bounded",
        lambda: changed("merging x DEADLINE_PASSED [NOT_LOOKED]", start=None),
        "merging x DEADLINE_PASSED [NOT_LOOKED]",
    ),
    (
        "every_wait_is_bounded",
        lambda: changed("dialing x DEADLINE_PASSED", target=State.DIALING, start=Wait.RING),
        "dialing x DEADLINE_PASSED",
    ),
    ("every_wait_is_bounded", no_hold_limit, "dialing x HOLD_LIMIT_PASSED"),
    (
        "final_states_only_compensate",
        lambda: changed("failed x RELEASE_FAILED", target=State.CANCELLED),
        "failed x RELEASE_FAILED",
    ),
    (
        "final_states_only_compensate",
        lambda: more("failed x RELEASE_FAILED", Do.OPEN_CONSULT),
        "failed x RELEASE_FAILED",
    ),
    (
        "an_outcome_is_delivered_once",
        lambda: less("briefing x CONSULT_DECLINED", Do.DELIVER_OUTCOME),
        "briefing x CONSULT_DECLINED",
    ),
    (
        "an_outcome_is_delivered_once",
        lambda: changed("briefing x CONSULT_DECLINED", reason=None),
        "briefing x CONSULT_DECLINED",
    ),
    (
        "an_outcome_is_delivered_once",
        lambda: changed("briefing x CONSULT_DECLINED", reason=Reason.BUSY),
        "briefing x CONSULT_DECLINED",
    ),
    (
        "an_outcome_is_delivered_once",
        lambda: changed("briefing x CONSULT_DECLINED", reason=MAPPED),
        "briefing x CONSULT_DECLINED",
    ),
    (
        "an_outcome_is_delivered_once",
        lambda: changed(
            "merged x DEADLINE_PASSED",
            target=State.FAILED,
            effects=BACK_FROM_MERGED,
            reason=Reason.MERGE_FAILED,
        ),
        "merged x DEADLINE_PASSED",
    ),
    (
        "only_an_acceptance_leads_to_a_merge",
        lambda: changed("dialing x CONSULT_ANSWERED", target=State.MERGING),
        "dialing x CONSULT_ANSWERED",
    ),
    (
        "only_an_acceptance_leads_to_a_merge",
        lambda: changed("merging x HOLD_AUDIO_FAILED", target=State.MERGED, start=Wait.CALL),
        "merging x HOLD_AUDIO_FAILED",
    ),
    (
        "only_an_acceptance_leads_to_a_merge",
        lambda: more("briefing x CONSULT_ACCEPTED", Do.MERGE_LEGS),
        "briefing x CONSULT_ACCEPTED",
    ),
    (
        "only_an_acceptance_leads_to_a_merge",
        lambda: changed("briefing x CONSULT_DECLINED", target=State.MERGING),
        "briefing x CONSULT_DECLINED",
    ),
    (
        "only_an_acceptance_leads_to_a_merge",
        lambda: more("briefing x HOLD_AUDIO_FAILED", Do.MERGE_LEGS),
        "briefing x HOLD_AUDIO_FAILED",
    ),
    (
        "every_wait_is_bounded",
        lambda: without("dialing x DEADLINE_PASSED"),
        "dialing x DEADLINE_PASSED",
    ),
    (
        "everything_acquired_is_given_back",
        lambda: less("merged x DEADLINE_PASSED", Do.UNMERGE_LEGS),
        "merged x DEADLINE_PASSED",
    ),
    (
        "everything_acquired_is_given_back",
        lambda: less("dialing x CONSULT_REFUSED", Do.RESUME_CALLER),
        "dialing x CONSULT_REFUSED",
    ),
    (
        "one_dial_at_most",
        lambda: less("holding x CALLER_HELD", Do.DIAL_CONSULT),
        "holding x CALLER_HELD",
    ),
    (
        "one_dial_at_most",
        lambda: more("dialing x CONSULT_RANG", Do.DIAL_CONSULT),
        "dialing x CONSULT_RANG",
    ),
    (
        "everything_acquired_is_given_back",
        lambda: less("dialing x CONSULT_REFUSED", Do.STOP_HOLD_AUDIO),
        "dialing x CONSULT_REFUSED",
    ),
    (
        "everything_acquired_is_given_back",
        lambda: less("merged x CALLER_HUNG_UP", Do.UNMERGE_LEGS),
        "merged x CALLER_HUNG_UP",
    ),
    ("a_held_caller_is_resumed_in_order", back_reordered, "holding x APP_CANCELLED"),
    (
        "a_held_caller_is_resumed_in_order",
        lambda: less("merging x MERGE_CONFIRMED [DIRECT_STAYS]", Do.RESUME_OUTPUT),
        "merging x MERGE_CONFIRMED [DIRECT_STAYS]",
    ),
    (
        "a_held_caller_is_resumed_in_order",
        lambda: more("merged x DEADLINE_PASSED", Do.END_CALL),
        "merged x DEADLINE_PASSED",
    ),
    (
        "a_held_caller_is_resumed_in_order",
        lambda: changed("holding x APP_CANCELLED", effects=(Do.RESUME_CALLER, Do.DELIVER_OUTCOME)),
        "holding x APP_CANCELLED",
    ),
    (
        "the_agent_leaves_only_what_needs_no_agent",
        lambda: more("merged x AGENT_HEARD_OUT [STAYS]", Do.LEAVE_CALL),
        "merged x AGENT_HEARD_OUT [STAYS]",
    ),
    (
        "the_agent_leaves_only_what_needs_no_agent",
        lambda: more("merged x CALLER_HUNG_UP", Do.LEAVE_CALL),
        "merged x CALLER_HUNG_UP",
    ),
    (
        "the_agent_leaves_only_what_needs_no_agent",
        lambda: more("merging x MERGE_CONFIRMED [RELAYED]", Do.AWAIT_LAST_WORDS),
        "merging x MERGE_CONFIRMED [RELAYED]",
    ),
]


def test_the_table_keeps_every_rule() -> None:
    assert list(faults(TABLE)) == []
    check(TABLE)


#: All that a rule can say of the tables above, word for word.
SAID = """\
DELIVER_OUTCOME comes before STOP_HOLD_AUDIO
OPEN_CONSULT is no release
RESUME_CALLER comes before DELIVER_OUTCOME
busy is no reason for declined
decides a second time
ends the transfer without giving back HOLD_CALLER
ends the transfer without giving back MERGE_LEGS
ends the transfer without giving back PLAY_HOLD_AUDIO
ends the transfer without giving back PREPARE_MERGE
enters dialing without starting a clock
enters merged without a confirmed merge
enters merging without an acceptance
has no guard and shadows the pair's other rows
hears out an agent that does not leave
is decided twice (row, ignored, impossible)
is not decided: give it a row, or ignore it
is not one of exactly the members of a guard family
is reached by no row
joins the legs before they may be joined
leaves a call that may need the agent
leaves the final state failed
must deliver the outcome exactly where it is decided
must dial exactly when it enters dialing
must have a reason exactly where an outcome is decided
names an effect twice
no row leads out when the clock runs out
only a failure's reason is mapped from evidence
stands twice
starts a clock in declined, which waits for nothing
stays after the deadline without a new clock
the caller is held; it can happen
the merged caller's output stays off
"""


def test_what_is_wrong_is_said_in_these_words() -> None:
    rules = {each.__name__: each for each in RULES}
    said = {text for rule, broken, _ in BROKEN for _, text in rules[rule](broken())}
    assert sorted(said) == SAID.splitlines()


@pytest.mark.parametrize(
    ("rule", "broken", "where"), BROKEN, ids=[f"{rule}: {where}" for rule, _, where in BROKEN]
)
def test_a_broken_table_is_named_by_the_rule(
    rule: str, broken: Callable[[], Table], where: str
) -> None:
    (by_name,) = [each for each in RULES if each.__name__ == rule]
    assert where in [row for row, _ in by_name(broken())]


@pytest.mark.parametrize(
    ("rule", "broken", "where"), BROKEN, ids=[f"{rule}: {where}" for rule, _, where in BROKEN]
)
def test_a_broken_table_is_refused_before_a_transfer_begins(
    rule: str, broken: Callable[[], Table], where: str
) -> None:
    assert rule
    assert where
    with pytest.raises(TableError):
        Transfer("t", table=broken())


@pytest.mark.parametrize(
    ("rule", "broken"), [each[:2] for each in BROKEN if each[0].startswith("everything")]
)
def test_what_is_given_back_does_not_depend_on_the_order_of_the_rows(
    rule: str, broken: Callable[[], Table]
) -> None:
    (by_name,) = [each for each in RULES if each.__name__ == rule]
    table = broken()
    turned = table.with_rows(reversed(table.rows))
    assert sorted(by_name(turned)) == sorted(by_name(table))


def test_every_rule_is_broken_by_a_test() -> None:
    assert {rule for rule, _, _ in BROKEN} == {rule.__name__ for rule in RULES}


def test_an_error_names_the_row_and_says_what_to_do() -> None:
    with pytest.raises(TableError) as caught:
        check(undecided())
    assert caught.value.row == "idle x APP_ACCEPTED"
    assert "give it a row, or ignore it" in str(caught.value)


def test_every_rule_says_what_it_wants_in_a_sentence() -> None:
    for rule in RULES:
        assert (rule.__doc__ or "").endswith("."), rule.__name__
