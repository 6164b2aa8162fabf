"""The plugin, in test runs of somebody else's."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

import pytest

from tests.sources import ROOT
from warm_transfer.journal import FileJournal
from warm_transfer.testing import plugin
from warm_transfer.testing.scenario import SCENARIOS, run

pytest_plugins = ["pytester"]

#: Where the package is installed, pytest loads the plugin by itself, and would refuse a second one.
INSTALLED = "warm-transfer" in {each.name for each in entry_points(group="pytest11")}

OURS = (
    *(() if INSTALLED else ("-p", "warm_transfer.testing.plugin")),
    "-p",
    "no:cacheprovider",
    "-o",
    "asyncio_default_fixture_loop_scope=function",
)

TRANSFERS = """
    from warm_transfer.testing.scenario import run, scenario

    def test_a_yes():
        assert run(scenario("human answers after 4 s, says yes after 6 s")).outcome.merged

    def test_a_no():
        assert not run(scenario("human answers after 4 s, says no after 6 s")).outcome.merged
"""


def play(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess(*OURS, *arguments)


def test_it_is_an_entry_point_of_pytest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"warm-transfer": plugin.__name__}
    names = {each.partition(">")[0] for each in project["optional-dependencies"]["testing"]}
    assert names == {"hypothesis", "pytest"}


def test_it_says_nothing_unless_asked(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRANSFERS)
    result = play(pytester)
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*warm transfer table*")


def test_it_tells_which_rows_were_taken(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRANSFERS)
    result = play(pytester, "--warm-transfer-cov")
    result.stdout.fnmatch_lines(["*warm transfer table*", "2 transfers through table *"])
    result.stdout.re_match_lines([r"rows +1\d of +\d+ +\d+\.\d %", r"pairs +1\d of +\d+"])
    result.stdout.no_fnmatch_line("not taken: *")
    assert result.ret == pytest.ExitCode.OK


def test_it_tells_which_were_not(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRANSFERS)
    result = play(pytester, "--warm-transfer-cov-missing")
    result.stdout.fnmatch_lines(["not taken: dialing x CONSULT_REFUSED"])
    result.stdout.no_fnmatch_line("not taken: briefing x CONSULT_ACCEPTED")


def test_the_option_takes_no_path_for_itself(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_taken=TRANSFERS)
    result = play(pytester, "--warm-transfer-cov", "test_taken.py")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*warm transfer table*"])


@pytest.mark.parametrize(("limit", "code"), [("5", 0), ("90", 1)])
def test_a_run_below_the_limit_fails(pytester: pytest.Pytester, limit: str, code: int) -> None:
    pytester.makepyfile(TRANSFERS)
    result = play(pytester, "--warm-transfer-fail-under", limit)
    result.assert_outcomes(passed=2)
    assert result.ret == code
    if code:
        result.stdout.fnmatch_lines(["FAIL warm-transfer-fail-under: * is less than 90 %"])


def test_processes_are_added_up(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRANSFERS)
    alone = play(pytester, "--warm-transfer-cov")
    both = play(pytester, "--warm-transfer-cov", "-n", "2")
    both.assert_outcomes(passed=2)
    for line in alone.outlines:
        if line.startswith(("2 transfers", "rows ", "pairs ", "ignored ")):
            both.stdout.fnmatch_lines([line])


# Journals.

JOURNALS = """
    from warm_transfer.testing.regressions import regression

    def test_a_journal(warm_transfer_journal):
        assert regression(warm_transfer_journal) == 1
