"""Whatever goes wrong around a transfer at whatever instant: all that is promised is kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.properties.anywhen import TRANSFERS, troubled_anywhen

#: `make proof` tries all of them, and two at once.
TRIED = ("the server restarts", "the human reconnects")


@pytest.mark.parametrize("trouble", TRIED)
@pytest.mark.parametrize("name", [each for each in TRANSFERS if each.endswith("caller leaves")])
def test_a_trouble_anywhen_breaks_no_promise(
    name: str, trouble: str, record_property: Callable[[str, object], None]
) -> None:
    found = troubled_anywhen(name, (trouble,))
    record_property("instants tried", found.tried)

    assert found.problems == []
    assert found.tried > 40
