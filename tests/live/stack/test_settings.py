from __future__ import annotations

import pytest

from tests.live import __main__ as command
from tests.live.errors import CannotRun
from tests.live.stack.settings import NAMES, reasons_not_to_run, settings_of, wanted
from warm_transfer.livekit.bridge_objects import BridgeObjects

WHOLE = {
    "LIVEKIT_URL": "wss://livekit.example.org",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "secret",
    "WT_TRUNK_ID": "ST_phone",
    "WT_CALL_TO": "+15105550123",
}


def complaint(**changes: str) -> str:
    with pytest.raises(CannotRun) as caught:
        settings_of({**WHOLE, **changes})
    return str(caught.value)


def test_a_whole_stack_is_read_and_the_application_says_yes() -> None:
    settings = settings_of(WHOLE)
    assert settings.server.url == WHOLE["LIVEKIT_URL"]
    assert (settings.trunk_id, settings.call_to) == ("ST_phone", "+15105550123")
    assert (settings.accept, settings.bridge) == ("app", None)


@pytest.mark.parametrize("name", WHOLE)
def test_what_is_missing_is_named_and_nothing_else(name: str) -> None:
    assert complaint(**{name: ""}).endswith(f": set {name}")


def test_everything_that_is_missing_is_named_at_once() -> None:
    said = complaint(WT_TRUNK_ID="", WT_CALL_TO="")
    assert said.endswith(": set WT_TRUNK_ID, WT_CALL_TO")


@pytest.mark.parametrize("url", ["livekit.example.org", "file:///tmp", "ws://", "http://["])
def test_an_address_that_is_none_is_named(url: str) -> None:
    assert complaint(LIVEKIT_URL=url).startswith("LIVEKIT_URL is no address")


def test_a_number_that_cannot_be_dialled_is_named_and_not_repeated() -> None:
    said = complaint(WT_CALL_TO="call me maybe")
    assert said.startswith("WT_CALL_TO ")
    assert "maybe" not in said


def test_a_person_may_say_yes_and_nobody_else() -> None:
    assert settings_of({**WHOLE, "WT_ACCEPT": "human"}).accept == "human"
    assert complaint(WT_ACCEPT="caller").startswith("WT_ACCEPT is 'caller'")


def test_the_bridge_of_the_environment_is_taken_whole() -> None:
    named = {"WT_BRIDGE_TRUNK": "ST_self", "WT_BRIDGE_NUMBER": "n", "WT_BRIDGE_PREFIX": "p"}
    bridge = settings_of({**WHOLE, **named}).bridge
    assert bridge is not None
    assert bridge.environment() == named
    said = complaint(WT_BRIDGE_NUMBER="n", WT_BRIDGE_PREFIX="p")
    assert said.startswith("WT_BRIDGE_NUMBER and WT_BRIDGE_PREFIX without WT_BRIDGE_TRUNK")


def test_one_trunk_cannot_lead_to_the_phone_and_to_the_service_itself() -> None:
    said = complaint(WT_BRIDGE_TRUNK="ST_phone")
    assert said.startswith("WT_BRIDGE_TRUNK and WT_TRUNK_ID are the same trunk")


def test_all_are_wanted_or_the_one_that_is_named() -> None:
    assert wanted("all") == NAMES
    assert wanted("relay") == ("relay",)
    with pytest.raises(CannotRun, match="--merge auto"):
        wanted("auto")


def test_what_cannot_run_somewhere_has_a_reason() -> None:
    own = reasons_not_to_run("ws://10.0.0.5:7880", None)
    assert own.keys() == {"sip_bridge", "move"}
    assert "bridge setup" in own["sip_bridge"]
    assert reasons_not_to_run("ws://10.0.0.5:7880", BridgeObjects("ST_self")).keys() == {"move"}
    assert reasons_not_to_run("wss://x.livekit.cloud", None).keys() == {"sip_bridge"}


@pytest.mark.parametrize("more", [["--scenario", "busy"], ["--sabotage", "human-muted"]])
def test_a_real_phone_plays_no_scenario(
    more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--phone", "real", *more]) == 2
    assert "leave --scenario and --sabotage out" in capsys.readouterr().err


def test_the_command_names_what_is_missing_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in WHOLE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WT_TRUNK_ID")
    assert command.main(["--phone", "real", "--merge", "relay"]) == 2
    said = capsys.readouterr().err
    assert said == "error: --phone real needs a whole stack: set WT_TRUNK_ID\n"
