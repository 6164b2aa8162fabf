"""The page on testing: its planted bug, its lines, and what it prints. Its blocks run by sybil."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from warm_transfer.ports import DialRequest
from warm_transfer.testing import contracts
from warm_transfer.testing.contracts import BrokenClause

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
LINES_MAX = 30
REFUSED = "refused_means_nobody_rings"


def planted() -> str:
    found = re.search(r"<!-- planted bug -->\n```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def run(source: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(source, "testing.md", "exec"), namespace)  # noqa: S102 - the page's own block
    return namespace


def broken_by(suite: Any) -> BrokenClause:
    with pytest.raises(BrokenClause) as caught:
        suite().test_every_clause_holds()
    return caught.value


def test_a_planted_bug_is_found_in_under_thirty_lines() -> None:
    assert len(planted().splitlines()) < LINES_MAX
    assert broken_by(run(planted())["TestMyDialer"]).clause == REFUSED


def test_the_page_prints_what_is_printed() -> None:
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert str(broken_by(run(planted())["TestMyDialer"])) + "\n" == printed


def test_mended_as_the_page_says_it_breaks_the_clause_that_the_page_names() -> None:
    mended = planted().replace("(CallRefused, ConnectionError)", "CallRefused")
    assert mended != planted()
    assert broken_by(run(mended)["TestMyDialer"]).clause == "dial_ends_by_itself"


def test_mended_once_more_the_usual_ways_of_ringing_are_kept() -> None:
    """Nothing else is planted in it."""
    mended = run(planted().replace("(CallRefused, ConnectionError)", "CallRefused"))
    dialer = mended["MyDialer"]

    class Bounded:
        def __init__(self, carrier: contracts.Carrier) -> None:
            self.dialer = dialer(carrier)

        async def dial(self, request: DialRequest) -> None:
            async with asyncio.timeout(request.timeout_s):
                await self.dialer.dial(request)

        async def hang_up(self, request: DialRequest) -> None:
            await self.dialer.hang_up(request)

    class Suite(contracts.DialerContract):
        def make_dialer(self, carrier: contracts.Carrier) -> Bounded:
            return Bounded(carrier)

    suite = Suite()
    for plan in suite.usual():
        suite.check(plan)


def test_the_page_lists_every_suite() -> None:
    listed = set(re.findall(r"^\| `(\w+Contract)` \|", PAGE, re.MULTILINE))
    assert listed == {each for each in contracts.__all__ if each.endswith("Contract")}
