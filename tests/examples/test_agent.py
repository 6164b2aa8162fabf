"""The agent of ``examples``: as it is started, and its calls in the simulated world."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from examples.agent import NEEDED, Settings
from tests.examples.run import ENVIRONMENT, SCENARIOS, run
from tests.sources import ROOT

AGENT = ROOT / "examples/agent.py"
INFERENCE = {
    "SUPPORT_STT": "deepgram/nova-3:en",
    "SUPPORT_LLM": "openai/gpt-4.1-mini",
    "SUPPORT_TTS": "cartesia/sonic-3:voice",
}


def started(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    return subprocess.run(  # noqa: S603 - our own
        [sys.executable, str(AGENT), *arguments],
        env={**ours, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_an_environment_it_says_all_that_is_missing_and_does_not_start() -> None:
    done = started("start")
    assert done.returncode == 1
    assert done.stderr.startswith("the environment lacks\n")
    assert [line.split(":")[0].strip() for line in done.stderr.splitlines()[1:]] == list(NEEDED)


def test_a_model_that_is_not_there_is_named() -> None:
    done = started("start", **{**ENVIRONMENT, "SUPPORT_TTS": "livekit.plugins.nobody:TTS"})
    assert done.returncode == 1
    assert done.stderr.startswith("SUPPORT_TTS=livekit.plugins.nobody:TTS cannot be used: ")


def test_with_an_environment_it_is_a_worker_of_livekit_agents() -> None:
    done = started("--help", **{**ENVIRONMENT, **INFERENCE})
    assert done.returncode == 0, done.stderr
    assert "start" in done.stdout


def test_names_of_inference_are_left_to_livekit_agents() -> None:
    settings = Settings.read({**ENVIRONMENT, **INFERENCE})
    assert [settings.stt, settings.llm, settings.tts] == list(INFERENCE.values())


def test_a_class_is_made() -> None:
    settings = Settings.read(ENVIRONMENT)
    assert [type(each).__name__ for each in (settings.stt, settings.llm, settings.tts)] == [
        "HearingSTT",
        "CallingLLM",
        "PlainTTS",
    ]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("busy", "Nobody is free at the moment."),
        ("no answer", "Nobody is free at the moment."),
        ("declined", "human agent declined to connect: in a meeting"),
    ],
)
async def test_a_caller_who_is_not_put_through_is_with_the_agent_who_knows_why(
    name: str, words: str
) -> None:
    told = await run(AGENT.read_text(encoding="utf-8"), SCENARIOS[name])
    assert (told.rung, told.together, told.alone, told.closed) == (1, False, True, False)
    assert told.to_model[-1].startswith(words)


@pytest.mark.asyncio
async def test_a_human_who_says_yes_talks_to_the_caller() -> None:
    told = await run(AGENT.read_text(encoding="utf-8"), SCENARIOS["merged"])
    assert (told.rung, told.together) == (1, True)
