from __future__ import annotations

import asyncio
import itertools

import pytest

from warm_transfer.effects import Do
from warm_transfer.events import Event, On
from warm_transfer.testing import clock
from warm_transfer.testing.clauses import Findings
from warm_transfer.testing.livekit.contracts.workbench import Workbench
from warm_transfer.testing.livekit.faults import Fault, How

CLAUSES = {"in_time": "It ends in time.", "clean": "Nothing is left."}


def test_what_is_posted_is_kept_with_its_time() -> None:
    async def run() -> None:
        bench = await Workbench.set_up(Findings(CLAUSES))
        bench.legs.post(Event(On.CONSULT_RANG))
        assert bench.names == [On.CONSULT_RANG]
        assert bench.posted[0][0] == bench.world.now_s
        assert bench.effect(Do.DIAL_CONSULT).id != bench.effect(Do.DIAL_CONSULT).id
        await bench.finish("clean")

    clock.run(run())


def test_what_does_not_end_breaks_its_clause_and_is_cancelled() -> None:
    async def run() -> None:
        findings = Findings(CLAUSES)
        bench = await Workbench.set_up(findings)
        began_s = bench.world.now_s
        error = await bench.does(asyncio.sleep(60.0), 2.0, "in_time", "a nap")
        assert isinstance(error, asyncio.CancelledError)
        assert findings.problems == {"in_time": "a nap has not ended after 2 s"}
        assert bench.world.now_s - began_s == 2.0
        assert isinstance(await bench.does(_fails(), 2.0, "in_time", "a fault"), ZeroDivisionError)

    clock.run(run())


async def _fails() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("faulty", [False, True])
def test_a_release_that_fails_is_repeated_when_something_has_gone_wrong(faulty: bool) -> None:
    begun_s: list[float] = []

    async def run() -> None:
        findings = Findings(CLAUSES)
        bench = await Workbench.set_up(findings)
        if faulty:
            bench.world.faults.met.append(("room.delete_room", 1, Fault(How.FAILS)))

        async def release() -> None:
            begun_s.append(bench.world.now_s)
            if len(begun_s) < 4:
                raise ZeroDivisionError

        await bench.released(release, "close", in_time="in_time", repeats="clean")
        expected = {} if faulty else {"clean": "close raises ZeroDivisionError()"}
        assert findings.problems == expected

    clock.run(run())
    pauses_s = [round(later - at, 6) for at, later in itertools.pairwise(begun_s)]
    assert pauses_s == ([0.25, 0.5, 1.0] if faulty else [])


def test_what_is_left_behind_is_named() -> None:
    async def run() -> None:
        findings = Findings(CLAUSES)
        bench = await Workbench.set_up(findings)
        await bench.join_consult()
        bench.human_joins()
        nap = asyncio.create_task(asyncio.sleep(1e6), name="a nap")
        bench.stage.sdk.audio_source()
        await bench.finish("clean")
        assert findings.problems == {"clean": "left behind: open: audio source"}
        assert bench.findings.broken == ("clean",)
        again = Findings(CLAUSES)
        bench.findings = again
        bench.world.keep()
        await asyncio.sleep(0)
        bench.legs.api = bench.stage.sdk.api()
        await bench.finish("clean")
        assert again.problems == {"clean": "tasks run on: a nap"}
        nap.cancel()

    clock.run(run())
