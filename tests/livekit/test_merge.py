from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from livekit import api

from tests.livekit.bench import Bench, effect
from warm_transfer.effects import Do
from warm_transfer.events import On
from warm_transfer.livekit.legs import Legs
from warm_transfer.livekit.merge import Merge
from warm_transfer.livekit.relay import Relay
from warm_transfer.policy import Carrier, Strategy
from warm_transfer.testing.livekit.faults import Fault, How

Broke = Callable[[BaseException | None], None]


class Fake:
    """A strategy that does what the test says."""

    def __init__(self, name: str = "fake", *, carrier: Carrier = Carrier.SERVER) -> None:
        self.name = name
        self.carrier = carrier
        self.calls: list[str] = []
        self.broke: Broke | None = None
        self.error: Exception | None = None
        self.stands = True
        self.unverified: str | None = None

    async def prepare(self, legs: Legs) -> None:
        del legs
        self.calls.append("prepare")

    async def merge(self, legs: Legs, broke: Broke) -> str | None:
        del legs
        self.calls.append("merge")
        self.broke = broke
        if self.error is not None:
            raise self.error
        return self.unverified

    async def unmerge(self, legs: Legs) -> None:
        del legs
        self.calls.append("unmerge")
        if self.error is not None:
            raise self.error

    async def health(self, legs: Legs) -> bool:
        del legs
        self.calls.append("health")
        return self.stands


@pytest.mark.asyncio
async def test_the_core_is_told_the_strategies_in_order_and_who_carries_the_sound() -> None:
    bench = await Bench.set_up()
    merge = Merge(bench.legs, [Fake("a"), Fake("b", carrier=Carrier.AGENT)])
    assert merge.plan == (Strategy("a", Carrier.SERVER), Strategy("b", Carrier.AGENT))


# The effects.


@pytest.mark.asyncio
async def test_only_the_strategy_of_the_effect_is_prepared_and_that_reports_nothing() -> None:
    bench = await Bench.set_up()
    first, second = Fake("first"), Fake("second")
    await Merge(bench.legs, [first, second]).prepare(effect(Do.PREPARE_MERGE, strategy="first"))
    assert (first.calls, second.calls) == (["prepare"], [])
    assert bench.posted == []


@pytest.mark.asyncio
async def test_a_merge_is_confirmed_for_its_effect_and_strategy() -> None:
    bench = await Bench.set_up()
    first, second = Fake("first"), Fake("second")
    asked = effect(Do.MERGE_LEGS, strategy="second")
    await Merge(bench.legs, [first, second]).merge(asked)
    (event,) = bench.posted
    assert (event.name, event.effect, event.facts.strategy) == (
        On.MERGE_CONFIRMED,
        asked.id,
        "second",
    )
    assert (first.calls, second.calls) == ([], ["merge"])


@pytest.mark.asyncio
async def test_a_merge_that_goes_wrong_is_raised_for_the_runner_and_confirms_nothing() -> None:
    bench = await Bench.set_up()
    strategy = Fake()
    strategy.error = RuntimeError("no")
    with pytest.raises(RuntimeError, match="no"):
        await Merge(bench.legs, [strategy]).merge(effect(Do.MERGE_LEGS, strategy="fake"))
    assert bench.posted == []


@pytest.mark.asyncio
@pytest.mark.parametrize("error", [None, ConnectionResetError("cut")])
async def test_a_standing_merge_that_breaks_posts_it_for_its_effect(
    error: Exception | None,
) -> None:
    bench = await Bench.set_up()
    strategy, asked = Fake(), effect(Do.MERGE_LEGS, strategy="fake")
    await Merge(bench.legs, [strategy]).merge(asked)
    assert strategy.broke is not None
    strategy.broke(error)
    event = bench.posted[-1]
    assert (event.name, event.effect) == (On.MERGE_BROKE, asked.id)
    assert event.facts.cause is error
    assert event.facts.strategy == "fake"


