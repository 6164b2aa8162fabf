"""Shared by all tests: what a test leaves behind, and the paths of the table, walked once."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import settings
from livekit.rtc._ffi_client import FfiClient

from warm_transfer.livekit.preflight import remember
from warm_transfer.testing.clock import VirtualClockLoop
from warm_transfer.testing.explorer import SCOPES, Explorer, Report, report_of


@dataclass(frozen=True)
class Explored:
    explorers: tuple[Explorer, ...]
    report: Report


SIMULATED = "ws://simulated"

# No test is timed: the machines are shared, and an example that takes long proves nothing. Nor is
# any drawn anew in each run: a red test is red for everybody.
settings.register_profile("untimed", deadline=None, derandomize=True)
settings.load_profile("untimed")

_FILES = Path("/proc/self/fd")

#: What was cancelled or closed by the test ends within a few turns of the loop.
_LAST_TURNS = 20

#: Files of the process and not of a test: the test runner's own, and what a library opens once.
_NOT_OURS = ("/dev/", "/proc/")


def _open_files() -> list[str]:
    """What the open file descriptors lead to; empty where the system does not tell."""
    found: list[str] = []
    for each in _FILES.iterdir() if _FILES.is_dir() else ():
        try:
            target = str(each.readlink())
        except OSError:
            continue
        if not target.startswith(_NOT_OURS):
            found.append(target.split(":[", maxsplit=1)[0])
    return sorted(found)


@pytest.fixture(scope="session", autouse=True)
def native_library() -> None:
    """The SDK's native part starts its threads once a process, not in the test that comes first."""
    assert FfiClient.instance is not None


@pytest.fixture(autouse=True)
def the_simulated_server_has_no_bridge() -> Iterator[None]:
    """What one test makes the library remember of the simulated server is not there in the next."""
    remember(SIMULATED, None)
    yield
    remember(SIMULATED, None)


@pytest.fixture(autouse=True)
def nothing_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test, threads and open files are what they were."""
    threads, files = set(threading.enumerate()), _open_files()
    yield
    if _more(threads, files):
        # Event loops and decoders that nobody refers to any more are collected, not leaked.
        gc.collect()
        for thread in set(threading.enumerate()) - threads:
            # One that has been told to end needs a moment.
            thread.join(timeout=2.0)
    left = _more(threads, files)
    assert left == [], f"{request.node.name} leaves {left}"


def _more(threads: set[threading.Thread], files: list[str]) -> list[str]:
    new = [each.name for each in threading.enumerate() if each not in threads]
    opened = _open_files()
    for each in files:
        if each in opened:
            opened.remove(each)
    return new + opened


@pytest_asyncio.fixture
async def nothing_runs_on() -> AsyncIterator[None]:
    """After each async test, no task and no timer of it is left in the loop."""
    loop = asyncio.get_running_loop()
    before = asyncio.all_tasks()
    yield
    for _ in range(_LAST_TURNS):
        await asyncio.sleep(0)
    watching = asyncio.current_task()
    tasks = [each.get_name() for each in asyncio.all_tasks() - before if each is not watching]
    assert tasks + _timers(loop) == []


def _timers(loop: asyncio.AbstractEventLoop) -> list[str]:
    """The timers that are still to run, without those of the simulated server, which runs on."""
    found: list[str] = []
    virtual = isinstance(loop, VirtualClockLoop)
    # asyncio tells of no timer.
    timers = loop.timers() if virtual else loop._scheduled  # type: ignore[attr-defined]
    for timer in timers:
        callback = timer.callback if virtual else timer._callback
        module = getattr(callback, "__module__", "")
        if not timer.cancelled() and not module.startswith("warm_transfer.testing."):
            found.append(repr(timer))
    return found


@pytest.fixture(scope="session")
def explored() -> Explored:
    began = time.perf_counter()
    explorers = tuple(Explorer(scope) for scope in SCOPES)
    for explorer in explorers:
        explorer.run()
    return Explored(explorers, report_of(explorers, time.perf_counter() - began))


# Before xdist looks which tests belong together.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Watch the loop of every async test; keep tests that share the walk in one process."""
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "obj", None)):
            # First, so that it looks when all other fixtures have cleaned up.
            item.fixturenames.insert(0, "nothing_runs_on")  # type: ignore[attr-defined]  # of functions
        if "explored" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("explored"))
