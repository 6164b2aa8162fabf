"""Each hole is held by ours, and seen on the unmodified class of livekit-agents.

The tests are named after the scripts: ``test_h01_caller_hangs_up_while_ringing[ours]``. When one
of the incumbent's turns red, the incumbent has closed that hole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.holes.holes import HOLES, SIDES, Hole, Side


def _test_of(hole: Hole) -> Callable[[Side], object]:
    @pytest.mark.asyncio
    @pytest.mark.parametrize("side", SIDES)
    async def test(side: Side) -> None:
        if side == "incumbent" and hole.not_drivable:
            with pytest.raises(ValueError, match=hole.id):
                await hole.observe(side)
            return
        seen = await hole.observe(side)
        assert seen.held is (side == "ours"), seen.said

    return test


for each in HOLES:
    globals()[f"test_{each.name}"] = _test_of(each)


def test_each_hole_is_there_once() -> None:
    numbers = [f"H{number}" for number in range(1, 41)]
    numbers.insert(numbers.index("H27"), "H26b")
    assert [each.id for each in HOLES] == numbers
    assert len(HOLES) == 41


def test_each_hole_has_a_test_that_bears_its_number() -> None:
    for each in HOLES:
        number = each.id.removeprefix("H").rjust(len("26b") if each.id == "H26b" else 2, "0")
        assert each.name.startswith(f"h{number}_")
        assert f"test_{each.name}" in globals()


@pytest.mark.asyncio
async def test_what_cannot_be_played_is_refused_with_its_reason() -> None:
    hole = replace(HOLES[0], not_drivable="nobody knows how")
    with pytest.raises(ValueError, match="nobody knows how"):
        await hole.observe("incumbent")
