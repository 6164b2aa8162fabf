"""The commands behind their arguments. They run their own loop, so these tests have none."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from livekit import api

from tests.livekit.doctor.ward import HERE, SECRET, Ward
from tests.livekit.trunks import PASSWORD, FakeSip, a_bridge, an_inbound
from warm_transfer import cli
from warm_transfer.errors import InvalidArgument, ServerUnusable
from warm_transfer.livekit.doctor import command
from warm_transfer.livekit.doctor.limits import DoctorLimits

ADDRESS = ("--url", HERE, "--api-key", "key", "--api-secret", SECRET)
NUMBER = "+15105550123"
VARIABLES = (
    "LIVEKIT_URL",
    "LIVEKIT_API_KEY",
    "LIVEKIT_API_SECRET",
    "LIVEKIT_SIP_OUTBOUND_TRUNK",
    "LIVEKIT_SIP_NUMBER",
    "WT_BRIDGE_TRUNK",
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables of whoever runs the tests; and no waiting for an agent that never comes."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(command, "DoctorLimits", lambda: DoctorLimits(watch_s=0.01))


class Told:
    """Runs a command against a ward, and keeps what it says."""

    def __init__(self, ward: Ward | None = None) -> None:
        self.ward = ward or Ward()
        self.ward.slow_s = self.ward.hear_s = 0.0
        self.ways: list[tuple[str, str, str]] = []
        self.lines: list[str] = []

    def _way(self, url: str, key: str, secret: str) -> Any:
        self.ways.append((url, key, secret))
        return self.ward

    def __call__(self, *argv: str) -> int:
        self.lines.clear()
        arguments = cli._parser().parse_args([*argv])
        run: Callable[..., int] = command.doctor
        if argv[0] == "bridge":
            run = command.bridge_setup
        return run(arguments, self.lines.append, self._way)

    @property
    def text(self) -> str:
        assert SECRET not in "\n".join(self.lines)
        assert PASSWORD not in "\n".join(self.lines)
        return "\n".join(self.lines)


# The doctor.


def test_a_sound_server_is_a_table_and_no_error() -> None:
    told = Told()
    assert told("doctor", *ADDRESS, "--trunk", "ST_people") == 0
    assert told.lines[0].split() == ["check", "verdict", "seconds", "found"]
    assert told.lines[1].split()[:2] == ["address", "ok"]
    assert 'merge="auto" chooses relay: ' in told.lines[-2]
    assert told.lines[-1] == f"{HERE}: 1 warning"
    assert told.ways == [(HERE, "key", SECRET)]


def test_a_broken_server_is_an_error_with_a_remedy_below() -> None:
    ward = Ward()
    ward.sip_store.redis = False
    told = Told(ward)
    assert told("doctor", *ADDRESS) == 1
    row = next(line for line in told.lines if line.startswith("redis"))
    assert "failed" in row
    assert "-> give livekit-server a `redis:` section" in told.text


def test_as_json_there_is_one_object_and_nothing_else() -> None:
    told = Told(Ward(sip=a_bridge()))
    assert told("doctor", *ADDRESS, "--json", "--bridge") == 0
    content = json.loads(told.text)
    assert len(told.lines) == 1
    assert content["auto"]["strategies"] == ["sip_bridge", "relay"]
    assert {each["name"]: each["verdict"] for each in content["checks"]}["bridge call"] == "ok"


def test_settings_come_from_the_environment_and_arguments_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIVEKIT_URL", HERE)
    monkeypatch.setenv("LIVEKIT_API_KEY", "k")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "s")
    monkeypatch.setenv("LIVEKIT_SIP_OUTBOUND_TRUNK", "ST_unknown")
    told = Told()
    assert told("doctor") == 1
    assert "ST_unknown is not known" in told.text
    assert told("doctor", "--api-key", "other", "--trunk", "ST_people") == 0
    assert told.ways == [(HERE, "k", "s"), (HERE, "other", "s")]


def test_a_bridge_that_the_environment_names_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WT_BRIDGE_TRUNK", "ST_old")
    told = Told(Ward(sip=a_bridge()))
    told("doctor", *ADDRESS)
    assert "WT_BRIDGE_TRUNK names ST_old, which the server does not know" in told.text


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "--url and --api-key and --api-secret, or set LIVEKIT_URL and LIVEKIT_API_KEY"),
        (ADDRESS[:4], "`--api-secret` is missing; give --api-secret, or set LIVEKIT_API_SECRET"),
        ([*ADDRESS[2:], "--url", "here:7880"], "`--url` is no address"),
        ([*ADDRESS[2:], "--url", "ftp://here"], "`--url` is no address"),
        ([*ADDRESS[2:], "--url", "ws://"], "`--url` is no address"),
        ([*ADDRESS[2:], "--url", "ws://here:port"], "`--url` is no address"),
        ([*ADDRESS[2:], "--url", "ws://[here"], "`--url` is no address"),
        ([*ADDRESS, "--call", NUMBER], "`--call` has no trunk"),
        ([*ADDRESS, "--trunk", "ST", "--call", "sip:me@here"], "`--call` is no phone number"),
        ([*ADDRESS, "--trunk", "ST", "--call", ""], "`--call` is no phone number"),
        ([*ADDRESS, "--timeout", "0"], "`--timeout` is 0"),
        ([*ADDRESS, "--timeout", "nan"], "`--timeout` is nan"),
        ([*ADDRESS, "--ring-seconds", "-1"], "`--ring-seconds` is -1"),
        ([*ADDRESS, "--ring-seconds", "71"], "give at most 70: the server drops a dial"),
    ],
)
def test_a_mistake_is_said_before_anything_is_asked(argv: list[str], words: str) -> None:
    told = Told()
    with pytest.raises(InvalidArgument) as raised:
        told("doctor", *argv)
    assert words in str(raised.value)
    assert told.lines == []
    assert told.ward.requests == []


def test_a_call_is_placed_only_by_its_option_and_for_its_seconds() -> None:
    told = Told()
    told.ward.phone = 0.01
    assert told("doctor", *ADDRESS, "--trunk", "ST_people") == 0
    assert len(told.ward.dialled) == 1  # the one to nowhere
    call = ("--trunk", "ST_people", "--call", NUMBER, "--ring-seconds", "7")
    assert told("doctor", *ADDRESS, *call) == 0
    assert told.ward.dialled[-1].ringing_timeout.seconds == 7
    assert "***23 answered" in told.text
    assert NUMBER not in told.text


def test_a_call_shows_the_caller_id_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEKIT_SIP_NUMBER", "+15105550177")
    told = Told()
    told.ward.phone = 0.01
    assert told("doctor", *ADDRESS, "--trunk", "ST_people", "--call", NUMBER) == 0
    assert told.ward.dialled[-1].sip_number == "+15105550177"
    assert "shows ***77" in told.text


def test_a_caller_id_that_transfers_would_refuse_is_said_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIVEKIT_SIP_NUMBER", "the office")
    told = Told()
    with pytest.raises(InvalidArgument) as raised:
        told("doctor", *ADDRESS)
    assert str(raised.value).startswith("`LIVEKIT_SIP_NUMBER` is no caller id; give 2 to 15")
    assert told.ward.requests == []


def test_the_whole_is_bounded_by_its_option() -> None:
    told = Told()
    told.ward.hangs.add("look")
    assert told("doctor", *ADDRESS, "--timeout", "0.05") == 1
    assert "raise --timeout" in told.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_stopped_it_cleans_up_and_has_a_code_of_its_own(
    number: signal.Signals, options: list[str]
) -> None:
    told = Told()
    told.ward.hangs.add("join")
    told.ward.when["join"] = lambda: os.kill(os.getpid(), number)
    assert told("doctor", *ADDRESS, *options) == command.STOPPED
    assert not told.ward.left
    assert bool(told.lines) == (options == [])
    if told.lines:
        assert "all that was made is removed" in told.lines[-1]


def test_what_the_native_library_says_of_itself_is_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logging.getLogger("livekit")
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "propagate", False)
    told = Told()
    told.ward.when["leave"] = lambda: log.warning("Attempted to drop unknown FFI handle")
    told("doctor", *ADDRESS)
    assert capsys.readouterr() == ("", "")


# The bridge.


def test_the_bridge_is_set_up_and_its_variables_are_printed() -> None:
    told = Told(Ward(sip=FakeSip()))
    assert told("bridge", "setup", *ADDRESS, "--sip-address", "10.0.0.5:5060") == 0
    trunk_id = told.ward.sip_store.outbound[0].sip_trunk_id
    assert [line.split()[3] for line in told.lines[:3]] == ["created"] * 3
    assert told.lines[-3:] == [
        f"WT_BRIDGE_TRUNK={trunk_id}",
        "WT_BRIDGE_NUMBER=wt-bridge",
        "WT_BRIDGE_PREFIX=wt",
    ]
    assert told.ward.sip_store.outbound[0].auth_password not in told.text
    assert told.ward.closed == 1
    assert told("bridge", "setup", *ADDRESS, "--sip-address", "10.0.0.6") == 0
    assert "changed (address)" in told.lines[0]


def test_as_json_there_is_all_but_the_password() -> None:
    told = Told(Ward(sip=FakeSip()))
    options = ("--sip-address", "10.0.0.5", "--allow", "10.0.0.0/8", "--transport", "tls")
    assert told("bridge", "setup", *ADDRESS, *options, "--json") == 0
    content = json.loads(told.text)
    assert content["bridge"]["trunk_id"] == content["environment"]["WT_BRIDGE_TRUNK"]
    assert [each["action"] for each in content["steps"]] == ["created"] * 3
    assert told.ward.sip_store.outbound[0].auth_password not in told.text
    assert list(told.ward.sip_store.inbound[0].allowed_addresses) == ["10.0.0.0/8"]
    assert told.ward.sip_store.outbound[0].transport == api.SIP_TRANSPORT_TLS


@pytest.mark.parametrize("how", [[], ["--remove"]])
def test_a_dry_run_only_says_so(how: list[str]) -> None:
    told = Told(Ward(sip=a_bridge()))
    options = how or ["--sip-address", "10.0.0.6"]
    assert told("bridge", "setup", *ADDRESS, "--dry-run", *options) == 0
    assert "would be " in told.lines[0]
    assert "WT_BRIDGE_TRUNK" not in told.text
    assert told.ward.sip_store.writes == []
    assert told("bridge", "setup", *ADDRESS, "--dry-run", "--json", *options) == 0
    assert json.loads(told.text)["bridge"] is None


def test_removing_removes_and_then_there_is_nothing_to_remove() -> None:
    told = Told(Ward(sip=a_bridge()))
    assert told("bridge", "setup", *ADDRESS, "--remove") == 0
    assert told.text.count("removed") == 3
    assert told.ward.sip_store.outbound == []
    assert told("bridge", "setup", *ADDRESS, "--remove") == 0
    assert told.text == "there is nothing to remove"


def test_a_bridge_that_cannot_work_all_the_same_is_an_error() -> None:
    sip = FakeSip()
    sip.inbound.append(an_inbound(numbers=[]))
    told = Told(Ward(sip=sip))
    assert told("bridge", "setup", *ADDRESS, "--sip-address", "8.8.8.8") == 1
    assert "the bridge cannot work: inbound trunk ST_callers takes calls" in told.text
    assert "note: the address is a public one" in told.text
    assert "WT_BRIDGE_TRUNK" not in told.text


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "`--sip-address` is missing"),
        (["--sip-address", "sip:x"], "`--sip-address` is 'sip:x'"),
        (["--sip-address", "x", "--allow", "y"], "`--allow` is 'y'"),
        (["--sip-address", "x", "--transport", "z"], "`--transport` is 'z'"),
        (["--remove", "--sip-address", "x"], "`--remove` is given beside"),
    ],
)
def test_a_mistake_sets_nothing_up(argv: list[str], words: str) -> None:
    told = Told(Ward(sip=FakeSip()))
    with pytest.raises(InvalidArgument) as raised:
        told("bridge", "setup", *ADDRESS, *argv)
    assert words in str(raised.value)
    assert told.ward.sip_store.writes == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (api.ServerError("unknown", "", status=401), "`LIVEKIT_API_KEY` is refused"),
        (api.ServerError("invalid_argument", "Conflicting trunks", status=400), "Conflicting"),
        (aiohttp.ServerDisconnectedError(), "the connection fails"),
        (TimeoutError(), "does not answer in time"),
    ],
)
def test_a_server_that_refuses_is_said_in_a_sentence(error: Exception, words: str) -> None:
    told = Told(Ward(sip=FakeSip()))
    told.ward.fails["sip.create_inbound_trunk"] = error
    with pytest.raises(ServerUnusable) as raised:
        told("bridge", "setup", *ADDRESS, "--sip-address", "10.0.0.5")
    assert words in str(raised.value)
    assert raised.value.__cause__ is error
    assert told.ward.closed == 1


def test_stopped_the_set_up_closes_its_client() -> None:
    told = Told(Ward(sip=FakeSip()))
    name = "sip.create_inbound_trunk"
    told.ward.hangs.add(name)
    told.ward.when[name] = lambda: os.kill(os.getpid(), signal.SIGTERM)
    code = told("bridge", "setup", *ADDRESS, "--sip-address", "10.0.0.5")
    assert code == command.STOPPED
    assert told.ward.closed == 1


def test_each_run_has_a_loop_of_its_own_that_is_closed() -> None:
    Told()("doctor", *ADDRESS)
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
