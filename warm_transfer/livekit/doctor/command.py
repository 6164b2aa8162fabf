"""``warm-transfer doctor`` and ``warm-transfer bridge setup``, behind their arguments.

Whoever stops one of them (Ctrl-C, SIGTERM) waits for the cleaning up; twice does not.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import math
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
from livekit import api as lkapi

from warm_transfer.dialable import check_number, number_from_environment
from warm_transfer.errors import InvalidArgument, ServerUnusable
from warm_transfer.livekit.bridge_objects import bridge_from_environment
from warm_transfer.livekit.bridge_setup import SetUp, Wish, remove, set_up
from warm_transfer.livekit.doctor.examine import examine
from warm_transfer.livekit.doctor.explain import explain
from warm_transfer.livekit.doctor.findings import Finding
from warm_transfer.livekit.doctor.limits import DoctorLimits
from warm_transfer.livekit.doctor.outside import LiveKitOutside, Outside
from warm_transfer.livekit.doctor.show import HEAD, as_json, conclusion, lines_of
from warm_transfer.livekit.doctor.visit import Asked
from warm_transfer.livekit.faults import unusable
from warm_transfer.policy import RING_TIMEOUT_MAX_S

__all__ = ["STOPPED", "bridge_setup", "doctor"]

STOPPED = 130
"""The exit code of a run that was stopped, as shells have it for Ctrl-C."""

_SETTINGS = {
    "--url": "LIVEKIT_URL",
    "--api-key": "LIVEKIT_API_KEY",
    "--api-secret": "LIVEKIT_API_SECRET",
}
_SCHEMES = ("ws", "wss", "http", "https")
_SETUP_LIMIT_S = 60.0
"""For listing, up to six writes, and listing again; livekit-api gives each request 10 s."""

#: livekit's native library warns of its own handles at a disconnect: nobody here has asked.
_UNHEARD = logging.NullHandler()

Say = Callable[[str], None]
Way = Callable[[str, str, str], Outside]
T = TypeVar("T")


def doctor(arguments: argparse.Namespace, say: Say, way: Way = LiveKitOutside) -> int:
    """Examine a server; returns the exit code.

    Args:
        arguments: those of ``warm-transfer doctor``.
        say: writes a line.
        way: makes the way to the server; tests give another.

    Raises:
        InvalidArgument: a setting is missing, or an argument cannot be used.
    """
    outside = way(*_settings(arguments))
    asked, limits = _asked(arguments), _limits(arguments)
    logging.getLogger("livekit").addHandler(_UNHEARD)

    def tell(finding: Finding) -> None:
        if not arguments.json:
            for line in lines_of(finding):
                say(line)

    if not arguments.json:
        say(HEAD)
    report = _run(lambda: examine(asked, outside, limits, tell))
    if report is None:
        return STOPPED
    if arguments.json:
        say(as_json(report))
    else:
        for line in ("", *conclusion(report)):
            say(line)
    return report.exit_code


def _settings(arguments: argparse.Namespace) -> tuple[str, str, str]:
    """Address, key and secret, from the arguments or the environment."""
    found: dict[str, str] = {}
    for option, variable in _SETTINGS.items():
        given = getattr(arguments, option.strip("-").replace("-", "_"))
        found[option] = given or os.environ.get(variable, "")
    missing = [option for option, value in found.items() if not value]
    if missing:
        options = " and ".join(missing)
        variables = " and ".join(_SETTINGS[option] for option in missing)
        raise InvalidArgument(missing[0], "is missing", f"give {options}, or set {variables}")
    _check_url(found["--url"])
    return found["--url"], found["--api-key"], found["--api-secret"]


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # The port is no number, or a bracket is open.
        usable = False
    if not usable:
        remedy = "give an address such as wss://project.livekit.cloud or ws://127.0.0.1:7880"
        raise InvalidArgument("--url", "is no address of a server", remedy)


def _asked(arguments: argparse.Namespace) -> Asked:
    trunk_id = arguments.trunk or os.environ.get("LIVEKIT_SIP_OUTBOUND_TRUNK") or None
    if arguments.call is not None:
        _check_call(arguments.call, trunk_id)
    return Asked(
        trunk_id=trunk_id,
        call=arguments.call,
        caller_id=number_from_environment(os.environ),
        bridge=arguments.bridge,
        bridge_named=bridge_from_environment(os.environ),
    )


def _check_call(number: str, trunk_id: str | None) -> None:
    if not trunk_id:
        remedy = "give --trunk, or set LIVEKIT_SIP_OUTBOUND_TRUNK"
        raise InvalidArgument("--call", "has no trunk to go through", remedy)
    try:
        usable = bool(check_number(number))
    except InvalidArgument:
        usable = False
    if not usable:
        # The number is not repeated: what is shown may be kept.
        remedy = "give 2 to 15 digits with an optional +"
        raise InvalidArgument("--call", "is no phone number", remedy)


def _limits(arguments: argparse.Namespace) -> DoctorLimits:
    limits = DoctorLimits()
    if arguments.timeout is not None:
        limits = replace(limits, whole_s=_seconds("--timeout", arguments.timeout))
    if arguments.ring_seconds is not None:
        ring_s = _seconds("--ring-seconds", arguments.ring_seconds)
        if ring_s > RING_TIMEOUT_MAX_S:
            remedy = f"give at most {RING_TIMEOUT_MAX_S:g}: the server drops a dial at 80 s"
            raise InvalidArgument("--ring-seconds", f"is {ring_s:g}", remedy)
        limits = replace(limits, ring_s=ring_s)
    return limits


def _seconds(option: str, value: float) -> float:
    if not math.isfinite(value) or value <= 0:
        raise InvalidArgument(option, f"is {value:g}", "give seconds above 0")
    return value


def bridge_setup(arguments: argparse.Namespace, say: Say, way: Way = LiveKitOutside) -> int:
    """Create, correct or remove the bridge; returns the exit code.

    Raises:
        InvalidArgument: a setting is missing, or an argument cannot be used.
        ServerUnusable: the server cannot be reached, or does not do as it was asked.
    """
    outside = way(*_settings(arguments))
    if arguments.remove and (arguments.sip_address or arguments.allow or arguments.transport):
        remedy = "leave --sip-address, --allow and --transport out"
        raise InvalidArgument("--remove", "is given beside what is to be set up", remedy)
    wish = Wish(
        sip_address=arguments.sip_address,
        allowed_addresses=tuple(arguments.allow),
        transport=arguments.transport,
    )
    done = _run(lambda: _set_up(outside, wish, arguments))
    if done is None:
        return STOPPED
    if arguments.json:
        say(_setup_json(done, arguments))
    else:
        _tell(done, arguments, say)
    return 0 if arguments.remove or not done.faults else 1


async def _set_up(outside: Outside, wish: Wish, arguments: argparse.Namespace) -> SetUp:
    api = outside.api()
    try:
        async with asyncio.timeout(_SETUP_LIMIT_S):
            if arguments.remove:
                return await remove(api, dry_run=arguments.dry_run)
            return await set_up(api, wish, dry_run=arguments.dry_run)
    except (lkapi.ServerError, aiohttp.ClientError, TimeoutError) as error:
        raise _unusable(error) from error
    finally:
        await api.aclose()


def _unusable(error: Exception) -> ServerUnusable:
    """An error with the setting it is about, or the server's own words."""
    named = unusable(error)
    if named is not None:
        return named
    found = explain(error)
    return ServerUnusable("LIVEKIT_URL", f"is a server that cannot: {found.found}", found.remedy)


