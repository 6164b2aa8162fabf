"""Do the rules and invariants bite? Every small fault in the table is noticed, or explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.conftest import Explored
from tests.quality.table_mutants import judge, mutants
from warm_transfer.states import DELIVERED, FINAL, State
from warm_transfer.table import TABLE

_BEFORE_DIAL = (
    "nobody has been dialled in holding, so there is no leg to hang up; the effect stands there "
    "so that every way out is the same"
)
_ROOM_IS_CLOSED = (
    "the end has closed the consult room already, and closes it again when it opens late; a late "
    "answer or merge does not open it"
)
_MARK_NOT_ASKED = "the mark it keeps is asked for only while a merge is awaited, so it does nothing"
_STALE_BEFORE = "the report is stale before the table is asked, so the row is never taken"
_SUPERSEDED = (
    "the repair is a newer merge than any report it could be confused with, so those are stale "
    "without the mark too"
)

_HOLDING_EXITS = (
    "DEADLINE_PASSED",
    "APP_CANCELLED",
    "APP_DECLINED",
    "HOLD_LIMIT_PASSED",
    "SESSION_CLOSED",
    "JOB_SHUTTING_DOWN",
    "CALLER_HUNG_UP",
    "CALLER_ROOM_LOST",
    "CONSULT_OPEN_FAILED",
    "CONSULT_ROOM_LOST",
    "CALLER_HOLD_FAILED",
    "BRIEFING_FAILED",
)
_WISHES = ("CONSULT_DECLINED", "VOICEMAIL_DETECTED", "APP_DECLINED", "APP_CANCELLED")


def _excused() -> Iterator[tuple[str, str]]:
    for event in _HOLDING_EXITS:
        yield f"holding x {event}: drop HANG_UP_CONSULT", _BEFORE_DIAL
    for state in FINAL - {State.ENDED, State.RETURNED}:
        for event in ("CONSULT_ANSWERED", "MERGE_CONFIRMED"):
            yield f"{state} x {event}: drop CLOSE_CONSULT", _ROOM_IS_CLOSED
    for state in FINAL | DELIVERED:
        for event in _WISHES:
            yield f"{state} x {event}: ALREADY_DECIDED becomes {state}", _MARK_NOT_ASKED
    for state in (State.ENDED, State.RETURNED):
        repeats = f"{state} x MERGE_CONFIRMED: RELEASE_REPEATS becomes {state}"
        yield repeats, _MARK_NOT_ASKED
        yield f"{repeats}, keeping REPAIRED SETTLED", _MARK_NOT_ASKED
    for state in FINAL:
        yield f"{state} x SESSION_CLOSED: ALREADY_DECIDED becomes {state}", _MARK_NOT_ASKED
    merged = "merged x BRIEFING_STOPPED: ALREADY_KNOWN becomes merged MERGE_LEGS"
    yield merged, _STALE_BEFORE
    yield "merged x MERGE_BROKE [FIRST_BREAK]: drop mark SETTLED", _SUPERSEDED


EXCUSED: dict[str, str] = dict(_excused())
"""Mutants that behave like the table, each with its reason."""


def test_every_mutant_is_noticed_or_excused(explored: Explored) -> None:
    explorers = sorted(explored.explorers, key=lambda each: len(each.configs))
    broken = list(mutants(TABLE))
    verdicts = {mutant.id: judge(mutant, explorers) for mutant in broken}
    assert len(verdicts) == len(broken), "two mutants have the same name"
    rules = sum(verdict.rule is not None for verdict in verdicts.values())
    by_invariant = Counter(each.invariant for each in verdicts.values() if each.invariant)
    print(  # noqa: T201 - the totals are the result
        f"\n{len(verdicts)} mutants: {rules} caught by rules, {by_invariant.total()} caught by "
        f"invariants, {len(EXCUSED)} excused"
    )
    survivors = {name for name, verdict in verdicts.items() if not verdict.caught}
    assert survivors - set(EXCUSED) == set(), "nobody noticed these"
    assert set(EXCUSED) - survivors == set(), "excused, but noticed or gone"


def test_every_kind_of_fault_is_tried() -> None:
    kinds = {each.id.split(": ", 1)[1].split()[0] for each in mutants(TABLE)}
    assert {"drop", "retarget"} <= kinds
    tried = {each.pair for each in mutants(TABLE)}
    assert set(TABLE.by_pair) <= tried
