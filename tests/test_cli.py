"""The command ``warm-transfer``: what it shows, and that a mistake never gets a traceback."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from warm_transfer.cli import main
from warm_transfer.journal import read
from warm_transfer.testing.scenario import SCENARIOS

ROOT = Path(__file__).parent.parent
JOURNAL = Path("build/demo/journal.jsonl")

Told = Callable[[], tuple[str, str]]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals are written below the directory one is in."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """What has been written to the output and to the error output since it was last asked."""

    def since() -> tuple[str, str]:
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return out, err

    return since


def run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-W", "error", "-m", "warm_transfer.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


# The demo.


def test_the_list_tells_every_scenario_with_its_description(told: Told) -> None:
    assert main(["demo", "--list"]) == 0
    out, err = told()
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert lines == [[name, told.description] for name, told in SCENARIOS.items()]
    assert err == ""
    assert not JOURNAL.exists()


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_every_scenario_runs_and_its_journal_replays(name: str, told: Told) -> None:
    assert main(["demo", name]) == 0
    out, err = told()
    lines = read(JOURNAL)
    assert out.startswith(f"scenario {name}: {SCENARIOS[name].description}\n")
    assert "left behind: nothing" in out
    assert out.endswith(f"journal: {JOURNAL}\n")
    for line in lines:
        assert f"  {line['event']} " in out
    assert err == ""

    assert main(["demo", "--replay", str(JOURNAL)]) == 0
    out, err = told()
    assert out.count("\n") >= len(lines) + 2
    assert "replayed: every step decides as recorded" in out
    assert err == ""


def test_the_demo_shows_time_event_state_and_effects_and_then_the_outcome(told: Told) -> None:
    assert main(["demo"]) == 0
    out, _ = told()
    rows = [line.split() for line in out.splitlines()]
    assert ["seconds", "event", "state", "effects"] in rows
    first = "HOLD_CALLER, PLAY_HOLD_AUDIO, OPEN_CONSULT"
    assert ["0.000", "TRANSFER_REQUESTED", "holding", *first.split()] in rows
    assert any(row[1:4] == ["MERGE_CONFIRMED", "merged", "*"] for row in rows if len(row) > 3)
    assert "outcome: merged (accepted)" in out
    for state in ("holding", "dialing", "briefing", "merging", "merged"):
        assert any(row[0] == state and row[2:] == ["s"] for row in rows if len(row) == 3)


def test_the_demo_shows_why_an_event_changed_nothing(told: Told) -> None:
    assert main(["demo", "human says yes after 1 s, app accepts 0.2 s after the dial"]) in (0, 1)
    out, _ = told()
    assert "(ignored: NOT_ANSWERED_YET)" in out


def test_a_new_demo_replaces_the_journal_of_the_last(told: Told) -> None:
    assert main(["demo", "busy"]) == 0
    first = read(JOURNAL)
    assert main(["demo", "busy"]) == 0
    assert [line["event"] for line in read(JOURNAL)] == [line["event"] for line in first]
    told()


def test_the_journal_can_be_put_elsewhere(told: Told) -> None:
    assert main(["demo", "busy", "--journal", "here/it is.jsonl"]) == 0
    assert read("here/it is.jsonl")
    assert not JOURNAL.exists()
    told()


def test_a_journal_that_is_there_already_is_not_touched(told: Told) -> None:
    Path("mine.jsonl").write_text("mine\n", encoding="utf-8")
    assert main(["demo", "busy", "--journal", "mine.jsonl"]) == 2
    out, err = told()
    assert out == ""
    assert err == (
        "warm-transfer: `--journal` is 'mine.jsonl', which is there already; "
        "give a new file, or show it with --replay\n"
    )
    assert Path("mine.jsonl").read_text(encoding="utf-8") == "mine\n"


def test_also_the_journal_of_the_last_demo_is_kept_when_it_is_named(told: Told) -> None:
    lines = recorded()
    assert main(["demo", "busy", "--journal", str(JOURNAL)]) == 2
    assert JOURNAL.read_text(encoding="utf-8").splitlines() == lines
    told()


def test_a_scenario_can_be_told_in_a_line(told: Told) -> None:
    assert main(["demo", 'human answers after 2 s, says no "I am in a meeting" after 3 s']) == 0
    out, _ = told()
    assert 'outcome: declined (declined, "I am in a meeting")' in out


def test_the_refusal_of_the_network_is_shown(told: Told) -> None:
    assert main(["demo", "busy"]) == 0
    out, _ = told()
    assert "outcome: failed (busy, SIP 486" in out


# Mistakes.


@pytest.mark.parametrize("name", ["nosuch", "Merged", "merged\n", "", "\udcff", "-1"])
def test_an_unknown_scenario_is_answered_with_the_known_ones(name: str, told: Told) -> None:
    assert main(["demo", "--", name]) == 2
    out, err = told()
    assert out == ""
    assert err.startswith(f"warm-transfer: `scenario` is {name!r}; give one of ")
    for known in SCENARIOS:
        assert known in err
    assert not JOURNAL.exists()


@pytest.mark.parametrize("line", ["human dances", "caller hangs up; and then?", "; ;", " "])
def test_a_line_that_is_not_understood_is_answered_with_the_grammar(line: str, told: Told) -> None:
    assert main(["demo", line]) == 2
    out, err = told()
    assert out == ""
    assert err.startswith("warm-transfer: `scenario` ")
    assert "human    answers [after N s]" in err


def test_a_limit_that_cannot_be_is_said_before_anything_runs(told: Told) -> None:
    assert main(["demo", "policy ring limit 500 s"]) == 2
    _, err = told()
    assert "`ring_timeout_s` is 500 s" in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nosuch"],
        ["demo", "--nosuch"],
        ["demo", "merged", "busy"],
        ["demo", "--replay"],
        ["demo", "--journal"],
        ["bridge"],
        ["bridge", "nosuch"],
        ["doctor", "--timeout", "soon"],
        ["doctor", "--url"],
    ],
)
def test_arguments_that_make_no_sense_get_the_usage(arguments: list[str], told: Told) -> None:
    assert main(arguments) == 2
    out, err = told()
    assert out == ""
    assert err.startswith("usage: warm-transfer")


def test_help_is_no_mistake(told: Told) -> None:
    assert main(["demo", "--help"]) == 0
    out, err = told()
    assert "--replay JOURNAL" in out
    assert err == ""


@pytest.mark.parametrize("where", ["a directory", "file/journal.jsonl"])
def test_a_journal_that_cannot_be_written_is_said(where: str, told: Told) -> None:
    Path("a directory").mkdir()
    Path("file").write_text("", encoding="utf-8")
    assert main(["demo", "busy", "--journal", where]) == 2
    _, err = told()
    assert err.startswith("warm-transfer: ")
    assert where.split("/", maxsplit=1)[0] in err


# Replaying.


def recorded(name: str = "decline") -> list[str]:
    assert main(["demo", name]) == 0
    return JOURNAL.read_text(encoding="utf-8").splitlines()


def replay_of(lines: list[str]) -> int:
    Path("edited.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return main(["demo", "--replay", "edited.jsonl"])


@pytest.mark.parametrize("path", ["nowhere.jsonl", "", ".", "no/such/path", "a\0b"])
def test_a_journal_that_cannot_be_read_is_said(path: str, told: Told) -> None:
    assert main(["demo", "--replay", path]) == 2
    out, err = told()
    assert out == ""
    assert err.startswith("warm-transfer: ")
    assert not JOURNAL.exists()


def test_a_broken_journal_is_named_by_file_and_line(told: Told) -> None:
    lines = recorded()
    told()
    lines[2] = lines[2][:30]
    assert replay_of(lines) == 2
    out, err = told()
    assert out == ""
    assert err == "warm-transfer: edited.jsonl:3: is not JSON\n"


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("table", "0123456789ab", "is of table 0123456789ab"),
        ("after", "merged", "went holding to merged, now holding to dialing"),
        ("event", "CALLER_FELL", "cannot be replayed: 'CALLER_FELL'"),
        ("event", "MERGE_CONFIRMED", "cannot be replayed: MERGE_CONFIRMED cannot happen"),
        ("seq", 7, "is step 7 of the transfer, not 2"),
    ],
)
def test_a_journal_that_decides_differently_is_said(
    key: str, value: object, problem: str, told: Told
) -> None:
    lines = recorded()
    told()
    lines[1] = json.dumps({**json.loads(lines[1]), key: value})
    assert replay_of(lines) == 2
    out, err = told()
    name = json.loads(lines[0])["transfer"]
    assert err.startswith(f"warm-transfer: transfer {name}, line 2: {problem}")
    assert out.endswith("not replayed\n\n")
    assert "every step decides as recorded" not in out


def test_a_journal_of_another_table_is_shown_and_not_replayed(told: Told) -> None:
    lines = [json.dumps({**json.loads(line), "table": "0123456789ab"}) for line in recorded()]
    told()
    assert replay_of(lines) == 1
    out, err = told()
    assert "TRANSFER_REQUESTED" in out
    assert "recorded with another table (0123456789ab); this one is " in out
    assert "every step decides as recorded" not in out
    assert err == ""


def test_a_detail_stands_below_its_step(told: Told) -> None:
    lines = recorded()
    first = json.loads(lines[0])
    lines[0] = json.dumps({**first, "payload": {**first["payload"], "detail": "then nothing"}})
    told()
    assert replay_of(lines) == 0
    out, _ = told()
    assert "            then nothing\n" in out


def test_an_empty_journal_holds_no_transfer(told: Told) -> None:
    Path("empty.jsonl").touch()
    assert main(["demo", "--replay", "empty.jsonl"]) == 2
    _, err = told()
    assert err == "warm-transfer: empty.jsonl: holds no transfer\n"


def test_a_journal_of_several_transfers_is_shown_one_after_the_other(told: Told) -> None:
    first, second = recorded("busy"), recorded("decline")
    second = [json.dumps({**json.loads(line), "transfer": "other \ud800"}) for line in second]
    told()
    mixed = [line for pair in zip(first, second, strict=False) for line in pair]
    assert replay_of(mixed) == 0
    out, err = told()
    assert out.count("replayed: every step decides as recorded") == 2
    assert "transfer other \\ud800" in out
    assert err == ""


def test_a_transfer_whose_beginning_is_gone_does_not_hide_those_behind_it(told: Told) -> None:
    first, second = recorded("busy"), recorded("decline")
    second = [json.dumps({**json.loads(line), "transfer": "other"}) for line in second]
    told()
    assert replay_of([*first[2:], *second]) == 2
    out, err = told()
    name = json.loads(first[0])["transfer"]
    assert err == f"warm-transfer: transfer {name}, line 1: is step 3 of the transfer, not 1\n"
    assert f"transfer {name}\n" in out
    assert out.count("not replayed") == 1
    shown = out.partition("transfer other\n")[2]
    assert shown.endswith("replayed: every step decides as recorded\n\n")


# The doctor and the bridge; what they find is in tests/livekit/doctor.

SETTINGS = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
NOWHERE = ("--url", "ws://127.0.0.1:9", "--api-key", "key", "--api-secret", "s" * 32)


@pytest.mark.parametrize("command", [["doctor"], ["bridge", "setup"]])
def test_without_settings_all_that_are_missing_are_named(
    command: list[str], told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    assert main(command) == 2
    out, err = told()
    assert out == ""
    assert err.startswith("warm-transfer: `--url` is missing; give --url and --api-key and ")
    for name in SETTINGS:
        assert name in err


def test_a_server_that_is_not_there_is_found_out_and_nothing_else_is_tried(told: Told) -> None:
    assert main(["doctor", *NOWHERE]) == 1
    out, err = told()
    assert "address      failed" in out
    assert "-> check the address, and that the server runs" in out
    assert out.splitlines()[-1] == "ws://127.0.0.1:9: 1 failed"
    assert err == ""


def test_the_report_can_be_read_by_a_script(told: Told) -> None:
    assert main(["doctor", *NOWHERE, "--json"]) == 1
    out, err = told()
    report = json.loads(out)
    assert (report["exit_code"], report["verdict"]) == (1, "failed")
    assert report["checks"][0]["name"] == "address"
    assert err == ""


def test_the_bridge_cannot_be_set_up_where_no_server_is(told: Told) -> None:
    assert main(["bridge", "setup", *NOWHERE, "--sip-address", "127.0.0.1"]) == 2
    out, err = told()
    assert out == ""
    assert err.startswith("warm-transfer: `LIVEKIT_URL` cannot be reached; check the address")


@pytest.mark.parametrize(
    ("command", "option"),
    [(["doctor"], "--call NUMBER"), (["bridge", "setup"], "--sip-address HOST[:PORT]")],
)
def test_the_options_are_told(command: list[str], option: str, told: Told) -> None:
    assert main([*command, "--help"]) == 0
    out, _ = told()
    assert option in out


def test_a_stopped_run_says_so(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warm_transfer.livekit.doctor.command.doctor", lambda *_: 130)
    assert main(["doctor"]) == 130
    assert told() == ("", "warm-transfer: stopped\n")


# Nothing a user types ends in a traceback.

WORDS = st.sampled_from(
    ["demo", "--list", "--replay", "--help", "merged", "nosuch", "human is busy", "--", "-x", ""]
) | st.text(max_size=8)


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.lists(WORDS, max_size=4))
@example(["demo", "--replay", "\ud800"])
@example(["demo", "\ud800 \ud800"])
def test_no_arguments_raise(words: list[str]) -> None:
    # What is written goes where the test is, not where the words say.
    argv = [word for word in words if not word.startswith(("--j", "--J"))]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    assert code in (0, 1, 2)
    assert "Traceback" not in out.getvalue() + err.getvalue()
    assert bool(err.getvalue()) == (code == 2)


# As a process.


def test_the_doctor_runs_as_a_process_and_ends_with_its_code() -> None:
    done = run_process("doctor", *NOWHERE)
    assert (done.returncode, done.stderr) == (1, "")
    assert "address      failed" in done.stdout


def test_the_command_runs_as_a_module() -> None:
    done = run_process("demo", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith("merged ")


def test_the_process_says_a_mistake_without_a_traceback() -> None:
    done = run_process("demo", "nosuch")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("warm-transfer: `scenario` is 'nosuch'")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "warm_transfer.cli", "demo", "--list"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr as stderr:
        assert stderr.read() == ""
    assert process.wait(timeout=60) == 1
