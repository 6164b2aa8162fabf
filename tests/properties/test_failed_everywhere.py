"""Whatever call of the seam goes wrong in whatever way: an outcome, nobody stranded, no rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.properties.everywhere import failed_everywhere
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


#: The same for the strategies in which the agent does not carry the sound; they fall to the relay.
MERGES = {
    "move": ("merged", "caller-leaves-merging", "human-leaves-merged"),
    "sip_bridge": ("merged", "caller-leaves-merging", "human-leaves-merged"),
}


@pytest.mark.parametrize(
    ("strategy", "name"), [(each, name) for each, names in MERGES.items() for name in names]
)
def test_a_fault_anywhere_in_a_merge_without_the_agent_strands_nobody(
    strategy: str, name: str, record_property: Callable[[str, object], None]
) -> None:
    told = SCENARIOS[name]
    server = replace(told.server, moves=strategy == "move")
    found = failed_everywhere(replace(told, server=server, merge=(strategy, "relay")))
    record_property("fault positions tried", found.tried)

    assert found.problems == []
    assert found.tried > 100
