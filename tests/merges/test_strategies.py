from __future__ import annotations

import pytest

from tests.merges import __main__ as command
from tests.merges.strategies import RUNNABLE, why_not

VARIABLES = {
    "LIVEKIT_URL": "wss://x",
    "LIVEKIT_API_KEY": "k",
    "LIVEKIT_API_SECRET": "s",
    "WT_BRIDGE_TRUNK": "ST_y",
}


@pytest.mark.parametrize("name", RUNNABLE)
def test_two_strategies_need_nothing(name: str) -> None:
    assert why_not(name, {}) is None


def test_what_is_missing_is_named() -> None:
    reason = why_not("sip_bridge", {**VARIABLES, "WT_BRIDGE_TRUNK": ""})
    assert reason is not None
    assert reason.endswith("set WT_BRIDGE_TRUNK")
    reason = why_not("move", {})
    assert reason is not None
    assert "LiveKit's cloud" in reason
    assert "LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET" in reason


@pytest.mark.parametrize("name", ["sip_bridge", "move"])
def test_a_strategy_that_was_asked_for_and_cannot_run_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for each in VARIABLES:
        monkeypatch.delenv(each, raising=False)
    assert command.main(["--strategy", name]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {name} cannot run here: it needs ")
    assert said.count("\n") == 1
