from __future__ import annotations

import asyncio
from typing import Any

from warm_transfer.testing import clock
from warm_transfer.testing.livekit.prompter import Prompter
from warm_transfer.testing.livekit.when import When


def line(event: str, before: str, after: str) -> dict[str, Any]:
    return {"event": event, "before": before, "after": after}


STEPS = (
    line("CONSULT_RANG", "dialing", "dialing"),
    line("CONSULT_ANSWERED", "dialing", "briefing"),
    line("CONSULT_RANG", "briefing", "briefing"),
    line("CONSULT_ACCEPTED", "briefing", "merging"),
)


def test_each_act_is_done_once_so_long_after_its_step() -> None:
    done: list[tuple[str, float, Any]] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()

        def at_once(engine: Any) -> None:
            done.append(("at once", loop.time(), engine))

        async def slowly(engine: Any) -> None:
            await asyncio.sleep(1.0)
            done.append(("slowly", loop.time(), engine))

        prompter = Prompter(
            [
                (When(2.0, "ringing"), at_once),
                (When(0.5, "answer"), slowly),
                (When(0.0, "merge"), at_once),
            ]
        )
        prompter.engine = "engine"
        for each in STEPS:
            prompter.take(each)
            await asyncio.sleep(10.0)
        assert prompter.lines == list(STEPS)

    clock.run(run())
    assert done == [("at once", 2.0, "engine"), ("slowly", 11.5, "engine")]
