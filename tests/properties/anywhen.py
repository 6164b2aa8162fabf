"""Plays a transfer again and again, with something going wrong around it at another instant.

The instants are those in which the transfer takes an event, and some soon after each: a request is
under way then, or has just been answered. Everything is judged like a transfer drawn by chance.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from tests.properties.everywhere import Found, merged_by
from warm_transfer.testing.livekit.humans import Human, Says
from warm_transfer.testing.livekit.phones import Phone
from warm_transfer.testing.livekit.script import Caller, Scenario
from warm_transfer.testing.livekit.sim.drawing import Drawn
from warm_transfer.testing.livekit.sim.farm import workers
from warm_transfer.testing.livekit.sim.running import overhearing, run, run_overheard
from warm_transfer.testing.livekit.sim.troubles import Trouble, What
from warm_transfer.testing.livekit.when import When

__all__ = ["PAIRS", "TRANSFERS", "TROUBLES", "troubled_anywhen", "troubled_anywhen_each"]

Troubled = Callable[[Drawn, When], Drawn]

SOON_S = (0.0, 0.0007, 0.003, 0.01, 0.03, 0.05, 0.1, 0.3)
"""How long after each event."""

APART_S = 0.00005
"""What is no further apart is one instant."""


def _transfer(merge: str, after_merge: str, end: str) -> Drawn:
    says: Says = "no" if end == "declined" else "yes"
    leaves = When(2.5, "merge")
    told = Scenario(
        phone=Phone(rings_after_s=0.2, answers_after_s=1.2),
        human=Human(says, 0.8, briefing_s=0.9, hangs_up=leaves if end == "human leaves" else None),
        caller=Caller(hangs_up=leaves if end == "caller leaves" else None),
        policy={"decision_timeout_s": 20.0, "after_merge": after_merge},
    )
    if merge != "relay":
        told = merged_by(merge, told)
    return Drawn(seed=1, scenario=told, bridge=merge == "sip_bridge")


def _transfers() -> Iterator[tuple[str, Drawn]]:
    for merge in ("relay", "move", "sip_bridge", "shared_room"):
        yield f"{merge}, declined", _transfer(merge, "silent", "declined")
        for after_merge in ("silent", "leave"):
            # The relay needs the agent.
            if (merge, after_merge) != ("relay", "leave"):
                for end in ("caller leaves", "human leaves"):
                    told = _transfer(merge, after_merge, end)
                    yield f"{merge}, {after_merge}, {end}", told


TRANSFERS: Mapping[str, Drawn] = dict(_transfers())
"""What is played, by merge strategy, by what the agent does then, and by how it ends."""


def _trouble(what: What, seconds: float = 0.0, which: int = 0) -> Troubled:
    def add(drawn: Drawn, when: When) -> Drawn:
        return replace(drawn, troubles=(*drawn.troubles, Trouble(what, when, seconds, which)))

    return add


def _told(part: str, what: str, **more: Any) -> Troubled:
    def tell(drawn: Drawn, when: When) -> Drawn:
        told = drawn.scenario
        changed = replace(getattr(told, part), **{what: when}, **more)
        return replace(drawn, scenario=replace(told, **{part: changed}))

    return tell


CROSSING: Mapping[str, Troubled] = {
    "the server restarts": _told("server", "restarts"),
    "the agent reconnects in 3 s": _told("agent", "reconnects", reconnect_s=3.0),
    "the caller reconnects": _trouble(What.CALLER_RECONNECTS, 0.3),
    "the human reconnects": _trouble(What.HUMAN_RECONNECTS, 0.3),
    "the caller hangs up": _told("caller", "hangs_up"),
    "the human hangs up": _told("human", "hangs_up"),
    "the consult room is lost": _told("agent", "loses_consult_room"),
    "the session closes": _told("app", "closes_session"),
    "the application cancels": _told("app", "cancels"),
    "the application declines": _told("app", "declines"),
    "the application accepts": _told("app", "accepts"),
    "the loop stalls for 0.5 s": _trouble(What.STALL, 0.5),
    "the caller's room has slow news": _trouble(What.SLOW_NEWS, 3.0, 0),
    "the consult room has slow news": _trouble(What.SLOW_NEWS, 3.0, 1),
}
"""What is also tried two at once."""

TROUBLES: Mapping[str, Troubled] = {
    **CROSSING,
    "the agent reconnects in 0.3 s": _told("agent", "reconnects", reconnect_s=0.3),
    "the agent reconnects in 9 s": _told("agent", "reconnects", reconnect_s=9.0),
    "the caller reconnects in 6 s": _trouble(What.CALLER_RECONNECTS, 6.0),
    "the human reconnects in 6 s": _trouble(What.HUMAN_RECONNECTS, 6.0),
    "the caller's room is lost": _told("agent", "loses_caller_room"),
    "the job shuts down": _told("app", "shuts_down"),
    "the model fails": _told("agent", "model_fails"),
    "the loop stalls for 8 s": _trouble(What.STALL, 8.0),
    "all tasks are cancelled": _trouble(What.ALL_CANCELLED),
    "the await is cancelled": _trouble(What.AWAIT_CANCELLED),
}
"""What goes wrong, one at a time."""

PAIRS = tuple(combinations(CROSSING, 2))
"""What goes wrong two at once, in the same instant."""


@functools.cache
def _instants(name: str) -> tuple[When, ...]:
    taken_s = (line["t_s"] for line in run(TRANSFERS[name]).lines)
    times_s = sorted(at_s + soon_s for at_s in taken_s for soon_s in SOON_S)
    apart_s = [at_s for i, at_s in enumerate(times_s) if i == 0 or at_s - times_s[i - 1] > APART_S]
    return tuple(When(at_s) for at_s in apart_s)


def troubled_anywhen(name: str, troubles: Iterable[str]) -> Found:
    """Play one of `TRANSFERS` once for each instant, with all of these `TROUBLES` in it."""
    found = Found()
    with overhearing() as overheard:
        for when in _instants(name):
            drawn = TRANSFERS[name]
            for each in troubles:
                drawn = TROUBLES[each](drawn, when)
            found.tried += 1
            for problem in run_overheard(drawn, overheard).problems:
                found.problems.append(f"{when.after_s:.4f} s: {problem}")
    return found


def troubled_anywhen_each(
    troubles: Iterable[tuple[str, ...]], processes: int
) -> Iterator[tuple[str, Found]]:
    """Play every transfer with each of some troubles, or pairs, in several processes."""
    jobs = [(name, each) for name in TRANSFERS for each in troubles]
    with workers(processes) as pool:
        yield from pool.imap_unordered(_job, jobs)


def _job(job: tuple[str, tuple[str, ...]]) -> tuple[str, Found]:
    name, troubles = job
    return f"{name}: {' and '.join(troubles)}", troubled_anywhen(name, troubles)
