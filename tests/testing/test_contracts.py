from __future__ import annotations

import pytest

from warm_transfer.testing import contracts
from warm_transfer.testing.contract import Contract

SUITES = [
    each
    for each in vars(contracts).values()
    if isinstance(each, type) and issubclass(each, Contract)
]


def test_there_is_a_suite_for_everything_that_can_be_plugged_in() -> None:
    names = {suite.__name__ for suite in SUITES}
    assert names == {
        "BriefingContract",
        "DialerContract",
        "HoldAudioContract",
        "JournalContract",
        "MergeStrategyContract",
        "StateHookContract",
    }
    assert names <= set(contracts.__all__)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__)
def test_each_clause_is_a_name_and_a_sentence(suite: type[Contract[object]]) -> None:
    assert suite.CLAUSES
    for name, sentence in suite.CLAUSES.items():
        assert name.isidentifier()
        assert name.islower()
        assert sentence.endswith(".")
        assert "\n" not in sentence


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.__name__)
def test_pytest_takes_up_what_is_derived_and_not_the_suite_itself(
    suite: type[Contract[object]],
) -> None:
    assert not suite.__name__.startswith("Test")
    assert callable(suite.test_every_clause_holds)
