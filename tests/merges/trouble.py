"""What befalls a call from outside: a restart of the server, and the agent's sudden death."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.live.hearing import Hearing, assemble
from tests.live.pilots import Pilot
from tests.live.server import Say
from tests.merges.bench import Bench, running_agent
from tests.merges.calls import Call, make_call
from tests.merges.delays import first_heard_s
from tests.merges.restarting import Restarting, restarting_server
from warm_transfer.states import State

__all__ = ["killed_agent", "restarts"]

BACK_S = 14.0
"""How long a call is watched after the trouble: clients are back 5 to 6 s after a restart."""
BRIEFING_S = 12.0
"""A briefing long enough to be restarted in, and to go on after it."""
WATCHED_S = 26.0
"""The server notices a killed agent after some 22 s (its connection timeout)."""


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - a harness may poll
        await asyncio.sleep(0.05)


def _is(call: Call, state: State) -> Callable[[], bool]:
    return lambda: state in call.stage.states


async def restarts(say: Say, bench: Bench, strategy: str) -> dict[str, Any]:
    """Restart a server of our own in the briefing of one call, and in the talk of another."""
    found: dict[str, Any] = {}
    async with (
        restarting_server(say, bench.output / "restarted.log") as (server, standing),
        running_agent(server, bench.output) as agent,
    ):
        at = Bench(server, agent, bench.output)
        found["in_briefing"] = await _restarted(at, standing, strategy, State.BRIEFING)
        say(f"{strategy}: restarted in the briefing: {found['in_briefing']}")
        found["in_call"] = await _restarted(at, standing, strategy, State.MERGED)
        say(f"{strategy}: restarted in the call: {found['in_call']}")
    return found


async def _restarted(
    bench: Bench, standing: Restarting, strategy: str, state: State
) -> dict[str, Any]:
    times: dict[str, float] = {}

    async def restart(call: Call) -> None:
        await _until(_is(call, state))
        await asyncio.sleep(1.0)
        times["gone"] = time.monotonic()
        times["away"] = await standing.restart()
        await asyncio.sleep(BACK_S)

    briefing_s = BRIEFING_S if state is State.BRIEFING else 1.2
    talk_s = BACK_S + 6.0 if state is State.MERGED else 1.0
    call = await make_call(
        bench, strategy, trouble=restart, briefing_s=briefing_s, talk_s=talk_s, marks=1
    )
    return {
        "outcome": call.result,
        "server_away_ms": round(1000 * times["away"]) if "away" in times else None,
        "leaks": call.leaks(),
        # In the briefing they hear each other only when they are merged.
        "heard_again_ms": _heard_again_ms(call, times.get("gone"))
        if state is State.MERGED
        else None,
        "nothing_left": call.closed,
        "faults": call.faults,
    }


def _heard_again_ms(call: Call, gone_s: float | None) -> dict[str, int | None]:
    """From the trouble until each hears the other after the silence it made."""
    found: dict[str, int | None] = {}
    for name, ear, pilot in (
        ("caller", Pilot.CALLER, Pilot.HUMAN),
        ("human", Pilot.HUMAN, Pilot.CALLER),
    ):
        if gone_s is None:
            found[name] = None
            continue
        # What was on its way is heard out.
        heard_s = first_heard_s(call.pieces_at(ear), pilot, gone_s + 1.0)
        found[name] = None if heard_s is None else round(1000 * (heard_s - gone_s))
    return found


async def killed_agent(say: Say, bench: Bench, strategy: str) -> dict[str, Any]:
    """Kill the agent's process in the talk, and see who is left with what."""
    times: dict[str, float] = {}
    async with running_agent(bench.server, bench.output) as agent:
        at = Bench(bench.server, agent, bench.output)

        async def kill(call: Call) -> None:
            await _until(_is(call, State.MERGED))
            await asyncio.sleep(2.0)
            agent.kill()
            times["killed"] = time.monotonic()
            await asyncio.sleep(WATCHED_S)
            times["end"] = time.monotonic()

        call = await make_call(at, strategy, trouble=kill, talk_s=WATCHED_S, marks=1)
    found = _after_death(call, times)
    say(f"{strategy}: agent killed: {found}")
    return found


def _after_death(call: Call, times: dict[str, float]) -> dict[str, Any]:
    if "end" not in times:
        return {"outcome": call.result, "faults": call.faults}
    goes_on: dict[str, bool] = {}
    for name, ear, pilot in (
        ("caller", Pilot.CALLER, Pilot.HUMAN),
        ("human", Pilot.HUMAN, Pilot.CALLER),
    ):
        hearing = Hearing(*assemble(call.pieces_at(ear)))
        goes_on[name] = (
            hearing.frames_of(pilot, from_s=times["killed"] + 5.0, to_s=times["end"]) > 0
        )
    human = call.human
    released = human is not None and human.gone_s is not None and human.gone_s < times["end"]
    return {
        "outcome": "merged" if State.MERGED in call.stage.states else call.result,
        "hears_the_other_on": goes_on,
        "human_released_within_s": WATCHED_S if released else None,
    }
