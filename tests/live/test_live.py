from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live import __main__ as command
from tests.live.marks import needs_server
from tests.live.server import BINARY, VERSION

ROOT = Path(__file__).resolve().parents[2]
BUILD_AND_RUN_S = 1700


@pytest.mark.live
@needs_server
def test_merged_is_clean_on_real_audio() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.live", "--scenario", "merged"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=BUILD_AND_RUN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    output = ROOT / "build" / "live"
    report = json.loads((output / "report.json").read_text())
    assert report["outcome"] == {"result": "merged", "reason": "accepted"}
    assert report["violations"] == []
    assert (output / "caller.wav").stat().st_size > 0
    assert (output / "human.wav").stat().st_size > 0
    assert (output / "journal.jsonl").read_text().count("\n") >= 8


def test_an_unknown_scenario_is_one_sentence_with_the_known_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command.main(["--scenario", "nonsense"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: unknown scenario 'nonsense': the known ones are merged, ")
    assert said.err.count("\n") == 1


def test_an_unknown_sabotage_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--sabotage", "nonsense"]) == 2
    assert "human-muted, relay-one-way, music-left-on" in capsys.readouterr().err


def test_without_go_and_server_the_remedy_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.live.server.BINARY", tmp_path / BINARY.name)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.delenv("LIVEKIT_URL", raising=False)
    assert command.main(["--scenario", "merged"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: no livekit-server {VERSION} in .tools/ and no Go")
    assert "LIVEKIT_URL" in said.err
    assert "Traceback" not in said.err


def test_an_url_without_a_key_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIVEKIT_URL", "ws://127.0.0.1:9")
    monkeypatch.delenv("LIVEKIT_API_KEY", raising=False)
    assert command.main(["--scenario", "merged"]) == 2
    assert "set LIVEKIT_API_KEY and LIVEKIT_API_SECRET too" in capsys.readouterr().err
