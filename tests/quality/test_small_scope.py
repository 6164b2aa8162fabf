"""The smallest walk of the explorer, for those who have no minute: the mutants of the code."""

from __future__ import annotations

from warm_transfer.testing.explorer import SCOPES, explore


def test_nothing_is_broken_in_the_smallest_scope() -> None:
    report = explore(scopes=SCOPES[:1])
    assert report.violations == ()
    assert report.pairs_impossible == frozenset()
