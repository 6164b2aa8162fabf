"""Every module has a test module of its name, at the same place under ``tests/``."""

import pytest

from tests.sources import MODULES, ROOT, Module

#: Modules whose claims are tested elsewhere, with the place and the reason.
EXEMPT = {
    "warm_transfer": "tests/test_exports.py tests the lazy map",
    "warm_transfer.livekit.host": "a protocol alone: the task and the simulated host implement it",
}

MIRRORED = [m for m in MODULES if m.name not in EXEMPT and not m.says_only_what_it_is]


def place(module: Module) -> str:
    """Where the tests of a module stand."""
    parts = list(module.path.relative_to(ROOT).parts)
    if parts[0] == "warm_transfer":
        parts = parts[1:]
    name = parts.pop().removesuffix(".py").strip("_")
    return "/".join(["tests", *parts, f"test_{name}.py"])


@pytest.mark.parametrize("module", MIRRORED, ids=[module.name for module in MIRRORED])
def test_a_module_has_a_test_module_of_its_name(module: Module) -> None:
    assert (ROOT / place(module)).is_file(), f"{place(module)} is missing"


def test_what_is_exempt_exists_and_has_no_test_module() -> None:
    names = {module.name: module for module in MODULES}
    for name in EXEMPT:
        assert not (ROOT / place(names[name])).is_file(), f"{name} needs no exemption any more"


def test_the_places_are_as_the_design_says() -> None:
    names = {module.name: module for module in MODULES}
    assert place(names["warm_transfer.table"]) == "tests/test_table.py"
    assert place(names["warm_transfer.livekit.dial"]) == "tests/livekit/test_dial.py"
    assert place(names["warm_transfer.testing.clock"]) == "tests/testing/test_clock.py"
    assert place(names["fsm_diagrams.__main__"]) == "tests/fsm_diagrams/test_main.py"
