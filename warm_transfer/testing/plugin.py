"""The pytest plugin: coverage of the table, journals as tests, and the virtual clock by a marker.

It is there as soon as the library and pytest are installed, and does nothing unless asked:

* ``--warm-transfer-cov`` tells which rows of the table the test run has taken,
  ``--warm-transfer-cov-missing`` also which not; ``--warm-transfer-fail-under=PCT`` fails the run
  below a share of them. With pytest-xdist the processes are added up.
* a test with the argument ``warm_transfer_journal`` runs once for each journal in the folders of
  the ini option ``warm_transfer_journals``.
* ``@pytest.mark.virtual_clock`` runs an async test on a virtual clock, and the ini option
  ``warm_transfer_virtual_clock`` all of them; everything else keeps the loop it has.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from warm_transfer.errors import JournalError
from warm_transfer.testing import clock
from warm_transfer.testing.regressions import journals

__all__ = [
    "pytest_addoption",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_pycollect_makeitem",
    "pytest_pyfunc_call",
    "pytest_unconfigure",
]

MARKER = "virtual_clock"
ARGUMENT = "warm_transfer_journal"
_EVERY = "warm_transfer_virtual_clock"
_FOLDERS = "warm_transfer_journals"
_FACTORIES = "warm-transfer-loop-factories"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("warm-transfer")
    group.addoption(
        "--warm-transfer-cov",
        action="store_true",
        help="tell which rows of the transition table the transfers of this run have taken",
    )
    group.addoption(
        "--warm-transfer-cov-missing",
        action="store_true",
        help="tell also which they have not",
    )
    group.addoption(
        "--warm-transfer-fail-under",
        type=float,
        metavar="PCT",
        help="fail when less than this share of the rows has been taken",
    )
    parser.addini(_FOLDERS, f"folders with journals for `{ARGUMENT}`", type="paths", default=[])
    parser.addini(_EVERY, "run every async test on a virtual clock", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count, if asked."""
    config.addinivalue_line("markers", f"{MARKER}: run an async test on a virtual clock")
    if config.getini(_EVERY):
        _offer_factories(config)
    missing = config.getoption("--warm-transfer-cov-missing")
    fail_under = config.getoption("--warm-transfer-fail-under")
    if config.getoption("--warm-transfer-cov") or missing or fail_under is not None:
        plugin = _Cov(config, missing=missing, fail_under=fail_under)
        config.pluginmanager.register(plugin, "warm-transfer-cov")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Count no more."""
    plugin = config.pluginmanager.get_plugin("warm-transfer-cov")
    if isinstance(plugin, _Cov):
        plugin.close()


# Journals.


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each journal."""
    if ARGUMENT in metafunc.fixturenames:
        root = metafunc.config.rootpath
        try:
            found = [path for each in _folders(metafunc.config) for path in journals(each)]
        except JournalError as error:
            raise pytest.UsageError(str(error)) from error
        metafunc.parametrize(ARGUMENT, found, ids=[_name(path, root) for path in found])


def _folders(config: pytest.Config) -> list[Path]:
    folders: list[Path] = config.getini(_FOLDERS)
    if not folders:
        problem = f"`{ARGUMENT}` is asked for, but the ini option `{_FOLDERS}` names no folder"
        raise pytest.UsageError(problem)
    return folders


def _name(path: Path, root: Path) -> str:
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


# The clock.


class _LoopFactories:
    """Answers pytest-asyncio, last of all: whoever has loops of their own keeps them."""

    @pytest.hookimpl(trylast=True, optionalhook=True)
    def pytest_asyncio_loop_factories(
        self, config: pytest.Config, item: pytest.Item
    ) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
        """The virtual clock for who asked for it, and for others what they had."""
        asked = item.get_closest_marker(MARKER) is not None or config.getini(_EVERY)
        return {"virtual": clock.VirtualClockLoop} if asked else {"own": asyncio.new_event_loop}


def _offer_factories(config: pytest.Config) -> None:
    """Only when somebody asks: with a factory at hand pytest-asyncio asks it for every test."""
    manager = config.pluginmanager
    if not manager.has_plugin("asyncio") or manager.has_plugin(_FACTORIES):
        return
    if not hasattr(manager.hook, "pytest_asyncio_loop_factories"):
        # An older one would run the test on a real clock, and not say so.
        raise pytest.UsageError("a virtual clock needs pytest-asyncio>=1.4, or none")
    manager.register(_LoopFactories(), _FACTORIES)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> None:
    """See to the clock before pytest-asyncio asks for it."""
    marks = (*collector.iter_markers(MARKER), *getattr(obj, "pytestmark", ()))
    if any(each.name == MARKER for each in marks):
        _offer_factories(collector.config)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a marked async test that nobody else has taken."""
    if pyfuncitem.get_closest_marker(MARKER) is None:
        return None
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test):
        return None
    arguments: dict[str, Any] = {
        name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters
    }
    clock.run(test(**arguments))
    return True


# Coverage.


class _Cov:
    """Counts in this process, adds up what others have counted, and tells."""

    def __init__(self, config: pytest.Config, *, missing: bool, fail_under: float | None) -> None:
        # Loaded here: it needs the library's shell, which a run without it does not.
        from warm_transfer.testing.coverage import Coverage, recorded  # noqa: PLC0415

        self._config = config
        self._missing = missing
        self._fail_under = fail_under
        self.coverage = Coverage()
        self._stack = ExitStack()
        self._stack.enter_context(recorded(self.coverage.take))

    def close(self) -> None:
        """Count no more."""
        self._stack.close()

    @property
    def _too_little(self) -> bool:
        return self._fail_under is not None and self.coverage.percent < self._fail_under

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Add what a process of pytest-xdist has counted."""
        del error
        counted = getattr(node, "workeroutput", {}).get("warm_transfer_cov")
        if counted is not None:
            self.coverage.add(counted)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Pass on what was counted, or judge it."""
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output["warm_transfer_cov"] = self.coverage.dump()
        elif self._too_little and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell."""
        terminalreporter.section("warm transfer table")
        for line in self.coverage.summary(missing=self._missing):
            terminalreporter.write_line(line)
        if self._too_little:
            problem = f"{self.coverage.percent:.1f} % is less than {self._fail_under:g} %"
            terminalreporter.write_line(f"FAIL warm-transfer-fail-under: {problem}", red=True)
