from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from warm_transfer.testing.clauses import BrokenClause, Findings, brief

CLAUSES = {"first": "The first holds.", "second": "The second holds.", "third": "So does this."}


@dataclass
class Plan:
    at_s: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)


def test_nothing_is_raised_while_all_hold() -> None:
    findings = Findings(CLAUSES)
    findings.check(True, "first", "no")
    with findings.guard("second", "it"):
        pass
    findings.raise_if_broken()
    assert findings.broken == ()


def test_the_first_clause_in_order_is_raised_with_what_happened() -> None:
    findings = Findings(CLAUSES, Plan(at_s=2.0))
    findings.now_s = lambda: 1.5
    findings.note("it begins")
    findings.check(False, "third", "this is wrong too")
    findings.check(False, "second", "it is wrong")
    findings.check(False, "second", "and again")
    with pytest.raises(BrokenClause) as caught:
        findings.raise_if_broken()
    error = caught.value
    assert (error.clause, error.sentence) == ("second", "The second holds.")
    assert (error.problem, error.also) == ("it is wrong", ("third",))
    assert str(error).splitlines() == [
        "second: it is wrong",
        "  the clause: The second holds.",
        "  tried: Plan(at_s=2.0)",
        "  what happened:",
        "        1.500 s  it begins",
        "        1.500 s  broken: third: this is wrong too",
        "        1.500 s  broken: second: it is wrong",
        "  also broken: third",
    ]


def test_whatever_is_raised_breaks_the_clause_and_a_cancellation_goes_on() -> None:
    findings = Findings(CLAUSES)
    with findings.guard("first", "the work"):
        raise KeyError("x")
    assert findings.problems == {"first": "the work raised KeyError('x')"}
    with pytest.raises(asyncio.CancelledError), findings.guard("second", "the work"):
        raise asyncio.CancelledError
    assert findings.broken == ("first",)


def test_a_clause_that_is_none_is_a_fault_of_the_suite() -> None:
    with pytest.raises(AssertionError, match="sixth is no clause"):
        Findings(CLAUSES).check(True, "sixth", "no")


def test_a_plan_is_told_by_what_is_not_as_usual() -> None:
    assert brief(Plan()) == "Plan()"
    assert brief(Plan(faults={"dial": 1})) == "Plan(faults={'dial': 1})"
    assert brief((Plan(at_s=1.0), "x")) == "(Plan(at_s=1.0), 'x')"
