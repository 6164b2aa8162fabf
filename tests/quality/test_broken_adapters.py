"""Adapters broken on purpose, one for each clause at least, and the clause that must name it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.testing import own_observers
from tests.testing.livekit.contracts import (
    own_briefings,
    own_dialers,
    own_holds,
    own_strategies,
)
from warm_transfer.ports import Dialer
from warm_transfer.testing.clauses import BrokenClause
from warm_transfer.testing.contract import Contract
from warm_transfer.testing.contracts import (
    BriefingContract,
    Carrier,
    DialerContract,
    HoldAudioContract,
    JournalContract,
    MergeStrategyContract,
    StateHookContract,
)
from warm_transfer.testing.livekit.world import World

ADAPTERS_MIN = 20


def dialled_by(dialer: Callable[[Carrier], Dialer]) -> type[DialerContract]:
    class Suite(DialerContract):
        def make_dialer(self, carrier: Carrier) -> Dialer:
            return dialer(carrier)

    return Suite


def joined_by(strategy: type) -> type[MergeStrategyContract]:
    class Suite(MergeStrategyContract):
        def make_strategy(self) -> Any:
            return strategy()

        def set_up(self, world: World) -> None:
            world.cloud = True

    return Suite


def broken() -> Iterator[tuple[str, type[Contract[Any]], str]]:
    """Name, suite and clause of everything that is broken."""
    for dialer, clause in own_dialers.BROKEN.items():
        yield dialer.__name__, dialled_by(dialer), clause
    for strategy, clause in own_strategies.BROKEN.items():
        yield strategy.__name__, joined_by(strategy), clause
    for suites in (own_holds.BROKEN, own_briefings.BROKEN, own_observers.BROKEN):
        for suite, clause in suites.items():
            yield suite.__name__, suite, clause


BROKEN = {name: (suite, clause) for name, suite, clause in broken()}
SUITES: tuple[type[Contract[Any]], ...] = (
    BriefingContract,
    DialerContract,
    HoldAudioContract,
    JournalContract,
    MergeStrategyContract,
    StateHookContract,
)


def run(suite: type[Contract[Any]]) -> None:
    """What a suite tries always; nothing here depends on what is drawn."""
    contract = suite()
    if isinstance(contract, HoldAudioContract):
        contract.test_the_sound()
    for plan in contract.usual():
        contract.check(plan)


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_by_its_clause(name: str, caplog: pytest.LogCaptureFixture) -> None:
    suite, clause = BROKEN[name]
    caplog.set_level(logging.CRITICAL)
    with pytest.raises(BrokenClause) as caught:
        run(suite)
    assert caught.value.clause == clause, str(caught.value)
    assert suite.CLAUSES[clause] in str(caught.value)


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len(BROKEN) == len(list(broken()))
    assert len(BROKEN) >= ADAPTERS_MIN


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__)
def test_every_clause_is_broken_by_somebody(suite: type[Contract[Any]]) -> None:
    named = {clause for broken, clause in BROKEN.values() if issubclass(broken, suite)}
    assert set(suite.CLAUSES) - named == set(), "clauses that nothing here breaks"
