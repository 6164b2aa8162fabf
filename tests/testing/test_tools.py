from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.sources import MODULES, is_under
from warm_transfer.testing.tools import ToolMissing, needed

PLUGIN = "warm_transfer.testing.plugin"
KIT = [m.name for m in MODULES if is_under(m.name, "warm_transfer.testing") and m.name != PLUGIN]


def test_a_tool_that_is_there_is_loaded() -> None:
    assert needed("textwrap", "a test") is textwrap


def test_one_that_is_not_is_named_with_the_remedy() -> None:
    with pytest.raises(ToolMissing) as caught:
        needed("no_such_tool.strategies", "the contract suites")
    assert caught.value.tool == "no_such_tool"
    # Never by name: `warm-transfer` on PyPI is somebody else's.
    words = 'no_such_tool is needed for the contract suites; install it with `pip install ".['
    assert str(caught.value).startswith(words)


def test_an_error_inside_a_tool_is_its_own(tmp_path: object, monkeypatch: object) -> None:
    assert isinstance(monkeypatch, pytest.MonkeyPatch)
    monkeypatch.syspath_prepend(str(tmp_path))
    with open(f"{tmp_path}/broken_tool.py", "w", encoding="utf-8") as file:  # noqa: PTH123 - a name is enough
        file.write("import no_such_friend\n")
    with pytest.raises(ModuleNotFoundError, match="no_such_friend") as caught:
        needed("broken_tool", "a test")
    assert not isinstance(caught.value, ToolMissing)


def test_the_kit_is_imported_without_pytest_and_hypothesis_and_says_what_it_needs() -> None:
    program = f"""
        import importlib, sys

        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("hypothesis", "pytest", "_pytest"):
                    raise ModuleNotFoundError(name, name=name.partition(".")[0])

        sys.meta_path.insert(0, Absent())
        for name in {KIT!r}:
            importlib.import_module(name)
        from warm_transfer.testing.contracts import BriefingContract
        try:
            BriefingContract().test_every_clause_holds()
        except ImportError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout.startswith("hypothesis is needed for the contract suites; install it with")
