"""The examination: every check in order, each bounded, and nothing left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from warm_transfer.livekit.auto import Choice, choose, is_cloud
from warm_transfer.livekit.doctor import server_checks, sip_checks
from warm_transfer.livekit.doctor.explain import explain
from warm_transfer.livekit.doctor.findings import (
    Finding,
    Found,
    Report,
    Verdict,
    failed,
    ok,
    skipped,
)
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.livekit.doctor.outside import Outside
from warm_transfer.livekit.doctor.visit import Asked, Visit

__all__ = ["CHECKS", "CLEANUP", "Check", "examine"]

T = TypeVar("T")

CLEANUP = "cleanup"
"""The name of the last finding: whether all that was made is gone."""

_SECRET_MIN = 4
"""Shorter ones are no secrets, and stand in ordinary words."""

_BLOCKING = (Verdict.FAILED, Verdict.SKIPPED)


@dataclass(frozen=True, slots=True)
class Check:
    """One check, what has to be in order before it, and how long it may take."""

    name: str
    run: Callable[[Visit], Awaitable[Found]]
    limits: tuple[str, ...]
    """Fields of `DoctorLimits`; their sum bounds it."""
    after: tuple[str, ...] = ()
    """The checks that must not have failed."""
    asked: Callable[[Asked], bool] = lambda _: True
    option: str = ""
    """What asks for it."""


CHECKS: Sequence[Check] = (
    Check("address", server_checks.address, ("request_s",)),
    Check("clock", server_checks.clock, ("request_s",), ("address",)),
    Check("credentials", server_checks.credentials, ("request_s",), ("address",)),
    Check("room", server_checks.room, ("request_s",), ("credentials",)),
    Check("grants", server_checks.grants, ("request_s", "request_s"), ("room",)),
    Check("settings", server_checks.settings, ("request_s",), ("room",)),
    Check("speed", server_checks.speed, ("request_s",) * 3, ("credentials",)),
    Check("agents", server_checks.agents, ("watch_s", "request_s"), ("room",)),
    Check("join", server_checks.join, ("join_s", "request_s"), ("room",)),
    Check("move", server_checks.move, ("move_s",), ("join",)),
    Check("redis", sip_checks.redis, ("request_s",) * 3, ("credentials",)),
    Check("sip service", sip_checks.sip_service, ("sip_service_s",), ("room", "redis")),
    Check("trunk", sip_checks.trunk, ("request_s",), ("redis",)),
    Check("bridge", sip_checks.bridge, ("request_s",), ("redis",)),
    Check(
        "bridge call",
        sip_checks.bridge_call,
        ("join_s", "join_s", "answer_s", "call_margin_s", "hear_s"),
        ("join", "sip service", "bridge"),
        asked=lambda asked: asked.bridge,
        option="--bridge",
    ),
    Check(
        "call",
        sip_checks.call,
        ("ring_s", "call_margin_s"),
        ("room", "sip service", "trunk"),
        asked=lambda asked: asked.call is not None,
        option="--call NUMBER",
    ),
)
"""In this order: each after what it needs."""


async def examine(
    asked: Asked,
    outside: Outside,
    limits: DoctorLimits,
    tell: Callable[[Finding], None] = lambda _: None,
) -> Report:
    """Run all checks, and remove what they made, also when this is cancelled.

    Args:
        asked: what to look at beyond the server itself.
        outside: the way to the server.
        limits: how long anything may take.
        tell: is called with each finding as soon as it is there.
    """
    loop = asyncio.get_running_loop()
    visit = Visit(asked, outside, limits)
    findings: dict[str, Finding] = {}

    def note(name: str, found: Found, began_s: float) -> None:
        hidden = visit.hidden
        finding = Finding(
            name,
            found.verdict,
            _without(found.found, hidden),
            _without(found.remedy, hidden),
            round(loop.time() - began_s, 3),
        )
        findings[name] = finding
        tell(finding)

    end_s = loop.time() + limits.whole_s
    try:
        for check in CHECKS:
            began_s = loop.time()
            note(check.name, await _run(check, visit, findings, end_s), began_s)
    finally:
        began_s = loop.time()
        note(CLEANUP, await _to_the_end(_clean_up(visit)), began_s)
    return Report(outside.url, tuple(findings.values()), _auto(visit))


async def _run(check: Check, visit: Visit, findings: Mapping[str, Finding], end_s: float) -> Found:
    if not check.asked(visit.asked):
        return skipped("was not asked for", f"give {check.option} for it")
    for name in check.after:
        if findings[name].verdict in _BLOCKING:
            return skipped(f"{name!r} comes first, and {_was(findings[name])}")
    own_s = sum(getattr(visit.limits, name) for name in check.limits)
    left_s = end_s - asyncio.get_running_loop().time()
    if left_s <= 0:
        return skipped(
            f"the {visit.limits.whole_s:g} s of the whole have passed", "raise --timeout"
        )
    scope = asyncio.timeout(min(own_s, left_s))
    try:
        async with scope:
            return await check.run(visit)
    except Exception as error:  # noqa: BLE001 - whatever one check meets, the others have a turn
        if scope.expired():
            whole = left_s < own_s
            remedy = "raise --timeout" if whole else "is the server overloaded, or far away?"
            return failed(f"nothing was found out in {min(own_s, left_s):.1f} s", remedy)
        return explain(error)


def _was(finding: Finding) -> str:
    return "has failed" if finding.verdict is Verdict.FAILED else "was skipped"


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Await something bounded; a cancellation is delivered after it, a second one at once."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({task})
        finally:
            # Nothing to cancel any more, unless the wait has been cancelled as well.
            task.cancel()
        raise


async def _clean_up(visit: Visit) -> Found:
    limit_s = visit.limits.cleanup_s
    try:
        async with asyncio.timeout(limit_s):
            left = await visit.clean_up()
    except TimeoutError:
        remedy = "rooms named wt-doctor-… close by themselves when empty; `lk room list` shows them"
        return failed(f"it is not known after {limit_s:g} s whether all was removed", remedy)
    if left:
        remedy = "; ".join(f"lk room delete {room}" for room in left)
        return failed(f"could not be removed: {', '.join(left)}", remedy)
    return ok("all that was made is removed")


def _without(text: str, hidden: Sequence[str]) -> str:
    """A text in which no secret stands, whoever has put it there."""
    for secret in hidden:
        if len(secret) >= _SECRET_MIN:
            text = text.replace(secret, "***")
    return text


def _auto(visit: Visit) -> Choice:
    choice = choose(visit.outside.url, visit.bridge)
    if visit.listed is None and visit.bridge is None and not is_cloud(visit.outside.url):
        return choice._replace(why="no bridge could be looked for, so the agent carries the sound")
    return choice
