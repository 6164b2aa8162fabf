"""Whatever call of the seam goes wrong in whatever way: an outcome, nobody stranded, no rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.properties.everywhere import BY_STRATEGY, failed_everywhere
from warm_transfer.testing.scenario import SCENARIOS

#: One for each shape of transfer; `make proof` tries all of them.
SHAPES = (
    "merged",
    "decline",
    "busy",
    "caller-leaves-briefing",
    "caller-leaves-merging",
    "app-cancelled",
    "session-closed",
    "long-last-words",
)


@pytest.mark.parametrize("name", SHAPES)
def test_a_fault_anywhere_strands_nobody(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    found = failed_everywhere(SCENARIOS[name])
    record_property("fault positions tried", found.tried)

    assert found.problems == []
    assert found.tried > 100


# The others, and the shared room, are in `make proof`.
@pytest.mark.parametrize("name", ["merged by move", "merged by sip_bridge"])
def test_a_fault_anywhere_in_a_merge_without_the_agent_strands_nobody(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    # The shared room, which takes longer, has its own in tests/livekit/test_sharedroom.py.
    found = failed_everywhere(BY_STRATEGY[name])
    record_property("fault positions tried", found.tried)

    assert found.problems == []
    assert found.tried > 100
