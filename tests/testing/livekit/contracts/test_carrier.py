from __future__ import annotations

import asyncio

import pytest

from warm_transfer.testing import clock
from warm_transfer.testing.clauses import Findings
from warm_transfer.testing.livekit.contracts.carrier import CallRefused, Carrier
from warm_transfer.testing.livekit.contracts.workbench import HUMAN, Workbench
from warm_transfer.testing.livekit.faults import Fault, How
from warm_transfer.testing.livekit.phones import At, Phone

NUMBER = "+15105550123"


async def carrier(phone: Phone, **options: Fault) -> tuple[Workbench, Carrier]:
    faults = {(f"carrier.{name}", 1): fault for name, fault in options.items()}
    bench = await Workbench.set_up(Findings({}), phones={"": [phone]}, faults=faults)
    return bench, Carrier(bench.stage.sdk, bench.legs.api)


def test_who_answers_is_in_the_room_until_hung_up() -> None:
    async def run() -> None:
        bench, provider = await carrier(Phone(answers_after_s=3.0))
        call = await provider.call(NUMBER, room="r", identity=HUMAN)
        assert not call.answered
        await call.wait_answered()
        assert call.answered
        assert bench.world.member("r", HUMAN) is not None
        await call.hang_up()
        await call.hang_up()
        await asyncio.sleep(1.0)
        assert not call.answered
        assert bench.world.member("r", HUMAN) is None

    clock.run(run())


@pytest.mark.parametrize(
    ("phone", "status"), [(Phone(refuses_with=486), 486), (Phone(answers_after_s=None), None)]
)
def test_who_does_not_answer_is_told(phone: Phone, status: int | None) -> None:
    async def run() -> None:
        _, provider = await carrier(phone)
        call = await provider.call(NUMBER, room="r", identity=HUMAN, ring_timeout_s=20.0)
        with pytest.raises(CallRefused) as caught:
            await call.wait_answered()
        assert caught.value.status == status

    clock.run(run())


def test_a_call_that_is_hung_up_at_once_never_rings_on() -> None:
    async def run() -> None:
        bench, provider = await carrier(Phone())
        call = await provider.call(NUMBER, room="r", identity=HUMAN)
        await call.hang_up()
        await asyncio.sleep(1.0)
        assert [each.busy for each in bench.stage.sdk.switchboard.calls] == [""]

    clock.run(run())


def test_its_answers_get_lost_as_real_ones_do() -> None:
    async def run() -> None:
        bench, provider = await carrier(Phone(), call=Fault(How.FAILS_AFTER))
        with pytest.raises(ConnectionError):
            await provider.call(NUMBER, room="r", identity=HUMAN)
        await asyncio.sleep(2.0)
        assert bench.stage.sdk.switchboard.calls[0].at is At.RINGING

    clock.run(run())
