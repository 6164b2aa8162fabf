from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from warm_transfer.testing.clauses import BrokenClause, Findings
from warm_transfer.testing.clock import Deadlock
from warm_transfer.testing.contract import Contract


class Waits(Contract[int]):
    CLAUSES = {"it_is_small": "What is drawn is small.", "it_is_quick": "It takes an hour."}  # noqa: RUF012 - as suites do

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.played: list[int] = []

    def usual(self) -> Sequence[int]:
        return (0, 1)

    def drawn(self, st: Any) -> Any:
        return st.integers(0, 1000)

    async def play(self, plan: int, findings: Findings) -> None:
        self.played.append(plan)
        await asyncio.sleep(3600.0)
        findings.check(plan < self.limit, "it_is_small", f"it is {plan}")


def test_the_usual_comes_first_and_then_what_is_drawn_on_a_virtual_clock() -> None:
    contract = Waits(2000)
    contract.test_every_clause_holds()
    assert contract.played[:2] == [0, 1]
    assert len(contract.played) > 20


def test_the_simplest_usual_plan_that_breaks_is_told() -> None:
    contract = Waits(0)
    with pytest.raises(BrokenClause, match="it_is_small: it is 0"):
        contract.test_every_clause_holds()
    assert contract.played == [0]


def test_what_is_drawn_and_breaks_is_shrunk() -> None:
    with pytest.raises(BrokenClause) as caught:
        Waits(37).test_every_clause_holds()
    assert caught.value.problem == "it is 37"
    assert any("Waits(" in note for note in caught.value.__notes__)


def test_who_waits_for_ever_is_named() -> None:
    class Stuck(Waits):
        async def play(self, plan: int, findings: Findings) -> None:
            del plan, findings
            await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"Stuck\.play"):
        Stuck(1).test_every_clause_holds()


@pytest.mark.parametrize("verb", ["usual", "drawn"])
def test_a_suite_without_plans_says_so(verb: str) -> None:
    contract: Any = Contract()
    with pytest.raises(NotImplementedError):
        getattr(contract, verb)(*[None] * (verb == "drawn"))