@pytest.mark.asyncio
@pytest.mark.parametrize(("stands", "name"), [(True, On.MERGE_CONFIRMED), (False, On.MERGE_FAILED)])
async def test_looking_settles_it(stands: bool, name: On) -> None:
    bench = await Bench.set_up()
    bench.human_joins()
    strategy, asked = Fake(carrier=Carrier.AGENT), effect(Do.LOOK_AT_ROOMS, strategy="fake")
    strategy.stands = stands
    await Merge(bench.legs, [strategy]).look(asked)
    (event,) = bench.posted
    assert (event.name, event.effect) == (name, asked.id)
    assert event.facts.detail is None
    assert strategy.calls == ["health"]


@pytest.mark.asyncio
@pytest.mark.parametrize("carrier", Carrier)
async def test_a_merge_that_is_heard_does_not_stand_when_the_server_misses_somebody(
    carrier: Carrier,
) -> None:
    bench = await Bench.set_up()
    if carrier is Carrier.SERVER:
        bench.human_joins()  # in the consult room still
    asked = effect(Do.LOOK_AT_ROOMS, strategy="fake")
    await Merge(bench.legs, [Fake(carrier=carrier)]).look(asked)
    assert bench.names == [On.MERGE_FAILED]


@pytest.mark.asyncio
async def test_a_server_that_does_not_answer_undoes_nothing_and_that_is_said() -> None:
    bench = await Bench.set_up()
    down = Fault(How.FAILS, api.ServerError("unavailable", "restarting", status=503))
    bench.stage.world.faults.plan["room.list_participants", 1] = down
    await Merge(bench.legs, [Fake()]).look(effect(Do.LOOK_AT_ROOMS, strategy="fake"))
    (event,) = bench.posted
    assert event.name is On.MERGE_CONFIRMED
    assert event.facts.detail == "not verified: who is in the rooms (ServerError)"


@pytest.mark.asyncio
async def test_what_a_merge_could_not_verify_is_told_with_it() -> None:
    bench = await Bench.set_up()
    strategy = Fake()
    strategy.unverified = "the caller's microphone is muted"
    await Merge(bench.legs, [strategy]).merge(effect(Do.MERGE_LEGS, strategy="fake"))
    (event,) = bench.posted
    assert event.facts.detail == "the caller's microphone is muted"


@pytest.mark.asyncio
async def test_unmerging_undoes_every_strategy_and_can_be_repeated() -> None:
    bench = await Bench.set_up()
    strategies = [Fake("a"), Fake("b")]
    merge = Merge(bench.legs, strategies)
    await merge.unmerge()
    await merge.unmerge()
    assert [each.calls for each in strategies] == [["unmerge", "unmerge"]] * 2


@pytest.mark.asyncio
async def test_one_strategy_that_cannot_be_undone_does_not_keep_the_others_up() -> None:
    bench = await Bench.set_up()
    strategies = [Fake("a"), Fake("b")]
    strategies[0].error = RuntimeError("a hangs")
    with pytest.raises(RuntimeError, match="a hangs"):
        await Merge(bench.legs, strategies).unmerge()
    assert strategies[1].calls == ["unmerge"]


@pytest.mark.asyncio
async def test_the_relay_through_the_effects_joins_and_parts() -> None:
    bench = await Bench.set_up()
    await bench.join_consult()
    bench.human_joins()
    await asyncio.sleep(0.2)
    merge = Merge(bench.legs, [Relay()])
    await merge.merge(effect(Do.MERGE_LEGS, strategy="relay"))
    await merge.look(effect(Do.LOOK_AT_ROOMS, strategy="relay"))
    assert bench.names == [On.MERGE_CONFIRMED, On.MERGE_CONFIRMED]
    await merge.unmerge()
    await merge.look(effect(Do.LOOK_AT_ROOMS, strategy="relay"))
    assert bench.names[-1] is On.MERGE_FAILED
