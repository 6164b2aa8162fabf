"""Who may import whom, read from the sources."""

import subprocess
import sys
import textwrap

import pytest

from tests.sources import BY_NAME, MODULES, Module, is_under

#: The words, the table and the core, from left to right: none imports one of ours to its right.
CORE = (
    "states",
    "events",
    "errors",
    "headers",
    "effects",
    "outcome",
    "policy",
    "rows",
    "table",
    "table_rules",
    "machine",
    "transfer",
)
CORE_NAMES = tuple(f"warm_transfer.{name}" for name in CORE)

#: What would make the core more than a function of its events.
IMPURE = (
    "asyncio",
    "concurrent",
    "datetime",
    "livekit",
    "logging",
    "os",
    "random",
    "secrets",
    "socket",
    "structlog",
    "threading",
    "time",
    "uuid",
)

MAY_IMPORT_LIVEKIT = ("warm_transfer.livekit", "warm_transfer.testing.livekit", "warm_transfer.cli")

SHELL = ("ports", "runner", "journal", "hooks", "logs", "limits", "dialable")


def of_ours(module: Module) -> set[str]:
    """The modules of ours that a module imports."""
    return {name for name in module.imports() if name in BY_NAME and name != module.name}


@pytest.mark.parametrize("name", CORE_NAMES)
def test_the_core_imports_nothing_of_ours_to_its_right(name: str) -> None:
    left = set(CORE_NAMES[: CORE_NAMES.index(name)])
    assert of_ours(BY_NAME[name]) - {"warm_transfer"} <= left


@pytest.mark.parametrize("name", CORE_NAMES)
def test_the_core_reads_no_clock_and_knows_no_loop_no_log_and_no_livekit(name: str) -> None:
    allowed = {"logging"} if name == "warm_transfer.machine" else set()
    tops = {each.split(".")[0] for each in BY_NAME[name].imports()}
    assert tops & set(IMPURE) - allowed == set()


def test_the_words_and_the_table_import_the_standard_library_and_ours_only() -> None:
    foreign = {
        (name, each)
        for name in CORE_NAMES
        for each in BY_NAME[name].imports()
        if each.split(".")[0] not in sys.stdlib_module_names | {"warm_transfer", "__future__"}
    }
    assert {name for name, _ in foreign} == {"warm_transfer.machine"}


def test_only_the_machine_imports_transitions() -> None:
    who = {m.name for m in MODULES if any(is_under(each, "transitions") for each in m.imports())}
    assert who == {"warm_transfer.machine"}


@pytest.mark.parametrize("module", MODULES, ids=[module.name for module in MODULES])
def test_livekit_is_imported_only_by_its_adapters_and_the_command_line(module: Module) -> None:
    if any(is_under(module.name, each) for each in MAY_IMPORT_LIVEKIT):
        return
    assert not [each for each in module.imports(at_run_time=False) if is_under(each, "livekit")]


@pytest.mark.parametrize("name", [f"warm_transfer.{each}" for each in SHELL])
def test_the_shell_knows_no_adapter_and_no_test_kit(name: str) -> None:
    ours = of_ours(BY_NAME[name])
    assert not {each for each in ours if is_under(each, "warm_transfer.livekit")}
    assert not {each for each in ours if is_under(each, "warm_transfer.testing")}


def test_the_adapters_know_no_test_kit() -> None:
    for module in MODULES:
        if is_under(module.name, "warm_transfer.livekit"):
            ours = of_ours(module)
            assert not {n for n in ours if is_under(n, "warm_transfer.testing")}, module.name


@pytest.mark.parametrize("module", MODULES, ids=[module.name for module in MODULES])
def test_no_module_of_the_packages_imports_a_test_tool(module: Module) -> None:
    if module.name == "warm_transfer.testing.plugin":
        return  # pytest alone imports it
    tools = ("hypothesis", "pytest", "pytest_asyncio", "tests")
    assert not [each for each in module.imports() if any(is_under(each, tool) for tool in tools)]


@pytest.mark.parametrize("name", ["model", "invariants", "explorer"])
def test_the_explorer_needs_neither_asyncio_nor_livekit(name: str) -> None:
    seen: set[str] = set()
    todo = [f"warm_transfer.testing.{name}"]
    while todo:
        module = BY_NAME[todo.pop()]
        if module.name in seen:
            continue
        seen.add(module.name)
        tops = {each.split(".")[0] for each in module.imports()}
        assert not tops & {"asyncio", "livekit", "structlog"}, module.name
        todo += of_ours(module)


def test_the_diagrams_do_not_know_what_they_draw_at_import() -> None:
    for module in MODULES:
        if is_under(module.name, "fsm_diagrams"):
            at_once = set(module.imports_at_once())
            assert not {each for each in at_once if is_under(each, "warm_transfer")}, module.name


def test_no_imports_go_in_a_circle() -> None:
    waits = {
        module.name: {
            each for each in module.imports_at_once() if each in BY_NAME and each != module.name
        }
        for module in MODULES
    }
    while ready := {name for name, others in waits.items() if not others}:
        waits = {name: others - ready for name, others in waits.items() if name not in ready}
    assert waits == {}


@pytest.mark.parametrize("package", ["warm_transfer", "fsm_diagrams"])
def test_importing_a_package_loads_none_of_its_heavy_friends(package: str) -> None:
    program = f"""
        import sys
        import {package}
        heavy = ("livekit", "asyncio", "structlog", "transitions", "aiohttp")
        print([name for name in heavy if name in sys.modules])
    """
    assert run(program) == "[]"


def test_the_core_runs_without_asyncio_livekit_and_structlog() -> None:
    program = """
        import sys
        from warm_transfer import Event, On, Transfer
        Transfer("t").receive(Event(On.TRANSFER_REQUESTED), 0.0)
        print([name for name in ("livekit", "structlog") if name in sys.modules])
    """
    assert run(program) == "[]"


def run(program: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return done.stdout.strip()
