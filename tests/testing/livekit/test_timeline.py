import asyncio

import pytest

from warm_transfer.testing.livekit.server import Member, ServerRoom
from warm_transfer.testing.livekit.timeline import Timeline

pytestmark = pytest.mark.asyncio


async def test_a_latency_varies_with_a_seed_and_only_then() -> None:
    assert Timeline().lag(1.0) == 1.0
    lags = [Timeline(seed=3).lag(1.0) for _ in range(2)]
    assert lags[0] == lags[1]
    assert 0.5 <= lags[0] <= 2.0


async def test_waiting_takes_the_latency() -> None:
    timeline = Timeline()
    await timeline.wait(0.25)
    assert timeline.now_s == pytest.approx(0.25)


async def test_ids_are_counted_by_their_prefix() -> None:
    timeline = Timeline()
    assert [timeline.number(each) for each in ("TR_", "TR_", "PA_")] == ["TR_1", "TR_2", "PA_1"]


async def test_news_to_one_member_never_overtake_each_other() -> None:
    timeline = Timeline()
    member = Member("PA", "caller", "", 0, ServerRoom("call", "RM"))
    told: list[str] = []
    timeline.tell(member, 0.3, told.append, "first")
    timeline.tell(member, 0.1, told.append, "second")
    timeline.after(0.2, told.append, "not news")
    await asyncio.sleep(1)
    assert told == ["not news", "first", "second"]


async def test_nothing_is_shuffled_without_a_seed() -> None:
    members = [Member(str(n), str(n), "", 0, ServerRoom("call", "RM")) for n in range(20)]
    before = list(members)
    Timeline().shuffle(members)
    assert members == before
    Timeline(seed=1).shuffle(members)
    assert members != before
