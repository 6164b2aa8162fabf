"""A whole run on a complete stack: every strategy that can run there, one call each."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livekit import api

from tests.live.errors import CannotRun
from tests.live.run import check_server
from tests.live.server import Say
from tests.live.stack.call import Evidence, make_call
from tests.live.stack.report import report_of, table
from tests.live.stack.settings import ALL, Settings, reasons_not_to_run, settings_of, wanted
from tests.live.voices import write_tone
from tests.live.worker import hurry
from warm_transfer.livekit.auto import is_cloud
from warm_transfer.livekit.bridge_objects import BridgeObjects, find_bridge

__all__ = ["REPORT", "run_on_stack"]

BUILD = Path(__file__).resolve().parents[3] / "build"
REPORT = BUILD / "stack.json"
FOLDER = BUILD / "stack"
LOOK_S = 5.0


def run_on_stack(merge: str, environ: Mapping[str, str] = os.environ) -> int:
    """Run, print a table, write ``build/stack.json``; the exit code: 0 clean, 1 red.

    Args:
        merge: a strategy, or ``"all"`` for every one that can run there.
        environ: names the stack and the phone.

    Raises:
        CannotRun: a variable is missing or wrong, the server does not answer, or a strategy that
            was asked for by name cannot run there. Nobody has been dialled.
    """
    names, settings = wanted(merge), settings_of(environ)
    begun_s = time.monotonic()

    def say(text: str) -> None:
        _print(f"{time.monotonic() - begun_s:6.1f} s  {text}")

    report = asyncio.run(_run(settings, names, say, by_name=merge != ALL))
    _print(table(report))
    _print(f"written to {REPORT.relative_to(BUILD.parent)}")
    return 1 if report["faults"] else 0


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command's output


async def _run(
    settings: Settings, names: tuple[str, ...], say: Say, *, by_name: bool
) -> dict[str, Any]:
    _stop_once()
    # Its native part complains of its own handles whenever a room is left.
    logging.getLogger("livekit").addHandler(logging.NullHandler())
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_tone(FOLDER / "tone.wav")
    server, calls = settings.server, dict[str, Evidence]()
    client = api.LiveKitAPI(server.url, server.key, server.secret, failover=False)
    try:
        await check_server(server, client)
        hurry()
        reasons = reasons_not_to_run(server.url, await _bridge(settings, client, names))
        for name in names:
            if by_name and name in reasons:
                raise CannotRun(f"{name} cannot run at {server.url}: {reasons[name]}")
            if name in reasons:
                say(f"{name}: not run, {reasons[name]}")
                continue
            (FOLDER / f"{name}.jsonl").unlink(missing_ok=True)
            calls[name] = await make_call(settings, client, name, FOLDER, say)
            report = report_of(calls, reasons, server.url)
            # As it goes, so that a run that is stopped has not been for nothing.
            REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    finally:
        await client.aclose()
    return report_of(calls, reasons, server.url)


async def _bridge(
    settings: Settings, client: api.LiveKitAPI, names: tuple[str, ...]
) -> BridgeObjects | None:
    """The bridge of the environment, else the one at the server if somebody wants one."""
    if settings.bridge is not None or "sip_bridge" not in names or is_cloud(settings.server.url):
        return settings.bridge
    try:
        async with asyncio.timeout(LOOK_S):
            return await find_bridge(client)
    except Exception as error:  # noqa: BLE001 - what cannot be known is not run, and that is said
        logging.getLogger("tests.live").info("no bridge looked for: %s", type(error).__name__)
        return None


def _stop_once() -> None:
    """Stop on Ctrl-C and SIGTERM; a second one must not cut off the cleaning up."""
    running = asyncio.current_task()
    assert running is not None

    def on_signal() -> None:
        if not running.cancelling():
            running.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
