"""The test suite of ``examples``, run as an application runs its own: green, then broken, red."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.sources import ROOT

INSTALLED = "warm-transfer" in {each.name for each in entry_points(group="pytest11")}
PLUGIN = () if INSTALLED else ("-p", "warm_transfer.testing.plugin")

#: What is broken, in which file, and the test that has to notice.
BREAKS = [
    ("agent.py", "Reason.BUSY, ", "", "test_who_cannot_be_reached_calls_back[human is busy]"),
    ("agent.py", 'on_human_left="return"', "", "test_the_caller_comes_back"),
    (
        "agent.py",
        "raise StopResponse\n        if",
        "pass\n        if",
        "test_a_caller_who_hangs_up",
    ),
    ("custom_dialer.py", "async with asyncio.timeout(request.timeout_s)", "if True", "TestDialer"),
    ("webhook.py", "_tries_max = tries_max", "_tries_max = 1000", "TestWebhook"),
    (
        "journals/caller-left-at-the-answer.jsonl",
        '"after":"abandoned"',
        '"after":"failed"',
        "test_it_is_decided_as_it_was",
    ),
]


def suite(folder: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *PLUGIN]
    return subprocess.run(  # noqa: S603 - our own
        [*command, str(folder), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "examples", tmp_path / "examples"))


def test_it_is_green_and_takes_the_share_of_the_table_that_the_page_names(tmp_path: Path) -> None:
    readme = (ROOT / "examples/README.md").read_text(encoding="utf-8")
    found = re.search(r"pytest examples (--warm-transfer-cov-missing \S+=(\d+))\n", readme)
    assert found is not None
    done = suite(ROOT / "examples", tmp_path, *found[1].split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warm transfer table" in done.stdout
    assert re.search(r"\d+ passed", done.stdout)
    assert not re.search(r"\d+ (skipped|failed|error)", done.stdout)


def test_too_small_a_share_is_red(tmp_path: Path) -> None:
    done = suite(ROOT / "examples", tmp_path, "--warm-transfer-fail-under=99", "-k", "a_yes")
    assert done.returncode == 1
    assert "1 passed" in done.stdout
    assert "FAIL warm-transfer-fail-under" in done.stdout


def test_every_break_is_noticed_where_it_should_be(copy: Path, tmp_path: Path) -> None:
    for name, right, wrong, _ in BREAKS:
        text = (copy / name).read_text(encoding="utf-8")
        assert right in text, right
        (copy / name).write_text(text.replace(right, wrong, 1), encoding="utf-8")
    done = suite(copy, tmp_path)
    failed = re.findall(r"^FAILED \S*?::(.*?)(?: - |$)", done.stdout, re.MULTILINE)
    for _, right, _, test in BREAKS:
        assert any(test in each for each in failed), f"{right}: {failed}"
    passed = "test_a_yes_joins_the_two"
    assert not any(passed in each for each in failed), done.stdout
