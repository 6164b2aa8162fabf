from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from tests.livekit.bench import Bench, effect
from warm_transfer.effects import RELEASES, Do
from warm_transfer.events import On
from warm_transfer.livekit.briefing import Briefing, ConsultOptions
from warm_transfer.livekit.consult import Consult
from warm_transfer.livekit.dial import Dial, DialOptions
from warm_transfer.livekit.hold import Hold
from warm_transfer.livekit.line import LiveKitLine
from warm_transfer.livekit.merge import Merge
from warm_transfer.livekit.relay import Relay
from warm_transfer.livekit.signals import Signals
from warm_transfer.livekit.sip import SipDialer
from warm_transfer.outcome import Reason, TransferOutcome
from warm_transfer.states import State
from warm_transfer.testing.livekit.faults import Fault, How

OPTIONS = DialOptions(destination="+15105550123", trunk_id="ST_x")
OUTCOME = TransferOutcome(result=State.FAILED, reason=Reason.BUSY, transfer_id="bench")


async def line_on(bench: Bench) -> LiveKitLine:
    legs = bench.legs
    dial = Dial(legs, SipDialer(legs.api, OPTIONS), OPTIONS)
    briefing = Briefing(legs, ConsultOptions())
    signals = Signals(legs, dial)
    return LiveKitLine(
        legs,
        hold=Hold(legs, None),
        dial=dial,
        briefing=briefing,
        consult=Consult(legs, briefing, signals),
        merge=Merge(legs, [Relay()]),
        signals=signals,
    )


@pytest.mark.asyncio
async def test_every_effect_has_an_adapter() -> None:
    bench = await Bench.set_up()
    line = await line_on(bench)
    assert set(line._starts) == set(Do)
    await line.aclose()


@pytest.mark.asyncio
async def test_starting_an_effect_never_waits_and_its_work_can_be_dropped() -> None:
    bench = await Bench.set_up()
    line = await line_on(bench)
    line.deliver(OUTCOME)
    for name in Do:
        work = line.start(effect(name, strategy="relay"))
        assert work is None or inspect.iscoroutine(work)
        if work is not None:
            work.close()
    # Of all of them only the hold must happen at once.
    assert bench.names == [On.CALLER_HELD]
    await line.aclose()
    await bench.stage.host.handed_back()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    # The agent waits to be handed back, and is always there to leave.
    "name",
    sorted(RELEASES - {Do.RESUME_CALLER, Do.RESUME_OUTPUT, Do.LEAVE_CALL}),
)
async def test_a_release_of_nothing_is_nothing_and_can_be_repeated(name: Do) -> None:
    bench = await Bench.set_up()
    line = await line_on(bench)
    for _ in range(3):
        work = line.start(effect(name))
        assert work is not None
        await work
    assert bench.posted == []
    await line.aclose()
    assert not bench.stage.world.left()


@pytest.mark.asyncio
async def test_the_outcome_is_completed_as_it_was_delivered() -> None:
    bench = await Bench.set_up()
    line = await line_on(bench)
    line.deliver(OUTCOME)
    assert bench.stage.host.outcomes == []
    assert line.start(effect(Do.DELIVER_OUTCOME)) is None
    assert bench.stage.host.outcomes == [OUTCOME]
    assert bench.stage.host.outcomes[0] is OUTCOME
    await line.aclose()
    await bench.stage.host.handed_back()


@pytest.mark.asyncio
async def test_closing_takes_the_listeners_away_and_closes_the_client() -> None:
    bench = await Bench.set_up()
    line = await line_on(bench)
    assert "call: participant_disconnected" in bench.stage.world.left().listeners
    await line.aclose()
    assert not bench.stage.world.left()
    bench.stage.world.delete_room("call")
    await asyncio.sleep(1.0)
    assert bench.posted == []


@pytest.mark.asyncio
async def test_a_client_that_does_not_close_is_told_and_the_listeners_are_gone() -> None:
    bench = await Bench.set_up()
    line: Any = await line_on(bench)
    bench.stage.world.faults.plan[("api.aclose", 1)] = Fault(How.FAILS)
    with pytest.raises(ConnectionError):
        await line.aclose()
    assert not bench.stage.world.left().listeners