"""


def record(folder: Path, *names: str) -> None:
    for name in names:
        journal = FileJournal(folder / f"{name}.jsonl")
        run(SCENARIOS[name], journal=journal)
        journal.close()


def test_each_journal_of_the_folders_is_a_test(pytester: pytest.Pytester) -> None:
    record(pytester.path / "kept", "merged", "busy")
    pytester.makeini("[pytest]\nwarm_transfer_journals = kept")
    pytester.makepyfile(JOURNALS)
    result = play(pytester, "-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*kept/busy.jsonl* PASSED*", "*kept/merged.jsonl* PASSED*"])


def test_a_journal_that_is_decided_otherwise_fails_at_its_line(pytester: pytest.Pytester) -> None:
    record(pytester.path / "kept", "busy")
    path = pytester.path / "kept" / "busy.jsonl"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"after":"failed"', '"after":"declined"', 1), encoding="utf-8")
    pytester.makeini("[pytest]\nwarm_transfer_journals = kept")
    pytester.makepyfile(JOURNALS)
    result = play(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *busy.jsonl:*: went dialing to declined, now * to failed"])


@pytest.mark.parametrize(
    ("ini", "words"),
    [("", "names no folder"), ("warm_transfer_journals = kept", "holds no journal")],
)
def test_no_journals_are_no_tests_that_pass(
    pytester: pytest.Pytester, ini: str, words: str
) -> None:
    pytester.makeini(f"[pytest]\n{ini}")
    pytester.makepyfile(JOURNALS)
    result = play(pytester)
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"*{words}*"])


# The clock.

ASLEEP = dedent("""
    import asyncio
    import time
    import pytest

    @pytest.mark.virtual_clock
    async def test_an_hour(tmp_path):
        began_s = time.monotonic()
        await asyncio.sleep(3600)
        assert asyncio.get_running_loop().time() == 3600
        assert time.monotonic() - began_s < 60
""")
OTHERS = dedent("""
    import asyncio
    import pytest

    @pytest.mark.asyncio
    async def test_a_real_loop():
        assert type(asyncio.get_running_loop()).__name__ != "VirtualClockLoop"
""")
AUTO = "[pytest]\nasyncio_mode = auto\n"
STRICT = "[pytest]\nasyncio_mode = strict\n"


@pytest.mark.parametrize("ini", [AUTO, STRICT], ids=["auto", "strict"])
def test_a_marked_test_runs_on_a_virtual_clock_and_others_on_their_own(
    pytester: pytest.Pytester, ini: str
) -> None:
    pytester.makeini(ini)
    pytester.makepyfile(test_first=ASLEEP + OTHERS, test_then=OTHERS)
    play(pytester).assert_outcomes(passed=3)


def test_it_needs_no_plugin_for_asyncio(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ASLEEP)
    play(pytester, "-p", "no:asyncio").assert_outcomes(passed=1)


@pytest.mark.parametrize("ini", ["", "warm_transfer_virtual_clock = true"])
def test_a_pytest_asyncio_that_takes_no_loops_is_refused(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ini: str
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini(f"[pytest]\n{ini}")
    pytester.makepyfile(ASLEEP)
    pytester.makeconftest("""
        def pytest_configure(config):  # as before 1.4
            config.pluginmanager.register(object(), "asyncio")
    """)
    result = pytester.runpytest_inprocess("-p", plugin.__name__)
    assert result.ret != pytest.ExitCode.OK
    output = result.stdout.str() + result.stderr.str()
    assert "a virtual clock needs pytest-asyncio>=1.4, or none" in output


def test_all_of_them_by_an_option(pytester: pytest.Pytester) -> None:
    pytester.makeini(AUTO + "warm_transfer_virtual_clock = true\n")
    pytester.makepyfile(ASLEEP.replace("@pytest.mark.virtual_clock", ""))
    play(pytester).assert_outcomes(passed=1)


def test_loops_of_the_users_own_come_first(pytester: pytest.Pytester) -> None:
    pytester.makeini(STRICT)
    pytester.makeconftest("""
        import asyncio

        class Own(asyncio.SelectorEventLoop):
            pass

        def pytest_asyncio_loop_factories(config, item):
            return {"own": Own}
    """)
    pytester.makepyfile(
        ASLEEP,
        test_own="""
        import asyncio
        import pytest

        @pytest.mark.asyncio
        async def test_own():
            assert type(asyncio.get_running_loop()).__name__ == "Own"
    """,
    )
    play(pytester).assert_outcomes(passed=2)


def test_a_deadlock_is_named(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import asyncio
        import pytest

        @pytest.mark.virtual_clock
        async def test_for_ever():
            await asyncio.Event().wait()
    """)
    result = play(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Deadlock: deadlock at 0 s, waiting:", "*test_for_ever*"])
