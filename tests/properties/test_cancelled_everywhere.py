"""A cancellation at any suspension point gives an outcome, the caller back or gone, and no rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.properties.everywhere import BY_STRATEGY, cancelled_everywhere
from warm_transfer.testing.scenario import SCENARIOS

TOLD = {**SCENARIOS, **BY_STRATEGY}


@pytest.mark.parametrize("name", TOLD)
def test_a_cancellation_anywhere_strands_nobody(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    found = cancelled_everywhere(TOLD[name])
    record_property("suspension points tried", found.tried)

    assert found.problems == []
    assert found.tried > 5