def _tell(done: SetUp, arguments: argparse.Namespace, say: Say) -> None:
    would = "would be " if arguments.dry_run else ""
    for step in done.steps:
        fields = f" ({', '.join(step.fields)})" if step.fields else ""
        say(f"{step.name:30} {would}{step.action}{fields}  {step.id}")
    if not done.steps:
        say("there is nothing to remove")
    for note in done.notes:
        say(f"note: {note}")
    for fault in done.faults:
        say(f"the bridge cannot work: {fault}")
    if done.bridge is not None and not arguments.dry_run:
        say("")
        say("the bridge is complete, and agents find it by themselves; where the key may not list")
        say("trunks, set:")
        for name, value in done.bridge.environment().items():
            say(f"{name}={value}")


def _setup_json(done: SetUp, arguments: argparse.Namespace) -> str:
    bridge = None if arguments.dry_run or done.bridge is None else done.bridge
    content: Mapping[str, Any] = {
        "v": 1,
        "dry_run": arguments.dry_run,
        "steps": [asdict(step) for step in done.steps],
        "bridge": None if bridge is None else asdict(bridge),
        "environment": {} if bridge is None else bridge.environment(),
        "faults": done.faults,
        "notes": done.notes,
    }
    return json.dumps(content, indent=2)


def _run(main: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
    """Run to the end; None when it was stopped, after it has cleaned up."""
    try:
        return asyncio.run(_stoppable(main))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return None


async def _stoppable(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    running = asyncio.current_task()
    assert running is not None
    # As Ctrl-C does, which asyncio turns into a cancellation itself. Windows has no such signal.
    with contextlib.suppress(NotImplementedError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await main()
